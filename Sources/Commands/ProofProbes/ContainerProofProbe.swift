internal import HostAccess
internal import HostModel
internal import Probes

/// The proof from inside a running container, as a fact that checks can ask for.
struct ContainerProofProbe: Probe {
    static let specification = ProbeSpecification(
        name: "packet-proof-container", summary: "where a packet of a running container goes, and as whom it leaves",
        parameters: ["network": .string],
        facts: ["container": .string].merging(PacketProofProbe.specification.facts) { first, _ in first })

    var specification: ProbeSpecification { Self.specification }

    /// Nil where the proof is off.
    let report: ProofReport?

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.string("network")
        guard var own = report, own.mode != .off else {
            throw .notApplicable("the packet proof was turned off (--proof off)")
        }
        own.probes = own.probes.filter { $0.network == network && $0.container != nil }
        guard let container = own.probes.first?.container else {
            throw .notApplicable("no container that could send runs on \(network)")
        }
        // Judged as the other probe judges those of a throw-away container.
        own.probes = own.probes.map { probe in
            var probe = probe
            probe.container = nil
            return probe
        }
        var observation = try PacketProofProbe(report: own).observe(parameters, on: host)
        observation.facts["container"] = .string(container)
        return observation
    }
}
