package import HostModel
internal import WireFormats

/// Something that would have to be known to be sure, by name: `match time`, `limit`, `set clients`.
///
/// Two of one name are the same doubt, whichever rules have it: else a thousand rules of one kind would be a thousand doubts.
package struct Doubt: Sendable, ExpressibleByStringLiteral {
    package let name: String
    /// Index of the first rule on the way that depends on it; nil where none does.
    package let rule: Int?

    package init(_ name: String, rule: Int? = nil) {
        self.name = name
        self.rule = rule
    }

    package init(stringLiteral name: String) { self.init(name) }
}

extension Doubt: Hashable {
    package static func == (left: Doubt, right: Doubt) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Ruleset {
    package func dependences(_ doubts: some Sequence<Doubt>) -> [Dependence] {
        doubts.map { Dependence(what: $0.name, rule: $0.rule.map(rulePlace)) }
    }

    package func rulePlace(_ rule: Int) -> RulePlace {
        let chain = chains[rules[rule].chain]
        let table = tables[chain.table]
        return RulePlace(
            family: table.name.family.name, table: table.name.name, chain: chain.name, rule: position(ofRule: rule),
            handle: handle(ofRule: rule), text: text(ofRule: rule))
    }
}

extension Sequence<Doubt> {
    /// The names, as a list in a sentence.
    package var words: String { map(\.name).joined(separator: ", ") }
}
