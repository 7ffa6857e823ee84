package import HostModel

/// What is observed in addition when an order is sent a second time, because a probe was lost without a known cause.
package struct ProbeInvestigation: Codable, Sendable, Hashable {
    /// A station just before the chains of one priority.
    package struct Bracket: Codable, Sendable, Hashable {
        /// `prerouting`, `forward`, `postrouting`; of the order's family.
        package var hook: String
        package var priority: Int32

        package init(hook: String, priority: Int32) {
            self.hook = hook
            self.priority = priority
        }

        /// As a sighting names it: `forward.-150`.
        package var name: String { "\(hook).\(priority)" }
    }

    package var brackets: [Bracket]
    /// Whether tables of iptables-legacy are loaded, so that they are asked to name their rule.
    package var tracesLegacyTables: Bool

    package init(brackets: [Bracket], tracesLegacyTables: Bool) {
        self.brackets = brackets
        self.tracesLegacyTables = tracesLegacyTables
    }
}

/// What an investigation saw besides the packets.
package struct ProbeFindings: Codable, Sendable, Hashable {
    /// The kernel threw a probe away.
    package struct Drop: Codable, Sendable, Hashable {
        /// The identification of the probe.
        package var identification: UInt16
        /// `enum skb_drop_reason` without its prefix: `IP_RPFILTER`.
        package var reason: String

        package init(identification: UInt16, reason: String) {
            self.identification = identification
            self.reason = reason
        }
    }

    /// The last rule or policy of iptables-legacy or ip6tables-legacy that a probe met.
    package struct LegacyStep: Codable, Sendable, Hashable {
        package var table: String
        package var chain: String
        /// From 1; nil: the policy of the chain.
        package var rule: Int?
        package var packet: ByteString

        package init(table: String, chain: String, rule: Int?, packet: ByteString) {
            self.table = table
            self.chain = chain
            self.rule = rule
            self.packet = packet
        }
    }

    package var drops: [Drop] = []
    package var legacySteps: [LegacyStep] = []
    /// Counters of the kernel that grew meanwhile, by anybody's packets: `IpExt.InNoRoutes` by 6.
    package var counters: [String: Int] = [:]
    /// What could not be looked at, and why.
    package var missing: [String] = []

    package init() {}
}
