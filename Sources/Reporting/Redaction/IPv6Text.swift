internal import HostModel

/// An IPv6 address as text (RFC 4291, section 2.2; written by RFC 5952) and as 16 octets in network order.
struct IPv6Text: Hashable {
    let octets: [UInt8]

    init(octets: [UInt8]) {
        self.octets = octets
    }

    /// Eight groups, or fewer with one `::`; the last two may be a dotted IPv4 address. Nil for anything else.
    init?(_ text: String) {
        let halves = Self.halves(text)
        guard halves.count <= 2, let head = Self.octets(halves[0], mayEndDotted: halves.count == 1) else { return nil }
        guard halves.count == 2 else {
            guard head.count == 16 else { return nil }
            octets = head
            return
        }
        guard let tail = Self.octets(halves[1], mayEndDotted: true), head.count + tail.count <= 14 else { return nil }
        octets = head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// What stands on either side of `::`, or the one text without it. More than two: there are several.
    private static func halves(_ text: String) -> [Substring] {
        let bytes = text.utf8
        var halves: [Substring] = []
        var start = bytes.startIndex
        var index = start
        while index < bytes.endIndex {
            let next = bytes.index(after: index)
            if bytes[index] == UInt8(ascii: ":"), next < bytes.endIndex, bytes[next] == UInt8(ascii: ":") {
                halves.append(text[start..<index])
                start = bytes.index(after: next)
                index = start
            } else {
                index = next
            }
        }
        return halves + [text[start...]]
    }

    private static func octets(_ half: Substring, mayEndDotted: Bool) -> [UInt8]? {
        if half.isEmpty { return [] }
        var octets: [UInt8] = []
        let groups = half.split(separator: ":", omittingEmptySubsequences: false)
        for (index, group) in groups.enumerated() {
            if mayEndDotted, index == groups.count - 1, group.contains(".") {
                guard let address = IPv4Address(String(group)) else { return nil }
                octets += address.octets
            } else {
                guard (1...4).contains(group.utf8.count), !group.hasPrefix("+"), let value = UInt16(group, radix: 16)
                else { return nil }
                octets += [UInt8(value >> 8), UInt8(value & 0xff)]
            }
        }
        return octets.count <= 16 ? octets : nil
    }

    /// The longest run of two or more zero groups becomes `::`.
    var description: String {
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1]) }
        var best = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start + 1)
        }
        func words(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty
            ? words(groups[...]) : "\(words(groups[..<best.lowerBound]))::\(words(groups[best.upperBound...]))"
    }
}
