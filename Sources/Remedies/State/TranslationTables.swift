internal import HostAccess
internal import HostModel
internal import WireFormats

/// The nft ruleset, as far as repairs of source NAT need it.
struct TranslationTables {
    let ruleset: NftRuleset

    /// How often the ruleset is read before it counts as one that never stands still.
    private static let tries = 5

    /// Reads tables, chains and rules of family ip; `wholeRulesets`: of every family. Others change the ruleset too,
    /// proofs of other runs among them: what a change overtook is read again.
    init(_ host: any Host, wholeRulesets: Bool) throws(HostError) {
        let family: NftFamily = wholeRulesets ? .unspecified : .ipv4
        for _ in 1..<Self.tries {
            do throws(HostError) {
                let ruleset = try Self.read(host, family)
                guard ruleset.generations.count > 1 else {
                    self.ruleset = ruleset
                    return
                }
            } catch {
                // A rule whose chain was made after the chains were listed.
                guard error.code == .malformed else { throw error }
            }
            // Tables and chains may be known from before the proof, and rules be listed only now.
            (host as? RecordingHost)?.forget { request in
                if case .netlink(let query) = request { query.family == .netfilter } else { false }
            }
        }
        ruleset = try Self.read(host, family)
    }

    private static func read(_ host: any Host, _ family: NftFamily) throws(HostError) -> NftRuleset {
        let tables = try host.query(.nftTables(family))
        let chains = try host.query(.nftChains(family))
        let rules = try host.query(.nftRules(family))
        var ruleset = NftRuleset()
        try HostError.decoding("read the nft ruleset") { () throws(WireError) in
            try ruleset.addTables(tables)
            try ruleset.addChains(chains)
            ruleset.passOverProofs()
            try ruleset.addRules(rules)
        }
        return ruleset
    }

    /// Of the tables of family ip that are there, or of those named.
    func states(of names: Set<String>? = nil) -> [String: TableState] {
        var states: [String: TableState] = [:]
        for table in ruleset.tables where table.name.family == .ipv4 {
            guard names?.contains(table.name.name) ?? true else { continue }
            states[table.name.name] = translated(by: table).map(TableState.translation) ?? .other
        }
        return states
    }

    /// The network that a table translates, where it is exactly of the shape of `TranslationTable`.
    private func translated(by table: NftTable) -> IPv4Prefix? {
        guard let expressions = soleRule(of: table),
            let network = AddressMatch.all(in: expressions).addresses.first?.network
        else { return nil }
        return NftExpression.isTranslation(expressions, of: network) ? network : nil
    }

    /// The network that lxc-net's own table translates, and nothing else is in it.
    func translatedByLxcNet() -> IPv4Prefix? {
        ruleset.tables.first { $0.name == NftTableName(.ipv4, "lxc") }.flatMap { translated(by: $0) }
    }

    /// What the only rule of a table says that has no more than one chain of source NAT.
    private func soleRule(of table: NftTable) -> ArraySlice<NftExpression>? {
        let chains = ruleset.chains.indices.filter { ruleset.chains[$0].table == table.name }
        guard chains.count == 1, table.flags.isEmpty, let base = ruleset.chains[chains[0]].base,
            base.type == "nat", base.hook == .postrouting, base.priority == NftBaseChain.sourceTranslationPriority,
            base.policy == .accept
        else { return nil }
        let rules = ruleset.rules.filter { $0.chain == chains[0] }
        guard rules.count == 1 else { return nil }
        return ruleset.expressions(of: rules[0])
    }

    /// The networks that a table of nftables itself masquerades, wherever they go to outside of themselves: iptables
    /// neither made it nor replaces it.
    func translatedNatively() -> [IPv4Prefix] {
        ruleset.rules.compactMap { rule in
            let chain = ruleset.chains[rule.chain]
            guard let base = chain.base, base.type == "nat", base.hook == .postrouting,
                chain.table != NftTableName(.ipv4, "nat")
            else { return nil }
            let matches = AddressMatch.all(in: ruleset.expressions(of: rule))
            let decisions = matches.others.filter { if case .counter = $0 { false } else { true } }
            guard decisions == [.masquerade(flags: 0, ports: nil)],
                let source = matches.addresses.first(where: { $0.isSource && !$0.inverted })?.network,
                matches.addresses.allSatisfy({ $0.network == source })
            else { return nil }
            return source
        }
    }

    /// Rules of source NAT that accept or return, and so keep some traffic of the network untranslated, as text. A
    /// verdict map counts as one: its elements are not looked at.
    /// `thatLetAllOut`: only those that look at nothing but the source and these uplinks.
    func exemptions(for networks: [IPv4Prefix], thatLetAllOut uplinks: Set<String>? = nil) -> [String] {
        reachable().flatMap { index in
            let chain = ruleset.chains[index]
            return ruleset.rules.filter { $0.chain == index }.compactMap { rule -> String? in
                let matches = AddressMatch.all(in: ruleset.expressions(of: rule))
                let ends = matches.others.contains { expression in
                    switch expression {
                    case .verdict(.accept), .verdict(.return), .lookup(_, _, into: .verdict, _): true
                    default: false
                    }
                }
                let concerns = matches.addresses.allSatisfy { match in
                    !match.isSource || match.inverted || networks.contains { $0.overlaps(match.network) }
                }
                guard ends, concerns else { return nil }
                if let uplinks, !Self.letsAllOut(matches, uplinks) { return nil }
                let targets = matches.addresses.filter { !$0.isSource }
                    .map { ($0.inverted ? "all but " : "") + $0.network.description }
                return "rule \(rule.handle) of \(chain.table) \(chain.name)"
                    + (targets.isEmpty ? "" : " (\(targets.joined(separator: ", ")))")
            }
        }
    }

