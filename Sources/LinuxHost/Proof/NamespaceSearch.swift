internal import CLinux
internal import Glibc
internal import HostAccess
internal import WireFormats

/// Finds the network namespaces that links of this one lead to, by the processes that live there.
///
/// Source: proc(5) /proc/PID/ns/net; RTM_GETNSID, linux/net_namespace.h.
struct NamespaceSearch: ~Copyable {
    /// A namespace with the process that it was found by.
    struct Found {
        var path: String
        /// As this namespace numbers it (IFLA_LINK_NETNSID).
        var identifier: Int
    }

    private var socket: NetlinkSocket
    private static let operation = "find the containers of a bridge"

    init() throws(HostError) {
        socket = try NetlinkSocket(.route)
    }

    /// Opens a namespace. `identifier`: it must be that one (a process number may be used again).
    mutating func open(_ path: String, identifier: Int?) throws(HostError) -> Descriptor {
        let namespace = try Descriptor(
            Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK).orErrno, operation: "enter \(path)")
        if let identifier, try self.identifier(of: namespace.rawValue) != identifier {
            throw HostError(
                .notFound, operation: "enter \(path)", message: "it is another one by now")
        }
        return namespace
    }

    /// The namespaces of these numbers, as far as one of the paths leads there.
    mutating func find(_ wanted: Set<Int>, among paths: [String]) throws(HostError) -> [Found] {
        var seen: Set<Int> = []
        var found: [Found] = []
        for path in paths where found.count < wanted.count {
            var facts = stat()
            // Gone meanwhile, or of somebody whom we may not look at.
            guard stat(path, &facts) == 0, seen.insert(Int(truncatingIfNeeded: facts.st_ino)).inserted else {
                continue
            }
            do {
                let namespace = try open(path, identifier: nil)
                guard let number = try identifier(of: namespace.rawValue), wanted.contains(number) else { continue }
                found.append(Found(path: path, identifier: number))
            } catch {
                // A file in /run/netns that is no namespace answers EINVAL.
                guard [.notFound, .notPermitted].contains(error.code) || [ESRCH, EINVAL].contains(error.errno) else {
                    throw error
                }
            }
        }
        return found
    }

    /// Nil: this namespace has no number for it.
    private mutating func identifier(of namespace: Int32) throws(HostError) -> Int? {
        // struct rtgenmsg is one byte.
        var query = NetlinkAttributeBuilder(header: [UInt8(AF_UNSPEC), 0, 0, 0])
        query.append(UInt16(NETNSA_FD), host: UInt32(bitPattern: namespace))
        let answers = try socket.request(
            type: UInt16(RTM_GETNSID), flags: UInt16(NLM_F_REQUEST), payload: query.bytes, operation: Self.operation)
        return try HostError.decoding(Self.operation) { () throws(WireError) in
            guard let bytes = answers.first else { return nil }
            let attributes = try NetlinkMessage(bytes).attributes(after: 4)
            guard let attribute = try attributes.first(UInt16(NETNSA_NSID)) else { return nil }
            let number = Int(try attributes.host(attribute, as: Int32.self))
            return number < 0 ? nil : number
        }
    }
}
