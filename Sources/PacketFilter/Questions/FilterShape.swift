package import HostModel
internal import WireFormats

/// Whose rules drop a packet, told by their shape. The raw values are ids of causes.
package enum FilterShape: String, Sendable, CaseIterable {
    case docker = "docker-forward-drop"
    case ufw = "ufw-forward-drop"
    case shorewall = "shorewall-misconfig"
    case firewalld = "firewalld-zone"
    case killSwitch = "vpn-killswitch"
    case split = "iptables-legacy-nft-split"
    case otherTable = "nft-other-table-drop"
    case policy = "forward-policy-drop"
    case rule = "forward-rule-drop"
    /// `net.ipv4.conf.*.rp_filter`.
    case reversePath = "rp-filter-drop"
    /// A rule that looks at the reverse path.
    case reversePathRule = "rpfilter-rule-drop"
    case routing
}

extension NetworkQuestions {
    private static let vpnNames = [
        "killswitch", "kill_switch", "mullvad", "nordvpn", "nordlynx", "protonvpn", "pvpn", "expressvpn", "wg-quick",
        "tailscale", "ts-forward", "surfshark", "windscribe", "airvpn", "eddie",
    ]
    private static let vpnLinks = ["wg", "tun", "tap", "ppp", "nordlynx", "proton", "mullvad", "tailscale", "utun"]

    /// Of what drops a packet on its way through.
    package func shape(of killer: Killer) -> FilterShape {
        if killer.table == nil, killer.text.hasPrefix("rp_filter") { return .reversePath }
        if killer.table != nil, killer.rule != nil, Self.looksBack(killer.text) { return .reversePathRule }
        guard let name = killer.table,
            let table = ruleset.tables.indices.first(where: { index in
                let table = ruleset.tables[index]
                return table.name.name == name && table.name.family.name == killer.family
                    && (table.backend == .iptablesLegacy) == killer.isLegacy(in: ruleset, chain: killer.chain)
            })
        else { return .routing }
        let backend = ruleset.tables[table].backend
        let chains = ruleset.chains.filter { $0.table == table }.map(\.name)
        func has(_ beginning: String) -> Bool { chains.contains { $0.hasPrefix(beginning) } }
        if has("DOCKER") { return .docker }
        if has("ufw-") || has("ufw6-") { return .ufw }
        // Its chains for flags of TCP and for what pretends to come from everywhere.
        if chains.contains("shorewall") || has("sha-") || has("smurf") { return .shorewall }
        if name == "firewalld" || has("FORWARD_ZONES") || has("filter_FORWARD_POLICIES") { return .firewalld }
        let words = ([name, killer.chain ?? ""] + chains).map { $0.lowercased() }
        if words.contains(where: { word in Self.vpnNames.contains { word.contains($0) } })
            || opensOnlyTunnels(table, killer)
        {
            return .killSwitch
        }
        let others = ruleset.tables.indices.filter { index in
            index != table && ruleset.chains.contains { $0.table == index && $0.base != nil }
        }
        let isLegacy = backend == .iptablesLegacy
        // Each flavour of iptables has a ruleset, and only the other one knows these containers.
        if others.contains(where: { (ruleset.tables[$0].backend == .iptablesLegacy) != isLegacy }),
            isLegacy || backend == .iptablesNft, !mentions(table), others.contains(where: mentions)
        {
            return .split
        }
        if backend == .nft, name != "filter", others.contains(where: mentions), !standsBesideAccept(table, killer) {
            return .otherTable
        }
        return killer.rule == nil || Self.looksAtNothing(killer.text) ? .policy : .rule
    }

    /// Whose rules drop a packet, where the usual packets of a question are dropped by the same program; nil where they are
    /// not, or where it is a rule that somebody added by hand to a built-in chain (`INPUT`) of that program's table.
    package func shape(beside question: NetworkQuestion, of killer: Killer, chain: String) -> FilterShape? {
        guard !killer.isAdded(to: chain) else { return nil }
        let shape = shape(of: killer)
        let others = samples(question).map(walk.walk).filter { $0.verdict == .dropped }.compactMap(\.killer)
        return others.first.map(self.shape) == shape ? shape : nil
    }

    /// Whether a rule drops or rejects whatever comes to it, as the policy of its chain would.
    private static func looksAtNothing(_ text: String) -> Bool {
        let words = text.split(separator: " ")
        if words.first == "-A" { return words.count > 3 && words[2] == "-j" && ["DROP", "REJECT"].contains(words[3]) }
        let first = withoutCounter(words).first
        return first == "drop" || first == "reject"
    }

    /// The words of a listed rule without `counter`, or `counter packets N bytes N`.
    private static func withoutCounter(_ words: [Substring]) -> [Substring] {
        guard let counter = words.firstIndex(of: "counter") else { return words }
        let isFull = words.dropFirst(counter + 1).first == "packets"
        return Array(words.prefix(counter) + words.dropFirst(counter + (isFull ? 5 : 1)))
    }

    /// Whether a rule, as it is listed, asks for the way back to the source.
    private static func looksBack(_ text: String) -> Bool {
        text.contains("rpfilter") || (text.contains("fib ") && text.contains(" oif "))
    }