    /// Rules of source NAT that are about everybody but one of the networks, as text: who wrote them did not forget it.
    func rulesForOthers(than networks: [IPv4Prefix]) -> [String] {
        reachable().flatMap { index in
            let chain = ruleset.chains[index]
            return ruleset.rules.filter { $0.chain == index }.compactMap { rule -> String? in
                let leftOut = AddressMatch.all(in: ruleset.expressions(of: rule)).addresses.first { match in
                    match.isSource && match.inverted && networks.contains { match.network.contains($0) }
                }
                return leftOut.map {
                    "rule \(rule.handle) of \(chain.table) \(chain.name) (all sources but \($0.network))"
                }
            }
        }
    }

    private static func letsAllOut(
        _ matches: (addresses: [AddressMatch], others: [NftExpression]), _ uplinks: Set<String>
    ) -> Bool {
        guard matches.addresses.allSatisfy({ $0.isSource && !$0.inverted }) else { return false }
        var name: NftRegister?
        for expression in matches.others {
            switch expression {
            case .counter, .verdict: continue
            case .meta(.outputName, let register): name = register
            case .compare(let register, .equal, let value):
                guard register == name, value.bytes.contains(0) else { return false }
                let text = String(decoding: value.bytes.prefix { $0 != 0 }, as: UTF8.self)
                guard uplinks.contains(text) else { return false }
            default: return false
            }
        }
        return true
    }

    /// The base chains of source NAT and what they jump to, at most every chain once.
    private func reachable() -> [Int] {
        var order = ruleset.chains.indices.filter { index in
            let chain = ruleset.chains[index]
            return chain.base?.type == "nat" && chain.base?.hook == .postrouting
                && (chain.table.family == .ipv4 || chain.table.family == .inet)
        }
        var next = 0
        while next < order.count {
            let index = order[next]
            next += 1
            for rule in ruleset.rules where rule.chain == index {
                for expression in ruleset.expressions(of: rule) {
                    guard case .verdict(let verdict) = expression else { continue }
                    switch verdict {
                    case .jump(let name), .goto(let name):
                        let table = ruleset.chains[index].table
                        let found = ruleset.chains.firstIndex { $0.table == table && $0.name == name }
                        if let found, !order.contains(found) { order.append(found) }
                    default: break
                    }
                }
            }
        }
        return order
    }
}

/// A match on an IPv4 source or destination address, as nft and iptables-nft write it: load, mask, compare.
struct AddressMatch: Hashable {
    let isSource: Bool
    let inverted: Bool
    let network: IPv4Prefix

    /// The address matches of a rule and the expressions that are none, both in order.
    static func all(
        in expressions: ArraySlice<NftExpression>
    ) -> (addresses: [AddressMatch], others: [NftExpression]) {
        var addresses: [AddressMatch] = []
        var others: [NftExpression] = []
        var rest = expressions
        while let first = rest.first {
            if let (match, count) = AddressMatch.leading(rest) {
                addresses.append(match)
                rest = rest.dropFirst(count)
            } else {
                others.append(first)
                rest = rest.dropFirst()
            }
        }
        return (addresses, others)
    }

    /// The match that the expressions begin with, and how many of them it takes.
    private static func leading(_ expressions: ArraySlice<NftExpression>) -> (AddressMatch, Int)? {
        var rest = expressions
        guard case .payload(.network, let offset, let length, let register)? = rest.popFirst(),
            offset == 12 || offset == 16, (1...4).contains(length)
        else { return nil }
        var prefix = Int(length) * 8
        if case .bitwise(register, register, let mask, let xor)? = rest.first, length == 4 {
            rest = rest.dropFirst()
            guard xor == NftValue(big32: 0), let found = (0...32).first(where: { mask == NftValue(Self.netmask($0)) })
            else {
                return nil
            }
            prefix = found
        }
        guard case .compare(register, let comparison, let value)? = rest.popFirst(),
            comparison == .equal || comparison == .notEqual, value.count == Int(length),
            let address = IPv4Address(octets: value.bytes + [UInt8](repeating: 0, count: 4 - Int(length))),
            let network = IPv4Prefix(address: address, length: prefix)
        else { return nil }
        let match = AddressMatch(isSource: offset == 12, inverted: comparison == .notEqual, network: network.network)
        return (match, expressions.count - rest.count)
    }

    private static func netmask(_ length: Int) -> IPv4Address {
        IPv4Prefix(address: IPv4Address(value: 0), length: length)?.netmask ?? IPv4Address(value: 0)
    }
}
