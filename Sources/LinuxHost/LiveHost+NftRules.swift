internal import Glibc
internal import HostAccess
internal import WireFormats

/// Rules in chains of nftables that others own, each added or removed in one transaction that the kernel refuses where
/// the ruleset changed since it was looked at.
extension LiveHost {
    /// Does nothing where the rule is in its place already.
    func addNftRule(_ rule: NftChainRule) throws(HostError) {
        let operation = "add to \(rule.place): \(rule.text)"
        guard let expressions = rule.expressions else {
            throw HostError(.malformed, operation: operation, message: "no link can have this name")
        }
        try commitOnCurrentRuleset(operation) { (generation) throws(HostError) in
            guard let (listing, handles) = try chain(rule.place, operation) else {
                throw stale(operation, "there is no such chain")
            }
            if listing.index(of: rule) != nil { return nil }
            guard let index = listing.insertion(of: rule) else {
                throw stale(operation, "the rule that it is to go ahead of is gone")
            }
            var transaction = NftTransaction(generation: generation)
            transaction.newRule(
                in: rule.place.chain, of: rule.place.tableName, before: index < handles.count ? handles[index] : nil,
                expressions)
            return transaction
        }
    }

    /// Does nothing where the rule, its chain or its table is gone.
    func removeNftRule(_ rule: NftChainRule) throws(HostError) {
        let operation = "remove from \(rule.place): \(rule.text)"
        try commitOnCurrentRuleset(operation) { (generation) throws(HostError) in
            guard let (listing, handles) = try chain(rule.place, operation), let index = listing.index(of: rule) else {
                return nil
            }
            var transaction = NftTransaction(generation: generation)
            transaction.deleteRule(handles[index], in: rule.place.chain, of: rule.place.tableName)
            return transaction
        }
    }

    private func chain(
        _ place: NftChainPlace, _ operation: String
    ) throws(HostError) -> (listing: NftChainListing, handles: [UInt64])? {
        var ruleset = NftRuleset()
        let tables = try query(.nftTables(place.family))
        try HostError.decoding(operation) { () throws(WireError) in try ruleset.addTables(tables) }
        // The kernel refuses to list what is in a table that does not exist.
        guard ruleset.tables.contains(where: { $0.name == place.tableName }) else { return nil }
        let chains = try query(.nftChains(place.family))
        let rules = try query(.nftRules(place.family, table: place.table))
        try HostError.decoding(operation) { () throws(WireError) in
            try ruleset.addChains(chains)
            try ruleset.addRules(rules)
        }
        return ruleset.listing(of: place)
    }
}
