package import HostAccess

/// What became of a repair that was interrupted.
package struct Recovery: Codable, Sendable, Hashable {
    package var run: String
    /// What could not be taken back, in words; empty: the host is as before that run.
    package var problems: [String]
    package var journal: String
    /// What was interrupted was an undo, and that is complete now.
    package var wasUndo: Bool
    /// What has no reversal and was completed, in words.
    package var stays: [String]

    /// For a report.
    package var sentence: String {
        let words =
            wasUndo
            ? "the undo of \(run), which was interrupted, was completed"
            : "the repair \(run), which was interrupted, was rolled back"
        let end = problems.isEmpty ? " first" : " in part: " + problems.joined(separator: "; ")
        return ([words + end] + stays).joined(separator: "; ")
    }
}

/// What the journals of a host say of repairs that did not come to their end. Changes nothing.
///
/// Looks into every journal: names follow the host's clock, which may have been set back, so that one that was interrupted
/// may stand anywhere among them. Only those are decoded that hold the word of an unfinished status.
package struct JournalSurvey {
    /// The repairs that were interrupted and not taken back yet, newest name first.
    package private(set) var unfinished: [String] = []
    /// The journals that are none, in words: what such a run may have left unfinished, nothing takes back.
    package private(set) var damaged: [String] = []

    package init(_ store: any JournalStore) throws(HostError) {
        for run in try store.runs().reversed() {
            let bytes = try store.load(run)
            // The last byte of a journal is that of its text: half a one is decoded too, and named.
            let isWhole = bytes.last { $0 != 0x0a } == UInt8(ascii: "}")
            guard !isWhole || Journal.Status.mayBeUnfinished(bytes) else { continue }
            do throws(HostError) {
                if try Journal(decoding: bytes, run: run).status.isUnfinished { unfinished.append(run) }
            } catch {
                guard error.code == .malformed else { throw error }
                damaged.append(
                    "\(store.location(of: run)) is damaged, and that repair may have been interrupted: see that the host is "
                        + "as you want it, and move the file away; no repair is made before")
            }
        }
    }
}

/// The repairs that were interrupted and not taken back yet, newest name first. Changes nothing.
package func unfinishedRuns(in store: any JournalStore) throws(HostError) -> [String] {
    try JournalSurvey(store).unfinished
}

extension Journal.Status {
    private static let unfinishedWords = allCases.filter(\.isUnfinished).map { Array("\"\($0.rawValue)\"".utf8) }

    /// Whether a journal's text holds the word of an unfinished status as a string of its own; without it, it is finished.
    static func mayBeUnfinished(_ journal: [UInt8]) -> Bool {
        journal.indices.contains { index in
            journal[index] == UInt8(ascii: "\"") && unfinishedWords.contains { journal[index...].starts(with: $0) }
        }
    }
}

extension Applier {
    /// Rolls back every repair that was interrupted: killed, or cut short by a power failure.
    /// Throws where the lock is held by another repair or a journal cannot be read.
    package func recover() throws(HostError) -> [Recovery] {
        if let reason = unfitHost() { throw HostError(.notPermitted, operation: "roll back", message: reason) }
        try store.lock()
        defer { store.unlock() }
        return try recoverLocked()
    }

    func recoverLocked() throws(HostError) -> [Recovery] {
        // It may be one that was interrupted: nothing is built on what it may have left.
        let survey = try JournalSurvey(store)
        if let problem = survey.damaged.first {
            throw HostError(.malformed, operation: "look for interrupted repairs", message: problem)
        }
        var recoveries: [Recovery] = []
        for run in survey.unfinished {
            var journal = try Journal(decoding: try store.load(run), run: run)
            let boot = JournalRun.line(try host.readTextIfPresent(JournalRun.bootFile) ?? "")
            let wasUndo = journal.status == .undoing
            journal.reason = journal.reason ?? "interrupted"
            let problems = JournalRun(host: host, store: store)
                .takeBack(&journal, sameBoot: journal.boot == boot)
            if journal.status.isUnfinished {
                throw HostError(
                    .other, operation: "roll back \(run)",
                    message: problems.joined(separator: "; ") + " (journal \(store.location(of: run)))")
            }
            recoveries.append(
                Recovery(
                    run: run, problems: problems, journal: store.location(of: run), wasUndo: wasUndo,
                    stays: journal.entries.compactMap(\.note).filter { $0.hasSuffix(JournalRun.stays) }))
        }
        return recoveries
    }
}
