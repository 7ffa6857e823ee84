/// A sysctl key in one spelling: the path below `/proc/sys`, `net/ipv4/conf/eth0.100/forwarding`.
///
/// Source: sysctl.d(5): the first separator decides; where it is a dot, dots and slashes are exchanged.
package struct SysctlKey: Hashable, Sendable, CustomStringConvertible {
    package let path: String

    package init(_ text: String) {
        var bytes = Array(text.utf8)
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        if let first = bytes.first(where: { $0 == dot || $0 == slash }), first == dot {
            for index in bytes.indices {
                if bytes[index] == dot {
                    bytes[index] = slash
                } else if bytes[index] == slash {
                    bytes[index] = dot
                }
            }
        }
        path = bytes.split(separator: slash).map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    }

    /// The usual notation with dots: `net.ipv4.conf.eth0/100.forwarding`.
    package var description: String {
        String(path.map { $0 == "/" ? "." : $0 == "." ? "/" : $0 })
    }

    package var isGlob: Bool { path.utf8.contains { [0x2a, 0x3f, 0x5b].contains($0) } }

    /// The key itself, and for forwarding the other name of the same kernel variable.
    ///
    /// Source: `net/ipv4/devinet.c`: `ip_forward` and `conf/all/forwarding` share one cell.
    package var aliases: [SysctlKey] {
        switch path {
        case "net/ipv4/ip_forward": [self, SysctlKey("net.ipv4.conf.all.forwarding")]
        case "net/ipv4/conf/all/forwarding": [self, SysctlKey("net.ipv4.ip_forward")]
        default: [self]
        }
    }

    /// Whether this key, read as a pattern, stands for `key`: wildcards do not match slashes (glob(3)).
    package func matches(_ key: SysctlKey) -> Bool {
        let mine = path.split(separator: "/")
        let theirs = key.path.split(separator: "/")
        guard mine.count == theirs.count else { return false }
        return zip(mine, theirs).allSatisfy { Wildcard.matches(Array($0.utf8), Array($1.utf8)) }
    }
}

/// Shell wildcards: `*`, `?` and bracket expressions (fnmatch(3)).
package enum Wildcard {
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
