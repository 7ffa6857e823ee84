internal import HostAccess
internal import HostModel

/// Why a cause is left to a person, and what that person may do.
struct LeftToPerson: Error {
    var why: String
    var what: [String]
    /// Whether the cause's own commands would do what is better not done.
    var withoutCommands = false
}

/// A plan while it is made: the changes so far, and the host as it would be after them.
///
/// Remedies look at `facts`, so a change that an earlier remedy has planned already is not planned again, and two
/// edits of one file follow each other.
struct PlanDraft {
    let profile: Profile
    private(set) var facts: PlanFacts
    private(set) var changes: [PlannedChange] = []
    /// Bridges that a change of this plan makes and nothing takes away again: what is plugged into them stays there.
    var bridgesForGood: Set<String> = []
    private var counts: [String: Int] = [:]

    init(profile: Profile, facts: PlanFacts) {
        self.profile = profile
        self.facts = facts
    }

    /// Adds a change, unless the host would be in that state already. `ahead` is what must be done before its inverse,
    /// and `also` what must be restored after it; with `reversible` false there is nothing to restore. Where the host is
    /// in a state that the change does not start from, the cause is left to a person.
    mutating func add(
        _ change: Change, ahead: [Change] = [], also: [Change] = [], phase: FixPhase, remedy: String, risk: String,
        for cause: Cause, command: String? = nil, reversible: Bool = true
    ) throws(LeftToPerson) {
        switch facts.state.standing(of: change) {
        case .after:
            for index in changes.indices where changes[index].change == change {
                let served = ServedCause(cause)
                if !changes[index].serves.contains(served) { changes[index].serves.append(served) }
            }
        case .other(let words):
            throw LeftToPerson(why: "the host is in a state that this repair does not start from: \(words)", what: [])
        case .before:
            let wording = ChangeWording(change)
            counts[remedy, default: 0] += 1
            let undo = change.isCheck || !reversible ? [] : ahead + [change.inverse] + also
            let mayDisconnect = facts.connections.mayBeCut(by: change)
            let step = FixStep(
                id: "\(remedy).\(counts[remedy, default: 1])", remedy: remedy, subject: cause.subject,
                target: wording.target, before: wording.before, after: wording.after,
                reversal: reversible ? ChangeWording.reversal(of: change, by: undo) ?? wording.reversal : "none",
                risk: risk + (mayDisconnect ? " IT MAY CUT YOUR OWN CONNECTION." : ""),
                command: command ?? wording.command)
            changes.append(
                PlannedChange(
                    step: step, change: change, undo: undo, phase: phase, serves: [ServedCause(cause)],
                    mayDisconnect: mayDisconnect))
            facts.state.apply(change)
        }
    }

    /// Makes sure that some change serves a cause whose remedy has run: where an earlier cause of the same remedy and
    /// network has brought all of its changes already, they serve this one too.
    mutating func credit(_ cause: Cause, remedy: String) throws(LeftToPerson) {
        let reference = ServedCause(cause)
        if changes.contains(where: { $0.serves.contains(reference) }) { return }
        let shared = changes.indices.filter { index in
            changes[index].step.remedy == remedy && sameNetwork(changes[index].step.subject, cause.subject)
        }
        guard !shared.isEmpty else {
            throw LeftToPerson(
                why: "what this repair would change is already as it should be",
                what: ["Look again: lxc-doctor --only \(cause.check)"])
        }
        for index in shared { changes[index].serves.append(reference) }
    }

    private func sameNetwork(_ left: Subject, _ right: Subject) -> Bool {
        left == right || network(of: left) == network(of: right)
    }

    /// By name or bridge, or the only one there is.
    func network(of subject: Subject) -> Network? {
        profile.networks.first { $0.name == subject.name || $0.bridge == subject.name }
            ?? (profile.networks.count == 1 ? profile.networks.first : nil)
    }

    /// The network that a cause speaks of: by name or bridge, or the only one there is.
    func network(of cause: Cause) throws(LeftToPerson) -> Network {
        if let network = network(of: cause.subject) { return network }
        throw LeftToPerson(why: "the profile has several networks and the cause names none of them", what: [])
    }
}
