internal import HostAccess
internal import HostModel
internal import WireFormats

/// What could let a copy of a fenced probe escape, or keep its address: read before anything is sent.
///
/// Each hazard is a reason, in words, why fence mode cannot promise what it promises.
struct ProofHazards {
    let host: any Host
    let bridge: Link
    let links: [Link]

    func read() throws(HostError) -> [String] {
        var found = bridgeHazards()
        found += try idleBridge()
        found += try trafficControl()
        found += try rules()
        found += try legacyRules()
        return found
    }

    private func decode<Value>(
        _ operation: String, _ body: () throws(WireError) -> Value
    ) throws(HostError) -> Value {
        do {
            return try body()
        } catch {
            throw HostError(.malformed, operation: operation, message: "\(error)")
        }
    }

    // MARK: The bridge

    private func bridgeHazards() -> [String] {
        bridge.hasXDP ? ["an XDP program on \(bridge.name) could send a probe elsewhere"] : []
    }

    /// A bridge without ports gains and loses carrier and hardware address as our port comes and goes; whoever manages
    /// it would answer that with a new configuration.
    private func idleBridge() throws(HostError) -> [String] {
        guard !links.contains(where: { $0.master == bridge.index }) else { return [] }
        let networkd = try host.readTextIfPresent("/run/systemd/netif/links/\(bridge.index)") ?? ""
        let manager = try host.readTextIfPresent("/run/NetworkManager/devices/\(bridge.index)") ?? ""
        var managers: [String] = []
        let isUnmanaged = networkd.contains("ADMIN_STATE=unmanaged")
        if !networkd.isEmpty, !isUnmanaged { managers.append("systemd-networkd") }
        if manager.contains("connection-uuid=") || manager.contains("managed=true") { managers.append("NetworkManager") }
        return managers.map {
            "\(bridge.name) has no ports and \($0) manages it: it would see carrier come and go"
        }
    }

    // MARK: tc

    private func trafficControl() throws(HostError) -> [String] {
        let messages = try host.query(.queueingDisciplines())
        let disciplines = try decode("RTM_GETQDISC") { () throws(WireError) in try TrafficControl.all(in: messages) }
        let kinds = disciplines.filter { $0.link == bridge.index }.map(\.kind)
        guard kinds.contains("clsact") || kinds.contains("ingress") else { return [] }
        let parent = kinds.contains("clsact") ? TrafficControl.ingress : TrafficControl.ingressRoot
        let answers = try host.query(.trafficFilters(link: bridge.index, parent: parent))
        let filters = try decode("RTM_GETTFILTER") { () throws(WireError) in try TrafficControl.all(in: answers) }
        var found: [String] = []
        if filters.contains(where: \.mirrors) {
            found.append("a tc filter on \(bridge.name) copies packets to another link (tc filter show dev \(bridge.name) ingress)")
        }
        if filters.contains(where: { $0.kind == "bpf" }) {
            found.append("a BPF program of tc on \(bridge.name) could send a probe elsewhere")
        }
        return found
    }

    // MARK: Rules

    /// A chain of any backend, as far as it matters here.
    private struct Chain {
        var hook: NftHook?
        var jumps: [String] = []
        var hazards: [String] = []
        var diverts = false
    }

    /// The hazards of those chains of a table that a probe may come to.
    private static func hazards(of table: [String: Chain], always: Bool) -> [String] {
        // Only a diverted probe comes to INPUT.
        let mayBeDiverted = table.values.contains(where: \.diverts)
        var reached: Set<String> = []
        var waiting = table.filter { _, chain in
            guard let hook = chain.hook else { return false }
            return always || hook != .output && (hook != .input || mayBeDiverted)
        }.map(\.key)
        while let name = waiting.popLast() {
            guard reached.insert(name).inserted, let chain = table[name] else { continue }
            waiting += chain.jumps
        }
        return reached.sorted().flatMap { table[$0]?.hazards ?? [] }
    }

    private static func words(_ name: String) -> String? {
        switch name {
        case "dup", "TEE": "would copy a probe to another host or link (\(name))"
        case "fwd": "would send a probe to another link (\(name))"
        case "dynset", "SET", "recent": "would remember the address of a probe (\(name))"
        default: nil
        }
    }

