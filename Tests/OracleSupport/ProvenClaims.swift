internal import HostModel
package import PacketFilter

/// What the model says of every packet of the oracle's network, 10.5.0.0/16 behind lxcbr1, held against single ones.
package struct ProvenClaims: Sendable {
    package let answers: [NetworkQuestion: QuestionAnswer]

    package init(_ ruleset: Ruleset, _ forwarding: HostForwarding) {
        // Of sets of packets nothing is proven where single devices have chains.
        guard forwarding.deviceChains.isEmpty,
            let network = IPv4Prefix(address: IPv4Address(value: 0x0a05_0000), length: 16)
        else {
            answers = [:]
            return
        }
        let questions = NetworkQuestions(
            network: network, bridge: "lxcbr1", address: IPv4Address(value: 0x0a05_0001),
            target: IPv4Address(value: 0xc633_6407), ruleset: ruleset, host: forwarding)
        answers = Dictionary(
            uniqueKeysWithValues: NetworkQuestion.allCases.map { ($0, questions.answerOfRules($0)) })
    }

    /// A claim that the kernel proved wrong, in words. Packets that carry a mark from elsewhere are no part of the
    /// questions; nor are private destinations, which may be exempted on purpose, nor port 0, nor a lifetime that ends here.
    package func contradiction(_ kernel: KernelOutcome, _ packet: SamplePacket) -> String? {
        guard packet.mark == 0, !packet.fragment, !Self.hasPortZero(packet), packet.timeToLive ?? 64 > 1 else {
            return nil
        }
        if packet.inputInterface != "lxcbr1" { return inbound(kernel, packet) }
        guard packet.connectionState == .new else { return nil }
        if Self.isContainer(packet.source), Self.isContainer(packet.destination) {
            return eastWest(kernel, packet)
        }
        if Self.own.contains(packet.destination) || packet.destination.value == .max { return service(kernel, packet) }
        guard Self.isContainer(packet.source), !SourceTranslationQuestion.isPrivate(packet.destination),
            packet.destination.value >> 28 < 0xe
        else { return nil }
        if isProven(.translated), kernel.fate == .left, kernel.link != "lxcbr1", kernel.source == packet.source {
            return "proven that everything is translated, and this one left by \(kernel.link ?? "?") as it was"
        }
        if isProven(.forwarded), kernel.fate == .dropped {
            return "proven that everything is forwarded, and the kernel dropped this one"
        }
        return nil
    }

    private func isProven(_ question: NetworkQuestion) -> Bool { answers[question]?.verdict == .proven }

    /// From outside: an answer to a container, or a new flow to one.
    private func inbound(_ kernel: KernelOutcome, _ packet: SamplePacket) -> String? {
        guard packet.inputInterface != nil else { return nil }
        if packet.connectionState == .established, packet.direction == .reply, packet.mappedSource == nil,
            let container = packet.mappedDestination, Self.isContainer(container), isProven(.answered),
            isProven(.translated), kernel.fate != .left || kernel.link != "lxcbr1"
        {
            return "proven that every answer comes back, and this one did not"
        }
        if packet.connectionState == .new, Self.isContainer(packet.destination), isProven(.others),
            kernel.fate == .left, kernel.link == "lxcbr1", kernel.source != packet.source
        {
            return "proven that nobody who comes to the containers is translated, and this one was"
        }
        return nil
    }

    private func eastWest(_ kernel: KernelOutcome, _ packet: SamplePacket) -> String? {
        guard isProven(.eastWest) else { return nil }
        guard kernel.fate == .left, kernel.link == "lxcbr1" else {
            return "proven that containers reach each other, and this one did not arrive"
        }
        return kernel.source == packet.source
            ? nil : "proven that containers are seen with their own addresses, and this one was not"
    }

    /// DHCP and DNS of the host itself, at the address that the profile names.
    private func service(_ kernel: KernelOutcome, _ packet: SamplePacket) -> String? {
        guard kernel.fate != .local else { return nil }
        let isToHost = packet.destination.value == 0x0a05_0001
        let isDiscovery = packet.destination.value == .max && packet.source.value == 0
        if isProven(.dhcp), isToHost && Self.isContainer(packet.source) || isDiscovery, packet.protocol == .udp,
            packet.sourcePort == 68, packet.destinationPort == 67
        {
            return "proven that DHCP reaches the host, and this packet did not"
        }
        if isProven(.dns), isToHost, Self.isContainer(packet.source), packet.destinationPort == 53,
            packet.sourcePort >= 1024,
            packet.protocol == .udp || packet.protocol == .tcp && [2, 0xc2].contains(packet.tcpFlags)
        {
            return "proven that DNS reaches the host, and this packet did not"
        }
        return nil
    }

    /// Nobody uses it (RFC 6335 §6), and filters drop it as they like; ICMP type 0 is an answer.
    private static func hasPortZero(_ packet: SamplePacket) -> Bool {
        switch packet.protocol {
        case .tcp, .udp: packet.sourcePort == 0 || packet.destinationPort == 0
        case .icmp: packet.sourcePort == 0 && packet.connectionState == .new
        case .other: false
        }
    }

    /// Of the network, and none of the host's own.
    private static func isContainer(_ address: IPv4Address) -> Bool {
        address.value >> 16 == 0x0a05 && !own.contains(address) && address.value & 0xffff != 0xffff
    }

    private static let own: Set<IPv4Address> = Set(
        [0x0a05_0001, 0xcb00_7102, 0xc000_0202, 0xcb00_714d].map(IPv4Address.init(value:)))
}