    /// Whether a rule of the table names the bridge or the network.
    private func mentions(_ table: Int) -> Bool {
        ruleset.rules(thatMayName: bridge, or: network.first).contains { index in
            guard ruleset.chains[ruleset.rules[index].chain].table == table else { return false }
            let text = ruleset.text(ofRule: index)
            return text.contains(bridge) || text.contains(network.description)
        }
    }

    /// Whether a rule drops in a chain that otherwise accepts all that comes from the bridge: a chain of the network's own.
    private func standsBesideAccept(_ table: Int, _ killer: Killer) -> Bool {
        guard killer.rule != nil else { return false }
        return ruleset.rules(thatMayName: bridge, or: network.first).contains { index in
            let chain = ruleset.chains[ruleset.rules[index].chain]
            guard chain.table == table, chain.name == killer.chain else { return false }
            let words = ruleset.text(ofRule: index).split { " \"{}".contains($0) }
            return Self.withoutCounter(words) == ["iifname", bridge[...], "accept"]
        }
    }

    /// Whether the dropping chain lets out by tunnels and by nothing else.
    private func opensOnlyTunnels(_ table: Int, _ killer: Killer) -> Bool {
        var found = false
        for (index, rule) in ruleset.rules.enumerated() {
            let chain = ruleset.chains[rule.chain]
            guard chain.table == table, chain.name == killer.chain else { continue }
            let text = ruleset.text(ofRule: index)
            let names = text.split { " \"{},".contains($0) }.map(String.init)
            // Who lets a tunnel's own hosts in serves them, and keeps nobody to it.
            let accepts = names.contains("accept") || names.contains("ACCEPT")
            let servesTunnel = names.indices.dropLast().contains { place in
                ["-i", "iifname", "iif"].contains(names[place])
                    && Self.vpnLinks.contains(where: { names[place + 1].hasPrefix($0) })
            }
            if accepts, servesTunnel, !text.lowercased().contains("established") { return false }
            for (place, word) in names.enumerated() where ["-o", "oifname", "oif"].contains(word) {
                guard place + 1 < names.count else { continue }
                guard Self.vpnLinks.contains(where: { names[place + 1].hasPrefix($0) }) else { return false }
                if accepts { found = true }
            }
        }
        return found
    }

    /// Rules of the chain of a translating rule that are the same as it, word for word.
    package func duplicates(of place: RulePlace) -> Int {
        var count = 0
        for (index, rule) in ruleset.rules.enumerated() {
            let chain = ruleset.chains[rule.chain]
            let table = ruleset.tables[chain.table]
            guard chain.name == place.chain, table.name.name == place.table, table.name.family.name == place.family
            else { continue }
            if ruleset.text(ofRule: index) == place.text { count += 1 }
        }
        return max(0, count - 1)
    }

    /// Packets that stand for the rest: each protocol to the target, or from it, or from one container to another. The
    /// container is the one with the address `source`, or any.
    package func samples(_ question: NetworkQuestion, of source: IPv4Address? = nil) -> [SamplePacket] {
        guard let target else { return [] }
        let container = source ?? container
        let second = IPv4Address(value: containers.ranges.last?.upperBound ?? container.value)
        let requests = [SamplePacket.Transport.udp, .tcp, .icmp].map { transport in
            SamplePacket(
                inputInterface: bridge, source: container, destination: question == .eastWest ? second : target,
                protocol: transport, sourcePort: transport == .icmp ? 8 : 40000,
                destinationPort: transport == .udp ? 53 : transport == .tcp ? 443 : 0)
        }
        guard question == .answered else { return requests }
        let sent = requests.map { ($0, walk.walk($0)) }
        // Where the way out is closed but for what is listed, only that is answered.
        let isClosed = source == nil && sent.allSatisfy { $0.1.verdict == .dropped }
        let listed = isClosed ? openEgress()?.requests.map { ($0, walk.walk($0)) } ?? [] : []
        return (sent + listed).compactMap { request, sent in
            guard sent.verdict != .dropped, let uplink = sent.uplink,
                let near = sent.sourceAfter ?? sent.sourceChoices?.first
            else { return nil }
            var answer = request
            answer.inputInterface = uplink
            (answer.source, answer.destination) = (request.destination, near)
            (answer.sourcePort, answer.destinationPort) =
                request.protocol == .icmp ? (0, 0) : (request.destinationPort, request.sourcePort)
            answer.connectionState = .established
            answer.direction = .reply
            answer.tcpFlags = 18
            if near != request.source { answer.mappedDestination = request.source }
            return answer
        }
    }
}

extension Killer {
    /// Whether it stands in iptables-legacy, where both flavours have a table of that name.
    fileprivate func isLegacy(in ruleset: Ruleset, chain: String?) -> Bool {
        let backends = Set(
            ruleset.tables.filter { $0.name.name == table && $0.name.family.name == family }.map(\.backend))
        guard backends.contains(.iptablesLegacy) else { return false }
        guard backends.count > 1 else { return true }
        if rule == nil { return text.hasSuffix("(iptables-legacy)") }
        return ruleset.rules.indices.contains { index in
            let place = ruleset.chains[ruleset.rules[index].chain]
            return ruleset.tables[place.table].backend == .iptablesLegacy && place.name == chain
                && ruleset.position(ofRule: index) == rule && ruleset.text(ofRule: index) == text
        }
    }
}
