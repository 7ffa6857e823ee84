/// What the rules alone say: about every packet of each network.
///
/// The contract is `reports/schema/verify.v1.schema.json`.
package struct VerifyReport: Codable, Sendable, Hashable {
    package static let schemaName = "lxc-doctor/verify/1"

    package enum Verdict: String, Codable, Sendable, CaseIterable {
        case proven, counterexample, undecided

        package var exitCode: Int32 {
            switch self {
            case .proven: 0
            case .counterexample: 2
            case .undecided: 3
            }
        }
    }

    /// One question and its answer.
    package struct Answer: Codable, Sendable, Hashable {
        package var question: String
        /// As a sentence that should hold.
        package var title: String
        package var verdict: Verdict
        /// Why it is undecided, or what happens to the counterexample.
        package var reason: String?
        /// What it depends on, where that is why it is undecided.
        package var dependsOn: [Dependence]?
        /// A packet for which it does not hold, as `verify --packet` reads it.
        package var packet: String?
        /// How to send exactly that packet; nil where no container can.
        package var command: String?
        /// What lets the packet out, or drops it.
        package var decidedBy: Killer?
        /// The rule that was meant for it.
        package var shouldHaveCaught: Killer?
        /// The rule by which it holds.
        package var provenBy: Killer?

        package init(
            question: String, title: String, verdict: Verdict, reason: String? = nil, dependsOn: [Dependence]? = nil,
            packet: String? = nil, command: String? = nil, decidedBy: Killer? = nil, shouldHaveCaught: Killer? = nil,
            provenBy: Killer? = nil
        ) {
            self.question = question
            self.title = title
            self.verdict = verdict
            self.reason = reason
            self.dependsOn = dependsOn
            self.packet = packet
            self.command = command
            self.decidedBy = decidedBy
            self.shouldHaveCaught = shouldHaveCaught
            self.provenBy = provenBy
        }
    }

    package struct Network: Codable, Sendable, Hashable {
        package var name: String
        package var network: IPv4Prefix
        package var bridge: String
        package var answers: [Answer]

        package init(name: String, network: IPv4Prefix, bridge: String, answers: [Answer]) {
            self.name = name
            self.network = network
            self.bridge = bridge
            self.answers = answers
        }
    }

    package var schema: String
    package var verdict: Verdict
    package var exitCode: Int32
    package var networks: [Network]
    /// What became of a counterexample that was really sent.
    package var proof: ProofReport?

    package init(networks: [Network]) {
        schema = Self.schemaName
        self.networks = networks
        let verdicts = Set(networks.flatMap(\.answers).map(\.verdict))
        verdict =
            verdicts.contains(.counterexample)
            ? .counterexample : verdicts.contains(.undecided) || verdicts.isEmpty ? .undecided : .proven
        exitCode = verdict.exitCode
    }
}

/// What the rules say about one packet, hop by hop. Of the same schema as `VerifyReport`.
package struct PacketReport: Codable, Sendable, Hashable {
    package enum Verdict: String, Codable, Sendable, CaseIterable {
        case accepted, dropped, undecided

        package var exitCode: Int32 {
            switch self {
            case .accepted: 0
            case .dropped: 2
            case .undecided: 3
            }
        }
    }

    package var schema: String
    package var packet: String
    package var verdict: Verdict
    /// Why it is undecided.
    package var reason: String?
    /// What it depends on, where that is why.
    package var dependsOn: [Dependence]?
    package var sourceAfter: String?
    package var destinationAfter: String?
    package var uplink: String?
    /// The packet belongs to a flow that began before: its addresses are then translated as conntrack remembers, and no
    /// rule says how.
    package var isOfFlow: Bool?
    package var killer: Killer?
    /// The rule that translates its source.
    package var translatedBy: Killer?
    package var path: [PathStep]

    package init(
        packet: String, verdict: Verdict, reason: String? = nil, dependsOn: [Dependence]? = nil,
        sourceAfter: String? = nil, destinationAfter: String? = nil, uplink: String? = nil, isOfFlow: Bool? = nil,
        killer: Killer? = nil,
        translatedBy: Killer? = nil,
        path: [PathStep] = []
    ) {
        schema = VerifyReport.schemaName
        self.packet = packet
        self.verdict = verdict
        self.reason = reason
        self.dependsOn = dependsOn
        self.sourceAfter = sourceAfter
        self.destinationAfter = destinationAfter
        self.uplink = uplink
        self.isOfFlow = isOfFlow
        self.killer = killer
        self.translatedBy = translatedBy
        self.path = path
    }
}
