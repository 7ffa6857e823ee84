/// One rule, or the policy of a chain, that something depended on.
package struct RulePlace: Codable, Sendable, Hashable {
    package var family: String
    package var table: String
    package var chain: String
    /// Its position in the chain, from 1; nil for a policy.
    package var rule: String?
    /// Of nftables.
    package var handle: String?
    package var text: String

    package init(family: String, table: String, chain: String, rule: String?, handle: String? = nil, text: String) {
        self.family = family
        self.table = table
        self.chain = chain
        self.rule = rule
        self.handle = handle
        self.text = text
    }
}

/// Something that would have to be known for an answer about the rules.
package struct Dependence: Codable, Sendable, Hashable {
    /// `match time`, `limit`, `set clients`.
    package var what: String
    /// The first rule on the way that depends on it; nil where none does, such as for routes.
    package var rule: RulePlace?

    package init(what: String, rule: RulePlace?) {
        self.what = what
        self.rule = rule
    }
}
