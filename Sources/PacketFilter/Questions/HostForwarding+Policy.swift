package import HostModel

/// Which way a packet is sent, and which rule of the routing policy sends it there.
package struct PolicyDecision: Sendable, Hashable {
    /// Nil: there is no route.
    package var kind: HostForwarding.FibRoute.Kind?
    /// The names of the links that it may leave by.
    package var links: [String]
    /// The rule whose table decided; nil where none does, or there are too many to say.
    package var rule: HostForwarding.FibRule?
    /// The route that decided; nil where there is none, or a rule refuses the packet by itself.
    package var route: HostForwarding.FibRoute?

    package init(
        kind: HostForwarding.FibRoute.Kind?, links: [String], rule: HostForwarding.FibRule?,
        route: HostForwarding.FibRoute? = nil
    ) {
        self.kind = kind
        self.links = links
        self.rule = rule
        self.route = route
    }

    /// `by up0`, `no route`, `unreachable`.
    package var words: String {
        switch kind {
        case nil: "no route"
        case .unicast?: "by " + links.joined(separator: " or ")
        case let kind?: kind.rawValue
        }
    }
}

extension HostForwarding {
    /// The kernel's answer. `input` is `lo` for what the host sends itself.
    ///
    /// - Parameter applyingUnknown: whether rules apply that have a match which this model does not know.
    package func decision(
        source: IPv4Address, destination: IPv4Address, input: String, mark: UInt32 = 0, applyingUnknown: Bool = false
    ) -> PolicyDecision {
        let flow = Flow(source: source, destination: destination, input: input, mark: mark)
        guard let found = lookup(flow, ask: { _ in applyingUnknown }) else {
            return PolicyDecision(kind: nil, links: [], rule: nil)
        }
        let links = Set(found.hops.map(\.link)).sorted().compactMap { link($0)?.name }
        return PolicyDecision(
            kind: found.kind, links: links, rule: decidingRule(flow) { _ in applyingUnknown }, route: found.route)
    }

    /// What decided, as a person finds it: `rule 50: from all to 10.5.0.0/16 lookup 100, default via 203.0.113.1 dev up0
    /// table 100`.
    package func reason(of decision: PolicyDecision) -> String {
        let parts = [decision.rule.map { "rule \($0)" }, decision.route.map(words)].compactMap { $0 }
        return parts.isEmpty ? "no rule leads to a route" : parts.joined(separator: ", ")
    }

    /// Near enough as `ip route` lists it: `blackhole 10.5.0.12/32`.
    private func words(_ route: FibRoute) -> String {
        var words = route.kind == .unicast ? [] : [route.kind.rawValue]
        words.append(route.destination.length == 0 ? "default" : route.destination.description)
        for hop in route.nextHops {
            if let gateway = hop.gateway { words.append("via \(gateway)") }
            if let link = link(hop.link) { words.append("dev \(link.name)") }
        }
        if route.table != 254 { words.append("table \(FibRule.tableName(route.table))") }
        return words.joined(separator: " ")
    }

    /// The last of the fewest rules with which there is an answer.
    private func decidingRule(_ flow: Flow, ask: (String) -> Bool) -> FibRule? {
        let all = rules.isEmpty ? Self.defaultRules : rules
        guard all.count * all.count * max(1, routes.count) < 10_000_000 else { return nil }
        var some = self
        for count in all.indices.map({ $0 + 1 }) {
            some.rules = Array(all.prefix(count))
            if some.lookup(flow, ask: ask) != nil { return all[count - 1] }
        }
        return nil
    }
}

extension HostForwarding.FibRule: CustomStringConvertible {
    /// Near enough as `ip rule` lists it: `100: from 10.5.0.0/16 iif lxcbr1 lookup 100`.
    package var description: String {
        var words = ["\(priority):"]
        if isInverted { words.append("not") }
        words.append("from \(source?.description ?? "all")")
        if let destination { words.append("to \(destination)") }
        if let inputInterface { words.append("iif \(inputInterface)") }
        if let outputInterface { words.append("oif \(outputInterface)") }
        if markMask != 0 { words.append("fwmark 0x\(String(mark, radix: 16))/0x\(String(markMask, radix: 16))") }
        switch action {
        case 1: words.append("lookup \(Self.tableName(table))")
        case 2: words.append("goto \(table)")
        case 6: words.append("blackhole")
        case 7: words.append("unreachable")
        case 8: words.append("prohibit")
        default: words.append("nop")
        }
        return words.joined(separator: " ")
    }

    /// The names of `/usr/share/iproute2/rt_tables` that the kernel itself gives a meaning.
    package static func tableName(_ table: UInt32) -> String {
        switch table {
        case 253: "default"
        case 254: "main"
        case 255: "local"
        default: String(table)
        }
    }
}
