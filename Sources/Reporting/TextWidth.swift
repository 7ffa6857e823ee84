/// Columns and lines of text on a terminal.
enum TextWidth {
    /// Columns that a text takes: wide East Asian characters and emoji take two, marks none (Unicode TR11).
    static func columns(_ text: some StringProtocol) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + columns($1) }
    }

    private static func columns(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if isWide(first) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return 1
        }
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1b000...0x1b2ff, 0x20000...0x3fffd:
            true
        default: scalar.properties.isEmojiPresentation
        }
    }

    /// Breaks a text at spaces: the first line may take `first` columns, the others `rest`. A word that is longer than a
    /// line is broken where the line ends. Never empty.
    static func wrap(_ text: String, first: Int, rest: Int) -> [String] {
        var lines: [String] = []
        var current = ""
        var used = 0
        var room: Int { max(1, lines.isEmpty ? first : rest) }
        func finish() {
            lines.append(current)
            current = ""
            used = 0
        }
        for word in text.split(separator: " ") {
            let wide = columns(word)
            if used > 0, used + 1 + wide <= room {
                current += " " + word
                used += 1 + wide
                continue
            }
            if used > 0 { finish() }
            for character in word {
                let wide = columns(character)
                if used > 0, used + wide > room { finish() }
                current.append(character)
                used += wide
            }
        }
        if !current.isEmpty || lines.isEmpty { finish() }
        return lines
    }

    /// Cuts a text to so many columns, with three dots where something is missing.
    static func cut(_ text: String, to limit: Int) -> String {
        guard columns(text) > limit else { return text }
        var result = ""
        var used = 0
        for character in text {
            let wide = columns(character)
            if used + wide > limit - 3 { break }
            result.append(character)
            used += wide
        }
        return result + "..."
    }

    static func pad(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - columns(text)))
    }
}
