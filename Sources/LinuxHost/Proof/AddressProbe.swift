internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Asks by ARP whether somebody has an address, without claiming it: the sender's address is 0.0.0.0.
///
/// Source: RFC 5227 §2.1.1, RFC 826, packet(7).
enum AddressProbe {
    /// Neighbours on a bridge of this host answer within microseconds; a busy one within this.
    private static let waitMilliseconds = 3

    /// Those of the addresses that are taken.
    static func taken(
        _ addresses: [IPv4Address], in container: borrowing ProofContainer
    ) throws(HostError) -> [IPv4Address] {
        guard let socket = container.packetSocket else { return [] }
        for address in addresses {
            try send(request(for: address), through: socket, interface: container.interfaceIndex)
        }
        var taken: [IPv4Address] = []
        let deadline = Deadline(milliseconds: waitMilliseconds)
        var buffer = [UInt8](repeating: 0, count: 64)
        while deadline.milliseconds > 0 {
            var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, deadline.milliseconds) > 0 else { continue }
            let count = recv(socket.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 28, let sender = IPv4Address(octets: buffer[14..<18]) else { continue }
            // Our own requests come by as well, with the sender 0.0.0.0.
            if addresses.contains(sender), !taken.contains(sender) { taken.append(sender) }
        }
        return taken
    }

    /// The hardware addresses that answer for an address behind the ports of a bridge. The bridge asks itself, so the
    /// host does not answer. The socket is given back to be closed when there is time.
    static func owners(of address: IPv4Address, behind bridge: String) throws(HostError) -> ([MACAddress], SharedSocket)
    {
        let operation = "ask behind \(bridge) who has \(address)"
        let arp = UInt16(ETH_P_ARP).bigEndian
        var route = try NetlinkSocket(.route)
        let link = try LinkDescription(named: bridge, through: &route)
        let socket = SharedSocket(
            try Descriptor(
                clinux_socket_in_netns(
                    -1, AF_PACKET,
                    Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue),
                    Int32(arp)), operation: operation))
        // The answer comes to this address: one to nobody would be flooded, and pass the bridge itself by.
        let question = request(for: address, from: link.hardwareAddress)
        try send(question, through: socket, interface: link.index)
        var owners: [MACAddress] = []
        let deadline = Deadline(milliseconds: waitMilliseconds)
        var buffer = [UInt8](repeating: 0, count: 64)
        while deadline.milliseconds > 0 {
            var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, deadline.milliseconds) > 0 else { continue }
            let count = recv(socket.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            // Operation 2: a reply, not somebody else's question.
            guard count >= 28, buffer[6] == 0, buffer[7] == 2, IPv4Address(octets: buffer[14..<18]) == address,
                let owner = MACAddress(octets: buffer[8..<14])
            else { continue }
            if !owners.contains(owner), owners.count < 16 { owners.append(owner) }
        }
        return (owners, socket)
    }

    /// Ethernet and IPv4, operation 1.
    private static func request(
        for address: IPv4Address, from sender: [UInt8] = [UInt8](repeating: 0, count: 6)
    ) -> [UInt8] {
        // The sender's own address stays zero: nobody learns anything from a question.
        [0, 1, 8, 0, 6, 4, 0, 1] + sender.prefix(6) + [UInt8](repeating: 0, count: 4) + [UInt8](repeating: 0, count: 6)
            + address.octets
    }

    private static func send(_ bytes: [UInt8], through socket: SharedSocket, interface: Int32) throws(HostError) {
        var address = sockaddr_ll()
        address.sll_family = sa_family_t(AF_PACKET)
        address.sll_protocol = UInt16(ETH_P_ARP).bigEndian
        address.sll_ifindex = interface
        address.sll_halen = 6
        withUnsafeMutableBytes(of: &address.sll_addr) { $0.copyBytes(from: [UInt8](repeating: 0xff, count: 6)) }
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket.rawValue, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        guard sent == bytes.count else { throw HostError(errno: errno, operation: "ask by ARP for a free address") }
    }
}
