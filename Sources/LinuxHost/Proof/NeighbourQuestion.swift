internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// A question whether somebody has addresses that a container may take. It claims none. Answers are collected later.
protocol ClaimQuestion {
    /// Those of the addresses that somebody has.
    func taken() -> [IPAddress]
}

/// A question by neighbour discovery, as a host asks before it takes an address: from nobody, so that nobody learns
/// anything from it. Source: RFC 4862 §5.4.2, packet(7).
struct NeighbourQuestion: ClaimQuestion {
    /// As for ARP: neighbours on a bridge of this host answer within microseconds.
    private static let waitMilliseconds = 3
    private static let operation = "ask by neighbour discovery who has an address"

    private let socket: SharedSocket
    private let addresses: [IPAddress]
    private let deadline: Deadline

    /// Asks from a container; nil where it has nothing to ask with.
    init?(_ addresses: [IPAddress], from container: borrowing ProofContainer) throws(HostError) {
        guard let socket = container.packetSocket else { return nil }
        for address in addresses.compactMap(\.v6) {
            try socket.send(
                NeighbourDiscovery.question(for: address), protocol: UInt16(ETH_P_IPV6),
                to: NeighbourDiscovery.groupHardwareAddress(of: address), by: container.interfaceIndex, Self.operation)
        }
        self.socket = socket
        self.addresses = addresses
        deadline = Deadline(milliseconds: Self.waitMilliseconds)
    }

    func taken() -> [IPAddress] {
        var taken: [IPAddress] = []
        var buffer = [UInt8](repeating: 0, count: 128)
        // A bound: nobody may keep the doctor busy by answering.
        for _ in 0..<1000 {
            var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, deadline.milliseconds) > 0 else { break }
            let count = recv(socket.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0, let packet = IPPacket(buffer.prefix(count)),
                let owned = NeighbourDiscovery.advertised(packet)
            else { continue }
            let address = IPAddress.v6(owned)
            if addresses.contains(address), !taken.contains(address) { taken.append(address) }
        }
        return taken
    }
}
