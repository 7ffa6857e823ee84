/// Shell wildcards over whole strings: `*` is any run, `?` one character, `[a-z]` one of a set, `[!a-z]` or `[^a-z]` none of
/// a set, `\` takes the next character as it is. Source: glob(7), fnmatch(3), without rules for slashes and leading dots.
package enum Wildcard {
    /// Whether a text has wildcards at all.
    package static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }

    /// Linear in space and at worst pattern × text in time: only the last `*` is ever tried again.
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        let pattern = Array(pattern.unicodeScalars)
        let text = Array(text.unicodeScalars)
        var p = 0
        var t = 0
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p + 1, t)
                p += 1
            } else if let next = one(pattern, p, text[t]) {
                p = next
                t += 1
            } else if let back = star {
                star = (back.pattern, back.text + 1)
                p = back.pattern
                t = back.text + 1
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == "*" { p += 1 }
        return p == pattern.count
    }

    /// A pattern that means exactly this text.
    package static func escape(_ text: String) -> String {
        var result = ""
        for character in text {
            if "*?[]\\".contains(character) { result += "\\" }
            result.append(character)
        }
        return result
    }

    /// Where the pattern goes on if its part at `p` takes the scalar; nil if it does not.
    private static func one(_ pattern: [Unicode.Scalar], _ p: Int, _ scalar: Unicode.Scalar) -> Int? {
        guard p < pattern.count else { return nil }
        switch pattern[p] {
        case "?": return p + 1
        case "\\" where p + 1 < pattern.count: return pattern[p + 1] == scalar ? p + 2 : nil
        case "[":
            guard let set = set(pattern, p, scalar) else { return scalar == "[" ? p + 1 : nil }
            return set.contains ? set.end : nil
        default: return pattern[p] == scalar ? p + 1 : nil
        }
    }

    /// Nil where the bracket is not closed: then it stands for itself.
    private static func set(
        _ pattern: [Unicode.Scalar], _ start: Int, _ scalar: Unicode.Scalar
    ) -> (contains: Bool, end: Int)? {
        var index = start + 1
        var inverted = false
        if index < pattern.count, pattern[index] == "!" || pattern[index] == "^" {
            inverted = true
            index += 1
        }
        var found = false
        var first = true
        while index < pattern.count {
            if pattern[index] == "]", !first { return (found != inverted, index + 1) }
            first = false
            if index + 2 < pattern.count, pattern[index + 1] == "-", pattern[index + 2] != "]" {
                if pattern[index].value <= scalar.value, scalar.value <= pattern[index + 2].value { found = true }
                index += 3
            } else {
                if pattern[index] == scalar { found = true }
                index += 1
            }
        }
        return nil
    }
}
