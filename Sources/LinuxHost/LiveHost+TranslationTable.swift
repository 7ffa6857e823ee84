internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// A translation table of our own, made or removed in one nf_tables transaction.
///
/// The transaction carries the generation of the ruleset that was looked at, so the kernel refuses it where anything
/// changed in between (ERESTART); then everything is looked at again. Source: linux/netfilter/nf_tables.h.
extension LiveHost {
    /// Does nothing where exactly this table exists; a table of that name with anything else in it is `stale`.
    func createTranslationTable(_ table: TranslationTable) throws(HostError) {
        let operation = "create table ip \(table.name)"
        try onCurrentRuleset(table, operation) { (state, generation) throws(HostError) in
            switch state {
            case .same: return nil
            case .other: throw stale(operation, "a table of this name with another content exists")
            case .absent:
                return NftTransaction.translationTable(table.name, network: table.network, generation: generation)
            }
        }
    }

    /// Does nothing where there is no such table; one with anything else in it is `stale`.
    func deleteTranslationTable(_ table: TranslationTable) throws(HostError) {
        let operation = "delete table ip \(table.name)"
        try onCurrentRuleset(table, operation) { (state, generation) throws(HostError) in
            switch state {
            case .absent: return nil
            case .other: throw stale(operation, "it holds something else than what it was made with")
            case .same: return NftTransaction.deletion(of: NftTableName(.ipv4, table.name), generation: generation)
            }
        }
    }

    private enum TableState { case absent, same, other }

    private func onCurrentRuleset(
        _ table: TranslationTable, _ operation: String,
        _ plan: (TableState, UInt32) throws(HostError) -> NftTransaction?
    ) throws(HostError) {
        guard !table.name.isEmpty, table.name.utf8.count < 256, !table.name.utf8.contains(0) else {
            throw HostError(.malformed, operation: operation, message: "no table can have this name")
        }
        try commitOnCurrentRuleset(operation) { (generation) throws(HostError) in
            try plan(try state(of: table, operation), generation)
        }
    }

    /// Commits what `plan` makes of the ruleset as it is: nil is nothing to do. Planned anew where the ruleset changed
    /// meanwhile, a few times.
    func commitOnCurrentRuleset(
        _ operation: String, _ plan: (UInt32) throws(HostError) -> NftTransaction?
    ) throws(HostError) {
        for _ in 0..<5 {
            let generation = try rulesetGeneration(operation)
            guard let transaction = try plan(generation) else { return }
            do {
                try withSocket(.netfilter) { (socket) throws(HostError) in
                    try socket.commit(transaction, operation: operation)
                }
                return
            } catch {
                if error.errno != ERESTART { throw error }
            }
        }
        throw stale(operation, "the ruleset keeps changing")
    }

    private func rulesetGeneration(_ operation: String) throws(HostError) -> UInt32 {
        let messages = try query(.nftGeneration)
        let generation = try HostError.decoding(operation) { () throws(WireError) -> UInt32? in
            guard let message = messages.first else { return nil }
            let attributes = try NetlinkMessage(message).attributes(after: 4)
            return try attributes.first(UInt16(NFTA_GEN_ID.rawValue)).map { generation throws(WireError) in
                try attributes.network(generation)
            }
        }
        guard let generation else {
            throw HostError(.malformed, operation: operation, message: "the kernel did not say its ruleset generation")
        }
        return generation
    }

    private func state(of wanted: TranslationTable, _ operation: String) throws(HostError) -> TableState {
        let name = NftTableName(.ipv4, wanted.name)
        var ruleset = NftRuleset()
        let tables = try query(.nftTables(.ipv4))
        try HostError.decoding(operation) { () throws(WireError) in try ruleset.addTables(tables) }
        // The kernel refuses to list what is in a table that does not exist.
        guard let table = ruleset.tables.first(where: { $0.name == name }) else { return .absent }
        let contents = try (
            chains: query(.nftChains(.ipv4)), rules: query(.nftRules(.ipv4, table: wanted.name)),
            sets: query(.nftSets(.ipv4, table: wanted.name))
        )
        try HostError.decoding(operation) { () throws(WireError) in
            try ruleset.addChains(contents.chains)
            try ruleset.addRules(contents.rules)
            try ruleset.addSets(contents.sets)
        }
        let chains = ruleset.chains.indices.filter { ruleset.chains[$0].table == name }
        let rules = ruleset.rules.filter { chains.contains($0.chain) }
        let base = NftBaseChain(
            type: "nat", hook: .postrouting, priority: NftBaseChain.sourceTranslationPriority)
        guard table.flags.isEmpty, !ruleset.sets.contains(where: { $0.table == name }), chains.count == 1,
            let chain = chains.first, ruleset.chains[chain].base == base, rules.count == 1, let rule = rules.first
        else { return .other }
        return NftExpression.isTranslation(ruleset.expressions(of: rule), of: wanted.network) ? .same : .other
    }
}
