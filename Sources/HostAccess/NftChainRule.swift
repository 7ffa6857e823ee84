package import HostModel
package import WireFormats

/// A chain of nftables by its place: `inet filter forward`.
package struct NftChainPlace: Codable, Sendable, Hashable, CustomStringConvertible {
    package var family: NftFamily
    package var table: String
    package var chain: String

    package init(_ family: NftFamily, _ table: String, _ chain: String) {
        self.family = family
        self.table = table
        self.chain = chain
    }

    package var tableName: NftTableName { NftTableName(family, table) }

    package var description: String { "\(family.name) \(table) \(chain)" }
}

/// One rule that a repair may add to a chain of nftables that others own.
package struct NftChainRule: Codable, Sendable, Hashable {
    /// Where among the rules of the chain.
    package enum Position: Codable, Sendable, Hashable {
        /// Where the chain would otherwise drop whatever is left, behind everything that the owner decides on purpose.
        case end
        /// Right ahead of a rule: its expressions as on the wire, without counters, and its text.
        case before(ByteString, text: String)
    }

    package var place: NftChainPlace
    package var matches: [IptablesRule.Match]
    package var target: IptablesRule.Target
    package var position: Position
    /// For a translation: of which packets it must be proved, once it is there, that it translates them and no other.
    package var aim: Aim?

    package struct Aim: Codable, Sendable, Hashable {
        package var network: Network
        /// The link that they leave by.
        package var uplink: String

        package init(network: Network, uplink: String) {
            self.network = network
            self.uplink = uplink
        }
    }

    package init(
        _ place: NftChainPlace, _ matches: [IptablesRule.Match], _ target: IptablesRule.Target = .accept,
        position: Position = .end, aim: Aim? = nil
    ) {
        self.place = place
        self.matches = matches
        self.target = target
        self.position = position
        self.aim = aim
    }

    /// As nft(8) writes it: `iifname "lxcbr1" accept`.
    package var text: String {
        (matches.map { match in
            switch match {
            case .source(let prefix): "ip saddr \(prefix)"
            case .notDestination(let prefix): "ip daddr != \(prefix)"
            case .input(let link): "iifname \"\(link)\""
            case .output(let link): "oifname \"\(link)\""
            case .udpPort(let port): "udp dport \(port)"
            case .tcpPort(let port): "tcp dport \(port)"
            case .established: "ct state established,related"
            }
        } + [target.rawValue.lowercased()]).joined(separator: " ")
    }

    /// As the kernel keeps it, the same as nft makes of `text`. Nil where a name is too long for an interface.
    package var expressions: [NftExpression]? {
        var all: [NftExpression] = []
        for match in matches {
            switch match {
            case .source(let prefix): all += NftExpression.source(in: prefix)
            case .notDestination(let prefix): all += NftExpression.destination(notIn: prefix)
            case .input(let link), .output(let link):
                guard let name = NftValue(interface: link) else { return nil }
                let isInput = if case .input = match { true } else { false }
                all += NftExpression.meta(isInput ? .inputName : .outputName, equal: name)
            case .udpPort(let port): all += NftExpression.port(UInt16(truncatingIfNeeded: port), protocol: 17)
            case .tcpPort(let port): all += NftExpression.port(UInt16(truncatingIfNeeded: port), protocol: 6)
            case .established: all += NftExpression.established
            }
        }
        return all + [target == .accept ? .verdict(.accept) : .masquerade(flags: 0, ports: nil)]
    }
}

/// A rule of a chain, as far as an `NftChainRule` is concerned.
package enum NftChainEntry: Codable, Sendable, Hashable {
    /// Its expressions as on the wire, without counters.
    case rule(ByteString)
    /// It matches everything and drops or rejects it: what stands behind it is never reached.
    case end
}

/// A chain's rules in order. A chain that does not exist has no listing.
package struct NftChainListing: Codable, Sendable, Hashable {
    package var entries: [NftChainEntry]

    package init(_ entries: [NftChainEntry] = []) {
        self.entries = entries
    }

    /// How many rules can be reached: those before the first one that ends every packet.
    package var reach: Int { entries.firstIndex(of: .end) ?? entries.count }

    /// Where the rule stands, if it is where it can do what it is for: reached, or ahead of its neighbour where that is
    /// there.
    package func index(of rule: NftChainRule) -> Int? {
        guard let entry = Self.entry(rule) else { return nil }
        return entries[..<(neighbour(of: rule) ?? reach)].lastIndex(of: entry)
    }

    /// What the rule is to go ahead of; the count of the rules: nothing. Nil: its neighbour is gone.
    package func insertion(of rule: NftChainRule) -> Int? {
        if case .end = rule.position { return reach }
        return neighbour(of: rule)
    }

    private func neighbour(of rule: NftChainRule) -> Int? {
        guard case .before(let expressions, _) = rule.position else { return nil }
        return entries.firstIndex(of: .rule(expressions))
    }

    package mutating func insert(_ rule: NftChainRule) {
        if let entry = Self.entry(rule), let index = insertion(of: rule) { entries.insert(entry, at: index) }
    }

    package mutating func remove(_ rule: NftChainRule) {
        if let index = index(of: rule) { entries.remove(at: index) }
    }

    private static func entry(_ rule: NftChainRule) -> NftChainEntry? {
        rule.expressions.map { .rule(ByteString(NftExpression.encoded($0))) }
    }
}

extension NftRuleset {
    /// The rules of a chain and their handles; nil where there is no such chain.
    package func listing(of place: NftChainPlace) -> (listing: NftChainListing, handles: [UInt64])? {
        guard let index = chains.firstIndex(where: { $0.table == place.tableName && $0.name == place.chain }) else {
            return nil
        }
        let own = rules.filter { $0.chain == index }
        let entries = own.map { rule -> NftChainEntry in
            let expressions = expressions(of: rule).filter { if case .counter = $0 { false } else { true } }
            return Self.endsAll(expressions) ? .end : .rule(ByteString(NftExpression.encoded(expressions)))
        }
        return (NftChainListing(entries), own.map(\.handle))
    }

    /// Whether a rule looks at nothing and drops or rejects.
    private static func endsAll(_ expressions: [NftExpression]) -> Bool {
        let decisions = expressions.filter { if case .log = $0 { false } else { true } }
        guard decisions.count == 1 else { return false }
        switch decisions[0] {
        case .verdict(.drop), .reject: return true
        default: return false
        }
    }
}
