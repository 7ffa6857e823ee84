package import HostModel

/// A question about several facts.
package indirect enum FactCondition: Sendable, Hashable {
    case fact(String, FactPredicate)
    case all([FactCondition])
    case any([FactCondition])
    case none([FactCondition])

    package func holds(_ variables: Variables, _ value: (String) -> FactValue?) -> Bool {
        switch self {
        case .fact(let name, let predicate): predicate.holds(value(name), variables)
        case .all(let parts): parts.allSatisfy { $0.holds(variables, value) }
        case .any(let parts): parts.contains { $0.holds(variables, value) }
        case .none(let parts): !parts.contains { $0.holds(variables, value) }
        }
    }

    /// The facts that it asks about, each once, in order.
    package var names: [String] {
        var seen: Set<String> = []
        return allNames.filter { seen.insert($0).inserted }
    }

    private var allNames: [String] {
        switch self {
        case .fact(let name, _): [name]
        case .all(let parts), .any(let parts), .none(let parts): parts.flatMap(\.allNames)
        }
    }

    /// In words: `translated is all`, `exists is yes and kind is bridge`.
    package func words(_ variables: Variables) -> String {
        func list(_ parts: [FactCondition], _ word: String) -> String {
            parts.map { part in
                let text = part.words(variables)
                if case .any(let inner) = part, inner.count > 1, word == " and " { return "(\(text))" }
                return text
            }.joined(separator: word)
        }
        return switch self {
        case .fact(let name, let predicate): "\(Self.label(name)) \(predicate.words(variables))"
        case .all(let parts): list(parts, " and ")
        case .any(let parts): list(parts, " or ")
        case .none(let parts): "not (" + list(parts, " or ") + ")"
        }
    }

    /// A fact's name for people: `carriesAddress` is `carries address`.
    package static func label(_ fact: String) -> String {
        // Names of facts are ASCII.
        var label: [UInt8] = []
        for byte in fact.utf8 {
            let isUppercase = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            if isUppercase, let last = label.last, last != UInt8(ascii: " ") { label.append(UInt8(ascii: " ")) }
            label.append(isUppercase ? byte | 0x20 : byte)
        }
        return String(decoding: label, as: UTF8.self)
    }
}

extension FactPredicate {
    /// In words: `is all`, `is at least 5`.
    package func words(_ variables: Variables) -> String {
        func word(_ value: FactValue) -> String {
            let text = Template.resolve(value, variables).description
            return text.isEmpty ? "empty" : text
        }
        func render(_ text: String) -> String { Template.render(text, variables) }
        return switch self {
        case .equals(let value): "is \(word(value))"
        case .notEquals(let value): "is not \(word(value))"
        case .oneOf(let values): "is one of " + values.map(word).filter { $0 != "none" }.joined(separator: ", ")
        case .contains(let text): "contains \(render(text))"
        case .matches(let text): "matches \(render(text))"
        case .atLeast(let value): "is at least \(word(value))"
        case .atMost(let value): "is at most \(word(value))"
        case .exists(let wanted): wanted ? "is known" : "is absent"
        case .count(.equals(.integer(0))): "is empty"
        case .count(.equals(let number)): "has \(word(number)) \(number == .integer(1) ? "item" : "items")"
        case .count(.atLeast(.integer(1))): "is not empty"
        case .count(.atLeast(let number)): "has at least \(word(number)) items"
        case .count(let predicate): "has a number of items that \(predicate.words(variables))"
        case .all(let predicate): "has only items of which each \(predicate.words(variables))"
        case .any(let predicate): "has an item that \(predicate.words(variables))"
        case .none(let predicate): "has no item that \(predicate.words(variables))"
        case .every(let parts): parts.map { $0.words(variables) }.joined(separator: " and ")
        }
    }
}
