import HostAccess
import OracleSupport
import WireFormats

/// Which generated rule a rule that the kernel names is: the n-th of its chain is the n-th written.
struct RuleIndex {
    private struct ChainName: Hashable {
        var family: String
        var table: String
        var chain: String
        var isLegacy: Bool
    }

    private var rules: [ChainName: [GeneratedRule]] = [:]
    private var backends: [ChainName: GeneratedTable.Backend] = [:]
    private var positions: [ChainName: [String: Int]] = [:]

    /// - Parameter nft: the ruleset as it was read back, for the handles.
    init(_ generated: GeneratedRuleset, _ nft: NftRuleset) {
        for table in generated.tables {
            for chain in table.chains {
                let name = ChainName(
                    family: table.family, table: table.name, chain: chain.name,
                    isLegacy: table.backend == .iptablesLegacy)
                rules[name] = chain.rules
                backends[name] = table.backend
            }
        }
        for rule in nft.rules where nft.chains.indices.contains(rule.chain) {
            let chain = nft.chains[rule.chain]
            let name = ChainName(
                family: chain.table.family.name, table: chain.table.name, chain: chain.name, isLegacy: false)
            positions[name, default: [:]]["\(rule.handle)"] = positions[name]?.count ?? 0
        }
    }

    func rule(_ place: RuleReference) -> (rule: GeneratedRule, backend: GeneratedTable.Backend)? {
        let name = ChainName(family: place.family, table: place.table, chain: place.chain, isLegacy: place.isLegacy)
        guard let word = place.rule, let list = rules[name], let backend = backends[name] else { return nil }
        let position = place.isLegacy ? Int(word).map { $0 - 1 } : positions[name]?[word]
        guard let position, list.indices.contains(position) else { return nil }
        return (list[position], backend)
    }

    /// How many chains the kernel holds another number of rules of than were written.
    var mismatches: Int {
        rules.filter { name, list in
            !name.isLegacy && (positions[name]?.count ?? 0) != list.count
        }.count
    }
}
