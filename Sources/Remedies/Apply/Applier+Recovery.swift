package import HostAccess

/// What became of a repair that was interrupted.
package struct Recovery: Codable, Sendable, Hashable {
    package var run: String
    /// What could not be taken back, in words; empty: the host is as before that run.
    package var problems: [String]
    package var journal: String

    /// For a report.
    package var sentence: String {
        problems.isEmpty
            ? "the repair \(run), which was interrupted, was rolled back first"
            : "the repair \(run), which was interrupted, was rolled back in part: " + problems.joined(separator: "; ")
    }
}

extension Applier {
    /// Rolls back every repair that was interrupted: killed, or cut short by a power failure.
    /// Throws where the lock is held by another repair or a journal cannot be read.
    package func recover() throws(HostError) -> [Recovery] {
        try store.lock()
        defer { store.unlock() }
        return try recoverLocked()
    }

    func recoverLocked() throws(HostError) -> [Recovery] {
        var recoveries: [Recovery] = []
        for run in try store.runs().reversed() {
            var journal = try Journal(decoding: try store.load(run), run: run)
            guard journal.status.isUnfinished else { continue }
            let boot = JournalRun.line(try host.readTextIfPresent(JournalRun.bootFile) ?? "")
            journal.reason = journal.reason ?? "interrupted"
            let problems = JournalRun(host: host, store: store)
                .takeBack(&journal, sameBoot: journal.boot == boot)
            if journal.status.isUnfinished {
                throw HostError(
                    .other, operation: "roll back \(run)",
                    message: problems.joined(separator: "; ") + " (journal \(store.location(of: run)))")
            }
            recoveries.append(Recovery(run: run, problems: problems, journal: store.location(of: run)))
        }
        return recoveries
    }
}
