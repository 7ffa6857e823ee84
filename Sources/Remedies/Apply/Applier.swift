package import HostAccess
package import HostModel
internal import Probes

/// Which run this is, for its journal. A command that repairs in several rounds gives each the same: they are one run,
/// taken back as one.
package struct RunIdentity: Codable, Sendable, Hashable {
    /// Unique, sortable by time, usable as a file name: `20250405T101500Z-4711`.
    package var run: String
    /// RFC 3339, UTC.
    package var startedAt: String

    package init(run: String, startedAt: String) {
        self.run = run
        self.startedAt = startedAt
    }
}

/// The questions that a repair is judged by. `Commands` supplies them; they must look at the host anew.
package struct Verification {
    /// The findings before the repair.
    package var before: [Finding]
    package var proofBefore: ProofVerdict?
    /// The findings of these checks now, for every subject.
    package var recheck: ([String]) -> [Finding]
    /// The verdict of the packet proof now; nil where it is off.
    package var prove: () -> ProofVerdict?

    package init(
        before: [Finding], proofBefore: ProofVerdict?, recheck: @escaping ([String]) -> [Finding],
        prove: @escaping () -> ProofVerdict?
    ) {
        self.before = before
        self.proofBefore = proofBefore
        self.recheck = recheck
        self.prove = prove
    }
}

/// The dead-man switch of a repair that may cut the connection of the person who asked for it.
package struct Confirmation {
    /// How long there is to confirm, in seconds.
    package var seconds: Int
    /// Starts the process that takes the run back where this one cannot, before anything is changed.
    package var guardRun: (String) throws(HostError) -> Void
    /// Waits until the run is confirmed; false: it was not in time.
    package var wait: (String) -> Bool

    package init(
        seconds: Int, guardRun: @escaping (String) throws(HostError) -> Void, wait: @escaping (String) -> Bool
    ) {
        self.seconds = seconds
        self.guardRun = guardRun
        self.wait = wait
    }
}

