/// Rules and tables more in a file for nft(8); every other byte stays as it is.
extension NftablesConf {
    /// The file with rules in the block of a base chain, where they are reached and decide last: ahead of a rule that
    /// drops or rejects everything, else at the end. Unchanged where the chain has them. Nil where the file has no
    /// such block: a chain that is made by other commands is not understood.
    package func adding(_ rules: [String], toChain chain: String, family: String, table: String) -> NftablesConf? {
        let bytes = lines.bytes
        guard let block = NftScript(bytes).chain(chain, family: family, table: table) else { return nil }
        let present = Set(block.statements.map(\.text))
        let missing = rules.filter { !present.contains(NftScript.normalised($0)) }
        guard !missing.isEmpty else { return self }
        let last = block.statements.first(where: \.endsAll)?.start ?? block.end
        return NftablesConf(path: path, bytes: Self.inserting(missing, at: last, of: block, in: bytes))
    }

    /// The file with a rule right ahead of another one in the block of a base chain; unchanged where it stands there.
    /// Nil where the block does not have the other rule just once, counters aside.
    package func adding(
        _ rule: String, ahead neighbour: String, inChain chain: String, family: String, table: String
    ) -> NftablesConf? {
        let bytes = lines.bytes
        guard let block = NftScript(bytes).chain(chain, family: family, table: table) else { return nil }
        let texts = block.statements.map { NftScript.uncounted($0.text) }
        let other = NftScript.uncounted(NftScript.normalised(neighbour))
        guard let index = texts.firstIndex(of: other), texts[(index + 1)...].firstIndex(of: other) == nil else {
            return nil
        }
        if texts[..<index].contains(NftScript.normalised(rule)) { return self }
        return NftablesConf(
            path: path, bytes: Self.inserting([rule], at: block.statements[index].start, of: block, in: bytes))
    }

    /// The file with a text of its own at the end, which begins with a comment that says whose it is.
    package func appending(_ text: String) -> NftablesConf {
        var bytes = lines.bytes
        if let last = bytes.last, last != TextLines.newline { bytes.append(TextLines.newline) }
        return NftablesConf(path: path, bytes: bytes + [TextLines.newline] + Array(text.utf8))
    }

    /// Whether the file itself makes the chain, in whatever form.
    package func mentions(chain: String, table: String) -> Bool {
        lines.numbered.contains { _, line in
            let words = String(line.prefix { $0 != "#" }).blankSeparated
            return words.contains(table) && words.contains("table")
                || words.contains(chain) && words.contains("chain") || words.contains(chain) && words.contains(table)
        }
    }

    /// On lines of their own where what they precede begins its line; else on the same line.
    private static func inserting(
        _ rules: [String], at place: Int, of block: NftScript.Chain, in bytes: [UInt8]
    ) -> [UInt8] {
        let lineStart = (bytes[..<place].lastIndex(of: TextLines.newline) ?? -1) + 1
        let blanks = bytes[lineStart..<place]
        guard blanks.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
            let before = bytes[..<place].last { $0 != 0x20 && $0 != 0x09 }
            let isEnded = before == UInt8(ascii: ";") || before == UInt8(ascii: "{")
            let text = (isEnded ? "" : "; ") + rules.map { $0 + "; " }.joined()
            return Array(bytes[..<place]) + Array(text.utf8) + Array(bytes[place...])
        }
        // As the statement before is indented; before the closing brace that is deeper than the brace itself.
        var indent = Array(blanks)
        if place == block.end, let other = block.statements.last?.start {
            let start = (bytes[..<other].lastIndex(of: TextLines.newline) ?? -1) + 1
            indent = Array(bytes[start..<other].prefix { $0 == 0x20 || $0 == 0x09 })
        }
        let text = rules.flatMap { indent + Array($0.utf8) + [TextLines.newline] }
        return Array(bytes[..<lineStart]) + text + Array(bytes[lineStart...])
    }
}

/// The blocks of a file for nft(8), by words and braces. Source: nft(8), the scanner of nftables.
struct NftScript {
    struct Statement {
        /// A string counts as one word.
        var words: [String]
        /// The first byte.
        var start: Int

        /// The words with one blank between them.
        var text: String { words.joined(separator: " ") }

