internal import HostModel

/// The forwarding information base: policy rules and routes, as the kernel looks them up (net/ipv4/fib_rules.c,
/// fib_trie.c).
extension HostForwarding {
    /// What is looked up.
    struct Flow {
        var source: IPv4Address
        var destination: IPv4Address
        /// The name of the input link; `lo` for what the host sends itself.
        var input: String
        /// Only routes by this link count.
        var output: UInt32?
        var mark: UInt32
    }

    struct Found {
        var kind: FibRoute.Kind
        var route: FibRoute?
        /// Those that are alive.
        var hops: [NextHop]

        func uses(_ link: UInt32) -> Bool { hops.contains { $0.link == link } }
    }

    package static let defaultRules = [
        FibRule(priority: 0, table: 255), FibRule(priority: 32766, table: 254), FibRule(priority: 32767, table: 253),
    ]

    private var effectiveRules: [FibRule] { rules.isEmpty ? Self.defaultRules : rules }

    /// Nil where there is no route. `ask` decides a rule's match that is not known, by name.
    func lookup(_ flow: Flow, ask: (String) -> Bool) -> Found? {
        let rules = effectiveRules
        var next = 0
        var steps = 0
        while next < rules.count, steps < 100_000 {
            steps += 1
            let rule = rules[next]
            next += 1
            guard matches(rule, flow, ask) else { continue }
            switch rule.action {
            case 1:
                guard let found = search(rule.table, flow, suppressed: rule.suppressedPrefixLength, ask) else {
                    continue
                }
                if found.kind == .throw { continue }
                return found
            case 2:
                // Only forwards, as the kernel demands.
                guard let target = rules.firstIndex(where: { $0.priority >= rule.table }), target >= next else {
                    continue
                }
                next = target
            case 6: return Found(kind: .blackhole, route: nil, hops: [])
            case 7: return Found(kind: .unreachable, route: nil, hops: [])
            case 8: return Found(kind: .prohibit, route: nil, hops: [])
            default: continue
            }
        }
        return nil
    }

    private func matches(_ rule: FibRule, _ flow: Flow, _ ask: (String) -> Bool) -> Bool {
        var isMatch = true
        if let input = rule.inputInterface, input != flow.input { isMatch = false }
        if let output = rule.outputInterface, link(output)?.index != flow.output || flow.output == nil {
            isMatch = false
        }
        if (rule.mark ^ flow.mark) & rule.markMask != 0 { isMatch = false }
        if let source = rule.source, !source.contains(flow.source) { isMatch = false }
        if let destination = rule.destination, !destination.contains(flow.destination) { isMatch = false }
        if isMatch, rule.hasOtherMatch { isMatch = ask(rule.matchName) }
        return isMatch != rule.isInverted
    }

    static let typeOfService = "routes for one type of service"

    /// The longest prefix of a table; among equals one for the packet's type of service, then the lowest metric.
    private func search(_ table: UInt32, _ flow: Flow, suppressed: Int?, _ ask: (String) -> Bool) -> Found? {
        var best: Found?
        for route in routes where route.table == table && route.destination.contains(flow.destination) {
            if let old = best?.route {
                if route.destination.length < old.destination.length { continue }
                let isSpecial = route.tos ?? 0 != 0
                if route.destination.length == old.destination.length {
                    if !isSpecial, old.tos ?? 0 != 0 { continue }
                    if isSpecial == (old.tos ?? 0 != 0), route.metric >= old.metric { continue }
                }
            }
            if let suppressed, route.destination.length <= suppressed { continue }
            if route.tos ?? 0 != 0, !ask(Self.typeOfService) { continue }
            switch route.kind {
            case .unicast, .local, .broadcast, .multicast, .other:
                let hops = route.nextHops.filter { hop in
                    !hop.isDead && (flow.output == nil || flow.output == hop.link)
                }
                if hops.isEmpty { continue }
                best = Found(kind: route.kind, route: route, hops: hops)
            default: best = Found(kind: route.kind, route: route, hops: [])
            }
        }
        return best
    }

    /// RTN_*, as `inet_addr_type` gives it: only the local table counts. With a link, only its own addresses.
    func addressType(_ address: IPv4Address, on link: UInt32? = nil) -> UInt32 {
        let value = address.value
        if value == 0 || value == .max || value >> 24 == 0 { return 3 }
        if value >> 28 == 0xe { return 5 }
        let flow = Flow(source: IPv4Address(value: 0), destination: address, input: "lo", mark: 0)
        guard let found = search(255, flow, suppressed: nil, { _ in false }) else { return 1 }
        if let link, !found.uses(link) { return 1 }
        switch found.kind {
        case .local: return 2
        case .broadcast: return 3
        case .multicast: return 5
        default: return 1
        }
    }

    /// The address that masquerading takes (`inet_select_addr`): of the link, the first primary one in whose subnet
    /// the next hop lies, else its first; else one of another link.
    func masqueradeAddress(output: Interface, nextHop: IPv4Address) -> IPv4Address? {
        var first: IPv4Address?
        for address in output.addresses where !address.isSecondary && address.scope == 0 {
            let prefix = address.peer.flatMap { IPv4Prefix(address: $0, length: address.address.length) }
            if (prefix ?? address.address).contains(nextHop) { return address.address.address }
            if first == nil { first = address.address.address }
        }
        if let first { return first }
        for link in links where link.index != output.index {
            if let other = link.addresses.first(where: { $0.scope != 253 && !$0.isSecondary && $0.scope == 0 }) {
                return other.address.address
            }
        }
        return nil
    }
}

extension HostForwarding.FibRule {
    /// The name by which a match is asked for that is not known.
    var matchName: String { "routing rule \(self)" }
}
