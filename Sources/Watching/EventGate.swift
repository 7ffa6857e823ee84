/// Collects what was touched, and decides when to look: changes come in groups, and a look has a cost.
///
/// A look is due when there were no events for `quiet`, or `patience` after the first event. After each look comes a pause in
/// proportion to what the look cost, so that a storm of events takes a bounded share of a processor. A pause of up to
/// `credit` is not waited for, so that single changes are seen at once. Pure: all times are milliseconds of one clock.
package struct EventGate: Sendable {
    /// Time without events after which a change counts as complete.
    package static let quiet = 10
    /// Longest wait for quiet.
    package static let patience = 40
    /// The pause after a look, as a multiple of what the look cost.
    package static let restFactor = 4
    /// The part of the pause that is not waited for.
    package static let credit = 500
    package static let longestRest = 2_000

    private var touched: Set<WatchTopic> = []
    private var first = 0
    private var last = 0
    /// When the pauses of all looks so far end.
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
