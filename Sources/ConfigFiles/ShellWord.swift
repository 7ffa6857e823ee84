/// A piece of a shell word.
indirect enum ShellWordPart: Hashable, Sendable {
    case literal([UInt8], quoted: Bool)
    /// `$NAME`, or `${NAME<operator>word}` with one of the operators `-`, `=`, `+`; `colon` also acts on empty values.
    case variable(String, operation: ShellExpansion?)
    /// An expansion whose value only a running shell knows; the text says which kind.
    case unknown(String)
}

struct ShellExpansion: Hashable, Sendable {
    var sign: UInt8
    var colon: Bool
    var word: [ShellWordPart]
}

struct ShellWord: Hashable, Sendable {
    var parts: [ShellWordPart]
    /// Where it stands in the file's bytes.
    var range: Range<Int>
    var line: Int

    /// The text of a word that has neither quotes nor expansions: what may be a reserved word.
    var plain: String? {
        if parts.isEmpty { return "" }
        guard parts.count == 1, case .literal(let bytes, quoted: false) = parts[0] else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The name, where the word is an assignment `NAME=…`.
    var assignedName: String? {
        guard case .literal(let bytes, quoted: false)? = parts.first,
            let equals = bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0
        else { return nil }
        let name = bytes[..<equals]
        guard let first = name.first, !(0x30...0x39).contains(first), name.allSatisfy(ShellLexer.isNameByte) else {
            return nil
        }
        return String(decoding: name, as: UTF8.self)
    }
}

enum ShellToken: Hashable, Sendable {
    case word(ShellWord)
    /// `;`, `&&`, `||`, `|`, `&`, `;;`, `(`, `)` or a newline.
    case control(String, line: Int)
    /// `<`, `>` and their kind; the next word is the target.
    case redirection(line: Int)
}
