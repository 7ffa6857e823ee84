internal import HostAccess
internal import HostModel
internal import Probes

/// What became of the packets of the proof that stay on this host, as a fact that checks can ask for.
struct LocalProofProbe: Probe {
    static let specification = ProbeSpecification(
        name: "packet-proof-local",
        summary: "whether a container's DHCP and DNS reach this host, and its packets another container",
        parameters: ["network": .string, "kind": .string],
        facts: [
            "arrival": .string, "sourceAfter": .string, "reason": .string, "killer": .string, "hook": .string,
            "probes": .strings,
        ])

    var specification: ProbeSpecification { Self.specification }

    /// Nil where the proof is off.
    let report: ProofReport?

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.string("network")
        let kind = try parameters.string("kind")
        let report = try report.made()
        let probes = (report.local ?? []).filter { $0.network == network && $0.kind.rawValue == kind }
        guard let worst = probes.min(by: { $0.arrival < $1.arrival }) else {
            // Where nothing at all could be sent, that is the reason.
            if let probe = report.probes.first(where: { $0.network == network && $0.verdict == .unknown }) {
                throw .unknown(probe.reason ?? "nothing was sent")
            }
            throw .notApplicable(
                kind == LocalProbeKind.eastWest.rawValue
                    ? "nothing was sent between containers" : "nobody serves \(kind.uppercased()) on \(network)")
        }
        return Observation(
            facts: [
                "arrival": .string(worst.arrival.rawValue),
                "sourceAfter": .string(worst.sourceAfter ?? ""),
                "reason": .string(worst.reason ?? ""),
                "killer": .string(worst.killer?.text ?? ""),
                "hook": .string(worst.lossHook),
                "probes": .strings(probes.map(Self.line)),
            ],
            evidence: [.packet(worst.protocol, from: worst.from, to: worst.to, Self.outcome(worst))])
    }

    private static func line(_ probe: LocalProbe) -> String {
        "\(probe.protocol.rawValue) \(probe.from) > \(probe.to): \(outcome(probe))"
    }

    private static func outcome(_ probe: LocalProbe) -> String {
        var words = probe.arrival.rawValue
        if let killer = probe.killer { words += killer.clause }
        if let reason = probe.reason { words += ": \(reason)" }
        return words
    }
}

extension LocalProbe {
    /// The hook in which it was lost; "" where it was not, or where nobody knows.
    fileprivate var lossHook: String {
        guard arrival == .dropped else { return "" }
        return killer?.hook ?? path.last { $0.reached }?.hook ?? ""
    }
}
