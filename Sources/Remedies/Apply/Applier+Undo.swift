package import HostAccess
package import HostModel

/// A thing that is no longer as the repair left it.
package struct Difference: Codable, Sendable, Hashable {
    package var target: String
    /// As the repair left it.
    package var expected: String
    package var found: String
    /// Of a file: its lines, `-` as the repair left them, `+` as they are.
    package var lines: [String]

    package init(target: String, expected: String, found: String, lines: [String] = []) {
        self.target = target
        self.expected = expected
        self.found = found
        self.lines = lines
    }
}

/// How an undo ended.
package struct UndoReport: Codable, Sendable, Hashable {
    package enum Outcome: String, Codable, Sendable {
        /// Everything that the run changed is as it was before.
        case undone
        /// Nothing was changed.
        case refused
        /// Not everything could be taken back; `reason` says what.
        case unfinished
    }

    package static let schemaName = "lxc-doctor/undo/1"

    package var schema: String
    /// Nil: there is no run to undo.
    package var run: String?
    package var outcome: Outcome
    package var reason: String?
    package var steps: [FixStep]
    package var differences: [Difference]
    package var journal: String?

    init(
        run: String?, outcome: Outcome, reason: String? = nil, steps: [FixStep] = [], differences: [Difference] = [],
        journal: String? = nil
    ) {
        schema = Self.schemaName
        self.run = run
        self.outcome = outcome
        self.reason = reason
        self.steps = steps
        self.differences = differences
        self.journal = journal
    }
}

extension Applier {
    /// The journal that `undo` would take back: the one named, or that of the latest repair that left something on the
    /// host.
    package func journal(toUndo run: String?) throws(HostError) -> Journal? {
        if let run { return try Journal(decoding: try store.load(run), run: run) }
        for run in try store.runs().reversed() {
            let journal: Journal
            do throws(HostError) {
                journal = try Journal(decoding: try store.load(run), run: run)
            } catch {
                // A damaged one is named by whoever asks for the history.
                guard error.code == .malformed else { throw error }
                continue
            }
            if journal.isUndoable, !journal.entries.allSatisfy(\.change.isMomentary) { return journal }
        }
        return nil
    }

    /// Takes back exactly what a run changed. Refused, with the differences, where anything of it is neither as the
    /// run left it nor as it was before.
    package func undo(_ run: String?) -> UndoReport {
        if let reason = unfitHost() { return UndoReport(run: run, outcome: .refused, reason: reason) }
        do throws(HostError) {
            try store.lock()
            defer { store.unlock() }
            _ = try recoverLocked()
            guard var journal = try journal(toUndo: run) else {
                return UndoReport(run: run, outcome: .refused, reason: "there is no repair that could be undone")
            }
            guard journal.isUndoable else {
                let words = journal.status == .undone ? "was undone already" : "was rolled back when it was made"
                return UndoReport(run: journal.run, outcome: .refused, reason: "the repair \(journal.run) \(words)")
            }
            let reversal = JournalRun(host: host, store: store)
            if let words = try reversal.whyNothing(of: journal) {
                return UndoReport(
                    run: journal.run, outcome: .refused, reason: words, steps: journal.steps.map { $0.with(.refused) },
                    journal: store.location(of: journal.run))
            }
            let boot = JournalRun.line(try host.readTextIfPresent(JournalRun.bootFile) ?? "")
            let sameBoot = journal.boot == boot
            let differences = try differences(journal, sameBoot: sameBoot)
            guard differences.isEmpty else {
                return UndoReport(
                    run: journal.run, outcome: .refused, reason: "what it changed has been changed since",
                    steps: journal.steps.map { $0.with(.refused) }, differences: differences,
                    journal: store.location(of: journal.run))
            }
            let problems = reversal.takeBack(&journal, sameBoot: sameBoot)
            let remarks = journal.entries.compactMap(\.note)
            let notes =
                (remarks.contains("gone with the reboot")
                    ? ["what it changed of the running system was gone with the reboot"] : [])
                + remarks.filter { $0.hasSuffix(JournalRun.stays) || $0.hasSuffix(JournalRun.remains) }
            return UndoReport(
                run: journal.run, outcome: journal.status == .undone && problems.isEmpty ? .undone : .unfinished,
                reason: problems.isEmpty && notes.isEmpty ? nil : (problems + notes).joined(separator: "; "),
                steps: journal.steps, journal: store.location(of: journal.run))
        } catch {
            return UndoReport(run: run, outcome: .refused, reason: error.description)
        }
    }

    /// Walks the run backwards over the host as it is now.
    private func differences(_ journal: Journal, sameBoot: Bool) throws(HostError) -> [Difference] {
        let entries = journal.entries.filter {
            ($0.state == .done || $0.state == .left) && (sameBoot || $0.phase == .persistent || journal.comesBack($0))
        }
        var state = try HostState.read(StateScope(of: entries.flatMap { [$0.change] + $0.undo }), from: host)
        var found: [Difference] = []
        for entry in entries.reversed() {
            for change in entry.undo {
                if state.hasGone(change) { continue }
                switch state.standing(of: change) {
                case .before: state.apply(change)
                case .after: continue
                case .other(let words): found.append(Difference(of: change, words, state))
                }
            }
        }
        return found
    }
}

extension Difference {
    /// Most lines of a file that are shown.
    private static let mostLines = 40

    /// What stands in the way of a change that takes something back.
    init(of change: Change, _ words: String, _ state: HostState) {
        let wording = ChangeWording(change)
        var expected = wording.before
        if case .deleteBridge = change { expected = "a bridge that nobody else uses" }
        self.init(target: wording.target, expected: expected, found: words)
        guard case .file(let path, let expected, _) = change, let expected, let now = state.file(path) else { return }
        found = "\(words) (mode \(String(now.mode, radix: 8)), owner \(now.owner):\(now.group))"
        lines = Self.lines(expected.bytes.bytes, now.bytes.bytes)
    }

    /// What differs between the lines that both begin and end with.
    private static func lines(_ expected: [UInt8], _ found: [UInt8]) -> [String] {
        let old = EditCommand.lines(expected)
        let new = EditCommand.lines(found)
        let prefix = zip(old, new).prefix { $0 == $1 }.count
        let room = min(old.count, new.count) - prefix
        let suffix = zip(old.reversed(), new.reversed()).prefix(max(0, room)).prefix { $0 == $1 }.count
        let all =
            old[prefix..<(old.count - suffix)].map { "-" + $0 } + new[prefix..<(new.count - suffix)].map { "+" + $0 }
        guard all.count > mostLines else { return all }
        return Array(all.prefix(mostLines)) + ["(\(all.count - mostLines) more lines)"]
    }
}
