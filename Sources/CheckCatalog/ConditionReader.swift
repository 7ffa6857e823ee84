internal import HostModel

/// Reads text whose templates may name certain variables.
struct TemplateScope {
    let file: String
    let names: [String: FactType]

    func text(_ node: YAMLNode, _ what: String) throws(CatalogError) -> String {
        let text = try node.text(file, what)
        try check(text, node)
        return text
    }

    func value(_ node: YAMLNode, _ what: String) throws(CatalogError) -> FactValue {
        let value = try node.factValue(file, what)
        switch value {
        case .string(let text): try check(text, node)
        case .strings(let items): for item in items { try check(item, node) }
        case .integer, .boolean: break
        }
        return value
    }

    /// A command, which may name what is found besides.
    func command(_ node: YAMLNode) throws(CatalogError) -> String {
        let text = try node.text(file, "a command")
        try check(text, node) { FactName($0) != nil }
        return text
    }

    private func check(
        _ text: String, _ node: YAMLNode, or isKnown: (String) -> Bool = { _ in false }
    ) throws(CatalogError) {
        let used: [String]
        do { used = try Template.names(in: text) } catch { throw node.error(file, error.message) }
        for name in used where names[name] == nil && !isKnown(name) {
            throw node.error(file, "unknown variable {{\(name)}}\(Suggestion.hint(for: name, among: names.keys))")
        }
    }
}

/// Reads `expect`, `when`, `applies`: a mapping from facts to predicates, and `all`, `any`, `none` over such mappings.
struct ConditionReader {
    let texts: TemplateScope
    /// Whether names are variables (and `fact.NAME`), as in `applies`.
    var overVariables = false

    static let predicates = [
        "equals", "notEquals", "oneOf", "contains", "matches", "atLeast", "atMost", "exists", "count", "all", "any",
        "none",
    ]

    func condition(_ node: YAMLNode) throws(CatalogError) -> FactCondition {
        guard case .mapping(let entries) = node.content, !entries.isEmpty else {
            throw node.error(texts.file, "a condition is { fact: { predicate: value } }, not \(node.kind)")
        }
        var parts: [FactCondition] = []
        for entry in entries {
            switch entry.key {
            case "all": parts.append(.all(try conditions(entry)))
            case "any": parts.append(.any(try conditions(entry)))
            case "none": parts.append(.none(try conditions(entry)))
            default: parts.append(.fact(try name(entry), try predicate(entry.value)))
            }
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private func conditions(_ entry: YAMLNode.Entry) throws(CatalogError) -> [FactCondition] {
        var parts: [FactCondition] = []
        for item in try entry.value.items(texts.file, entry.key) { parts.append(try condition(item)) }
        guard !parts.isEmpty else { throw entry.value.error(texts.file, "\(entry.key) needs at least one condition") }
        return parts
    }

    private func name(_ entry: YAMLNode.Entry) throws(CatalogError) -> String {
        if overVariables, !entry.key.hasPrefix("fact."), texts.names[entry.key] == nil {
            throw CatalogError(
                file: texts.file, line: entry.line, column: entry.column,
                message: "unknown variable \(entry.key)\(Suggestion.hint(for: entry.key, among: texts.names.keys))")
        }
        return entry.key
    }

    func predicate(_ node: YAMLNode) throws(CatalogError) -> FactPredicate {
        guard case .mapping(let entries) = node.content, !entries.isEmpty else {
            throw node.error(texts.file, "a predicate is { equals: value } or the like, not \(node.kind)")
        }
        var parts: [FactPredicate] = []
        for entry in entries { parts.append(try predicate(entry)) }
        return parts.count == 1 ? parts[0] : .every(parts)
    }

    private func predicate(_ entry: YAMLNode.Entry) throws(CatalogError) -> FactPredicate {
        let node = entry.value
        let file = texts.file
        switch entry.key {
        case "equals": return .equals(try texts.value(node, "equals"))
        case "notEquals": return .notEquals(try texts.value(node, "notEquals"))
        case "oneOf":
            var values: [FactValue] = []
            for item in try node.items(file, "oneOf") { values.append(try texts.value(item, "an item of oneOf")) }
            guard !values.isEmpty else { throw node.error(file, "oneOf needs at least one item") }
            return .oneOf(values)
        case "contains": return .contains(try texts.text(node, "contains"))
        case "matches": return .matches(try texts.text(node, "matches"))
        case "atLeast": return .atLeast(try number(node, "atLeast"))
        case "atMost": return .atMost(try number(node, "atMost"))
        case "exists": return .exists(try node.boolean(file, "exists"))
        case "count":
            if case .mapping = node.content { return .count(try predicate(node)) }
            return .count(.equals(.integer(try node.integer(file, "count"))))
        case "all": return .all(try predicate(node))
        case "any": return .any(try predicate(node))
        case "none": return .none(try predicate(node))
        default:
            throw CatalogError(
                file: file, line: entry.line, column: entry.column,
                message: "unknown predicate \"\(entry.key)\" (of \(Self.predicates.joined(separator: ", ")))"
                    + Suggestion.hint(for: entry.key, among: Self.predicates))
        }
    }

    /// A whole number, or a template that stands for one.
    private func number(_ node: YAMLNode, _ what: String) throws(CatalogError) -> FactValue {
        let value = try texts.value(node, what)
        if case .integer = value { return value }
        if case .string(let text) = value, let name = Template.wholeName(text), texts.names[name] == .integer {
            return value
        }
        throw node.error(texts.file, "\(what) must be a whole number, not \(node.kind)")
    }
}
