internal import HostModel
internal import WireFormats

/// A rule in words, part by part, before a tool's notation is chosen.
enum RulePart {
    case address(PacketField, String, inverted: Bool)
    case interface(isInput: Bool, String, inverted: Bool)
    case transport(UInt8, inverted: Bool)
    case match(XtMatch)
    /// A match in the words of `iptables -S`, with a space before it.
    case words(String)
    /// Something that only nft writes.
    case nft(String)
    case counter
    case verdict(NftVerdict)
    case masquerade
    case sourceNat(String)
    case target(XtExtension)
}

extension Ruleset {
    /// A rule as its own tool lists it: `ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade`, or
    /// `-A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE`. Without counts: they say nothing.
    package func text(ofRule index: Int) -> String {
        guard rules.indices.contains(index) else { return "" }
        let rule = rules[index]
        let chain = chains[rule.chain]
        switch rule.body {
        case .legacy(let entry):
            return "-A \(chain.name)" + XtNotation.text(XtNotation.parts(entry).map(named))
        case .nft(let position):
            let rule = nft.rules[position]
            let parts = nftParts(rule, table: chain.table).map(named)
            if tables[chain.table].backend == .iptablesNft { return "-A \(chain.name)" + XtNotation.text(parts) }
            let comment = nft.comment(of: rule)
            return NftNotation.text(parts) + (comment.isEmpty ? "" : " comment \"\(comment)\"")
        }
    }

    /// The handle of a rule; its number in the chain where the backend has no handles.
    package func handle(ofRule index: Int) -> String? {
        guard rules.indices.contains(index) else { return nil }
        switch rules[index].body {
        case .nft(let position): return "\(nft.rules[position].handle)"
        case .legacy: return "\(rules[index].number)"
        }
    }

    /// What a person types to see the chain that the rule stands in.
    package func command(forRule index: Int) -> String {
        guard rules.indices.contains(index) else { return "nft -a list ruleset" }
        let chain = chains[rules[index].chain]
        let table = tables[chain.table]
        switch table.backend {
        case .nft: return "nft -a list chain \(table.name) \(chain.name)"
        case .iptablesNft:
            return "\(table.name.family == .ipv6 ? "ip6tables" : "iptables")-nft -t \(table.name.name) -S \(chain.name)"
        case .iptablesLegacy: return "iptables-legacy -t \(table.name.name) -S \(chain.name)"
        }
    }

    /// `ip lxc postrouting, rule 1`.
    package func place(ofRule index: Int) -> String {
        guard rules.indices.contains(index) else { return "" }
        let chain = chains[rules[index].chain]
        return "\(tables[chain.table].description) \(chain.name), rule \(rules[index].number)"
    }

    /// Rules know sets of ipset by number; people by name.
    private func named(_ part: RulePart) -> RulePart {
        guard case .match(.ipset(let match)) = part else { return part }
        let places = match.isSource.map { $0 ? "src" : "dst" }.joined(separator: ",")
        return .words(" -m set\(match.inverted ? " !" : "") --match-set \(name(ofIPSet: match.index)) \(places)")
    }

    private func nftParts(_ rule: NftRule, table: Int) -> [RulePart] {
        var notation = NftNotation(family: tables[table].name.family)
        for expression in nft.expressions(of: rule) {
            notation.add(expression) { name, field in
                guard let set = set(named: name, inTable: table), set.flags.contains(.anonymous) else {
                    return "@\(name)"
                }
                return NftNotation.anonymous(set, of: field)
            }
        }
        return notation.parts
    }
}
