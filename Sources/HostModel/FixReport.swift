/// How a repair ended.
package enum FixOutcome: String, Codable, Sendable {
    case applied, rolledBack, refused
}

package enum FixStepState: String, Codable, Sendable {
    case planned, applied, unchanged, rolledBack, failed, refused
}

/// One change of a plan, as it is shown before and after it happens.
package struct FixStep: Codable, Sendable, Hashable {
    /// Unique in the plan: `masquerade.1`.
    package var id: String
    package var remedy: String
    package var subject: Subject
    /// What is changed: `/proc/sys/net/ipv4/ip_forward`, `link lxcbr1`, `/etc/default/lxc-net`.
    package var target: String
    package var before: String
    package var after: String
    /// How it is taken back; `none` where it cannot be, `nothingToTakeBack` of a look.
    package var reversal: String
    package static let nothingToTakeBack = "none needed"
    /// What may go wrong for others on this host, in one sentence.
    package var risk: String
    /// What a person would type.
    package var command: String
    package var state: FixStepState

    package init(
        id: String, remedy: String, subject: Subject, target: String, before: String, after: String,
        reversal: String, risk: String, command: String, state: FixStepState = .planned
    ) {
        self.id = id
        self.remedy = remedy
        self.subject = subject
        self.target = target
        self.before = before
        self.after = after
        self.reversal = reversal
        self.risk = risk
        self.command = command
        self.state = state
    }
}

package struct FixReport: Codable, Sendable, Hashable {
    package var outcome: FixOutcome
    /// Why, where it was refused or rolled back.
    package var reason: String?
    package var steps: [FixStep]
    /// The journal's path; nil where nothing was changed.
    package var journal: String?

    package init(outcome: FixOutcome, reason: String? = nil, steps: [FixStep], journal: String? = nil) {
        self.outcome = outcome
        self.reason = reason
        self.steps = steps
        self.journal = journal
    }
}
