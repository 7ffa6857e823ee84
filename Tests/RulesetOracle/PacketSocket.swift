import CLinux
import Glibc
import HostAccess
import HostModel
import LinuxHost
import WireFormats

/// A raw socket on one link of one of the namespaces. packet(7).
struct PacketSocket: ~Copyable {
    private let descriptor: Descriptor

    init(namespace name: String, link: String) throws {
        let namespace = Descriptor(owning: open("/run/netns/\(name)", O_RDONLY | O_CLOEXEC))
        guard namespace.rawValue >= 0 else { throw OracleError("no namespace \(name)") }
        var netlink = try NetlinkSocket(.route, namespace: namespace.rawValue)
        let links = try Link.all(in: netlink.request(.links()))
        guard let found = links.first(where: { $0.name == link }) else {
            throw OracleError("no link \(link) in \(name)")
        }
        let index = Int32(found.index)
        // ETH_P_ALL in network order.
        let all = UInt16(3).bigEndian
        let descriptor = try Descriptor(
            clinux_socket_in_netns(
                namespace.rawValue, AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(all)),
            operation: "packet socket in \(name)")
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = all
        address.sll_ifindex = index
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor.rawValue, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        guard bound == 0 else { throw OracleError("bind \(link): errno \(errno)") }
        self.descriptor = descriptor
    }

    borrowing func send(_ frame: [UInt8]) throws {
        guard Glibc.send(descriptor.rawValue, frame, frame.count, 0) == frame.count else {
            throw OracleError("send: errno \(errno)")
        }
    }

    /// The next frame that came in; nil where none waits.
    borrowing func receive(milliseconds: Int32 = 0) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        for _ in 0..<10_000 {
            if milliseconds > 0 {
                var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
            }
            var address = sockaddr_ll()
            var length = socklen_t(MemoryLayout<sockaddr_ll>.size)
            let count = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
            guard count > 0 else { return nil }
            // PACKET_OUTGOING: what this end sent itself.
            if address.sll_pkttype == 4 { continue }
            return Array(buffer[..<count])
        }
        return nil
    }

    borrowing func drain() {
        while receive() != nil {}
    }
}

struct OracleError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
