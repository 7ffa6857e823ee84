package import HostModel

/// Which way a packet is sent, and which rule of the routing policy sends it there.
package struct PolicyDecision: Sendable, Hashable {
    /// Nil: there is no route.
    package var kind: HostForwarding.FibRoute.Kind?
    /// The names of the links that it may leave by.
    package var links: [String]
    /// The rule whose table decided; nil where none does, or there are too many to say.
    package var rule: HostForwarding.FibRule?

    package init(kind: HostForwarding.FibRoute.Kind?, links: [String], rule: HostForwarding.FibRule?) {
        self.kind = kind
        self.links = links
        self.rule = rule
    }
}

extension HostForwarding {
    /// The kernel's answer for an unmarked packet. `input` is `lo` for what the host sends itself. Rules with a match that
    /// this model does not know do not apply.
    package func decision(source: IPv4Address, destination: IPv4Address, input: String) -> PolicyDecision {
        let flow = Flow(source: source, destination: destination, input: input, mark: 0)
        guard let found = lookup(flow, ask: { _ in false }) else {
            return PolicyDecision(kind: nil, links: [], rule: nil)
        }
        let links = Set(found.hops.map(\.link)).sorted().compactMap { link($0)?.name }
        return PolicyDecision(kind: found.kind, links: links, rule: decidingRule(flow))
    }

    /// The last of the fewest rules with which there is an answer.
    private func decidingRule(_ flow: Flow) -> FibRule? {
        let all = rules.isEmpty ? Self.defaultRules : rules
        guard all.count * all.count * max(1, routes.count) < 10_000_000 else { return nil }
        var some = self
        for count in all.indices.map({ $0 + 1 }) {
            some.rules = Array(all.prefix(count))
            if some.lookup(flow, ask: { _ in false }) != nil { return all[count - 1] }
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
