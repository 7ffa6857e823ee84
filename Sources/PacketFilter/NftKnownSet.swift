internal import Synchronization
internal import WireFormats

/// A set or map with its elements as ranges, worked out once for all the rules that look into it. Immutable.
final class NftKnownSet: Sendable {
    /// Keys with the same data.
    struct Group: Sendable {
        var entry: NftSetEntry
        var keys: IntervalSet
    }

    let name: String
    /// In bytes; at most 64.
    let keyLength: Int
    let entries: [NftSetEntry]
    /// Whether an element has a condition of its own.
    let isConditional: Bool
    let hasCatchAll: Bool
    /// All keys, where each is one number, and all others; else nil.
    let numbers: (keys: IntervalSet, others: IntervalSet)?
    /// Of a map: what one data or verdict stands for, of the elements whose keys are numbers, and the elements left.
    let groups: [Group]
    let rest: [NftSetEntry]
    /// Of a map: its data, each once.
    let values: [[UInt8]]
    /// Widths of the parts of a concatenation with intervals; empty for all other keys.
    private let widths: [UInt32]
    /// The elements in the order of their keys, where a key can be searched for: no two overlap.
    private let order: [Int]

    init(_ set: NftSet) {
        name = set.name
        keyLength = Int(min(set.keyLength, 64))
        let entries = set.entries
        self.entries = entries
        isConditional = entries.contains(where: \.isConditional)
        hasCatchAll = entries.contains(where: \.isCatchAll)
        let ranges = entries.compactMap(\.numbers)
        let keys = IntervalSet(ranges)
        numbers = ranges.count == entries.count ? (keys, keys.complement) : nil
        (groups, rest) = Self.groups(entries)
        values = Self.values(groups.map(\.entry) + rest)
        widths = set.fieldLengths.count > 1 ? set.fieldLengths : []
        order = widths.isEmpty ? Self.order(entries) : []
    }

    private static func groups(_ entries: [NftSetEntry]) -> ([Group], [NftSetEntry]) {
        guard entries.contains(where: { $0.content != nil }) else { return ([], []) }
        var found: [(entry: NftSetEntry, ranges: [ClosedRange<UInt32>])] = []
        var rest: [NftSetEntry] = []
        var places: [NftSetElement.Content: Int] = [:]
        for entry in entries {
            guard !entry.isConditional, let range = entry.numbers, let content = entry.content else {
                rest.append(entry)
                continue
            }
            if let place = places[content] {
                found[place].ranges.append(range)
            } else {
                places[content] = found.count
                found.append((entry, [range]))
            }
        }
        return (found.map { Group(entry: $0.entry, keys: IntervalSet($0.ranges)) }, rest)
    }

    private static func values(_ entries: [NftSetEntry]) -> [[UInt8]] {
        var seen: Set<[UInt8]> = []
        return entries.compactMap(\.value).filter { seen.insert($0).inserted }
    }

    /// Empty where keys are of different lengths, or overlap.
    private static func order(_ entries: [NftSetEntry]) -> [Int] {
        let order = entries.indices.filter { !entries[$0].isCatchAll }.sorted { left, right in
            entries[left].low.lexicographicallyPrecedes(entries[right].low)
        }
        var last: [UInt8]?
        for index in order {
            let (low, high) = (entries[index].low, entries[index].high)
            guard low.count == high.count, !high.lexicographicallyPrecedes(low) else { return [] }
            if let last, last.count != low.count || !last.lexicographicallyPrecedes(low) { return [] }
            last = high
        }
        return order
    }

    /// The element that holds a key; not the one for everything else.
    func entry(holding key: ArraySlice<UInt8>) -> NftSetEntry? {
        guard let first = order.first, entries[first].low.count == key.count else {
            let widths = widths.isEmpty ? [UInt32(key.count)] : widths
            return entries.first { !$0.isCatchAll && $0.holds(key, widths) }
        }
        // The last that does not begin behind the key.
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if key.lexicographicallyPrecedes(entries[order[middle]].low) { high = middle } else { low = middle + 1 }
        }
        guard low > 0 else { return nil }
        let entry = entries[order[low - 1]]
        return entry.high.lexicographicallyPrecedes(key) ? nil : entry
    }
}

/// The sets of a ruleset that were looked into, by their indices. Copies of a ruleset have them in common.
final class NftKnownSets: Sendable {
    private let known = Mutex<[Int: NftKnownSet]>([:])

    /// Worked out at the first look.
    func set(_ index: Int, of nft: NftRuleset) -> NftKnownSet {
        known.withLock { known in
            if let found = known[index] { return found }
            let made = NftKnownSet(nft.sets[index])
            known[index] = made
            return made
        }
    }
}
