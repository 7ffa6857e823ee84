package import HostAccess
package import HostModel

/// When a change takes effect, and so when it is made: what lives until the next boot comes first, so that a reboot in
/// the middle of a repair is itself a rollback.
package enum FixPhase: String, Codable, Sendable, CaseIterable, Comparable {
    case runtime, persistent

    package static func < (left: Self, right: Self) -> Bool {
        left == .runtime && right == .persistent
    }
}

/// A cause that a plan repairs, with the check that must pass afterwards.
package struct ServedCause: Codable, Sendable, Hashable {
    package var id: String
    package var check: String
    package var subject: Subject

    package init(_ cause: Cause) {
        self.init(id: cause.id, check: cause.check, subject: cause.subject)
    }

    package init(id: String, check: String, subject: Subject) {
        self.id = id
        self.check = check
        self.subject = subject
    }
}

/// One change of a plan with everything that is said about it.
package struct PlannedChange: Codable, Sendable, Hashable {
    package var step: FixStep
    package var change: Change
    /// What takes it back, in this order: the inverse, then what the inverse alone would not restore.
    package var undo: [Change]
    package var phase: FixPhase
    package var serves: [ServedCause]
    /// Whether it may cut the connection of the person who asks for it.
    package var mayDisconnect: Bool

    package init(
        step: FixStep, change: Change, undo: [Change], phase: FixPhase, serves: [ServedCause],
        mayDisconnect: Bool = false
    ) {
        self.step = step
        self.change = change
        self.undo = undo
        self.phase = phase
        self.serves = serves
        self.mayDisconnect = mayDisconnect
    }
}

/// A cause that the fix module leaves to a person.
package struct ByHand: Codable, Sendable, Hashable {
    package var cause: String
    package var subject: Subject
    /// Why it is not repaired automatically, in one sentence.
    package var why: String
    /// What to do: sentences or commands.
    package var what: [String]

    package init(cause: String, subject: Subject, why: String, what: [String]) {
        self.cause = cause
        self.subject = subject
        self.why = why
        self.what = what
    }
}

/// The ordered changes that repair a host, and what is left to a person. Nothing has happened yet.
package struct Plan: Codable, Sendable, Hashable {
    package static let schemaName = "lxc-doctor/plan/1"

    package var schema: String
    package var profile: String
    /// The host that it was made for; nil: not said.
    package var hostname: String?
    /// Why the plan may not be applied; nil: it may.
    package var refusal: String?
    /// The causes that the changes repair.
    package var causes: [ServedCause]
    /// All of the runtime phase before all of the persistent phase.
    package var changes: [PlannedChange]
    package var byHand: [ByHand]

    package init(
        profile: String, refusal: String? = nil, causes: [ServedCause], changes: [PlannedChange], byHand: [ByHand]
    ) {
        schema = Self.schemaName
        self.profile = profile
        self.refusal = refusal
        self.causes = causes
        self.changes = changes
        self.byHand = byHand
    }

    package var steps: [FixStep] { changes.map(\.step) }

    package var mayDisconnect: Bool { changes.contains(where: \.mayDisconnect) }

    /// Looks again at what a saved plan knows only of its own time: which changes may cut a connection, and whether what
    /// the rules say since then leaves one of its causes to a person. Then it is refused as stale.
    ///
    /// - Parameter causes: as they are now.
    package mutating func judge(anew causes: [Cause], profile: ChosenProfile, facts: PlanFacts) {
        for index in changes.indices where facts.connections.mayBeCut(by: changes[index].change) {
            changes[index].mayDisconnect = true
        }
        let served = causes.filter {
            self.causes.contains(ServedCause($0)) && automaticRemedies.contains($0.remedy?.id ?? "")
        }
        guard refusal == nil else { return }
        if let left = plan(for: served, profile: profile, facts: facts).byHand.first {
            refusal = "the plan is stale: \(left.cause) is now left to a person, as \(left.why)"
            return
        }
        let now = causes.map(ServedCause.init)
        // Rules that allow a part on purpose are another cause, which has no repair.
        let opening = changes.first {
            FirewallAccept.openers.contains($0.step.remedy) && !$0.change.isMeans
                && !$0.serves.contains(where: now.contains)
                && facts.state.standing(of: $0.change) == .before
        }
        guard let gone = opening?.serves.first else { return }
        let others = causes.filter { $0.check == gone.check }.map { "\($0.id) (\($0.title))" }.joined(separator: ", ")
        refusal =
            "the plan is stale: \(gone.id) is not found any more"
            + (others.isEmpty ? "" : "; what is found is \(others)")
    }

    /// The phase after which a plan under a dead-man switch has to be confirmed: the first one that may cut the
    /// connection, else the first one.
    var confirmedPhase: FixPhase? {
        changes.first(where: \.mayDisconnect)?.phase ?? changes.first?.phase
    }

    // MARK: As a document

    private enum Key: String, CodingKey {
        case schema, profile, hostname, refusal, causes, steps, changes, byHand
    }

    /// Beside the changes, the steps alone: what a reader wants who does not apply it.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(schema, forKey: .schema)
        try container.encode(profile, forKey: .profile)
        try container.encodeIfPresent(hostname, forKey: .hostname)
        try container.encodeIfPresent(refusal, forKey: .refusal)
        try container.encode(causes, forKey: .causes)
        try container.encode(steps, forKey: .steps)
        try container.encode(changes, forKey: .changes)
        try container.encode(byHand, forKey: .byHand)
    }
}
