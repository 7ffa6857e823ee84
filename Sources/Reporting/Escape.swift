/// The one place where text is made fit for a syntax. Every text goes through `SafeText` first, so that what is left
/// to do is the syntax alone: no control character, no line end and no invisible character comes this far.
enum Escape {
    /// Characters of one text that a report for machines or a page shows; JSON has all of it.
    static let limit = SafeText.limit

    /// Content and attribute values of XML 1.0 and of HTML.
    static func markup(_ text: String, limit: Int = limit) -> String {
        replacing(SafeText.line(text, limit: limit)) { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case "'": "&#39;"
            default: nil
            }
        }
    }

    /// The description of a TAP 14 test point: `#` would begin a directive.
    static func tap(_ text: String) -> String {
        replacing(SafeText.line(text)) { scalar in
            scalar == "#" || scalar == "\\" ? "\\\(scalar)" : nil
        }
    }

    /// A double-quoted scalar of YAML, which is a string of JSON too (YAML 1.2, 7.3.1).
    static func yaml(_ text: String) -> String {
        "\"" + replacing(SafeText.line(text)) { $0 == "\"" || $0 == "\\" ? "\\\($0)" : nil } + "\""
    }

    /// The same as an item of a list of TAP's YAML: its readers take `- "word: …"` for a mapping, quoted or not, so that
    /// colon is written as its number. Source: Perl's TAP::Parser::YAMLish::Reader.
    static func tapItem(_ text: String) -> String {
        let quoted = yaml(text)
        guard let blank = quoted.firstIndex(of: " ") else { return quoted }
        let word = quoted[..<blank]
        let rest = quoted[blank...].drop { $0 == " " }
        if word.hasSuffix(":") { return word.dropLast() + "\\x3a" + quoted[blank...] }
        return rest.hasPrefix(":") ? word + " \\x3a" + rest.dropFirst() : quoted
    }

    /// The value of a label in the Prometheus text format 0.0.4.
    static func prometheusLabel(_ text: String) -> String {
        replacing(SafeText.line(text, limit: 200)) { $0 == "\"" || $0 == "\\" ? "\\\($0)" : nil }
    }

    /// Text of a monitoring plugin: `|` begins the performance data, and `<` and `>` may reach a web page.
    static func nagios(_ text: String) -> String {
        replacing(SafeText.line(text, limit: 600)) { scalar in
            switch scalar {
            case "|": "/"
            case "<": "("
            case ">": ")"
            default: nil
            }
        }
    }

    /// Running text of Markdown (CommonMark 0.31, 2.4: every ASCII punctuation character may be escaped).
    static func markdown(_ text: String) -> String {
        replacing(SafeText.line(text)) { scalar in
            switch scalar {
            case "\\", "`", "*", "_", "{", "}", "[", "]", "<", ">", "(", ")", "#", "+", "!", "|", "~", "&", "@":
                "\\\(scalar)"
            default: nil
            }
        }
    }

    /// A code span of Markdown: its fence is longer than any run of backticks inside, and in a table `|` is escaped.
    static func markdownCode(_ text: String, inTable: Bool = false) -> String {
        var text = SafeText.line(text)
        if text.isEmpty { return "" }
        if inTable { text = replacing(text) { $0 == "|" ? "\\|" : nil } }
        let fence = String(repeating: "`", count: longestRun(of: "`", in: text) + 1)
        let pad = text.hasPrefix("`") || text.hasSuffix("`") ? " " : ""
        return fence + pad + text + pad + fence
    }

    /// A fenced code block of Markdown.
    static func markdownBlock(_ lines: [String]) -> String {
        let lines = lines.map { SafeText.line($0, limit: 4000) }
        let longest = lines.map { longestRun(of: "`", in: $0) }.max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\(fence)sh\n\(lines.joined(separator: "\n"))\n\(fence)"
    }

    private static func longestRun(of scalar: Unicode.Scalar, in text: String) -> Int {
        var longest = 0
        var run = 0
        for other in text.unicodeScalars {
            run = other == scalar ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }

    private static func replacing(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let other = replacement(scalar) {
                result.append(contentsOf: other.unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }
}
