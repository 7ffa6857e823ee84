/// One assignment in a file that a shell sources: `NAME="value"`.
///
/// Only what `/etc/default` files use: at the beginning of a line, optionally `export`ed, one word as value.
/// Source: POSIX shell, 2.9.1 Simple Commands; dash(1).
struct ShellAssignment {
    /// Zero-based.
    let line: Int
    let name: String
    /// Nil where the shell would expand something in it.
    let value: String?
    /// Whether nothing but a comment follows and the line is not indented, so that the line may be replaced.
    let replaceable: Bool

    static func all(in texts: [String]) -> [ShellAssignment] {
        texts.enumerated().compactMap { ShellAssignment(text: $1, line: $0) }
    }

    init?(text: String, line: Int) {
        var rest = text[...]
        let indented = rest.first == " " || rest.first == "\t"
        rest = rest.drop { $0 == " " || $0 == "\t" }
        if rest.hasPrefix("export ") { rest = rest.dropFirst(7).drop { $0 == " " } }
        guard let sign = rest.firstIndex(of: "=") else { return nil }
        let name = rest[..<sign]
        guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.allSatisfy(Self.isNameByte) else {
            return nil
        }
        let word = ShellWord(rest[rest.index(after: sign)...])
        let tail = word.rest.drop { $0 == " " || $0 == "\t" }
        self.line = line
        self.name = String(name)
        value = word.value
        replaceable = !indented && word.complete && (tail.isEmpty || (tail.first == "#" && word.rest.first != "#"))
    }

    /// The line that gives a name a value.
    static func text(_ name: String, _ value: String) -> String {
        "\(name)=\"\(value)\""
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"): true
        default: false
        }
    }
}

/// One word of shell input with its quotes taken away.
private struct ShellWord {
    /// Nil where it holds an expansion.
    let value: String?
    /// Whether every quote is closed on this line.
    let complete: Bool
    let rest: Substring

    init(_ text: Substring) {
        var value = ""
        var expands = false
        var quote: Character?
        var index = text.startIndex
        scan: while index < text.endIndex {
            let character = text[index]
            switch (quote, character) {
            case (nil, " "), (nil, "\t"), (nil, ";"), (nil, "&"), (nil, "|"): break scan
            case (nil, "'"), (nil, "\""): quote = character
            case ("'", "'"), ("\"", "\""): quote = nil
            case ("'", _): value.append(character)
            case (_, "$"), (_, "`"), (_, "\\"): expands = true
            default: value.append(character)
            }
            index = text.index(after: index)
        }
        self.value = expands || quote != nil ? nil : value
        complete = quote == nil
        rest = text[index...]
    }
}
