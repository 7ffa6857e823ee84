/// What becomes of a set of packets at the nat chains of a hook.
package struct WalkOutcome: Hashable, Sendable {
    package enum Result: Hashable, Sendable {
        case masqueraded
        /// Nil: to an address that cannot be told.
        case sourceTranslated(IntervalSet?)
        /// With the address that it came with; a rule decides where one changes its ports only.
        case untranslated
        /// On the way in: it goes elsewhere.
        case destinationTranslated
        case dropped
    }

    package var box: PacketBox
    package var result: Result
    /// Index of the rule that decides; nil for a policy.
    package var rule: Int?
    /// The base chain whose policy decides, where no rule does.
    package var policy: Int?
    /// The rule that led the packets past the rules behind it, where one did.
    package var diverted: Int?
    /// What would have to be known to be sure that these packets come here.
    package var doubts: [Doubt]
}

/// Why a walk gave no answer.
package struct WalkLimit: Error, Hashable, Sendable {
    package var reason: String
}
