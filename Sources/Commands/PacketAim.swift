internal import HostModel
internal import PacketFilter
internal import PacketProof

extension ProofAim {
    /// Aims at exactly this packet. Throws usage, in one line, for what no container can send as its first packet.
    init(_ packet: SamplePacket, networks: [Network]) throws(CommandError) {
        func refuse(_ reason: String) -> CommandError {
            CommandError(.usage, "--packet '\(packet)': \(reason)")
        }
        guard let network = networks.first(where: { $0.cidr.contains(packet.source) }) else {
            throw refuse("\(packet.source) lies in no network of the profile; prove sends as a container does")
        }
        if let link = packet.inputInterface, link != network.bridge {
            throw refuse("containers of \(network.cidr) send by \(network.bridge), not by \(link)")
        }
        guard packet.source != network.address.address, !network.cidr.contains(packet.destination) else {
            throw refuse("only what a container sends to the outside is proved")
        }
        guard packet.connectionState == .new, packet.direction == .original, packet.mark == 0, !packet.fragment else {
            throw refuse("a container cannot send a mark, a reply, or a part of a known flow")
        }
        let kind: ProofProtocol
        switch packet.protocol {
        case .udp: kind = .udp
        case .tcp where packet.tcpFlags == 2: kind = .tcp
        case .icmp where packet.sourcePort == 8 && packet.destinationPort == 0: kind = .icmp
        default: throw refuse("only udp, a SYN of tcp and an ICMP echo request can be sent")
        }
        guard kind == .icmp || packet.sourcePort > 0 && packet.destinationPort > 0 else {
            throw refuse("ports are from 1 to 65535")
        }
        self.init(
            target: .v4(packet.destination), port: kind == .icmp ? nil : packet.destinationPort, protocols: [kind],
            source: packet.source, sourcePort: kind == .icmp ? nil : packet.sourcePort)
    }

    /// The command that sends a packet; nil for one that no container can send.
    static func command(for packet: SamplePacket, networks: [Network]) -> String? {
        do {
            _ = try ProofAim(packet, networks: networks)
            return "lxc-doctor prove --packet '\(packet)'"
        } catch {
            return nil
        }
    }
}
