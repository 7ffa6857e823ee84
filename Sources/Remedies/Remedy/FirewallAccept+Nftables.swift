internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import WireFormats

/// A ruleset of nftables that the operator keeps: rules at the end of the chain that drops, now and in the file that
/// nftables.service loads. What the chain decides on purpose comes before them and stays in force.
extension FirewallAccept {
    func nftables(
        _ chain: FilterChain, _ opening: Opening, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try draft.keepAllowance(of: network, for: opening)
        guard LinkName.isValid(network.bridge), !network.bridge.contains("\"") else {
            throw LeftToPerson(why: "the name \(network.bridge) cannot stand in a rule of nft", what: [])
        }
        let rules = self.rules(chain, opening, network)
        let listing = draft.facts.state.chains[chain.place] ?? NftChainListing()
        for rule in rules {
            // Behind what ends everything it would do nothing.
            let isAhead = listing.reach < listing.entries.count
            try draft.add(
                .addNftRule(rule), phase: .runtime, remedy: id,
                risk: risk(opening, network) + (chain.place.family == .inet ? " The chain is one of IPv6 too." : ""),
                for: cause, command: isAhead ? ShellChange(.addNftRule(rule)).make : nil)
        }
        try saveNftables(rules.map(\.text), chain, cause, &draft)
    }

    private func risk(_ opening: Opening, _ network: Network) -> String {
        switch opening {
        case .forwarding:
            "Containers of \(network.bridge) reach other networks, but for what earlier rules of the chain drop."
        case .answers: "Answers reach the containers of \(network.bridge)."
        case .dhcpAndDNS: "Containers of \(network.bridge) reach the host's DHCP and DNS."
        }
    }

    private func rules(_ chain: FilterChain, _ opening: Opening, _ network: Network) -> [NftChainRule] {
        let matches: [[IptablesRule.Match]] =
            switch opening {
            case .forwarding: [[.input(network.bridge)], [.output(network.bridge), .established]]
            case .answers: [[.output(network.bridge), .established]]
            case .dhcpAndDNS: Self.requested.map { [.input(network.bridge), $0] }
            }
        return matches.map { NftChainRule(chain.place, $0) }
    }

    /// In the file that makes the chain at boot. A chain that no file makes is gone with the boot, and so are the rules.
    private func saveNftables(
        _ rules: [String], _ chain: FilterChain, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let place = chain.place
        try draft.editNftables(
            making: place, remedy: id, for: cause, byHand: rules.map { "In that chain, ahead of what drops: \($0)" }
        ) { file in
            file.adding(rules, toChain: place.chain, family: place.family.name, table: place.table)
        }
    }
}
