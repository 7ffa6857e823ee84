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
