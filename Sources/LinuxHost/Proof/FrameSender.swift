internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Sends IPv6 as Ethernet frames to the bridge, from a container in which IPv6 is off: nothing in it looks for duplicate
/// addresses, for routers, or reports a multicast group. Whoever asks for its addresses meanwhile is told by hand, so that
/// an ICMPv6 error or an answer finds its way back.
///
/// Source: packet(7), RFC 4861 §7.2.4.
final class FrameSender: ProbeSender {
    private let socket: SharedSocket
    private let interface: Int32
    private let hardwareAddress: [UInt8]
    private let addresses: [IPAddress]
    /// Of the bridge; known once the container has its place there.
    var gateway: [UInt8] = []

    private static let operation = "send a probe"
    /// A sighting holds no more of a packet.
    private static let keptBytes = 512

    init?(_ order: ProbeOrder, in container: borrowing ProofContainer) {
        guard let socket = container.packetSocket else { return nil }
        self.socket = socket
        interface = container.interfaceIndex
        hardwareAddress = container.hardwareAddress
        addresses = order.addresses.map(\.address)
    }

    var descriptor: Int32 { socket.rawValue }

    func send(_ packet: [UInt8]) throws(HostError) {
        try socket.send(packet, protocol: UInt16(ETH_P_IPV6), to: gateway, by: interface, Self.operation)
    }

    func read(since start: Int) -> [Sighting] {
        var sightings: [Sighting] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        // A bound: nobody may keep the doctor busy by flooding the container.
        for _ in 0..<1000 {
            let count = recv(socket.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { break }
            let bytes = Array(buffer.prefix(count))
            guard let packet = IPPacket(bytes[...]) else { continue }
            if let asked = NeighbourDiscovery.asked(packet) {
                answer(packet.source, asked)
            } else if addresses.contains(packet.destination) {
                sightings.append(
                    Sighting(
                        interface: "container", direction: .returned, microseconds: (RealTime.now - start) / 1000,
                        packet: ByteString(Array(bytes.prefix(Self.keptBytes)))))
            }
        }
        return sightings
    }

    /// Tells who has one of our addresses. Only the bridge asks: nobody else speaks to them.
    private func answer(_ asker: IPAddress, _ asked: IPv6Address) {
        guard addresses.contains(.v6(asked)), let asker = asker.v6, asker != .unspecified else { return }
        let answer = NeighbourDiscovery.advertisement(of: asked, at: hardwareAddress, to: asker)
        do {
            try socket.send(answer, protocol: UInt16(ETH_P_IPV6), to: gateway, by: interface, Self.operation)
        } catch {
            // Then nothing comes back, as from a container that has gone.
        }
    }
}

extension SharedSocket {
    /// Sends the payload of a frame by a packet socket. `protocol`: ETH_P_*.
    func send(
        _ payload: [UInt8], protocol number: UInt16, to hardwareAddress: [UInt8], by interface: Int32,
        _ operation: String
    ) throws(HostError) {
        var address = sockaddr_ll()
        address.sll_family = sa_family_t(AF_PACKET)
        address.sll_protocol = number.bigEndian
        address.sll_ifindex = interface
        address.sll_halen = 6
        withUnsafeMutableBytes(of: &address.sll_addr) { $0.copyBytes(from: hardwareAddress.prefix(6)) }
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(rawValue, payload, payload.count, 0, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        guard sent == payload.count else { throw HostError(errno: errno, operation: operation) }
    }
}
