package import HostModel

/// A rule that the kernel named, or the policy of a chain.
package struct RuleReference: Codable, Hashable, Sendable, CustomStringConvertible {
    package var family: String
    package var table: String
    package var chain: String
    /// The handle, or the position for iptables-legacy; nil for a policy.
    package var rule: String?
    package var isLegacy: Bool

    package init(family: String, table: String, chain: String, rule: String?, isLegacy: Bool) {
        self.family = family
        self.table = table
        self.chain = chain
        self.rule = rule
        self.isLegacy = isLegacy
    }

    package var description: String {
        "\(isLegacy ? "legacy " : "")\(family) \(table) \(chain) \(rule ?? "policy")"
    }
}

/// What the kernel really did with a packet.
package struct KernelOutcome: Codable, Hashable, Sendable {
    package enum Fate: String, Codable, Sendable {
        case dropped
        /// Given to the host itself.
        case local
        case left
    }

    package var fate: Fate
    /// The link of the host that it left by.
    package var link: String?
    package var source: IPv4Address?
    package var destination: IPv4Address?
    /// The rule or policy that dropped it; nil where no rule did.
    package var killer: RuleReference?
    /// The rule that gave it another source.
    package var translator: RuleReference?
    /// Every rule that was applied to it, in the order of each backend.
    package var applied: [RuleReference]

    package init(fate: Fate) {
        self.fate = fate
        applied = []
    }
}
