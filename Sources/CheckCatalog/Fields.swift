internal import HostModel

/// Takes the fields of a mapping one by one; what is left at the end is a mistake.
struct Fields {
    let file: String
    let node: YAMLNode
    private var entries: [String: YAMLNode.Entry]
    private var known: [String] = []

    init(_ node: YAMLNode, file: String, what: String) throws(CatalogError) {
        guard case .mapping(let list) = node.content else {
            throw CatalogError(
                file: file, line: node.line, column: node.column,
                message: "\(what) must be a mapping (key: value), not \(node.kind)")
        }
        self.file = file
        self.node = node
        entries = [:]
        for entry in list { entries[entry.key] = entry }
    }

    mutating func optional(_ key: String) -> YAMLNode? {
        known.append(key)
        return entries.removeValue(forKey: key)?.value
    }

    mutating func required(_ key: String) throws(CatalogError) -> YAMLNode {
        if let value = optional(key) { return value }
        // A misspelt key explains a missing one better than its absence does.
        for entry in entries.values where Suggestion.nearest(to: entry.key, among: [key]) != nil {
            throw CatalogError(
                file: file, line: entry.line, column: entry.column,
                message: "unknown key \"\(entry.key)\"; did you mean \"\(key)\"?")
        }
        throw CatalogError(
            file: file, line: node.line, column: node.column, message: "the key \"\(key)\" is missing")
    }

    /// Refuses what nobody took, first in the file first.
    func finish() throws(CatalogError) {
        let left = entries.values.min { ($0.line, $0.column) < ($1.line, $1.column) }
        guard let left else { return }
        throw CatalogError(
            file: file, line: left.line, column: left.column,
            message: "unknown key \"\(left.key)\"" + Suggestion.hint(for: left.key, among: known)
                + (Suggestion.nearest(to: left.key, among: known) == nil
                    ? "; known: \(known.joined(separator: ", "))" : ""))
    }
}

extension YAMLNode {
    func error(_ file: String, _ message: String) -> CatalogError {
        CatalogError(file: file, line: line, column: column, message: message)
    }

    func text(_ file: String, _ what: String) throws(CatalogError) -> String {
        guard case .scalar(let text, let quoted) = content, quoted || !(text.isEmpty || text == "~" || text == "null")
        else {
            throw error(file, "\(what) must be text, not \(kind)")
        }
        return text
    }

    func boolean(_ file: String, _ what: String) throws(CatalogError) -> Bool {
        guard case .scalar(let text, false) = content, text == "true" || text == "false" else {
            throw error(file, "\(what) must be true or false, not \(kind)")
        }
        return text == "true"
    }

    func integer(_ file: String, _ what: String) throws(CatalogError) -> Int {
        guard case .scalar(let text, false) = content, let value = Int(text) else {
            throw error(file, "\(what) must be a whole number, not \(kind)")
        }
        return value
    }

    func items(_ file: String, _ what: String) throws(CatalogError) -> [YAMLNode] {
        guard case .sequence(let items) = content else {
            throw error(file, "\(what) must be a sequence ([a, b] or lines that begin with \"-\"), not \(kind)")
        }
        return items
    }

    func texts(_ file: String, _ what: String) throws(CatalogError) -> [String] {
        var texts: [String] = []
        for item in try items(file, what) {
            texts.append(try item.text(file, "an item of \(what)"))
        }
        return texts
    }

    /// One word of a closed set.
    func word<Word: RawRepresentable & CaseIterable>(
        _ file: String, _ what: String, _ type: Word.Type = Word.self
    ) throws(CatalogError) -> Word where Word.RawValue == String {
        let text = try text(file, what)
        if let word = Word(rawValue: text) { return word }
        let all = Word.allCases.map(\.rawValue)
        throw error(
            file,
            "\(what) must be one of \(all.joined(separator: ", ")), not \"\(text)\"\(Suggestion.hint(for: text, among: all))"
        )
    }

    /// A value as it is written: quoted is a string, `true` and `false` are booleans, digits are an integer.
    func factValue(_ file: String, _ what: String) throws(CatalogError) -> FactValue {
        switch content {
        case .scalar(let text, true): return .string(text)
        case .scalar("true", false): return .boolean(true)
        case .scalar("false", false): return .boolean(false)
        case .scalar(let text, false):
            if let integer = Int(text) { return .integer(integer) }
            return .string(try self.text(file, what))
        case .sequence: return .strings(try texts(file, what))
        case .mapping: throw error(file, "\(what) must be a value, not a mapping")
        }
    }
}
