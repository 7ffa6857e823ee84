internal import HostAccess
internal import WireFormats

/// Rules in chains of others, by the flavour's own program: only it knows how that flavour stores them.
extension LiveHost {
    /// Asking for a legacy table that is not there would create it.
    func iptablesRules(of table: IptablesTable) throws(HostError) -> String {
        let command = ["\(table.flavour.program)-save", "-t", table.name]
        if table.flavour == .legacy {
            let names = try readTextIfPresent("/proc/net/ip_tables_names") ?? ""
            guard names.split(separator: "\n").contains(Substring(table.name)) else { return "" }
        }
        return try runToEnd(command, milliseconds: 10_000, limit: 16 << 20)
    }

    func addRule(_ rule: IptablesRule) throws(HostError) {
        let operation = "add to \(rule.table.flavour.program) \(rule.table.name): \(rule.line)"
        try requirePlain(rule, operation)
        let listing = try iptablesRules(rule.table) ?? IptablesListing()
        if listing.contains(rule) { return }
        guard listing.holds(rule.chain) else { throw stale(operation, "there is no chain \(rule.chain)") }
        let position = listing.position(of: rule)
        if case .before(let neighbour) = rule.place, position == nil {
            throw stale(operation, "there is no rule `\(neighbour)`")
        }
        let command = [rule.table.flavour.program] + rule.insertion(position: position)
        try runToEnd(command, milliseconds: 10_000, limit: 4_096)
    }

    func removeRule(_ rule: IptablesRule) throws(HostError) {
        let operation = "remove from \(rule.table.flavour.program) \(rule.table.name): \(rule.line)"
        try requirePlain(rule, operation)
        if let listing = try iptablesRules(rule.table), listing.contains(rule) {
            try runToEnd([rule.table.flavour.program] + rule.deletion, milliseconds: 10_000, limit: 4_096)
            CrashPoint.pass()
        }
        guard rule.makesTable == true, rule.table.flavour == .nft else { return }
        try commitOnCurrentRuleset(operation) { (generation) throws(HostError) in
            let name = NftTableName(.ipv4, rule.table.name)
            let tables = try query(.nftTables(.ipv4))
            var ruleset = NftRuleset()
            try HostError.decoding(operation) { () throws(WireError) in try ruleset.addTables(tables) }
            guard ruleset.tables.contains(where: { $0.name == name }), try iptablesRules(rule.table)?.isBare == true
            else { return nil }
            return NftTransaction.deletion(of: name, generation: generation)
        }
    }

    /// No word may pass for an option.
    private func requirePlain(_ rule: IptablesRule, _ operation: String) throws(HostError) {
        var names = [rule.chain, rule.table.name]
        for match in rule.matches {
            switch match {
            case .input(let link), .output(let link): names.append(link)
            default: break
            }
        }
        let isPlain = names.allSatisfy { name in
            !name.isEmpty && !name.hasPrefix("-") && name.utf8.count < 32
                && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
        }
        guard isPlain else { throw HostError(.malformed, operation: operation, message: "a name in it is not plain") }
    }
}
