package import HostModel

/// What is asked about a network behind a bridge, for every packet at once.
package enum NetworkQuestion: String, Codable, Sendable, CaseIterable {
    /// Everything to the outside leaves with an address of the host.
    case translated
    /// The host lets it through.
    case forwarded
    /// And the answers.
    case answered
    /// The host takes the containers' DHCP requests.
    case dhcp
    /// And their DNS queries.
    case dns
    /// Packets between containers arrive, with their own addresses.
    case eastWest = "east-west"
    /// The rule that translates them translates no one who comes to them.
    case others
}

package struct QuestionAnswer: Codable, Sendable, Hashable {
    package enum Verdict: String, Codable, Sendable {
        case proven, counterexample, undecided
    }

    package var question: NetworkQuestion
    package var verdict: Verdict
    /// Why it is undecided, or what happens to the counterexample.
    package var reason: String?
    /// One packet for which it does not hold.
    package var packet: SamplePacket?
    /// What decides about that packet: a rule, a policy, or routing.
    package var decidedBy: Killer?
    /// The rule that was meant for it.
    package var shouldHaveCaught: RulePlace?
    /// The rule by which it holds.
    package var provenBy: RulePlace?
    /// What would have to be known, where that is why it is undecided.
    package var dependsOn: [Dependence]

    package init(
        _ question: NetworkQuestion, _ verdict: Verdict, reason: String? = nil, packet: SamplePacket? = nil,
        decidedBy: Killer? = nil, shouldHaveCaught: RulePlace? = nil,
        provenBy: RulePlace? = nil, dependsOn: [Dependence] = []
    ) {
        self.question = question
        self.verdict = verdict
        self.reason = reason
        self.packet = packet
        self.decidedBy = decidedBy
        self.shouldHaveCaught = shouldHaveCaught
        self.provenBy = provenBy
        self.dependsOn = dependsOn
    }
}
