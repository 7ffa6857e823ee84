/// Gathers what was touched until it is worth looking: a change seldom comes alone, and looking costs something.
///
/// Looks when it has been quiet for a moment, at the latest after some patience. Each look owes a rest in proportion to what
/// it cost, so that a storm of events takes a bounded part of a processor; a little may be owed, so that one change after
/// another is seen at once. Pure: milliseconds of one clock.
package struct EventGate: Sendable {
    /// Quiet for so long: the change is complete.
    package static let quiet = 10
    /// Longest wait for quiet.
    package static let patience = 40
    /// Rest that a look owes, in times of its cost.
    package static let restFactor = 4
    /// Rest that may be owed without waiting.
    package static let credit = 500
    package static let longestRest = 2_000

    private var touched: Set<WatchTopic> = []
    private var first = 0
    private var last = 0
    /// Until when all that is owed would have been rested.
    private var owed = 0

    package init() {}

    package mutating func note(_ topics: Set<WatchTopic>, at now: Int) {
        guard !topics.isEmpty else { return }
        if touched.isEmpty { first = now }
        last = now
        touched.formUnion(topics)
    }

    /// When there is something to look at; nil where nothing was touched.
    package var due: Int? {
        touched.isEmpty ? nil : max(min(last + Self.quiet, first + Self.patience), owed - Self.credit)
    }

    /// What is to be looked at now; empty where it is not due.
    package mutating func open(at now: Int) -> Set<WatchTopic> {
        guard let due, due <= now else { return [] }
        defer { touched = [] }
        return touched
    }

    /// Says what a look that ended now has cost.
    package mutating func looked(for milliseconds: Int, at now: Int) {
        owed = min(max(owed, now) + milliseconds * Self.restFactor, now + Self.credit + Self.longestRest)
    }
}
