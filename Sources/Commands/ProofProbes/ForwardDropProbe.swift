internal import HostAccess
internal import HostModel
internal import PacketProof
internal import Probes

/// Whose rules drop what a throw-away container sends to the outside: the proof's verdict, and the firewall program
/// that owns the chain. Where nothing is dropped, nothing more is read.
struct ForwardDropProbe: Probe {
    static let specification = ProbeSpecification(
        name: "forward-drop", summary: "whether a firewall drops what containers send to the outside, and whose it is",
        parameters: ["network": .string],
        facts: ["dropped": .boolean, "owner": .string, "killer": .string, "verdict": .string])

    var specification: ProbeSpecification { Self.specification }

    /// Nil where the proof is off.
    let report: ProofReport?
    var transcripts: [ProofTranscript]?

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.string("network")
        let report = try report.made()
        let probes = report.probes.filter { $0.network == network && $0.container == nil && $0.family == .ipv4 }
        guard !probes.isEmpty else { throw .notApplicable("no packet was sent on \(network)") }
        let closed = ClosedEgress(network, probes, transcripts, on: host)
        guard let worst = probes.filter({ !closed.stops($0) }).min(by: { $0.verdict < $1.verdict }) else {
            throw .notApplicable("the rules let out only what is listed, and nothing of that was sent")
        }
        if worst.verdict == .unknown { throw .unknown(worst.reason ?? "the packet proof could not be made") }
        let killer = worst.killer
        let isDropped = worst.isLostInForward
        let owner: FilterOwner
        do throws(HostError) {
            owner = isDropped ? try FilterOwner(of: killer, chain: "FORWARD", on: host) : .none
        } catch {
            throw .unknown(error.description)
        }
        return Observation(
            facts: [
                "dropped": .boolean(isDropped), "owner": .string(owner.rawValue),
                "killer": .string(killer?.text ?? ""), "verdict": .string(worst.verdict.rawValue),
            ],
            evidence: [
                .packet(
                    worst.protocol, from: worst.from, to: worst.to,
                    worst.verdict.rawValue + (killer.map(\.clause) ?? ""))
            ])
    }
}

extension ProofProbe {
    /// What is lost before any rule is not a firewall's doing.
    var isLostInForward: Bool {
        verdict == .dropped && (killer?.hook == "forward" || path.last(where: \.reached)?.hook == "forward")
    }
}
