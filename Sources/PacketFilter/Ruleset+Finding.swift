package import HostModel
package import WireFormats

/// Finding what the kernel names: a rule by its handle or number, a chain by its name.
extension Ruleset {
    /// The index of a chain. `backend` tells a legacy table from one of nftables with the same name.
    package func chain(_ name: String, table: NftTableName, isLegacy: Bool) -> Int? {
        chains.firstIndex { chain in
            let owner = tables[chain.table]
            return chain.name == name && owner.name == table && (owner.backend == .iptablesLegacy) == isLegacy
        }
    }

    /// The index of the rule of a chain with this handle (nftables).
    package func rule(handle: UInt64, inChain chain: Int) -> Int? {
        guard chains.indices.contains(chain) else { return nil }
        return chains[chain].rules.first { index in
            guard case .nft(let position) = rules[index].body else { return false }
            return nft.rules[position].handle == handle
        }
    }

    /// The index of the n-th rule of a chain, from 1.
    package func rule(number: Int, inChain chain: Int) -> Int? {
        guard chains.indices.contains(chain) else { return nil }
        return chains[chain].rules.first { rules[$0].number == number }
    }

    /// A policy as its own tool lists it: `-P FORWARD DROP`, or `policy drop`.
    package func policyText(ofChain chain: Int) -> String {
        guard chains.indices.contains(chain) else { return "policy drop" }
        let policy = chains[chain].base?.policy == .accept ? "accept" : "drop"
        return tables[chains[chain].table].backend == .nft
            ? "policy \(policy)" : "-P \(chains[chain].name) \(policy.uppercased())"
    }
}

extension Ruleset {
    /// The rules that may drop a packet on its way through a base chain: its own, and those of the chains it jumps to.
    package func droppingRules(from chain: Int) -> [Int] {
        var found: [Int] = []
        var seen: Set<Int> = [chain]
        var open = [chain]
        while let current = open.popLast(), chains.indices.contains(current) {
            for index in chains[current].rules {
                guard case .nft(let position) = rules[index].body else { continue }
                for case .verdict(let verdict) in nft.expressions(of: nft.rules[position]) {
                    switch verdict {
                    case .drop: found.append(index)
                    case .jump(let name), .goto(let name):
                        if let next = self.chain(named: name, inTable: chains[current].table),
                            seen.insert(next).inserted
                        {
                            open.append(next)
                        }
                    default: continue
                    }
                }
            }
        }
        return found.sorted()
    }
}

extension Ruleset {
    /// The address that a rule sends packets on to (DNAT), the first of several; nil for every other rule.
    package func newDestination(ofRule index: Int) -> IPv4Address? {
        guard rules.indices.contains(index) else { return nil }
        switch rules[index].body {
        case .legacy(let entry):
            guard case .target(let xt) = entry.target else { return nil }
            return Self.newDestination(xt)
        case .nft(let position):
            guard nft.rules[position].traits.contains(.translates) else { return nil }
            for expression in nft.expressions(of: nft.rules[position]) {
                if case .target(let xt) = expression { return Self.newDestination(xt) }
                guard case .nat(let nat) = expression, nat.kind == .destination else { continue }
                let words = text(ofRule: index).split(separator: " ")
                guard let place = words.firstIndex(of: "to"), place + 1 < words.count else { return nil }
                return IPv4Address(String(words[place + 1].prefix { $0 != ":" && $0 != "-" }))
            }
            return nil
        }
    }

    /// The rules whose text may name a link or an address: all that do, and few others. Text is worth making of these.
    package func rules(thatMayName link: String, or address: IPv4Address) -> [Int] {
        let mention = RuleMention(link: link, address: address.octets, text: address.description)
        var found: [Int] = []
        for chain in chains {
            let isOfThatName = mention.stands(in: chain.name)
            for index in chain.rules where isOfThatName || mayName(mention, index) { found.append(index) }
        }
        return found
    }

    private func mayName(_ mention: RuleMention, _ index: Int) -> Bool {
        guard case .nft(let position) = rules[index].body else { return true }
        return nft.mayMention(mention, in: nft.rules[position])
    }

    private static func newDestination(_ xt: XtExtension) -> IPv4Address? {
        guard case .destinationNat(let range) = XtTarget(xt) else { return nil }
        return range.addresses?.lowerBound
    }
}
