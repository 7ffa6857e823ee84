/// What `$` begins. Source: POSIX, XCU 2.6.
extension ShellLexer {
    /// Reads what a `$` begins. Nil where the `$` stands for itself.
    mutating func expansion(inQuotes: Bool, depth: Int) -> ShellWordPart? {
        guard let next = peek(1) else { return nil }
        switch next {
        case UInt8(ascii: "("):
            index += 2
            skip(open: UInt8(ascii: "("), close: UInt8(ascii: ")"))
            return .unknown("a command substitution")
        case UInt8(ascii: "{"):
            index += 2
            return braced(inQuotes: inQuotes, depth: depth)
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            guard !inQuotes else { return nil }
            index += 1
            return .unknown("$-quoting, which shells read differently")
        case 0x30...0x39, UInt8(ascii: "@"), UInt8(ascii: "*"), UInt8(ascii: "#"), UInt8(ascii: "?"),
            UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "-"):
            index += 2
            return .unknown("a special parameter")
        default:
            guard Self.isNameByte(next) else { return nil }
            index += 1
            return .variable(name(), operation: nil)
        }
    }

    private mutating func name() -> String {
        let from = index
        while let byte = peek(), Self.isNameByte(byte) { index += 1 }
        return String(decoding: bytes[from..<index], as: UTF8.self)
    }

    private mutating func braced(inQuotes: Bool, depth: Int) -> ShellWordPart {
        let isName = peek().map { Self.isNameByte($0) && !(0x30...0x39).contains($0) } ?? false
        let name = isName ? name() : ""
        if isName, peek() == UInt8(ascii: "}") {
            index += 1
            return .variable(name, operation: nil)
        }
        var colon = false
        if isName, peek() == UInt8(ascii: ":") {
            colon = true
            index += 1
        }
        guard isName, let sign = peek(), [0x2d, 0x3d, 0x2b].contains(sign), depth < Self.maximumNesting else {
            skip(open: UInt8(ascii: "{"), close: UInt8(ascii: "}"))
            return .unknown("an expansion of a kind that is not evaluated")
        }
        index += 1
        let word = wordParts(until: UInt8(ascii: "}"), inQuotes: inQuotes, depth: depth + 1)
        return .variable(name, operation: ShellExpansion(sign: sign, colon: colon, word: word))
    }

    /// Skips to the bracket that closes the one just read, over quotes and nested brackets.
    private mutating func skip(open: UInt8, close: UInt8) {
        let startLine = line
        var depth = 1
        var quote: UInt8?
        while let byte = peek() {
            index += 1
            if byte == 0x0a { line += 1 }
            if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                if peek() == 0x0a { line += 1 }
                index = min(index + 1, bytes.count)
            } else if let current = quote {
                if byte == current { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == open {
                depth += 1
            } else if byte == close {
                depth -= 1
                if depth == 0 { return }
            }
        }
        error = (startLine, "unterminated expansion")
    }
}
