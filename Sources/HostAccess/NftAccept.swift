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

/// One rule that a repair may add to a chain of nftables that others own: it accepts, and stands where the chain would
/// otherwise drop whatever is left, behind everything that the owner decides on purpose.
package struct NftAccept: Codable, Sendable, Hashable {
    package var place: NftChainPlace
    package var matches: [IptablesRule.Match]

    package init(_ place: NftChainPlace, _ matches: [IptablesRule.Match]) {
        self.place = place
        self.matches = matches
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
        } + ["accept"]).joined(separator: " ")
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
        return all + [.verdict(.accept)]
    }
}

/// A rule of a chain, as far as an `NftAccept` is concerned.
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

    /// Where the rule stands, if it can be reached.
    package func index(of rule: NftAccept) -> Int? {
        guard let entry = Self.entry(rule) else { return nil }
        return entries[..<reach].lastIndex(of: entry)
    }

    package mutating func insert(_ rule: NftAccept) {
        if let entry = Self.entry(rule) { entries.insert(entry, at: reach) }
    }

    package mutating func remove(_ rule: NftAccept) {
        if let index = index(of: rule) { entries.remove(at: index) }
    }

    private static func entry(_ rule: NftAccept) -> NftChainEntry? {
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
