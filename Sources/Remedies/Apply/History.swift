package import HostAccess
internal import HostModel

/// One repair of the past.
package struct PastRun: Codable, Sendable, Hashable {
    package var run: String
    package var startedAt: String
    package var profile: String?
    package var status: Journal.Status
    package var reason: String?
    /// What it changed or meant to change.
    package var targets: [String]
    /// What of it could not be taken back; nil: nothing.
    package var left: [String]?
    package var journal: String

    init(_ journal: Journal, location: String) {
        run = journal.run
        startedAt = journal.startedAt
        profile = journal.profile
        status = journal.status
        reason = journal.reason
        targets = journal.entries.filter { $0.state != .unchanged }.map(\.step.target)
        let left = journal.entries.filter { $0.state == .left }.map(\.step.target)
        self.left = left.isEmpty ? nil : left
        self.journal = location
    }
}

/// Every repair that has a journal, newest first, as a document.
package struct History: Codable, Sendable, Hashable {
    package static let schemaName = "lxc-doctor/history/1"

    package var schema: String
    package var runs: [PastRun]
    /// Journals that cannot be read, in words.
    package var unreadable: [String]

    package static func read(from store: any JournalStore) throws(HostError) -> History {
        var history = History(schema: schemaName, runs: [], unreadable: [])
        for run in try store.runs().reversed() {
            do throws(HostError) {
                let journal = try Journal(decoding: try store.load(run), run: run)
                history.runs.append(PastRun(journal, location: store.location(of: run)))
            } catch {
                history.unreadable.append(error.description)
            }
        }
        return history
    }
}
