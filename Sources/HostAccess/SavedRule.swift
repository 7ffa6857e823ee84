/// One rule as iptables-save(8) prints it: `-A CHAIN CONDITIONS -j TARGET OPTIONS`.
struct SavedRule {
    let line: String
    /// The line in words; what stands in double quotes, such as a comment, is one word with its quotes.
    let words: [Substring]

    init(_ line: String) {
        self.line = line
        words = Self.words(of: line)
    }

    /// Where the conditions begin: behind `-A CHAIN`.
    static let firstCondition = 2

    var chain: String { words.count > 1 ? String(words[1]) : "" }

    private var jump: Int? { words.firstIndex { $0 == "-j" || $0 == "-g" } }

    /// Empty for a rule that only counts.
    var target: String { jump.map { String(word($0 + 1)) } ?? "" }

    /// Whether its target is a chain that does not return here (`-g`).
    var isGoto: Bool { jump.map { words[$0] == "-g" } ?? false }

    /// Empty behind the end of the line.
    func word(_ index: Int) -> Substring { words.indices.contains(index) ? words[index] : "" }

    /// Whether a pattern of `-i` or `-o` means the interface: `+` at its end stands for any rest.
    static func isInterface(_ name: String, meantBy pattern: Substring) -> Bool {
        pattern.hasSuffix("+") ? name.hasPrefix(pattern.dropLast()) : pattern == name
    }

    /// Inside of quotes a backslash takes the next character as it is (`xtables_save_string`).
    private static func words(of line: String) -> [Substring] {
        var words: [Substring] = []
        var start: String.Index?
        var isQuoted = false
        var isEscaped = false
        for index in line.indices {
            let character = line[index]
            if character == " ", !isQuoted {
                if let begin = start { words.append(line[begin..<index]) }
                start = nil
                continue
            }
            if start == nil { start = index }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && character == "\\" && !isEscaped
        }
        if let start { words.append(line[start...]) }
        return words
    }
}
