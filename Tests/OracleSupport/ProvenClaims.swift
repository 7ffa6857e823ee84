internal import HostModel
package import PacketFilter

/// What the model says of every packet of the oracle's network, 10.5.0.0/16 behind lxcbr1, held against single ones.
package struct ProvenClaims: Sendable {
    package let answers: [NetworkQuestion: QuestionAnswer]

    package init(_ ruleset: Ruleset, _ forwarding: HostForwarding) {
        guard let network = IPv4Prefix(address: IPv4Address(value: 0x0a05_0000), length: 16) else {
            answers = [:]
            return
        }
        let questions = NetworkQuestions(
            network: network, bridge: "lxcbr1", address: IPv4Address(value: 0x0a05_0001),
            target: IPv4Address(value: 0xc633_6407), ruleset: ruleset, host: forwarding)
        answers = Dictionary(
            uniqueKeysWithValues: NetworkQuestion.allCases.map { ($0, questions.answerOfRules($0)) })
    }

    /// A claim that the kernel proved wrong, in words. Packets of known flows, or that carry a mark from elsewhere, are
    /// no part of the questions; nor are private destinations, which may be exempted on purpose, nor port 0.
    package func contradiction(_ kernel: KernelOutcome, _ packet: SamplePacket) -> String? {
        let isPrivate = SourceTranslationQuestion.isPrivate(packet.destination)
        guard packet.inputInterface == "lxcbr1", packet.source.value >> 16 == 0x0a05, !isPrivate,
            packet.connectionState == .new, packet.mark == 0, !packet.fragment,
            packet.protocol != .tcp && packet.protocol != .udp || packet.sourcePort != 0 && packet.destinationPort != 0,
            packet.protocol != .icmp || packet.sourcePort != 0
        else { return nil }
        if answers[.translated]?.verdict == .proven, kernel.fate == .left, kernel.link != "lxcbr1",
            kernel.source == packet.source
        {
            return "proven that everything is translated, and this one left by \(kernel.link ?? "?") as it was"
        }
        // What is for the host itself is not to be forwarded.
        if answers[.forwarded]?.verdict == .proven, kernel.fate == .dropped, !Self.own.contains(packet.destination) {
            return "proven that everything is forwarded, and the kernel dropped this one"
        }
        return nil
    }

    private static let own: Set<IPv4Address> = Set(
        [0x0a05_0001, 0xcb00_7102, 0xc000_0202, 0xcb00_714d].map(IPv4Address.init(value:)))
}
