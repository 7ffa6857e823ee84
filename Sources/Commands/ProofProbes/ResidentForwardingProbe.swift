internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import PacketProof
internal import Probes

/// Whether the rules forward what each running container sends, and the answers, and whether these are routed to it and reach
/// its interface: the usual packets (UDP, TCP, ICMP) of every address that was seen in one when the proof was made, through
/// the model of the ruleset, lookups of their ways, and the entries that lead to its port. Nothing more is sent.
struct ResidentForwardingProbe: Probe {
    static let specification = ProbeSpecification(
        name: "resident-forwarding",
        summary: "whether what each running container sends is forwarded, and the answers reach it",
        parameters: ["network": .string, "cidr": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "count": .integer, "stopped": .strings, "rule": .string, "unrouted": .strings, "unroutedBy": .strings,
            "way": .string, "unreached": .strings, "cableFix": .strings,
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
            resident.addresses.map(\.address).filter { cidr.contains($0) && $0 != gateway }.map { (resident, $0) }
        }.prefix(Self.mostAddresses)
        guard !sources.isEmpty else { throw .notApplicable("no container runs on \(name)") }
        let bridge = try parameters.string("bridge")
        let filter = try NetworkFilter(on: host)
        let questions = filter.questions(
            network: cidr, bridge: bridge, address: gateway, target: try parameters.address("target"))
        let ways = try ContainerWays(
            WayBack(to: bridge, of: cidr.network, filter.forwarding, on: host), questions)
        let cables = try ContainerCables(of: bridge, on: host)
        // What is closed to the whole network is not about single containers.
        let closed = questions.closedServices()
        var found = Findings()
        for (index, (resident, address)) in sources.enumerated() {
            let title = "\(resident.title) (\(address))"
            if index < Self.mostWays, let lost = try ways.lost(of: address) {
                found.note(lost, title)
                continue
            }
            let sent = Self.killer(of: .forwarded, address, questions, closed)
            if let killer = sent ?? Self.killer(of: .answered, address, questions, closed) {
                found.note(killer, isAnswer: sent == nil, title)
                continue
            }
            let owners = residents.filter { $0.addresses.contains { $0.address == address } }
            guard resident.isUp,
                let fault = cables.fault(
                    of: resident, at: address, owners: Set(owners.compactMap(\.hardwareAddress)))
            else { continue }
            found.note(fault, title)
        }
        return Observation(facts: found.facts(of: sources.count), evidence: found.evidence)
    }

    /// What is wrong with whom.
    private struct Findings {
        private static let mostEvidence = 8

        private var stopped: [String] = []
        private var rule = ""
        private var unrouted: [String] = []
        private var culprits: Set<String> = []
        private var way = ""
        private var unreached: [String] = []
        private var repairs: [String] = []
        private(set) var evidence: [Evidence] = []

        func facts(of count: Int) -> [String: FactValue] {
            [
                "count": .integer(count), "stopped": .strings(stopped), "rule": .string(rule),
                "unrouted": .strings(unrouted), "unroutedBy": .strings(culprits.sorted()), "way": .string(way),
                "unreached": .strings(unreached), "cableFix": .strings(repairs),
            ]
        }

        mutating func note(_ lost: ContainerWays.Lost, _ title: String) {
            unrouted.append((lost.isAnswer ? "answers to " : "") + title)
            culprits.insert(lost.loss.culprit.rawValue)
            if way.isEmpty { way = "\(lost.loss.way): \(lost.loss.reason)" }
            add(lost.evidence)
        }

        mutating func note(_ killer: Killer, isAnswer: Bool, _ title: String) {
            stopped.append((isAnswer ? "answers to " : "") + title)
            if rule.isEmpty { rule = killer.text }
            add(Evidence(killer))
        }

        mutating func note(_ fault: ContainerCables.Fault, _ title: String) {
            unreached.append("\(title): \(fault.words)")
            if !repairs.contains(fault.repair) { repairs.append(fault.repair) }
            add(fault.evidence)
        }

        private mutating func add(_ piece: Evidence) {
            if evidence.count < Self.mostEvidence, !evidence.contains(piece) { evidence.append(piece) }
        }
    }

    /// What drops one of the usual packets. Only a rule or policy: for the routing decision the kernel is asked.
    private static func killer(
        of question: NetworkQuestion, _ address: IPv4Address, _ questions: NetworkQuestions,
        _ closed: Set<SamplePacket.Transport>
    ) -> Killer? {
        questions.samples(question, of: address).lazy.filter { !closed.contains($0.protocol) }.map(questions.walk.walk)
            .filter { $0.verdict == .dropped }.compactMap(\.killer).first { $0.table != nil }
    }
}
