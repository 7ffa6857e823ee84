/// A set of numbers as sorted ranges that neither touch nor overlap: addresses, ports, protocols.
package struct IntervalSet: Hashable, Sendable {
    package let ranges: [ClosedRange<UInt32>]

    package static let all = IntervalSet(sorted: [0...UInt32.max])
    package static let empty = IntervalSet(sorted: [])

    private init(sorted ranges: [ClosedRange<UInt32>]) {
        self.ranges = ranges
    }

    package init(_ range: ClosedRange<UInt32>) {
        ranges = [range]
    }

    /// Of ranges in any order.
    package init(_ unsorted: some Sequence<ClosedRange<UInt32>>) {
        var merged: [ClosedRange<UInt32>] = []
        for range in unsorted.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound || range.lowerBound == last.upperBound &+ 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        ranges = merged
    }

    package var isEmpty: Bool { ranges.isEmpty }

    package func contains(_ value: UInt32) -> Bool {
        ranges.contains { $0.contains(value) }
    }

    package func isSubset(of other: IntervalSet) -> Bool {
        if other.ranges.count == 1, let only = other.ranges.first {
            return ranges.allSatisfy { only.lowerBound <= $0.lowerBound && $0.upperBound <= only.upperBound }
        }
        return subtracting(other).isEmpty
    }

    package func isDisjoint(with other: IntervalSet) -> Bool {
        var mine = ranges.startIndex
        var theirs = other.ranges.startIndex
        while mine < ranges.endIndex, theirs < other.ranges.endIndex {
            if ranges[mine].overlaps(other.ranges[theirs]) { return false }
            if ranges[mine].upperBound < other.ranges[theirs].lowerBound { mine += 1 } else { theirs += 1 }
        }
        return true
    }

    package func intersection(_ other: IntervalSet) -> IntervalSet {
        if spans(other) { return other }
        if other.spans(self) { return self }
        var result: [ClosedRange<UInt32>] = []
        var mine = ranges.startIndex
        var theirs = other.ranges.startIndex
        while mine < ranges.endIndex, theirs < other.ranges.endIndex {
            let (left, right) = (ranges[mine], other.ranges[theirs])
            if left.overlaps(right) { result.append(left.clamped(to: right)) }
            if left.upperBound < right.upperBound { mine += 1 } else { theirs += 1 }
        }
        return IntervalSet(sorted: result)
    }

    package func union(_ other: IntervalSet) -> IntervalSet {
        IntervalSet(ranges + other.ranges)
    }

    package var complement: IntervalSet {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            guard range.upperBound < UInt32.max else { return IntervalSet(sorted: result) }
            next = range.upperBound + 1
        }
        result.append(next...UInt32.max)
        return IntervalSet(sorted: result)
    }

    package func subtracting(_ other: IntervalSet) -> IntervalSet {
        intersection(other.complement)
    }

    /// Whether it is one range with all of the other inside.
    private func spans(_ other: IntervalSet) -> Bool {
        guard ranges.count == 1, let first = other.ranges.first, let last = other.ranges.last else { return false }
        return ranges[0].lowerBound <= first.lowerBound && last.upperBound <= ranges[0].upperBound
    }

    /// How many numbers there are.
    package var count: UInt64 {
        ranges.reduce(0) { $0 + UInt64($1.upperBound - $1.lowerBound) + 1 }
    }

    /// As many numbers as are tried one by one.
    private static let enumerable: UInt64 = 4096

    /// The numbers for which a condition holds; nil where there are too many to try.
    package func filtered(_ holds: (UInt32) -> Bool) -> IntervalSet? {
        guard count <= Self.enumerable else { return nil }
        return IntervalSet(ranges.flatMap { $0.filter(holds) }.map { $0...$0 })
    }

    /// What the numbers become; nil where there are too many to try.
    package func mapped(_ change: (UInt32) -> UInt32) -> IntervalSet? {
        guard count <= Self.enumerable else { return nil }
        return IntervalSet(ranges.flatMap { $0.map(change) }.map { $0...$0 })
    }

    /// What pairs of numbers become; nil where there are too many to try.
    func mapped(with other: IntervalSet, _ change: (UInt32, UInt32) -> UInt32) -> IntervalSet? {
        guard count <= Self.enumerable, other.count <= Self.enumerable, count * other.count <= Self.enumerable else {
            return nil
        }
        let mine = ranges.flatMap(Array.init)
        return IntervalSet(
            other.ranges.flatMap { range in range.flatMap { right in mine.map { change($0, right) } } }
                .map { $0...$0 })
    }
}