/// Makes the changes of a plan, proves that they helped, and takes them back where they did not.
///
/// Every change is journalled before it is made. Nothing is thrown: the report says how it ended.
package struct Applier {
    let host: any MutableHost
    let store: any JournalStore
    let identity: RunIdentity

    package init(host: any MutableHost, store: any JournalStore, identity: RunIdentity) {
        self.host = host
        self.store = store
        self.identity = identity
    }

    /// Applies the plan: lock, recovery of what an earlier run left, every before-state verified, then phase by phase
    /// change and verification. Refused: nothing was changed.
    package func apply(_ plan: Plan, verify: Verification, confirmation: Confirmation? = nil) -> FixReport {
        if let reason = plan.refusal ?? unfitHost() { return refused(plan, reason) }
        if plan.mayDisconnect, confirmation == nil {
            return refused(plan, "it may cut your own connection, and nothing would take it back then")
        }
        do throws(HostError) {
            try store.lock()
        } catch {
            return refused(plan, "the lock of repairs is not to be had: \(error.message)")
        }
        defer { store.unlock() }
        do throws(HostError) {
            let recovered = try recoverLocked()
            let standings = try verifyBefores(plan)
            if let stale = standings.stale {
                return refused(
                    plan, (recovered.map(\.sentence) + ["the plan is stale: \(stale)"]).joined(separator: "; "))
            }
            if standings.allAfter {
                return report(.applied, plan.steps.map { $0.with(.unchanged) }, reason: nil, journal: nil)
            }
            var run = try begin(plan)
            return perform(plan, &run, from: run.entries.count - plan.changes.count, verify, confirmation)
        } catch {
            return refused(plan, error.description)
        }
    }

    // MARK: Before anything happens

    /// Why this host may not be repaired by this process; nil: it may.
    func unfitHost() -> String? {
        let who: HostIdentity
        do throws(HostError) {
            who = try host.identity()
        } catch {
            return "who asks could not be read: \(error.message)"
        }
        if who.effectiveUser != 0 { return "only root can repair a host" }
        if who.isPracticeHost || who.inInitialNetworkNamespace == true { return nil }
        return who.inInitialNetworkNamespace == nil
            ? "whether this is the host's own network namespace could not be read"
            : "this network namespace is not the host's own: the repair would be written into another host's files"
    }

    /// Walks the plan over the host as it is now: the first change of each thing must find it as planned.
    private func verifyBefores(_ plan: Plan) throws(HostError) -> (stale: String?, allAfter: Bool) {
        var state = try HostState.read(StateScope(of: plan.changes.flatMap { [$0.change] + $0.undo }), from: host)
        // Either as a whole or one by one: what is stopped in between runs now as before, and of several edits of one
        // file the last one counts.
        let now = state
        var edited: Set<String> = []
        let isDone = plan.changes.reversed().allSatisfy { planned in
            if case .file(let path, _, _) = planned.change, !edited.insert(path).inserted { return true }
            return planned.change.isMeans || now.standing(of: planned.change) == .after
        }
        if isDone { return (nil, true) }
        var allAfter = true
        for planned in plan.changes {
            switch state.standing(of: planned.change) {
            case .before:
                if !planned.change.isCheck { allAfter = false }
                state.apply(planned.change)
            case .after: break
            case .other(let words): return (words, false)
            }
        }
        return (nil, allAfter)
    }

    private func begin(_ plan: Plan) throws(HostError) -> Journal {
        let boot = JournalRun.line(try host.readTextIfPresent(JournalRun.bootFile) ?? "")
        var journal = Journal(run: identity.run, startedAt: identity.startedAt, boot: boot, plan: plan)
        if try store.runs().contains(identity.run) {
            journal = try Journal(decoding: try store.load(identity.run), run: identity.run)
            guard journal.status == .applied, journal.boot == boot else {
                throw HostError(
                    .stale, operation: "go on with \(identity.run)", message: "that repair is not as it was left")
            }
            journal.goOn(with: plan)
        }
        try store.save(try journal.encoded(), run: journal.run)
        return journal
    }

    // MARK: Change and verification

    /// `first`: the first of the plan's entries in the journal. What stands before it was made and verified in an earlier
    /// round, and stays where this one fails.
    private func perform(
        _ plan: Plan, _ journal: inout Journal, from first: Int, _ verify: Verification, _ confirmation: Confirmation?
    ) -> FixReport {
        host.begin(run: journal.run, restoring: false)
        do throws(HostError) {
            try confirmation?.guardRun(journal.run)
            for phase in FixPhase.allCases where plan.changes.contains(where: { $0.phase == phase }) {
                try make(phase, &journal, from: first)
                if let worse = Judgement(of: plan.served(by: phase), verify).complaint() {
                    return rollBack(&journal, from: first, worse)
                }
                guard let confirmation, phase == plan.confirmedPhase else { continue }
                journal.status = .awaitingConfirmation
                try store.save(try journal.encoded(), run: journal.run)
                guard confirmation.wait(journal.run) else {
                    return rollBack(&journal, from: first, "it was not confirmed within \(confirmation.seconds) s")
                }
                journal.status = .running
                try store.save(try journal.encoded(), run: journal.run)
            }
            journal.status = .applied
            try store.save(try journal.encoded(), run: journal.run)
        } catch {
            return rollBack(&journal, from: first, error.description)
        }
        return report(
            .applied, Array(journal.steps[first...]), reason: nil, journal: store.location(of: journal.run))
    }

    private func make(_ phase: FixPhase, _ journal: inout Journal, from first: Int) throws(HostError) {
        for index in journal.entries.indices[first...] where journal.entries[index].phase == phase {
            let change = journal.entries[index].change
            let state = try HostState.read(StateScope(of: [change]), from: host)
            switch state.standing(of: change) {
            case .after:
                journal.entries[index].state = .unchanged
            case .other(let words):
                throw HostError(.stale, operation: journal.entries[index].step.command, message: words)
            case .before:
                journal.entries[index].state = .intended
                try store.save(try journal.encoded(), run: journal.run)
                do throws(HostError) {
                    try host.apply(change)
                    try prove(change)
                } catch {
                    journal.entries[index].note = error.description
                    throw error
                }
                journal.entries[index].state = .done
            }
            try store.save(try journal.encoded(), run: journal.run)
        }
    }

    /// A translation counts once the ruleset, as it is now, leaves everything untouched that was exempt.
    private func prove(_ change: Change) throws(HostError) {
        guard case .addNftRule(let rule) = change,
            let complaint = TranslationPlace.complaint(about: rule, on: host)
        else { return }
        throw HostError(.stale, operation: "prove `\(rule.text)`", message: complaint)
    }

    private func rollBack(_ journal: inout Journal, from first: Int, _ reason: String) -> FixReport {
        journal.status = .rollingBack
        journal.reason = reason
        let problems = JournalRun(host: host, store: store).takeBack(&journal, from: first, sameBoot: true)
        let text = ([reason] + problems).joined(separator: "; ")
        return report(
            .rolledBack, Array(journal.steps[first...]), reason: text, journal: store.location(of: journal.run))
    }

    // MARK: Reports

    private func refused(_ plan: Plan, _ reason: String) -> FixReport {
        report(.refused, plan.steps.map { $0.with(.refused) }, reason: reason, journal: nil)
    }

    private func report(
        _ outcome: FixOutcome, _ steps: [FixStep], reason: String?, journal: String?
    ) -> FixReport {
        FixReport(outcome: outcome, reason: reason, steps: steps, journal: journal)
    }
}

extension FixStep {
    func with(_ state: FixStepState) -> FixStep {
        var step = self
        step.state = state
        return step
    }
}
