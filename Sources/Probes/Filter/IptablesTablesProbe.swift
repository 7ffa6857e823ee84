package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `iptables-tables`: tables with the names that iptables-nft works in, and what stands in them that iptables cannot list:
/// it then refuses the whole table ("incompatible, use 'nft' tool").
///
/// Source: iptables, nft_is_table_compatible: base chains must be the built-in ones, and only the expressions that
/// iptables itself writes may occur.
package struct IptablesTablesProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "iptables-tables", summary: "Tables of iptables that hold what only nft can list",
        parameters: [:], facts: ["tables": .strings, "count": .integer, "rule": .string])

    private static let names: Set<String> = ["filter", "nat", "mangle", "raw", "security"]
    private static let chains: Set<String> = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let ruleset = try RulesetState(host: host).ruleset()
        var observation = Observation(facts: ["rule": .string("")])
        var found: [String] = []
        for (index, table) in ruleset.tables.enumerated() {
            guard table.backend != .iptablesLegacy, Self.names.contains(table.name.name),
                table.name.family == .ipv4 || table.name.family == .ipv6
            else { continue }
            let foreign = ruleset.rules.indices.first { rule in
                ruleset.rules[rule].chain < ruleset.chains.count
                    && ruleset.chains[ruleset.rules[rule].chain].table == index
                    && ruleset.traits(ofRule: rule).contains(.isBeyondIptables)
                    && ruleset.expressions(ofRule: rule).contains(where: Self.isForeign)
            }
            let chain = ruleset.chains.first { chain in
                chain.table == index && chain.base != nil && !Self.chains.contains(chain.name)
            }
            guard foreign != nil || chain != nil else { continue }
            found.append(table.name.description)
            if let foreign {
                observation.facts["rule"] = .string(ruleset.text(ofRule: foreign))
                observation.evidence.append(Evidence(rule: foreign, of: ruleset))
            } else if let chain {
                observation.evidence.append(
                    Evidence(
                        source: "\(table.name) \(chain.name)", command: "nft list chain \(table.name) \(chain.name)",
                        value: "a base chain that iptables does not have"))
            }
        }
        observation.facts["tables"] = .strings(found)
        observation.facts["count"] = .integer(found.count)
        if observation.evidence.isEmpty {
            observation.evidence = [
                Evidence(
                    source: "nfnetlink NFT_MSG_GETTABLE", command: "iptables-nft -S; iptables-nft -t nat -S",
                    value: "iptables can list all of its tables")
            ]
        }
        return observation
    }

    /// What iptables-nft never writes: it has xt matches and targets for these.
    private static func isForeign(_ expression: NftExpression) -> Bool {
        switch expression {
        case .masquerade, .nat, .redirect, .conntrack, .setConntrack, .reject, .notrack, .fib, .generated, .other,
            .setPayload, .loaded:
            true
        default: false
        }
    }
}
