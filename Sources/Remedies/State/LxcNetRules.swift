package import HostModel
internal import WireFormats

/// What stands in the native nft tables of lxc-net: `ip lxc`, `inet lxc` and, where its settings name an IPv6 network
/// with NAT, `ip6 lxc`. Whether lxc-net runs does not show in them: they outlive a bridge that was deleted.
/// Source: lxc `config/init/common/lxc-net.in`, `start_nftables`.
package enum LxcNetRules: Codable, Sendable, Hashable {
    /// None of the tables is there.
    case none
    /// Everything that lxc-net's start makes for this network, and nothing else: the next start leaves it as it is.
    case made(bridge: String, network: IPv4Prefix)
    /// Anything else, an IPv6 network among it.
    case other
}

extension TranslationTables {
    func lxcNetRules() -> LxcNetRules {
        let own = ruleset.tables.filter { $0.name.name == "lxc" }
        if own.isEmpty { return .none }
        let filter = NftTableName(.inet, "lxc")
        guard Set(own.map(\.name)) == [NftTableName(.ipv4, "lxc"), filter], own.allSatisfy({ $0.flags.isEmpty }),
            let network = translatedByLxcNet(), let bridge = bridge(of: filter)
        else { return .other }
        return .made(bridge: bridge, network: network)
    }

    /// The bridge whose traffic the table accepts, where it has lxc-net's two chains and no other.
    private func bridge(of table: NftTableName) -> String? {
        let chains = ruleset.chains.indices.filter { ruleset.chains[$0].table == table }
        guard chains.count == 2, let input = filterRules(chains, .input), let forward = filterRules(chains, .forward),
            case .compare(_, .equal, let value)? = forward.first?.dropFirst().first
        else { return nil }
        let bridge = String(decoding: value.bytes.prefix { $0 != 0 }, as: UTF8.self)
        guard let name = NftValue(interface: bridge) else { return nil }
        let comesIn = NftExpression.meta(.inputName, equal: name)
        let expected = [
            comesIn + [.verdict(.accept)], NftExpression.meta(.outputName, equal: name) + [.verdict(.accept)],
        ]
        guard forward == expected, input == [17, 6].map({ comesIn + Self.ports($0) }) else { return nil }
        return bridge
    }

    /// `udp dport { … } accept` or the same of TCP: its ports stand in a set that the rule alone uses.
    private static func ports(_ number: UInt8) -> [NftExpression] {
        NftExpression.meta(.transportProtocol, equal: NftValue(byte: number)) + [
            .payload(base: .transport, offset: 2, length: 2, into: .one),
            .lookup(set: "", from: .one, into: nil, inverted: false), .verdict(.accept),
        ]
    }

    /// The rules of the one chain at a hook, named after it, with no names of sets.
    private func filterRules(_ chains: [Int], _ hook: NftHook) -> [[NftExpression]]? {
        guard
            let chain = chains.first(where: {
                ruleset.chains[$0].base == NftBaseChain(hook: hook, priority: 0)
                    && ruleset.chains[$0].name == (hook == .input ? "input" : "forward")
            })
        else { return nil }
        return ruleset.rules.filter { $0.chain == chain }.map { rule in
            ruleset.expressions(of: rule).map { expression in
                guard case .lookup(_, let from, let into, let inverted) = expression else { return expression }
                return .lookup(set: "", from: from, into: into, inverted: inverted)
            }
        }
    }
}
