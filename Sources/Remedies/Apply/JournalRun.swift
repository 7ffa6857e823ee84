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
    /// something for the first time, with `rollingBack` or `undoing`, so that the next run tries again. `from`: entries
    /// before it stay, and with them the status `applied`.
    func takeBack(_ journal: inout Journal, from first: Int = 0, sameBoot: Bool) -> [String] {
        var problems: [String] = []
        var again = false
        let isUndo = journal.status == .undoing || !journal.status.isUnfinished
        // What the host has refused before and refuses again is left, or no repair would ever be made again.
        let isLast = (journal.refusals ?? 0) > 0
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
                if isLast { journal.entries[index].state = .left }
                journal.entries[index].note = error.description
                problems.append("not taken back: \(error.description)")
            }
            save(journal, &problems)
        }
        if again { journal.refusals = (journal.refusals ?? 0) + 1 }
        if !again || isLast { journal.status = isUndo ? .undone : first > 0 ? .applied : .rolledBack }
        save(journal, &problems)
        return problems
    }

    /// Of a step that nothing takes back, in words; nil: nothing stays.
    private func whatStays(of entry: Journal.Entry) throws(HostError) -> String? {
        if entry.change.isFinal { return try isThere(entry.change) ? "\(entry.step.target) \(Self.stays)" : nil }
        return entry.isIrreversible ? "\(entry.step.target) (\(entry.step.after)) \(Self.remains)" : nil
    }

    /// Why nothing of a finished repair can be taken back, in words; nil: something can, or is gone by itself.
    func whyNothing(of journal: Journal) throws(HostError) -> String? {
        var words: [String] = []
        for entry in journal.entries where entry.state == .done && !entry.change.isCheck {
            guard entry.isIrreversible, let stays = try whatStays(of: entry) else { return nil }
            words.append(stays)
        }
        return words.isEmpty ? nil : "nothing of it can be taken back: \(words.joined(separator: "; "))"
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
        if let words = try othersOnBridge(entry.undo) { return words }
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

    /// Why a bridge that would go has to stay, and everything that keeps it going with it; nil: it can go, or none would.
    private func othersOnBridge(_ changes: [Change]) throws(HostError) -> String? {
        for change in changes {
            guard case .deleteBridge = change else { continue }
            let state = try HostState.read(StateScope(of: [change]), from: host)
            if case .other(let words) = state.standing(of: change) { return words }
        }
        return nil
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
            // lxc-net clears away what it finds half made, and fails; the next time it succeeds. Or it had come to its end, and
            // only who called it does not know.
            do throws(HostError) {
                try host.apply(change)
            } catch {
                guard try isThere(change) else { throw error }
            }
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
