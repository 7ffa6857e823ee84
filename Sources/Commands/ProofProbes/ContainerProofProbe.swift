internal import HostAccess
internal import HostModel
internal import PacketProof
internal import Probes

/// The proof from inside a running container, as a fact that checks can ask for.
struct ContainerProofProbe: Probe {
    static let specification = describe(
        "packet-proof-container", "where a packet of a running container goes, and as whom it leaves")
    static let specificationOfIPv6 = describe(
        "packet-proof-container-ipv6", "where an IPv6 packet of a running container goes, and as whom it leaves")

    private static func describe(_ name: String, _ summary: String) -> ProbeSpecification {
        ProbeSpecification(
            name: name, summary: summary, parameters: ["network": .string],
            facts: ["container": .string, "arpFilters": .strings].merging(PacketProofProbe.specification.facts) {
                first, _ in first
            })
    }

    var specification: ProbeSpecification { family == .ipv4 ? Self.specification : Self.specificationOfIPv6 }

    /// Nil where the proof is off.
    let report: ProofReport?
    var family: IPFamily = .ipv4
    var transcripts: [ProofTranscript]?

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.string("network")
        var own = try report.made()
        own.probes = own.probes.filter { $0.network == network && $0.container != nil && $0.family == family }
        guard let container = own.probes.first?.container else {
            throw .notApplicable("no container that could send \(family.title) runs on \(network)")
        }
        // Judged as the other probe judges those of a throw-away container.
        own.probes = own.probes.map { probe in
            var probe = probe
            probe.container = nil
            return probe
        }
        var observation = try PacketProofProbe(report: own, family: family, transcripts: transcripts)
            .observe(parameters, on: host)
        observation.facts["container"] = .string(container)
        try nameFilters(parameters, host, &observation)
        return observation
    }

    /// What may be why nobody answered the container's question for its gateway.
    private func nameFilters(
        _ parameters: ProbeParameters, _ host: any Host, _ observation: inout Observation
    ) throws(ObservationFailure) {
        let network = try parameters.string("network")
        guard observation.facts["lostAt"] == .string("container"), family == .ipv4,
            observation.facts["killer"]?.description.hasPrefix("nobody answers ARP") == true,
            let bridge = transcripts?.first(where: { $0.network.name == network })?.network.bridge
        else { return }
        let filters = try ARPFilters(bridge: bridge, on: host)
        observation.facts["arpFilters"] = .strings(filters.possible)
        observation.evidence += filters.evidence
    }
}
