internal import HostAccess
internal import HostModel
internal import WireFormats

/// What an autopsy reads from the host. Each question stands for itself: what cannot be read is noted.
extension ProofAutopsy {
    /// Before the order is sent again: the ruleset's base chains decide where the stations stand.
    init(before network: ProofNetwork, _ ground: ProofGround, on host: any Host) {
        var failures: [String] = []
        baseChains =
            Self.attempt(&failures) { () throws(HostError) in try Self.baseChains(network.family, on: host) } ?? []
        let links = [network.bridge, ground.route?.uplink].compactMap(\.self)
        for key in Self.keys(network.family, links) where !key.contains("/") {
            let text = Self.attempt(&failures) { () throws(HostError) in try host.readTextIfPresent(Self.path(key)) }
            sysctls[key] = text??.filter { !$0.isWhitespace }
        }
        self.failures = failures
    }

    private static func keys(_ family: IPFamily, _ links: [String]) -> [String] {
        guard family == .ipv4 else {
            return ["net.ipv6.conf.all.forwarding", "net.bridge.bridge-nf-call-ip6tables"]
                + links.map { "net.ipv6.conf.\($0).disable_ipv6" }
        }
        return ["net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.bridge.bridge-nf-call-iptables"]
            + links.flatMap { link in
                ["forwarding", "rp_filter", "accept_local"].map { "net.ipv4.conf.\(link).\($0)" }
            }
    }

    private static func baseChains(_ family: IPFamily, on host: any Host) throws(HostError) -> [BaseChain] {
        let messages: [[UInt8]]
        do {
            messages = try host.query(.nftChains())
        } catch {
            if error.isMissingSubsystem { return [] }
            throw error
        }
        var ruleset = NftRuleset()
        try HostError.decoding("read nftables chains") { () throws(WireError) in try ruleset.addChains(messages) }
        return ruleset.chains.compactMap { chain in
            guard let base = chain.base, !chain.table.name.hasPrefix(ProofNames.tablePrefix),
                [family == .ipv4 ? NftFamily.ipv4 : .ipv6, .inet].contains(chain.table.family)
            else { return nil }
            return BaseChain(
                table: chain.table.description, chain: chain.name, type: base.type,
                hook: base.hook.name(in: chain.table.family), priority: base.priority)
        }
    }

    /// `net.ipv4.conf.eth0.100.rp_filter`: the name of a link may hold dots.
    private static func path(_ key: String) -> String {
        let starts = ["net.ipv4.conf.", "net.ipv6.conf."]
        guard let start = starts.first(where: key.hasPrefix), let dot = key.lastIndex(of: ".") else {
            return "/proc/sys/" + key.replacing(".", with: "/")
        }
        let link = key[..<dot].dropFirst(start.count)
        return "/proc/sys/\(start.replacing(".", with: "/"))\(link)/\(key[key.index(after: dot)...])"
    }

    /// After it was sent again: what the routing table says of the packet as it was then, and how the uplink looks.
    mutating func look(at network: ProofNetwork, _ ground: ProofGround, on host: any Host) {
        var failures = self.failures
        switch network.target {
        case .v4(let target): refusals = Self.refusals(of: target, on: host, &failures)
        case .v6(let target): refusals = Self.refusals(of: target, on: host, &failures)
        }
        uplink = Self.attempt(&failures) { () throws(HostError) in try Self.uplink(ground, on: host) } ?? nil
        let mark = sightings?.sightings.last { $0.hook == "prerouting.last" && $0.mark != nil }?.mark
        self.mark = mark
        markedRouteError =
            Self.attempt(&failures) { () throws(HostError) in
                try mark.flatMap { (mark) throws(HostError) in try Self.error(of: network, mark: mark, on: host) }
            } ?? nil
        self.failures = failures
    }

    private static func refusals<Address: InternetAddress>(
        of target: Address, on host: any Host, _ failures: inout [String]
    ) -> [String] {
        (attempt(&failures) { () throws(HostError) in try routes(refusing: target, on: host) } ?? [])
            + (attempt(&failures) { () throws(HostError) in try rules(refusing: target, on: host) } ?? [])
    }

    private static func routes<Address: InternetAddress>(
        refusing target: Address, on host: any Host
    ) throws(HostError) -> [String] {
        let family = AddressFamily(IPAddress(target).family)
        let routes: [InternetRoute<Address>] = try host.routes(family)
        let refusing: [InternetRoute<Address>.Kind] = [.blackhole, .unreachable, .prohibit, .throw]
        return routes.filter { refusing.contains($0.kind) && $0.destination.contains(target) }.map {
            "\($0.kind) \(text($0.destination)) table \(table($0.table))"
        }
    }

    private static func rules<Address: InternetAddress>(
        refusing target: Address, on host: any Host
    ) throws(HostError) -> [String] {
        let family = AddressFamily(IPAddress(target).family)
        let rules: [InternetRule<Address>] = try host.policyRules(family)
        let actions: [UInt8: String] = [6: "blackhole", 7: "unreachable", 8: "prohibit"]
        return rules.compactMap { rule in
            guard let action = actions[rule.action], rule.destination?.contains(target) != false else { return nil }
            let source = rule.source.map(text) ?? "all"
            let interface = rule.inputInterface.map { " iif \($0)" } ?? ""
            let mark = rule.mark.map { " fwmark 0x\(String($0, radix: 16))" } ?? ""
            return "rule \(rule.priority): from \(source)\(interface)\(mark) \(action)"
        }
    }

    private static func error(of network: ProofNetwork, mark: UInt32, on host: any Host) throws(HostError) -> String? {
        let messages = try host.query(.link(name: network.bridge))
        let link = try HostError.decoding("read a link") { () throws(WireError) in try Link.all(in: messages) }.first
        let query: KernelQuery
        switch (network.target, ProofGround.lookupSource(network)) {
        case (.v4(let target), .v4(let source)):
            query = .routeLookup(destination: target, from: source, inputInterface: link?.index, mark: mark)
        case (.v6(let target), .v6(let source)):
            query = .routeLookup(destination: target, from: source, inputInterface: link?.index, mark: mark)
        default: return nil
        }
        do {
            _ = try host.query(query)
            return nil
        } catch {
            return ProofGround.words(error)
        }
    }

    private static func uplink(_ ground: ProofGround, on host: any Host) throws(HostError) -> Uplink? {
        guard let route = ground.route else { return nil }
        guard let link = try host.links().first(where: { $0.name == route.uplink }) else { return nil }
        let neighbours = try host.neighbours(AddressFamily(route.gateway?.family ?? .ipv4))
        let entry = neighbours.first { $0.link == link.index && $0.destination == route.gateway }
        return Uplink(
            name: link.name, isUp: link.isUp, carrier: link.carrier,
            neighbour: route.gateway == nil ? nil : entry?.stateName)
    }

    private static func text(_ prefix: some InternetPrefix) -> String {
        prefix.length == 0 ? "default" : "\(prefix)"
    }

    private static func table(_ number: UInt32) -> String {
        switch number {
        case 253: "default"
        case 254: "main"
        case 255: "local"
        default: "\(number)"
        }
    }

    private static func attempt<Value>(
        _ failures: inout [String], _ body: () throws(HostError) -> Value
    ) -> Value? {
        do {
            return try body()
        } catch {
            failures.append("\(error)")
            return nil
        }
    }
}
