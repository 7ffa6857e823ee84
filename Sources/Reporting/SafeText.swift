/// The one place where foreign text (names, file content, rules) is made fit for a terminal.
///
/// Nothing that it gives can move the cursor, change a colour, start a new line, turn the direction of writing or be
/// there without being seen. What was taken out stays visible as an escape: `\x1b`, `\n`, `\u{202e}`.
package enum SafeText {
    /// Characters of one text that a terminal report shows; JSON has all of it.
    package static let limit = 2000

    /// The text as one safe line. Tabs become spaces.
    package static func line(_ text: String, limit: Int = Self.limit) -> String {
        if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text }
        var result = String.UnicodeScalarView()
        var count = 0
        var marks = 0
        for scalar in text.unicodeScalars {
            count += 1
            if count > limit { continue }
            marks = isMark(scalar) ? marks + 1 : 0
            if scalar == "\t" || scalar.properties.generalCategory == .spaceSeparator {
                result.append(" ")
            } else if isHarmless(scalar), marks <= maximumMarks {
                result.append(scalar)
            } else {
                result.append(contentsOf: escape(scalar).unicodeScalars)
            }
        }
        if count > limit {
            result.append(contentsOf: "... (\(count - limit) more characters)".unicodeScalars)
        }
        return String(result)
    }

    /// The text as safe lines, at most `count`; the last then says how many more there are.
    package static func lines(_ text: String, atMost count: Int) -> [String] {
        // By scalars: "\r\n" is one Character, and not equal to "\n".
        var all = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        if all.last?.isEmpty == true { all.removeLast() }
        let shown = all.prefix(count).map { line(String($0)) }
        return all.count > count ? shown + ["... (\(all.count - count) more lines)"] : shown
    }

    /// More marks than this on one letter would write over the lines around it.
    private static let maximumMarks = 3

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: true
        default: false
        }
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: !scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        default:
            let digits = String(scalar.value, radix: 16)
            guard scalar.value < 0x100 else { return "\\u{\(digits)}" }
            return "\\x" + (digits.count == 1 ? "0" : "") + digits
        }
    }
}
