internal import CLinux
internal import Glibc
internal import HostAccess

/// Netlink sockets on which the kernel speaks unasked. Source: netlink(7), socket(7).
extension Descriptor {
    /// Opens one in this network namespace. `queue`: the bytes that the kernel may keep for it. `type` is added to a raw
    /// socket's.
    static func netlinkListener(
        _ protocolNumber: Int32, queue: Int32, type: Int32 = 0, _ operation: String
    ) throws(HostError) -> Descriptor {
        let descriptor = try Descriptor(
            clinux_socket_in_netns(
                -1, AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | type, protocolNumber),
            operation: operation)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor.rawValue, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard bound == 0 else { throw HostError(errno: errno, operation: operation) }
        // More than the host's limit is for administrators; less will do.
        descriptor.set(SOL_SOCKET, SO_RCVBUFFORCE, queue)
        return descriptor
    }

    /// Joins a multicast group.
    func join(_ group: Int32, _ operation: String) throws(HostError) {
        var group = group
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(rawValue, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, size) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
    }

    /// Sets an integer option; an option that the kernel does not know is left alone.
    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(rawValue, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
