package import HostAccess
internal import HostModel
package import PacketFilter

/// A pair of ruleset and packet that is kept: what the host said of itself, and what the kernel did.
package struct OracleCase: Codable, Sendable {
    /// The generator's seed, and the number of the packet.
    package var name: String
    /// What was wrong with the model's answer when it was kept.
    package var reason: String
    /// The ruleset as it was loaded, for people.
    package var ruleset: [String]
    package var isRandom: Bool
    package var packet: SamplePacket
    package var kernel: KernelOutcome
    /// Everything that the model reads.
    package var transcript: [TranscriptEntry]

    package init(
        name: String, reason: String, ruleset: [String], isRandom: Bool, packet: SamplePacket, kernel: KernelOutcome,
        transcript: [TranscriptEntry]
    ) {
        self.name = name
        self.reason = reason
        self.ruleset = ruleset
        self.isRandom = isRandom
        self.packet = packet
        self.kernel = kernel
        self.transcript = transcript
    }

    /// The model's answer now, held against what the kernel did then.
    package func compare(_ ruleset: Ruleset, _ forwarding: HostForwarding) -> Comparison {
        if let text = ProvenClaims(ruleset, forwarding).contradiction(kernel, packet) { return .disagreed(text) }
        return Comparison.of(
            kernel, PacketWalk(ruleset: ruleset, host: forwarding).walk(packet), packet, isRandom: isRandom)
    }
}
