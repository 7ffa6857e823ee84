internal import HostAccess
internal import HostModel
internal import PacketProof
internal import Probes

/// What became of the packets that were sent to the outside, as a fact that checks can ask for.
struct PacketProofProbe: Probe {
    static let specification = describe(
        "packet-proof", "where a packet of a throw-away container goes, and as whom it leaves")
    static let specificationOfIPv6 = describe(
        "packet-proof-ipv6", "where an IPv6 packet of a throw-away container goes, and as whom it leaves")

    private static func describe(_ name: String, _ summary: String) -> ProbeSpecification {
        ProbeSpecification(
            name: name, summary: summary, parameters: ["network": .string],
            facts: [
                "verdict": .string, "sourceAfter": .string, "uplink": .string, "mode": .string, "delivery": .string,
                "reason": .string, "killer": .string, "lostAt": .string, "probes": .strings,
                "next": .strings,
            ])
    }

    var specification: ProbeSpecification { family == .ipv4 ? Self.specification : Self.specificationOfIPv6 }

    /// Nil where the proof is off.
    let report: ProofReport?
    var family: IPFamily = .ipv4
    /// What the proof was made from; nil: nothing but the report counts.
    var transcripts: [ProofTranscript]?

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.string("network")
        let report = try report.made()
        let probes = report.probes.filter { $0.network == network && $0.container == nil && $0.family == family }
        guard !probes.isEmpty else { throw .notApplicable("nothing is to be translated on \(network)") }
        // What a list of allowed traffic stops is another check's: it says nothing about how the rest leaves.
        let closed = ClosedEgress(network, probes, transcripts, on: host)
        guard let worst = probes.filter({ !closed.stops($0) }).min(by: Self.isWorse) else {
            throw .unknown(
                "the rules let out only \(closed.passing), and no packet of the proof is of that kind")
        }
        return Observation(
            facts: [
                "verdict": .string(worst.verdict.rawValue),
                "sourceAfter": .string(worst.sourceAfter ?? ""),
                "uplink": .string(worst.uplink ?? ""),
                "mode": .string(report.mode.rawValue),
                // "" where nothing was really sent.
                "delivery": .string(worst.delivery?.rawValue ?? ""),
                "reason": .string(worst.reason ?? ""),
                // "" where nothing has a name.
                "killer": .string(worst.killer?.text ?? ""),
                "lostAt": .string(worst.killer?.hook ?? ""),
                "probes": .strings(probes.map(Self.line)),
                "next": .strings(
                    NextLook.commands(
                        worst, bridge: transcripts?.first { $0.network.name == network }?.network.bridge)),
            ],
            evidence: [.packet(worst.protocol, from: worst.from, to: worst.to, Self.outcome(worst))])
    }

    /// Of probes with one verdict, the one that did not arrive.
    private static func isWorse(_ one: ProofProbe, _ other: ProofProbe) -> Bool {
        one.verdict == other.verdict
            ? one.delivery == .failed && other.delivery != .failed : one.verdict < other.verdict
    }

    private static func line(_ probe: ProofProbe) -> String {
        "\(probe.protocol.rawValue) \(probe.from) > \(probe.to): \(outcome(probe))"
    }

    private static func outcome(_ probe: ProofProbe) -> String {
        var words = probe.verdict.rawValue
        if let source = probe.sourceAfter { words += " as \(source)" }
        if let uplink = probe.uplink { words += " out of \(uplink)" }
        if let killer = probe.killer { words += killer.clause }
        if let reason = probe.reason { words += ": \(reason)" }
        return words
    }
}
