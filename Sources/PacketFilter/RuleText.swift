internal import HostModel
internal import WireFormats

extension Ruleset {
    /// A rule as its own tool lists it: `ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade`, or
    /// `-A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE`. Without counts: they say nothing.
    package func text(ofRule index: Int) -> String {
        guard rules.indices.contains(index) else { return "" }
        let rule = rules[index]
        let chain = chains[rule.chain]
        switch rule.body {
        case .legacy(let entry):
            return "-A \(chain.name)" + XtSentence(entry, set: name(ofIPSet:)).text
        case .nft(let position):
            let rule = nft.rules[position]
            let table = tables[chain.table]
            let expressions = nft.listedExpressions(of: rule)
            if table.backend == .iptablesNft {
                let sentence = XtSentence(expressions, table.name.family, links: links, set: name(ofIPSet:))
                return "-A \(chain.name)" + sentence.text
            }
            var sentence = NftSentence(table.name.family, links: links) { set(named: $0, inTable: chain.table) }
            for expression in expressions { sentence.add(expression) }
            let comment = nft.comment(of: rule)
            return sentence.text + (comment.isEmpty ? "" : " comment \"\(comment)\"")
        }
    }

    /// The position of a rule in its chain, from 1: what `iptables -D CHAIN N` and `--line-numbers` count.
    package func position(ofRule index: Int) -> String? {
        rules.indices.contains(index) ? "\(rules[index].number)" : nil
    }

    /// What `nft -a list` shows behind the rule, and `nft delete rule` wants; nil where the backend has no handles.
    package func handle(ofRule index: Int) -> String? {
        guard rules.indices.contains(index), case .nft(let position) = rules[index].body else { return nil }
        return "\(nft.rules[position].handle)"
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

    /// `ip filter FORWARD, rule 1`; of nft with the handle: `inet lxc forward, rule 1 (handle 7)`.
    package func place(ofRule index: Int) -> String {
        guard rules.indices.contains(index) else { return "" }
        let chain = chains[rules[index].chain]
        let table = tables[chain.table]
        let handle = table.backend == .nft ? handle(ofRule: index).map { " (handle \($0))" } : nil
        return "\(table.description) \(chain.name), rule \(rules[index].number)\(handle ?? "")"
    }
}
