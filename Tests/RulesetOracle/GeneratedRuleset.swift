/// A rule as the generator wrote it, with what is known of it from that.
struct GeneratedRule {
    enum Effect {
        case pass, accept, drop, leave, jump
        case sourceTranslation, destinationTranslation
    }

    var text: String
    /// The matches and the target that stand in it, by name.
    var features: [String]
    var effect: Effect
    /// Whether a match in it comes out differently from packet to packet (limit, statistic, quota).
    var isRandom = false
}

struct GeneratedChain {
    var name: String
    /// The hook in the words of nft; nil for a chain that is only jumped to.
    var hook: String?
    /// Of nft: `type filter hook forward priority 0; policy drop;`.
    var declaration = ""
    var policyDrops = false
    var isNAT = false
    var rules: [GeneratedRule] = []
}

struct GeneratedTable {
    enum Backend: String, CaseIterable {
        case nft
        case iptablesNft = "iptables-nft"
        case iptablesLegacy = "iptables-legacy"
    }

    var backend: Backend
    /// Of nft: `ip`, `inet`, `bridge`.
    var family: String
    var name: String
    /// Sets and maps.
    var preamble: [String] = []
    var chains: [GeneratedChain]

    /// For `nft -f`.
    var nftText: String {
        var lines = ["table \(family) \(name) {"]
        lines += preamble.map { "    " + $0 }
        // Chains that are jumped to must be known first.
        for chain in chains.reversed() {
            lines.append("    chain \(chain.name) {")
            if !chain.declaration.isEmpty { lines.append("        " + chain.declaration) }
            lines += chain.rules.map { "        " + $0.text }
            lines.append("    }")
        }
        return (lines + ["}"]).joined(separator: "\n")
    }

    /// For `iptables-restore`.
    var restoreText: String {
        var lines = ["*\(name)"]
        lines += chains.map { ":\($0.name) \($0.hook == nil ? "-" : $0.policyDrops ? "DROP" : "ACCEPT")" }
        for chain in chains {
            lines += chain.rules.map { "-A \(chain.name) \($0.text)" }
        }
        return (lines + ["COMMIT"]).joined(separator: "\n")
    }
}

struct GeneratedRuleset {
    var tables: [GeneratedTable]
    var variant: HostVariant

    func tables(_ backend: GeneratedTable.Backend) -> [GeneratedTable] { tables.filter { $0.backend == backend } }

    /// Whether a rule matches by chance.
    var isRandom: Bool { tables.contains { $0.chains.contains { $0.rules.contains(where: \.isRandom) } } }

    /// Whether a rule puts packets into a zone of conntrack, or writes into them before that sees them: then an answer
    /// may not be of the flow that it answers.
    var hidesFlows: Bool {
        tables.contains { table in
            table.chains.contains { chain in
                chain.rules.contains { rule in
                    ["zone ", "daddr set", "dport set"].contains { rule.text.contains($0) }
                }
            }
        }
    }

    var ruleCount: Int { tables.reduce(0) { $0 + $1.chains.reduce(0) { $0 + $1.rules.count } } }

    /// For a person: everything as it would be loaded.
    var text: String {
        var parts = ["# \(variant)"]
        for table in tables {
            parts.append(
                table.backend == .nft
                    ? "# nft -f\n" + table.nftText : "# \(table.backend.rawValue)-restore\n" + table.restoreText)
        }
        return parts.joined(separator: "\n")
    }
}

/// The settings and routes of the host under a ruleset.
struct HostVariant: Hashable, CustomStringConvertible {
    var bridgeNetfilter: Bool
    /// Table 100 leads through up1 for some sources and marks.
    var policyRouting: Bool
    /// `net.ipv4.conf.all.rp_filter`.
    var reversePathFilter: Int

    var description: String {
        "bridge-nf-call-iptables=\(bridgeNetfilter ? 1 : 0) policy-routing=\(policyRouting) rp_filter=\(reversePathFilter)"
    }
}
