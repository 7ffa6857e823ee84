package import HostModel

/// A question about one fact. Strings may hold templates.
///
/// A fact that was not there answers every question with no, except `exists: false`.
package indirect enum FactPredicate: Sendable, Hashable {
    case equals(FactValue)
    case notEquals(FactValue)
    /// One of the items; for a list, all of its items are.
    case oneOf([FactValue])
    /// A list has the item; a string has the part.
    case contains(String)
    /// A shell-style pattern (`Wildcard`) over the whole string.
    case matches(String)
    case atLeast(FactValue)
    case atMost(FactValue)
    case exists(Bool)
    /// The number of items of a list.
    case count(FactPredicate)
    /// Every item of a list; true for an empty list.
    case all(FactPredicate)
    case any(FactPredicate)
    case none(FactPredicate)
    case every([FactPredicate])

    package func holds(_ value: FactValue?, _ variables: Variables) -> Bool {
        if case .exists(let wanted) = self { return (value != nil) == wanted }
        if case .every(let parts) = self { return parts.allSatisfy { $0.holds(value, variables) } }
        guard let value else { return false }
        switch self {
        case .equals(let wanted): return value == wanted.like(value, variables)
        case .notEquals(let wanted): return value != wanted.like(value, variables)
        case .oneOf(let wanted): return isOneOf(wanted, value, variables)
        case .contains(let wanted):
            let text = Template.render(wanted, variables)
            switch value {
            case .strings(let items): return items.contains(text)
            case .string(let whole): return Wildcard.matches("*" + Wildcard.escape(text) + "*", whole)
            case .integer, .boolean: return false
            }
        case .matches(let pattern):
            guard case .string(let text) = value else { return false }
            return Wildcard.matches(Template.render(pattern, variables), text)
        case .atLeast(let wanted): return compare(value, wanted, variables) { $0 >= $1 }
        case .atMost(let wanted): return compare(value, wanted, variables) { $0 <= $1 }
        case .count(let predicate):
            guard case .strings(let items) = value else { return false }
            return predicate.holds(.integer(items.count), variables)
        case .all(let predicate): return items(value)?.allSatisfy { predicate.holds($0, variables) } ?? false
        case .any(let predicate): return items(value)?.contains { predicate.holds($0, variables) } ?? false
        case .none(let predicate): return items(value).map { !$0.contains { predicate.holds($0, variables) } } ?? false
        case .exists, .every: return false
        }
    }

    private func isOneOf(_ wanted: [FactValue], _ value: FactValue, _ variables: Variables) -> Bool {
        wanted.contains { candidate in
            let resolved = Template.resolve(candidate, variables)
            // A list variable stands for its items.
            if case .strings(let items) = resolved, case .string(let text) = value { return items.contains(text) }
            return resolved.like(value, variables) == value
        }
    }

    private func items(_ value: FactValue) -> [FactValue]? {
        guard case .strings(let items) = value else { return nil }
        return items.map(FactValue.string)
    }

    private func compare(
        _ value: FactValue, _ wanted: FactValue, _ variables: Variables, _ order: (Int, Int) -> Bool
    ) -> Bool {
        guard case .integer(let left) = value, case .integer(let right) = wanted.like(value, variables) else {
            return false
        }
        return order(left, right)
    }
}

extension FactValue {
    /// The value with templates filled in, and as a number where the other is one.
    fileprivate func like(_ other: FactValue, _ variables: Variables) -> FactValue {
        let resolved = Template.resolve(self, variables)
        if case .integer = other, case .string(let text) = resolved, let number = Int(text) { return .integer(number) }
        return resolved
    }
}
