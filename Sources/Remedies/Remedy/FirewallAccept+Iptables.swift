internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// A ruleset of iptables that the operator keeps: the accepts go right ahead of the rule that ends everything, or stand
/// last where the policy does. What is dropped on purpose before that stays dropped.
extension FirewallAccept {
    func iptables(
        _ opening: Opening, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try draft.keepAllowance(of: network, for: opening)
        var killers: [String] = []
        var isOpened = false
        for flavour in IptablesFlavour.allCases {
            let table = IptablesTable(flavour, "filter")
            guard let listing = draft.facts.state.rules[table] else { continue }
            let aim = IptablesAim(opening, network, uplink: draft.facts.uplinks[network.name])
            if let decision = aim.decision(in: listing) {
                killers.append(decision)
                continue
            }
            guard let rules = aim.accepts(in: listing, table) else {
                killers += aim.killer(in: listing).map { [$0] } ?? []
                continue
            }
            isOpened = true
            try insert(rules, network, cause, &draft)
            if flavour == draft.facts.firewall.flavour { try save(rules, aim, cause, &draft) }
        }
        guard !isOpened else { return }
        guard killers.isEmpty else { throw Self.meant(killers) }
        let place = cause.evidence.first.map { " (\($0.source))" } ?? ""
        throw LeftToPerson(
            why: "what drops is in a chain that this program does not open\(place)",
            what: byHand(opening, network).map { "There, ahead of what drops: \($0)" })
    }

    /// Rules that drop some packets only are left to whoever wrote them.
    static func meant(_ killers: [String]) -> LeftToPerson {
        LeftToPerson(
            why: "what drops is no rule against everything, so it may be meant: \(killers.joined(separator: ", "))",
            what: ["Narrow that rule, or accept ahead of it what should pass: iptables -S"], withoutCommands: true)
    }

    /// As nft(8) writes it, in terms that every hook knows.
    private func byHand(_ opening: Opening, _ network: Network) -> [String] {
        let requests = "iifname \"\(network.bridge)\" udp dport { 53, 67 } accept"
        let answers = "ip daddr \(network.cidr) ct state established,related accept"
        return switch opening {
        case .forwarding: ["ip saddr \(network.cidr) accept", answers]
        case .answers: [answers]
        case .dhcpAndDNS: [requests, "iifname \"\(network.bridge)\" tcp dport 53 accept"]
        }
    }

    /// In the rules that netfilter-persistent loads at boot, where they decide; there, too, ahead of what ends
    /// everything.
    private func save(
        _ rules: [IptablesRule], _ aim: IptablesAim, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let path = FirewallFacts.savedRules
        guard draft.facts.firewall.savesRules, let before = try draft.editable(path), let first = rules.first else {
            return
        }
        var file = IptablesRestoreFile(path: path, bytes: before.bytes.bytes)
        guard file.decides(in: "filter") else { return }
        for rule in rules {
            let saved = IptablesListing(text: file.text(ofTable: "filter"))
            guard let end = saved.end(of: rule.matches, in: aim.opening.chain) else { continue }
            let place: IptablesRestoreFile.Place = end.line.map { .before($0) } ?? .last
            let own = IptablesRule(rule.table, end.chain, rule.matches, .accept)
            guard !file.hasCounters(in: "filter"),
                let edited = file.adding(own.line, chain: own.chain, table: "filter", at: place)
            else {
                throw LeftToPerson(
                    why: "\(path) is not as iptables-save writes it", what: ["netfilter-persistent save"])
            }
            file = edited
        }
        guard file.lines.bytes != before.bytes.bytes else { return }
        try draft.edit(
            path, before, file.lines.bytes, remedy: id, for: cause,
            risk: "netfilter-persistent loads it at every boot.")
        try draft.check(.checkRules(first.table.flavour, path: path), remedy: id, for: cause)
    }
}

/// What a ruleset of iptables is to let through, and where it stops it.
struct IptablesAim {
    let opening: FirewallAccept.Opening
    private let network: Network
    private let uplink: String?
    /// A chain that is jumped to for the operator's own rules, where they are to stand; nil: wherever the end is.
    private let chain: String?

    init(_ opening: FirewallAccept.Opening, _ network: Network, uplink: String?, in chain: String? = nil) {
        self.opening = opening
        self.network = network
        self.uplink = uplink
        self.chain = chain
    }

    /// The rules that let it through and nothing that a rule drops on purpose; nil where there are none, or none is
    /// needed. The widest ones come first: narrower ones only where what drops looks at the uplink as well.
    func accepts(in listing: IptablesListing, _ table: IptablesTable) -> [IptablesRule]? {
        for matches in choices {
            let rules = matches.compactMap { matches in
                end(of: matches, in: listing).map {
                    IptablesRule(table, $0.chain, matches, .accept, place: $0.place)
                }
            }
            guard !rules.isEmpty else { continue }
            // The walk is one of new packets.
            if opening == .answers { return rules }
            var opened = listing
            for rule in rules { opened.insert(rule) }
            if killer(in: opened) == nil { return rules }
        }
        return nil
    }

    /// The rule that drops all that comes back to the network, and names it: who wrote that meant it.
    func decision(in listing: IptablesListing) -> String? {
        guard opening != .dhcpAndDNS, let uplink,
            let line = listing.end(
                of: [.input(uplink), .output(network.bridge), .established], in: chain ?? opening.chain)?.line
        else { return nil }
        let words = line.split(separator: " ")
        return zip(words, words.dropFirst()).contains { $0 == "-o" && $1 == network.bridge } ? line : nil
    }

    private func end(of matches: [IptablesRule.Match], in listing: IptablesListing) -> IptablesEnd? {
        if let chain { return listing.end(of: matches, inOperatorsChain: chain) }
        return listing.end(of: matches, in: opening.chain)
    }

    private var choices: [[[IptablesRule.Match]]] {
        let bridge = network.bridge
        guard opening != .dhcpAndDNS else {
            return [FirewallAccept.requested.map { [.input(bridge), $0] }]
        }
        var wide: [[IptablesRule.Match]] = [[.output(bridge), .established]]
        if opening == .forwarding { wide.append([.input(bridge)]) }
        guard let uplink else { return [wide] }
        return [wide, wide.map { $0.contains(.established) ? [.input(uplink)] + $0 : $0 + [.output(uplink)] }]
    }

    /// What drops the usual packets, whichever container sends them; nil: nothing does, or nobody can tell.
    func killer(in listing: IptablesListing) -> String? {
        var found: String?
        for source in [network.cidr.first.value &+ 2, network.cidr.last.value &- 1].map(IPv4Address.init) {
            let rule = packets(from: source).lazy.compactMap { packet -> String? in
                if case .dropped(let rule) = listing.fate(of: packet, in: opening.chain) { rule } else { nil }
            }.first
            guard let rule else { return nil }
            found = rule
        }
        return found
    }

    private func packets(from source: IPv4Address) -> [NewPacket] {
        let isForwarded = opening != .dhcpAndDNS
        let all: [(NewPacket.Transport, Int)] =
            isForwarded ? [(.udp, 443), (.tcp, 443), (.icmp, 0)] : [(.udp, 67), (.udp, 53), (.tcp, 53)]
        return all.map { packet(from: source, $0, $1) }
    }

    private func packet(from source: IPv4Address, _ transport: NewPacket.Transport, _ port: Int) -> NewPacket {
        let isForwarded = opening != .dhcpAndDNS
        return NewPacket(
            input: network.bridge, output: isForwarded ? uplink ?? "" : "", source: source,
            destination: isForwarded ? network.target : network.address.address, transport: transport, port: port)
    }
}
