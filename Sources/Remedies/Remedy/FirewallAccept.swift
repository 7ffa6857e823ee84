internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes

/// Lets a network through the firewall of the host: at once in the chain that its owner keeps for such rules, and for
/// good in the owner's own files. Foreign rules stay as they are, and where they let the network out for some purposes
/// only, so does all.
struct FirewallAccept: Remedy {
    let id = "firewall-accept"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let opening: Opening =
            switch cause.id {
            case "input-drops-dhcp-dns": .dhcpAndDNS
            case "forward-return-missing": .answers
            default: .forwarding
            }
        switch owner(of: cause, opening, draft) {
        case .ufw: try ufw(opening, network, cause, &draft)
        case .docker: try docker(network, cause, &draft)
        case .shorewall:
            let zone = ShorewallZone()
            try zone.plan(cause, in: &draft)
            try draft.credit(cause, remedy: zone.id)
        case .firewalld:
            let zone = FirewalldZone()
            try zone.plan(cause, in: &draft)
            try draft.credit(cause, remedy: zone.id)
        case .nftables(let chain): try nftables(chain, opening, network, cause, &draft)
        case .iptables: try iptables(opening, network, cause, &draft)
        }
    }

    /// The remedies that let a whole network through.
    static let openers: Set<String> = ["firewall-accept", "firewalld-zone", "shorewall-zone"]

    /// What is to be let through.
    enum Opening {
        case forwarding
        /// Of what is forwarded, answers alone.
        case answers
        /// The containers' requests to this host.
        case dhcpAndDNS

        /// iptables's chain for it.
        var chain: String { self == .dhcpAndDNS ? "INPUT" : "FORWARD" }
    }

    private enum Owner {
        case ufw, docker, shorewall, firewalld, iptables
        case nftables(FilterChain)
    }

    /// Whose rules drop, as the cause itself says, else as chains tell that only one program makes.
    private func owner(of cause: Cause, _ opening: Opening, _ draft: PlanDraft) -> Owner {
        switch cause.id {
        case "ufw-forward-drop": return .ufw
        case "docker-forward-drop": return .docker
        default: break
        }
        // `inet filter forward, rule 2`: the chain comes first.
        let places = Set(cause.evidence.map { String($0.source.prefix { $0 != "," }) })
        let hook: FilterChain.Hook = opening == .dhcpAndDNS ? .input : .forward
        if let chain = draft.facts.filterChains.first(where: {
            $0.hook == hook && places.contains($0.place.description)
        }) {
            return .nftables(chain)
        }
        if places.contains(where: { $0.hasPrefix("\(FirewalldZones.table) ") }) { return .firewalld }
        let chains = IptablesFlavour.allCases.compactMap {
            draft.facts.state.rules[IptablesTable($0, "filter")]?.policies
        }
        if chains.contains(where: { $0["ufw-user-input"] != nil }) { return .ufw }
        if chains.contains(where: { $0["shorewall"] != nil }) { return .shorewall }
        return .iptables
    }

    // MARK: Parts

    /// The table that holds a chain of this name.
    func table(with chain: String, _ draft: PlanDraft) throws(LeftToPerson) -> IptablesTable {
        for flavour in IptablesFlavour.allCases {
            let table = IptablesTable(flavour, "filter")
            if draft.facts.state.rules[table]?.policies[chain] != nil { return table }
        }
        throw LeftToPerson(why: "there is no chain \(chain) any more", what: ["iptables -S"])
    }

    /// What containers ask this host for: addresses and names.
    func requests(_ network: Network, _ table: IptablesTable, _ chain: String) -> [IptablesRule] {
        Self.requested.map { IptablesRule(table, chain, [.input(network.bridge), $0], .accept) }
    }

    static let requested: [IptablesRule.Match] = [.udpPort(67), .tcpPort(53), .udpPort(53)]

    func insert(
        _ rules: [IptablesRule], _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        for rule in rules {
            let gain =
                rule.matches.contains(.established)
                ? "Answers reach the containers of \(network.bridge), "
                : "Containers of \(network.bridge) reach other networks, "
            let risk =
                rule.matches.contains(where: Self.requested.contains)
                ? "Containers of \(network.bridge) reach the host's DHCP and DNS."
                : gain
                    + (rule.place == .first
                        ? "whatever later rules of \(rule.chain) say."
                        : "but for what earlier rules of \(rule.chain) drop.")
            try draft.insert(rule, remedy: id, for: cause, risk: risk)
        }
    }
}

extension PlanDraft {
    /// Where the rules let a network do some things only, the rest may be dropped on purpose: whoever decided that is to
    /// open it, or not.
    func keepAllowance(
        of network: Network, for opening: FirewallAccept.Opening = .forwarding
    ) throws(LeftToPerson) {
        let allowed = facts.allowances[network.name]
        let decision: (rule: Allowance?, words: String) =
            switch opening {
            case .forwarding where allowed?.forwarding != nil:
                (allowed?.forwarding, "let \(network.bridge)'s containers out for some purposes only")
            case .forwarding, .answers:
                (allowed?.answers, "let answers back to some containers of \(network.bridge) only")
            case .dhcpAndDNS: (allowed?.requests, "say who of \(network.bridge) may ask this host for DHCP and DNS")
            }
        if let rule = decision.rule {
            throw LeftToPerson(
                why: "the rules \(decision.words), so that the rest may be dropped on purpose: \(rule.place) "
                    + "(\(rule.text))",
                what: [rule.listing, "Accept there, ahead of what drops, what else should pass, and no more"],
                withoutCommands: true)
        }
        if let reason = facts.allowancesUnknown[network.name] {
            throw LeftToPerson(
                why: "whether the rules let \(network.bridge)'s containers do some things only is not known: \(reason)",
                what: [])
        }
    }

    /// The interface towards the outside.
    func uplink(of network: Network) throws(LeftToPerson) -> String {
        if let uplink = facts.uplinks[network.name] { return uplink }
        throw LeftToPerson(why: "no route leads to the outside, so the uplink is not known", what: ["ip route"])
    }
}
