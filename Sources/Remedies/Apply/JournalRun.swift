internal import HostAccess
internal import HostModel

/// Takes back what a journal says was done, in reverse order.
struct JournalRun {
    static let bootFile = "/proc/sys/kernel/random/boot_id"

    /// Said of what is complete and has no reversal.
    static let stays = "stays: it is complete, and nothing takes it back"

    /// Said of a step that was made and has no reversal.
    static let remains = "stays: this step has no reversal"

    let host: any MutableHost
    let store: any JournalStore

    /// Undoes every entry that was or may have been made. Goes on where one cannot be taken back, and returns what
    /// is left, in words; empty: the host is as before. Never touches what someone else has changed since.
    ///
    /// Ends with the status `rolledBack`, or `undone` where a finished repair is taken back; where the host refused
    /// something, with `rollingBack` or `undoing`, so that the next run tries again. `from`: entries before it stay, and
    /// with them the status `applied`.
    func takeBack(_ journal: inout Journal, from first: Int = 0, sameBoot: Bool) -> [String] {
        var problems: [String] = []
        var again = false
        let isUndo = journal.status == .undoing || journal.status == .applied
        journal.status = isUndo ? .undoing : .rollingBack
        save(journal, &problems)
        host.begin(run: journal.run, restoring: true)
        for index in journal.entries.indices[first...].reversed() {
            let entry = journal.entries[index]
            guard entry.state == .intended || entry.state == .done || entry.state == .left else { continue }
            if entry.phase == .runtime, !sameBoot, !journal.comesBack(entry) {
                journal.entries[index].state = .undone
                journal.entries[index].note = "gone with the reboot"
                continue
            }
            do throws(HostError) {
                if let conflict = try undo(entry) {
                    journal.entries[index].state = .left
                    journal.entries[index].note = conflict
                    problems.append("left as it is: \(conflict)")
                } else {
                    journal.entries[index].state = .undone
                    if let note = try whatStays(of: entry) {
                        journal.entries[index].state = .done
                        journal.entries[index].note = note
                    }
                }
            } catch  where error.code == .stale {
                // Between our look and the change, or a difference that only the kernel sees: someone else's.
                journal.entries[index].state = .left
                journal.entries[index].note = error.description
                problems.append("left as it is: \(error.description)")
            } catch {
                again = true
                journal.entries[index].note = error.description
                problems.append("not taken back: \(error.description)")
            }
            save(journal, &problems)
        }
        if !again { journal.status = isUndo ? .undone : first > 0 ? .applied : .rolledBack }
        save(journal, &problems)
        return problems
    }

    /// Of a step that nothing takes back, in words; nil: nothing stays.
    private func whatStays(of entry: Journal.Entry) throws(HostError) -> String? {
        if entry.change.isFinal { return try isThere(entry.change) ? "\(entry.step.target) \(Self.stays)" : nil }
        return entry.isIrreversible ? "\(entry.step.target) (\(entry.step.after)) \(Self.remains)" : nil
    }

    private func isThere(_ change: Change) throws(HostError) -> Bool {
        try HostState.read(StateScope(of: [change]), from: host).standing(of: change) == .after
    }

    /// The first line without its end.
    static func line(_ text: String) -> String {
        String(text.prefix { $0 != "\n" })
    }

    /// What someone else has changed since, in words; nil: the entry's target is as before.
    private func undo(_ entry: Journal.Entry) throws(HostError) -> String? {
        var conflict: String?
        try host.tidy(after: entry.change)
        if entry.state == .intended { try complete(entry.change) }
        for change in entry.undo {
            let state = try HostState.read(StateScope(of: [change]), from: host)
            if state.hasGone(change) { continue }
            switch state.standing(of: change) {
            case .after: continue
            case .other(let words): conflict = conflict ?? words
            case .before: try host.apply(change)
            }
        }
        return conflict
    }

    /// A program that was cut short, or may have been, is run to its end first: only from there does its reversal
    /// lead back, and where it has none, completed is how it ends. Of flows, some may be forgotten and others not. All
    /// other changes of our own are never half made.
    private func complete(_ change: Change) throws(HostError) {
        if case .forgetFlows = change { return try host.apply(change) }
        guard case .run = change, !change.isCheck else { return }
        do throws(HostError) {
            try host.apply(change)
        } catch {
            // lxc-net clears away what it finds half made, and fails; the next time it succeeds.
            try host.apply(change)
        }
    }

    /// A journal that cannot be written does not stop a rollback: the host matters more than its record.
    private func save(_ journal: Journal, _ problems: inout [String]) {
        do throws(HostError) {
            try store.save(try journal.encoded(), run: journal.run)
        } catch {
            let text = "the journal could not be written: \(error.message)"
            if !problems.contains(text) { problems.append(text) }
        }
    }
}

extension Journal {
    /// The steps as they ended.
    var steps: [FixStep] {
        entries.map { entry in
            let state: FixStepState =
                switch entry.state {
                case .pending: .planned
                case .intended, .left: .failed
                case .done: .applied
                case .unchanged: .unchanged
                case .undone: .rolledBack
                }
            return entry.step.with(state)
        }
    }
}
