internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import PacketProof
internal import Probes

/// Whether the rules forward what each running container sends, and the answers: the usual packets (UDP, TCP, ICMP) of
/// every address that was seen in one when the proof was made, through the model of the ruleset. Nothing more is sent.
struct ResidentForwardingProbe: Probe {
    static let specification = ProbeSpecification(
        name: "resident-forwarding",
        summary: "whether the rules forward what each running container sends, and the answers",
        parameters: ["network": .string, "cidr": .string, "bridge": .string, "address": .string, "target": .string],
        facts: ["count": .integer, "stopped": .strings, "rule": .string])

    var specification: ProbeSpecification { Self.specification }

    /// Nil where the proof is off.
    let transcripts: [ProofTranscript]?

    /// A bridge has at most 1024 ports, and a walk takes microseconds.
    private static let mostAddresses = 4096

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let name = try parameters.string("network")
        let cidr = try parameters.prefix("cidr")
        guard let transcripts else { throw .proofIsOff }
        let residents = transcripts.first { $0.network.name == name && $0.residents != nil }?.residents?.residents ?? []
        let gateway = try parameters.address("address")
        // A container with the gateway's own address is another check's business.
        let sources = residents.flatMap { resident in
            resident.addresses.map(\.address).filter { cidr.contains($0) && $0 != gateway }.map { (resident.title, $0) }
        }.prefix(Self.mostAddresses)
        guard !sources.isEmpty else { throw .notApplicable("no container runs on \(name)") }
        let questions = try NetworkFilter(on: host).questions(
            network: cidr, bridge: try parameters.string("bridge"), address: gateway,
            target: try parameters.address("target"))
        // What is closed to the whole network is not about single containers.
        let closed = questions.closedServices()
        var stopped: [String] = []
        var rule = ""
        var evidence: [Evidence] = []
        for (title, address) in sources {
            let sent = Self.killer(of: .forwarded, address, questions, closed)
            guard let killer = sent ?? Self.killer(of: .answered, address, questions, closed) else { continue }
            stopped.append((sent == nil ? "answers to " : "") + "\(title) (\(address))")
            if rule.isEmpty { rule = killer.text }
            let piece = Evidence(killer)
            if evidence.count < 8, !evidence.contains(piece) { evidence.append(piece) }
        }
        return Observation(
            facts: ["count": .integer(sources.count), "stopped": .strings(stopped), "rule": .string(rule)],
            evidence: evidence)
    }

    /// What drops one of the usual packets. Only a rule or policy: drops of the routing decision have checks of their own.
    private static func killer(
        of question: NetworkQuestion, _ address: IPv4Address, _ questions: NetworkQuestions,
        _ closed: Set<SamplePacket.Transport>
    ) -> Killer? {
        questions.samples(question, of: address).lazy.filter { !closed.contains($0.protocol) }.map(questions.walk.walk)
            .filter { $0.verdict == .dropped }.compactMap(\.killer).first { $0.table != nil }
    }
}
