/// Splits a shell file into words and operators, as POSIX (XCU 2.3) says. Never fails: it stops at the first thing a
/// shell would refuse, and says so in `error`.
struct ShellLexer {
    let bytes: [UInt8]
    var index = 0
    var line = 1
    private var tokens: [ShellToken] = []
    private var hereDocuments: [[UInt8]] = []
    var error: (line: Int, message: String)?
    static let maximumNesting = 16

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
    }

    private static func isMetacharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0a, 0x3b, 0x26, 0x7c, 0x3c, 0x3e, 0x28, 0x29: true
        default: false
        }
    }

    func peek(_ offset: Int = 0) -> UInt8? {
        index + offset < bytes.count ? bytes[index + offset] : nil
    }

    mutating func tokenize() -> [ShellToken] {
        while error == nil, let byte = peek() {
            switch byte {
            case 0x20, 0x09:
                index += 1
            case UInt8(ascii: "\\") where peek(1) == 0x0a:
                index += 2
                line += 1
            case UInt8(ascii: "#"):
                while let next = peek(), next != 0x0a { index += 1 }
            case 0x0a:
                tokens.append(.control("\n", line: line))
                index += 1
                line += 1
                skipHereDocuments()
            case 0x3b, 0x26, 0x7c:
                let double = peek(1) == byte
                let one = String(decoding: [byte], as: UTF8.self)
                tokens.append(.control(double ? one + one : one, line: line))
                index += double ? 2 : 1
            case 0x28, 0x29:
                tokens.append(.control(String(decoding: [byte], as: UTF8.self), line: line))
                index += 1
            case 0x3c, 0x3e:
                redirection()
            default:
                word()
            }
        }
        return tokens
    }

    private mutating func redirection() {
        // A number that touches the operator is a descriptor, not an argument.
        if case .word(let last)? = tokens.last, last.range.upperBound == index, let plain = last.plain,
            !plain.isEmpty, plain.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            tokens.removeLast()
        }
        let isHereDocument = peek() == 0x3c && peek(1) == 0x3c
        index += isHereDocument ? 2 : 1
        if isHereDocument, peek() == UInt8(ascii: "-") { index += 1 }
        if !isHereDocument, let next = peek(), next == 0x3e || next == 0x26 || next == 0x7c { index += 1 }
        tokens.append(.redirection(line: line))
        if isHereDocument {
            while let byte = peek(), byte == 0x20 || byte == 0x09 { index += 1 }
            let before = tokens.count
            if let byte = peek(), !Self.isMetacharacter(byte) { word() }
            if tokens.count > before, case .word(let delimiter)? = tokens.last {
                hereDocuments.append(
                    delimiter.parts.flatMap { part -> [UInt8] in
                        if case .literal(let bytes, _) = part { bytes } else { [] }
                    })
            }
        }
    }

    private mutating func skipHereDocuments() {
        for delimiter in hereDocuments {
            var found = false
            while index < bytes.count, !found {
                let end = bytes[index...].firstIndex(of: 0x0a) ?? bytes.count
                found = Array(bytes[index..<end].drop(while: { $0 == 0x09 })) == delimiter
                index = min(end + 1, bytes.count)
                line += 1
            }
        }
        hereDocuments = []
    }

    private mutating func word() {
        let start = index
        let startLine = line
        let parts = wordParts(until: nil, inQuotes: false, depth: 0)
        guard error == nil else { return }
        tokens.append(.word(ShellWord(parts: parts, range: start..<index, line: startLine)))
    }

    /// The parts of a word that is being read: bytes that stand for themselves are gathered into one literal.
    private struct Parts {
        let quoted: Bool
        private(set) var all: [ShellWordPart] = []
        private var literal: [UInt8] = []

        init(quoted: Bool) { self.quoted = quoted }

        mutating func append(_ byte: UInt8) { literal.append(byte) }

        mutating func append(_ part: ShellWordPart) {
            endLiteral()
            all.append(part)
        }

        mutating func endLiteral() {
            if !literal.isEmpty { all.append(.literal(literal, quoted: quoted)) }
            literal = []
        }
    }

    /// Reads parts up to a metacharacter, or to the byte `end`, which is consumed.
    mutating func wordParts(until end: UInt8?, inQuotes: Bool, depth: Int) -> [ShellWordPart] {
        var parts = Parts(quoted: inQuotes)
        let startLine = line
        while error == nil, let byte = peek() {
            if byte == end {
                index += 1
                parts.endLiteral()
                return parts.all
            }
            if end == nil, Self.isMetacharacter(byte) { break }
            switch byte {
            case UInt8(ascii: "\\"): escaped(&parts, until: end)
            case UInt8(ascii: "'") where !inQuotes: singleQuoted(&parts)
            case UInt8(ascii: "\"") where !inQuotes || end == UInt8(ascii: "}"): doubleQuoted(&parts, depth: depth)
            case UInt8(ascii: "$"):
                if let part = expansion(inQuotes: inQuotes, depth: depth) {
                    parts.append(part)
                } else {
                    parts.append(byte)
                    index += 1
                }
            case UInt8(ascii: "`"): backquoted(&parts)
            case 0:
                parts.append(.unknown("a NUL byte"))
                index += 1
            default:
                if byte == 0x0a { line += 1 }
                parts.append(byte)
                index += 1
            }
        }
        if let end, error == nil {
            error = (startLine, end == UInt8(ascii: "\"") ? "unterminated double quote" : "unterminated expansion")
        }
        parts.endLiteral()
        return parts.all
    }

    /// A backslash. In double quotes it escapes only `$`, a backquote, a double quote and itself (XCU 2.2.3).
    private mutating func escaped(_ parts: inout Parts, until end: UInt8?) {
        let next = peek(1)
        if next == 0x0a {
            line += 1
            index += 2
        } else if let next, !parts.quoted || [0x24, 0x60, 0x22, 0x5c].contains(next) || next == end {
            parts.append(.literal([next], quoted: true))
            index += 2
        } else {
            parts.append(UInt8(ascii: "\\"))
            index += 1
        }
    }

    private mutating func singleQuoted(_ parts: inout Parts) {
        let startLine = line
        index += 1
        let from = index
        while let next = peek(), next != UInt8(ascii: "'") {
            if next == 0x0a { line += 1 }
            index += 1
        }
        guard peek() != nil else {
            error = (startLine, "unterminated single quote")
            return
        }
        parts.append(.literal(Array(bytes[from..<index]), quoted: true))
        index += 1
    }

    private mutating func doubleQuoted(_ parts: inout Parts, depth: Int) {
        let startLine = line
        index += 1
        guard depth < Self.maximumNesting else {
            error = (startLine, "quotes nest too deeply")
            return
        }
        let inner = wordParts(until: UInt8(ascii: "\""), inQuotes: true, depth: depth + 1)
        for part in inner.isEmpty ? [.literal([], quoted: true)] : inner { parts.append(part) }
    }

    private mutating func backquoted(_ parts: inout Parts) {
        let startLine = line
        index += 1
        while let next = peek(), next != UInt8(ascii: "`") {
            if next == 0x0a { line += 1 }
            index += next == UInt8(ascii: "\\") && index + 1 < bytes.count ? 2 : 1
        }
        guard peek() != nil else {
            error = (startLine, "unterminated command substitution")
            return
        }
        index += 1
        parts.append(.unknown("a command substitution"))
    }
}
