internal import WireFormats

/// An element of a set with both of its ends, inclusive.
struct NftSetEntry {
    var low: [UInt8]
    var high: [UInt8]
    /// Everything that no other element holds.
    var isCatchAll: Bool
    var content: NftSetElement.Content?
    /// Whether it may refuse, by a limit or the like.
    var isConditional = false

    /// Of a key that is one number in network order; nil for all others.
    var numbers: ClosedRange<UInt32>? {
        guard !isCatchAll, let low = NftValue(low)?.bigNumber, let high = NftValue(high)?.bigNumber, low <= high,
            high <= UInt32.max
        else { return nil }
        return UInt32(low)...UInt32(high)
    }

    var value: [UInt8]? { if case .value(let bytes)? = content { bytes } else { nil } }
    var verdict: NftVerdict? { if case .verdict(let verdict)? = content { verdict } else { nil } }
}

extension NftSet {
    /// The elements as ranges. A plain interval set lists starts and, flagged, the first value behind each end.
    var entries: [NftSetEntry] {
        let width = Int(min(keyLength, 64))
        let isSweep = flags.contains(.interval) && fieldLengths.count < 2 && !elements.contains { $0.keyEnd != nil }
        guard isSweep else {
            return elements.map { element in
                NftSetEntry(
                    low: element.key, high: element.keyEnd ?? element.key,
                    isCatchAll: element.flags.contains(.catchAll), content: element.content,
                    isConditional: element.isConditional)
            }
        }
        let sorted = elements.filter { !$0.flags.contains(.catchAll) }.sorted { left, right in
            if left.key != right.key { return left.key.lexicographicallyPrecedes(right.key) }
            return left.flags.contains(.intervalEnd) && !right.flags.contains(.intervalEnd)
        }
        var entries: [NftSetEntry] = []
        var open: NftSetElement?
        for element in sorted {
            if let start = open {
                entries.append(
                    NftSetEntry(
                        low: start.key, high: Self.predecessor(element.key), isCatchAll: false, content: start.content,
                        isConditional: start.isConditional))
                open = nil
            }
            if !element.flags.contains(.intervalEnd) { open = element }
        }
        if let start = open {
            entries.append(
                NftSetEntry(
                    low: start.key, high: [UInt8](repeating: 0xff, count: width), isCatchAll: false,
                    content: start.content, isConditional: start.isConditional))
        }
        for element in elements where element.flags.contains(.catchAll) {
            entries.append(
                NftSetEntry(
                    low: [], high: [], isCatchAll: true, content: element.content,
                    isConditional: element.isConditional))
        }
        return entries
    }

    /// The number before, of the same width, in network order.
    private static func predecessor(_ key: [UInt8]) -> [UInt8] {
        var result = key
        for index in result.indices.reversed() {
            if result[index] > 0 {
                result[index] -= 1
                return result
            }
            result[index] = 0xff
        }
        return key
    }
}
