internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import PacketProof
internal import Probes

/// Whether the rules forward what each running container sends, and the answers, and whether these are routed to it: the
/// usual packets (UDP, TCP, ICMP) of every address that was seen in one when the proof was made, through the model of the
/// ruleset, and lookups of their ways. Nothing more is sent.
struct ResidentForwardingProbe: Probe {
    static let specification = ProbeSpecification(
        name: "resident-forwarding",
        summary: "whether the rules forward what each running container sends, and the answers",
        parameters: ["network": .string, "cidr": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "count": .integer, "stopped": .strings, "rule": .string, "unrouted": .strings, "unroutedBy": .strings,
            "way": .string,
        ])

    var specification: ProbeSpecification { Self.specification }

    /// Nil where the proof is off.
    let transcripts: [ProofTranscript]?

    /// A bridge has at most 1024 ports, and a walk takes microseconds.
    private static let mostAddresses = 4096
    /// The kernel is asked for the ways of so many: each takes some microseconds.
    private static let mostWays = 256

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
        let bridge = try parameters.string("bridge")
        let filter = try NetworkFilter(on: host)
        let questions = filter.questions(
            network: cidr, bridge: bridge, address: gateway, target: try parameters.address("target"))
        let ways = try ContainerWays(
            WayBack(to: bridge, of: cidr.network, filter.forwarding, on: host), questions)
        var stopped: [String] = []
        var rule = ""
        var unrouted: [String] = []
        var culprits: Set<String> = []
        var way = ""
        var evidence: [Evidence] = []
        func note(_ piece: Evidence) {
            if evidence.count < 8, !evidence.contains(piece) { evidence.append(piece) }
        }
        for (index, (title, address)) in sources.enumerated() {
            if index < Self.mostWays, let lost = try ways.lost(of: address) {
                unrouted.append((lost.isAnswer ? "answers to " : "") + "\(title) (\(address))")
                culprits.insert(lost.loss.culprit.rawValue)
                if way.isEmpty { way = "\(lost.loss.way): \(lost.loss.reason)" }
                note(lost.evidence)
                continue
            }
            let sent = Self.killer(of: .forwarded, address, questions)
            guard let killer = sent ?? Self.killer(of: .answered, address, questions) else { continue }
            stopped.append((sent == nil ? "answers to " : "") + "\(title) (\(address))")
            if rule.isEmpty { rule = killer.text }
            note(Evidence(killer))
        }
        return Observation(
            facts: [
                "count": .integer(sources.count), "stopped": .strings(stopped), "rule": .string(rule),
                "unrouted": .strings(unrouted), "unroutedBy": .strings(culprits.sorted()), "way": .string(way),
            ],
            evidence: evidence)
    }

    /// What drops one of the usual packets. Only a rule or policy: for the routing decision the kernel is asked.
    private static func killer(
        of question: NetworkQuestion, _ address: IPv4Address, _ questions: NetworkQuestions
    ) -> Killer? {
        questions.samples(question, of: address).lazy.map(questions.walk.walk)
            .filter { $0.verdict == .dropped }.compactMap(\.killer).first { $0.table != nil }
    }
}
