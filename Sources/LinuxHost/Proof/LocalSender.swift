internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Sends the part of an order that stays on this host: Ethernet frames with a known destination, so that the bridge
/// floods none of them. Source: packet(7).
final class LocalSender {
    /// The host's end of the second container's veth.
    let peerPort: String?
    /// Keeps the second container.
    private let peer: Peer?
    private let socket: SharedSocket
    private let interface: Int32

    private final class Peer {
        let container: ProofContainer
        init(_ container: consuming ProofContainer) { self.container = container }
    }

    /// Attaches the second container where the order has a peer.
    init(_ order: ProbeOrder, _ local: LocalOrder, in container: borrowing ProofContainer) throws(HostError) {
        interface = container.interfaceIndex
        guard let socket = container.packetSocket else {
            throw HostError(.unsupported, operation: "send what stays here", message: "not from a container of others")
        }
        self.socket = socket
        if local.peer != nil {
            let second = try ProofContainer(order: order, speaks: false)
            try Self.makeKnown(second)
            peerPort = second.port
            peer = Peer(second)
        } else {
            peerPort = nil
            peer = nil
        }
    }

    /// The bridge learns where the second container is, before the first frame to it: an unknown address is flooded.
    private static func makeKnown(_ container: borrowing ProofContainer) throws(HostError) {
        var host = try NetlinkSocket(.route)
        let link = try LinkDescription(named: container.port, through: &host)
        // NUD_NOARP is what bridge(8) calls static; NUD_PERMANENT would make it an address of the bridge itself.
        var entry = NetlinkAttributeBuilder(
            header: RouteHeader.neighbour(
                link.index, family: UInt8(AF_BRIDGE), state: UInt16(NUD_NOARP), flags: UInt8(NTF_MASTER)))
        entry.append(UInt16(NDA_LLADDR), bytes: container.hardwareAddress)
        try host.change(
            type: UInt16(RTM_NEWNEIGH), flags: UInt16(NLM_F_CREATE | NLM_F_REPLACE), payload: entry.bytes,
            operation: "tell the bridge where the second container is")
    }

    /// Sends everything. What goes into the host is sent only where a fence stops it before a server sees it.
    func send(_ order: ProbeOrder, fenced: Bool) throws(HostError) {
        guard let local = order.local else { return }
        if fenced, !local.hostPackets.isEmpty {
            var host = try NetlinkSocket(.route)
            // Read only now: an idle bridge takes the address of a new port.
            let bridge = try LinkDescription(named: order.bridge, through: &host).hardwareAddress
            for packet in local.hostPackets { try send(packet.bytes, to: bridge) }
        }
        guard let address = peer?.container.hardwareAddress else { return }
        for packet in local.peerPackets { try send(packet.bytes, to: address) }
    }

    private func send(_ packet: [UInt8], to hardwareAddress: [UInt8]) throws(HostError) {
        try socket.send(packet, protocol: UInt16(ETH_P_IP), to: hardwareAddress, by: interface, "send a probe")
    }
}
