/// An IPv6 address.
///
/// Shape: the 128 bits in host order, so that arithmetic and comparison follow the notation.
package struct IPv6Address: Hashable, Sendable, Comparable, CustomStringConvertible, LosslessStringConvertible {
    package let value: UInt128

    package init(value: UInt128) {
        self.value = value
    }

    /// Reads sixteen octets in network order. Nil unless there are exactly sixteen.
    package init?(octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        value = octets.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// Reads groups of hexadecimal digits with at most one `::`; not the form that ends in a dotted quad, and no zone.
    /// Source: RFC 4291 §2.2.
    package init?(_ description: String) {
        let halves = description.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        var groups: [[UInt16]] = []
        for half in halves {
            guard let read = Self.groups(half) else { return nil }
            groups.append(read)
        }
        let count = groups.reduce(0) { $0 + $1.count }
        guard groups.count == 2 ? count < 8 : count == 8 else { return nil }
        if groups.count == 2 { groups.insert([UInt16](repeating: 0, count: 8 - count), at: 1) }
        value = groups.joined().reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func groups(_ text: Substring) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        for part in text.split(separator: ":", omittingEmptySubsequences: false) {
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ $0 != 0x2b && $0 != 0x2d }),
                let group = UInt16(part, radix: 16), groups.count < 8
            else { return nil }
            groups.append(group)
        }
        return groups
    }

    /// The sixteen octets in network order.
    package var octets: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: value >> UInt128(8 * (15 - $0))) }
    }

    /// Small letters, no leading zeros, the first of the longest runs of two or more zero groups as `::` (RFC 5952).
    package var description: String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(16 * (7 - $0))) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty
            ? text(groups[...]) : "\(text(groups[..<best.lowerBound]))::\(text(groups[best.upperBound...]))"
    }

    /// fe80::/10: of one link, never forwarded (RFC 4291 §2.5.6).
    package var isLinkLocal: Bool { value >> 118 == 0x3fa }

    package static func < (left: Self, right: Self) -> Bool {
        left.value < right.value
    }
}

/// An IPv6 address with a prefix length, as `ip -6 address` writes it: `fd42:5::1/64`.
///
/// The host bits are kept: `network` drops them.
package struct IPv6Prefix: Hashable, Sendable, CustomStringConvertible {
    package let address: IPv6Address
    /// 0…128.
    package let length: Int

    package init?(address: IPv6Address, length: Int) {
        guard (0...128).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// Reads `ADDRESS/LENGTH`.
    package init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv6Address(String(parts[0])), (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1])
        else { return nil }
        self.init(address: address, length: length)
    }

    private var mask: UInt128 { length == 0 ? 0 : UInt128.max << UInt128(128 - length) }

    package var first: IPv6Address { IPv6Address(value: address.value & mask) }
    package var last: IPv6Address { IPv6Address(value: address.value | ~mask) }

    package func contains(_ other: IPv6Address) -> Bool {
        other.value & mask == first.value
    }

    package var description: String { "\(address)/\(length)" }
}

extension IPv6Address: TextCodable {
    package static let noun = "an IPv6 address"
}

extension IPv6Prefix: TextCodable {
    package static let noun = "an IPv6 prefix"
}