        /// Whether it drops or rejects whatever comes.
        var endsAll: Bool {
            var words = words[...]
            while let first = words.first {
                switch first {
                case "counter": words = words.dropFirst(words.dropFirst().first == "packets" ? 5 : 1)
                case "log":
                    words = words.dropFirst()
                    while let option = words.first, ["prefix", "level", "flags", "group"].contains(option) {
                        words = words.dropFirst(2)
                    }
                default: return first == "drop" || first == "reject"
                }
            }
            return false
        }
    }

    /// A chain with a hook.
    struct Chain {
        var statements: [Statement] = []
        /// The closing brace.
        var end = 0
    }

    private enum Token {
        case word(String, Int)
        case open, close(Int)
        case end
    }

    private let tokens: [Token]

    init(_ bytes: [UInt8]) {
        var tokens: [Token] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let start = index
            index += 1
            switch byte {
            case 0x20, 0x09, 0x0d: continue
            case TextLines.newline, UInt8(ascii: ";"): tokens.append(.end)
            case UInt8(ascii: "{"): tokens.append(.open)
            case UInt8(ascii: "}"): tokens.append(.close(start))
            case UInt8(ascii: "#"):
                while index < bytes.count, bytes[index] != TextLines.newline { index += 1 }
            case UInt8(ascii: "\\") where index < bytes.count && bytes[index] == TextLines.newline: index += 1
            case UInt8(ascii: "\""):
                while index < bytes.count, bytes[index] != byte { index += 1 }
                index = min(index + 1, bytes.count)
                tokens.append(.word(String(decoding: bytes[start..<index], as: UTF8.self), start))
            default:
                while index < bytes.count, !Self.endsWord(bytes[index]) { index += 1 }
                tokens.append(.word(String(decoding: bytes[start..<index], as: UTF8.self), start))
            }
        }
        self.tokens = tokens
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        byte <= 0x20 || "{};\"#".utf8.contains(byte)
    }

    static func normalised(_ rule: String) -> String {
        NftScript(Array(rule.utf8)).tokens.compactMap { if case .word(let text, _) = $0 { text } else { nil } }
            .joined(separator: " ")
    }

    /// The words of a rule without its counter.
    static func uncounted(_ text: String) -> String {
        var words = text.split(separator: " ")[...]
        var kept: [Substring] = []
        while let word = words.popFirst() {
            guard word == "counter" else {
                kept.append(word)
                continue
            }
            if words.first == "packets" { words = words.dropFirst(4) }
        }
        return kept.joined(separator: " ")
    }

    /// The block of a base chain; of several, the last.
    func chain(_ name: String, family: String, table: String) -> Chain? {
        var found: Chain?
        var chain: Chain?
        var words: [String] = []
        var start: Int?
        var nesting: [Nesting] = []
        for token in tokens {
            switch token {
            case .word(let word, let place):
                words.append(word)
                start = start ?? place
                continue
            case .open:
                if nesting.last != .chain, nesting.last != .inner {
                    nesting.append(Self.opened(words, nesting.last, name, family, table))
                    if nesting.last == .chain { chain = Chain() }
                    words = []
                    start = nil
                } else {
                    nesting.append(.inner)
                    words.append("{")
                }
                continue
            case .close(let place):
                let closed = nesting.popLast()
                if closed == .inner {
                    words.append("}")
                    continue
                }
                if closed == .chain, var ended = chain {
                    if let start {
                        ended.statements.append(Statement(words: words, start: start))
                    }
                    ended.end = place
                    if ended.statements.contains(where: { $0.text.contains(" hook ") }) { found = ended }
                    chain = nil
                }
            case .end:
                if nesting.last == .inner { continue }
                if let start { chain?.statements.append(Statement(words: words, start: start)) }
            }
            words = []
            start = nil
        }
        return found
    }

    private enum Nesting { case table, chain, inner, other }

    /// What the words before a brace open: `table inet filter`, `chain forward`, with or without `add` before.
    private static func opened(
        _ words: [String], _ outer: Nesting?, _ name: String, _ family: String, _ table: String
    ) -> Nesting {
        let rest = words.first == "add" || words.first == "create" ? Array(words.dropFirst()) : words
        if outer == nil, rest == ["table", family, table] || (family == "ip" && rest == ["table", table]) {
            return .table
        }
        return outer == .table && rest == ["chain", name] ? .chain : .other
    }
}
