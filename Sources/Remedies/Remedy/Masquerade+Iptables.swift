internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// The translation as a rule of iptables, on hosts where lxc-net or saved rules speak iptables.
extension Masquerade {
    /// Plans the rule; false where this host's translation is not iptables' business.
    func planRule(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) -> Bool {
        guard let table = table(network, cause, draft) else { return false }
        let listing = draft.facts.state.rules[table] ?? IptablesListing()
        let rules = listing.rules(of: Self.chain)
        var place = IptablesRule.Place.last
        if cause.id == Self.shadowed {
            guard let shadow = rules.firstIndex(where: { shadows($0, network, draft) }) else { return false }
            if let later = rules[(shadow + 1)...].first(where: { SavedRule($0).isExemption(of: network) }) {
                throw LeftToPerson(
                    why: "behind the rule that decides, another one keeps some destinations untranslated: \(later)",
                    what: ["Put `\(later)` first, then remove or narrow `\(rules[shadow])`"],
                    withoutCommands: true)
            }
            place = .before(rules[shadow])
        }
        guard network.exempt.isEmpty else {
            throw LeftToPerson(
                why: "the profile exempts \(network.exempt.map(\.description).joined(separator: ", ")), "
                    + "and one rule cannot leave them out",
                what: [], withoutCommands: true)
        }
        let rule = IptablesRule(
            table, Self.chain, [.source(network.cidr), .notDestination(network.cidr)], .masquerade, place: place)
        try refuseForeign(network, table, draft)
        try draft.insert(
            rule, remedy: id, for: cause,
            risk: "Everything from \(network.cidr) to other networks gets the host's address, but for what earlier "
                + "rules exempt; flows that exist already keep theirs until a step of its own ends them.")
        try save(rule, network, cause, &draft)
        return true
    }

    private static let chain = "POSTROUTING"

    /// The table that translates this network, or is to.
    private func table(_ network: Network, _ cause: Cause, _ draft: PlanDraft) -> IptablesTable? {
        let settings = draft.lxcNetSettings
        let flavour = draft.facts.firewall.flavour
        if settings.makes(bridge: network.bridge),
            settings["LXC_USE_NFT"] != "true"
                || draft.facts.nftablesMissing != nil
        {
            return flavour.map { IptablesTable($0, "nat") }
        }
        // Somebody else's rule, in the world where it is.
        for flavour in IptablesFlavour.allCases {
            let table = IptablesTable(flavour, "nat")
            let rules = draft.facts.state.rules[table]?.rules(of: Self.chain) ?? []
            if rules.contains(where: { SavedRule($0).translates(network) }) { return table }
        }
        return nil
    }

    /// Whether a rule ends the chain for everything from the network to the outside.
    private func shadows(_ line: String, _ network: Network, _ draft: PlanDraft) -> Bool {
        SavedRule(line).letsAllOut(of: network, uplink: draft.facts.uplinks[network.name])
    }

    /// Exemptions in another table would not be heard by this one.
    private func refuseForeign(_ network: Network, _ table: IptablesTable, _ draft: PlanDraft) throws(LeftToPerson) {
        let own = table.flavour == .nft ? "ip nat POSTROUTING" : "iptables-legacy -t nat POSTROUTING"
        let foreign = draft.facts.translationExemptions.filter {
            !$0.contains(own) && !draft.facts.translationShadows.contains($0)
        }
        guard foreign.isEmpty else {
            throw LeftToPerson(
                why: "another table exempts some destinations, and this rule would translate them: "
                    + foreign.joined(separator: ", "),
                what: ["iptables-save -t nat; nft list ruleset"], withoutCommands: true)
        }
    }

    /// The same in the rules that netfilter-persistent loads at boot, where they hold what shadows, or the translation.
    private func save(
        _ rule: IptablesRule, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let path = FirewallFacts.savedRules
        guard draft.facts.firewall.savesRules, let before = try draft.editable(path) else { return }
        let file = IptablesRestoreFile(path: path, bytes: before.bytes.bytes)
        let lxcNetMakesIt = draft.lxcNetSettings.makes(bridge: network.bridge)
        let place: IptablesRestoreFile.Place =
            if case .before(let neighbour) = rule.place { .before(neighbour) } else { .last }
        if place == .last, lxcNetMakesIt { return }
        guard let edited = file.adding(rule.line, chain: rule.chain, table: "nat", at: place) else { return }
        try draft.edit(
            path, before, edited.lines.bytes, remedy: id, for: cause,
            risk: "netfilter-persistent loads it at every boot, before lxc-net starts.")
        try draft.check(.checkRules(rule.table.flavour, path: path), remedy: id, for: cause)
    }
}

/// A line of iptables-save, as far as exemptions from translation go.
struct SavedRule {
    let words: [Substring]

    init(_ line: String) { words = line.split(separator: " ") }

    private func value(_ option: Substring) -> Substring? {
        guard let index = words.firstIndex(of: option), words.indices.contains(index + 1),
            index == 0 || words[index - 1] != "!"
        else { return nil }
        return words[index + 1]
    }

    private var ends: Bool {
        let target = value("-j")
        return target == "ACCEPT" || target == "RETURN"
    }

    func translates(_ network: Network) -> Bool {
        guard value("-j") == "MASQUERADE" || value("-j") == "SNAT" else { return false }
        guard let source = value("-s") else { return false }
        return IPv4Prefix(String(source)).map { $0.overlaps(network.cidr) } ?? false
    }

    /// It decides for some destinations, or some traffic, of the network.
    func isExemption(of network: Network) -> Bool {
        guard ends else { return false }
        guard let source = value("-s"), let prefix = IPv4Prefix(String(source)) else { return true }
        return prefix.overlaps(network.cidr)
    }

    /// Nothing about it but a source that holds the network, and the uplink.
    func letsAllOut(of network: Network, uplink: String?) -> Bool {
        guard ends else { return false }
        var index = 2
        while index < words.count {
            let next = words.indices.contains(index + 1) ? String(words[index + 1]) : ""
            switch words[index] {
            case "-j": break
            case "-s":
                guard let source = IPv4Prefix(next), source.contains(network.cidr) else { return false }
            case "-o":
                guard next == uplink else { return false }
            default: return false
            }
            index += 2
        }
        return true
    }
}
