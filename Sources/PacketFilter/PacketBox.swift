package import HostModel

/// What of a packet is told apart, each as a number.
package enum PacketField: Int, CaseIterable, Sendable {
    case source, destination, transport, sourcePort, destinationPort
}

/// A set of packets: those whose every field lies in the set for that field. Immutable.
package struct PacketBox: Hashable, Sendable {
    package var source: IntervalSet
    package var destination: IntervalSet
    /// IP protocol numbers.
    package var transport: IntervalSet
    package var sourcePort: IntervalSet
    package var destinationPort: IntervalSet

    package init(
        source: IntervalSet = .all, destination: IntervalSet = .all,
        transport: IntervalSet = IntervalSet(0...255), sourcePort: IntervalSet = IntervalSet(0...65535),
        destinationPort: IntervalSet = IntervalSet(0...65535)
    ) {
        self.source = source
        self.destination = destination
        self.transport = transport
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    package subscript(field: PacketField) -> IntervalSet {
        get {
            switch field {
            case .source: source
            case .destination: destination
            case .transport: transport
            case .sourcePort: sourcePort
            case .destinationPort: destinationPort
            }
        }
        set {
            switch field {
            case .source: source = newValue
            case .destination: destination = newValue
            case .transport: transport = newValue
            case .sourcePort: sourcePort = newValue
            case .destinationPort: destinationPort = newValue
            }
        }
    }

    package var isEmpty: Bool { PacketField.allCases.contains { self[$0].isEmpty } }

    /// Nil where no packet is in both.
    package func intersection(_ other: PacketBox) -> PacketBox? {
        var result = self
        for field in PacketField.allCases {
            result[field] = self[field].intersection(other[field])
            if result[field].isEmpty { return nil }
        }
        return result
    }

    /// The packets of this box that are not in the other, as boxes that do not overlap.
    package func subtracting(_ other: PacketBox) -> [PacketBox] {
        guard intersection(other) != nil else { return [self] }
        var rest = self
        var result: [PacketBox] = []
        for field in PacketField.allCases {
            let outside = rest[field].subtracting(other[field])
            if !outside.isEmpty {
                var piece = rest
                piece[field] = outside
                result.append(piece)
            }
            rest[field] = rest[field].intersection(other[field])
        }
        return result
    }

    /// The packets of the boxes that are in none of the others. Nil where that takes too many boxes.
    package static func subtract(_ others: [PacketBox], from boxes: [PacketBox], limit: Int = 4096) -> [PacketBox]? {
        var rest = boxes
        for other in others {
            rest = rest.flatMap { $0.subtracting(other) }
            if rest.count > limit { return nil }
        }
        return rest
    }
}

extension IntervalSet {
    package init(_ prefix: IPv4Prefix) {
        self.init(prefix.first.value...prefix.last.value)
    }

    /// As few prefixes as can be, lowest first; at most `limit`.
    package func prefixes(limit: Int = 32) -> [IPv4Prefix] {
        var result: [IPv4Prefix] = []
        for range in ranges {
            var low = UInt64(range.lowerBound)
            while low <= UInt64(range.upperBound), result.count < limit {
                let aligned = low == 0 ? 32 : min(32, low.trailingZeroBitCount)
                let room = UInt64(range.upperBound) - low + 1
                let bits = min(aligned, 63 - room.leadingZeroBitCount)
                if let prefix = IPv4Prefix(
                    address: IPv4Address(value: UInt32(truncatingIfNeeded: low)), length: 32 - bits)
                {
                    result.append(prefix)
                }
                low += 1 << UInt64(bits)
            }
        }
        return result
    }
}
