package import HostModel

/// Shell wildcards: `*`, `?` and bracket expressions (fnmatch(3)).
package enum Wildcard {
    /// Whether a text has wildcards at all.
    package static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }

    package static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Array(pattern.utf8), Array(text.utf8))
    }

    /// Linear but for one star to come back to: no pattern makes it take exponential time.
    static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var at = 0
        var position = 0
        var star: (pattern: Int, text: Int)?
        while position < text.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, position)
                at += 1
            } else if at < pattern.count, let length = one(pattern, at, text[position]) {
                at += length
                position += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                at = last.pattern + 1
                position = last.text + 1
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// How many bytes of the pattern match this one byte; nil for no match.
    private static func one(_ pattern: [UInt8], _ at: Int, _ byte: UInt8) -> Int? {
        switch pattern[at] {
        case UInt8(ascii: "?"): return 1
        case UInt8(ascii: "["):
            guard at + 2 < pattern.count,
                let end = pattern[(at + 2)...].firstIndex(of: UInt8(ascii: "]"))
            else { return byte == pattern[at] ? 1 : nil }
            var set = Array(pattern[(at + 1)..<end])
            let negated = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
            if negated { set.removeFirst() }
            var found = false
            var index = 0
            while index < set.count {
                if index + 2 < set.count, set[index + 1] == UInt8(ascii: "-") {
                    found = found || (set[index] <= byte && byte <= set[index + 2])
                    index += 3
                } else {
                    found = found || set[index] == byte
                    index += 1
                }
            }
            return found != negated ? end + 1 - at : nil
        case let literal: return literal == byte ? 1 : nil
        }
    }
}

extension SysctlKey {
    package var isPattern: Bool { parts.contains(where: Wildcard.isPattern) }

    /// Whether this key, read as a pattern, stands for `key`: wildcards do not match slashes (glob(3)).
    package func matches(_ key: SysctlKey) -> Bool {
        parts.count == key.parts.count && zip(parts, key.parts).allSatisfy { Wildcard.matches($0, $1) }
    }
}
