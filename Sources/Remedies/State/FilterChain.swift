package import HostAccess
internal import WireFormats

/// A base chain of nftables that filters what is forwarded, or what comes to the host, and drops what it is not told
/// to accept. Chains of iptables-nft and of firewalld are left out: their own programs know them.
package struct FilterChain: Codable, Sendable, Hashable {
    package enum Hook: String, Codable, Sendable {
        case forward, input
    }

    package var place: NftChainPlace
    package var hook: Hook

    package init(_ place: NftChainPlace, hook: Hook) {
        self.place = place
        self.hook = hook
    }

    /// Those of a ruleset, with the rules of each.
    static func all(in ruleset: NftRuleset) -> [(chain: FilterChain, listing: NftChainListing)] {
        ruleset.chains.compactMap { chain in
            guard let base = chain.base, base.type == "filter", let hook = hook(base.hook),
                chain.table.family == .ipv4 || chain.table.family == .inet, chain.table != FirewalldZones.table,
                chain.table.family != .ipv4 || chain.table.name != "filter" || chain.name != chain.name.uppercased()
            else { return nil }
            let place = NftChainPlace(chain.table.family, chain.table.name, chain.name)
            guard let listing = ruleset.listing(of: place)?.listing,
                base.policy == .drop || listing.entries.contains(.end)
            else { return nil }
            return (FilterChain(place, hook: hook), listing)
        }
    }

    private static func hook(_ hook: NftHook) -> Hook? {
        switch hook {
        case .forward: .forward
        case .input: .input
        default: nil
        }
    }
}
