package import HostModel

/// What the model says becomes of one packet.
package struct WalkResult: Codable, Sendable, Hashable {
    package enum Verdict: String, Codable, Sendable {
        case accepted, dropped, undecided
    }

    package var verdict: Verdict
    /// What would have to be known, where that is why it is undecided.
    package var dependsOn: [Dependence] = []
    /// Why it is undecided.
    package var reason: String?
    /// The source with which it leaves; nil where it does not leave, or may leave with several.
    package var sourceAfter: IPv4Address?
    /// Where the kernel picks one of several.
    package var sourceChoices: [IPv4Address]?
    package var destinationAfter: IPv4Address?
    /// The link that it leaves by; nil where it goes to the host itself.
    package var uplink: String?
    /// Whether it ends at the host itself.
    package var isLocal: Bool
    /// Of what came in: the mark with which it was routed; nil where it did not get so far.
    package var routedMark: UInt32?
    package var killer: Killer?
    package var translatedBy: RulePlace?
    package var path: [PathStep]

    package init(
        verdict: Verdict, reason: String? = nil, sourceAfter: IPv4Address? = nil, sourceChoices: [IPv4Address]? = nil,
        destinationAfter: IPv4Address? = nil, uplink: String? = nil, isLocal: Bool = false,
        routedMark: UInt32? = nil, killer: Killer? = nil, translatedBy: RulePlace? = nil, path: [PathStep] = []
    ) {
        self.verdict = verdict
        self.reason = reason
        self.sourceAfter = sourceAfter
        self.sourceChoices = sourceChoices
        self.destinationAfter = destinationAfter
        self.uplink = uplink
        self.isLocal = isLocal
        self.routedMark = routedMark
        self.killer = killer
        self.translatedBy = translatedBy
        self.path = path
    }
}