    private static let diverting: Set<String> = ["DNAT", "REDIRECT", "TPROXY", "tproxy"]

    // MARK: nftables

    private func rules() throws(HostError) -> [String] {
        let chains: [[UInt8]]
        do {
            chains = try host.query(.nftChains())
        } catch {
            // Without nf_tables in the kernel nfnetlink answers EINVAL; nft is not there to do harm.
            if error.code == .unsupported || error.errno == 22 { return [] }
            throw error
        }
        guard !chains.isEmpty else { return [] }
        let rules = try host.query(.nftRules())
        // Most rulesets hold nothing of the kind, and then need no reading.
        guard rules.contains(where: Self.isSuspect) else { return [] }
        var ruleset = NftRuleset()
        try decode("read nftables rules") { () throws(WireError) in
            try ruleset.addChains(chains)
            try ruleset.addRules(rules)
        }
        var tables: [NftTableName: [String: Chain]] = [:]
        for chain in ruleset.chains {
            let isElsewhere = chain.table.family == .netdev && chain.base?.devices.contains(bridge.name) == false
            tables[chain.table, default: [:]][chain.name] = Chain(hook: isElsewhere ? nil : chain.base?.hook)
        }
        for rule in ruleset.rules where ruleset.chains.indices.contains(rule.chain) {
            let chain = ruleset.chains[rule.chain]
            for expression in ruleset.expressions(of: rule) {
                Self.note(
                    expression, "rule \(rule.handle) of \(chain.table) \(chain.name)",
                    in: &tables[chain.table, default: [:]][chain.name, default: Chain()])
            }
        }
        return tables.sorted { $0.key.description < $1.key.description }.flatMap { name, table in
            [.ipv4, .inet, .bridge, .netdev].contains(name.family)
                ? Self.hazards(of: table, always: name.family == .netdev) : []
        }
    }

    private static func note(_ expression: NftExpression, _ place: String, in chain: inout Chain) {
        switch expression {
        case .verdict(.jump(let name)), .verdict(.goto(let name)): chain.jumps.append(name)
        case .redirect: chain.diverts = true
        case .nat(let nat) where nat.kind == .destination: chain.diverts = true
        case .other(let name): note(name, place, in: &chain)
        case .target(let xt), .match(let xt): note(xt.name, place, in: &chain)
        default: break
        }
    }

    private static func note(_ name: String, _ place: String, in chain: inout Chain) {
        if diverting.contains(name) { chain.diverts = true }
        if let words = words(name) { chain.hazards.append("\(place) \(words)") }
    }

    /// Names of expressions and of extensions of x_tables.
    private static let names = ["dup", "fwd", "dynset", "TEE", "SET", "recent"].map { Array($0.utf8) }

    /// Whether one of the names stands in a message, with the NUL behind it.
    private static func isSuspect(_ message: [UInt8]) -> Bool {
        var end = 0
        while let next = message[end...].firstIndex(of: 0) {
            end = next + 1
            guard next > 2 else { continue }
            if names.contains(where: { next >= $0.count && message[next - $0.count..<next].elementsEqual($0) }) {
                return true
            }
        }
        return false
    }

    // MARK: iptables-legacy

    private func legacyRules() throws(HostError) -> [String] {
        let loaded = try host.readTextIfPresent("/proc/net/ip_tables_names") ?? ""
        var found: [String] = []
        for name in loaded.split(separator: "\n").map(String.init) {
            let reply = try host.legacyTable(LegacyTableName(family: .ipv4, table: name))
            let table = try decode("iptables-legacy table \(name)") { () throws(WireError) in
                try XtTable(info: reply.info, entries: reply.entries)
            }
            var chains: [String: Chain] = [:]
            for source in table.chains {
                var chain = Chain(hook: source.hook)
                for (index, rule) in source.rules.enumerated() {
                    let place = "rule \(index + 1) of iptables-legacy \(name) \(source.name)"
                    for match in rule.matches { Self.note(match.name, place, in: &chain) }
                    switch rule.target {
                    case .target(let target): Self.note(target.name, place, in: &chain)
                    case .verdict(.jump(let next)), .verdict(.goto(let next)): chain.jumps.append(next)
                    default: break
                    }
                }
                chains[source.name] = chain
            }
            found += Self.hazards(of: chains, always: false)
        }
        return found
    }
}
