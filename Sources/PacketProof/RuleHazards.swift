internal import HostAccess
internal import HostModel
internal import WireFormats

/// Rules that would let a copy of a fenced probe escape, or keep its address.
struct RuleHazards {
    /// Of the probes.
    let family: IPFamily
    /// What any probe may meet.
    var everywhere: [String] = []
    /// What only a packet into this host meets.
    var intoHost: [String] = []
    /// A rule of the bridge's family that makes the kernel track bridged connections.
    var bridgeTracker: String?

    /// A chain of any backend, as far as it matters here.
    private struct Chain {
        var hook: NftHook?
        var jumps: [String] = []
        var hazards: [Hazard] = []
        var diverts = false
    }

    private struct Hazard {
        var text: String
        /// The rule is about other ports than those of DHCP and DNS.
        var sparesServers: Bool
    }

    private static func words(_ name: String) -> String? {
        switch name {
        case "dup", "TEE": "would copy a probe to another host or link (\(name))"
        case "fwd": "would send a probe to another link (\(name))"
        case "queue", "NFQUEUE": "would hand a probe to a program that may let it go when nothing stops it (\(name))"
        // Not hashlimit: it counts an address for some seconds, and nothing else ever asks for that.
        case "dynset", "SET", "recent", "connlimit":
            "would remember the address of a probe (\(name))"
        default: nil
        }
    }

    private static let diverting: Set<String> = ["DNAT", "REDIRECT", "TPROXY", "tproxy"]

    /// Adds the hazards of the chains of a table that a probe may reach.
    private mutating func add(_ table: [String: Chain], always: Bool) {
        // Only a diverted probe to the outside comes to INPUT; what is meant for this host does anyhow.
        let mayBeDiverted = table.values.contains(where: \.diverts)
        let outside = Self.reached(in: table) { always || $0 != .output && ($0 != .input || mayBeDiverted) }
        everywhere += outside.sorted().flatMap { table[$0]?.hazards ?? [] }.map(\.text)
        let input = Self.reached(in: table) { $0 == .input }.subtracting(outside)
        intoHost += input.sorted().flatMap { table[$0]?.hazards ?? [] }.filter { !$0.sparesServers }.map(\.text)
    }

    /// The chains that base chains of these hooks lead to.
    private static func reached(in table: [String: Chain], from isStart: (NftHook) -> Bool) -> Set<String> {
        var reached: Set<String> = []
        var waiting = table.filter { $0.value.hook.map(isStart) ?? false }.map(\.key)
        while let name = waiting.popLast() {
            guard reached.insert(name).inserted, let chain = table[name] else { continue }
            waiting += chain.jumps
        }
        return reached
    }

    // MARK: nftables

    /// Reads the rules that a probe which comes in by a link may meet.
    mutating func readRules(on link: String, _ host: any Host) throws(HostError) {
        let chains: [[UInt8]]
        do {
            chains = try host.query(.nftChains())
        } catch {
            // Without nf_tables there are no rules that could do harm.
            if error.isMissingSubsystem { return }
            throw error
        }
        guard !chains.isEmpty else { return }
        var ruleset = NftRuleset()
        try HostError.decoding("read nftables chains") { () throws(WireError) in try ruleset.addChains(chains) }
        let rules = try host.query(.nftRules())
        let behind = ruleset.chains.indices.filter { standsBehindFence(ruleset.chains[$0]) }
        // Most rulesets hold nothing of the kind, and then need no reading.
        guard !behind.isEmpty || rules.contains(where: Self.isSuspect) else { return }
        try HostError.decoding("read nftables rules") { () throws(WireError) in try ruleset.addRules(rules) }
        for index in behind {
            let chain = ruleset.chains[index]
            guard chain.base?.policy == .drop || ruleset.rules.contains(where: { $0.chain == index }) else { continue }
            let words = "chain \(chain.table) \(chain.name) stands behind the fence, at the last priority of its hook"
            if chain.base?.hook == .input { intoHost.append(words) } else { everywhere.append(words) }
        }
        var tables: [NftTableName: [String: Chain]] = [:]
        for chain in ruleset.chains {
            let isElsewhere = chain.table.family == .netdev && chain.base?.devices.contains(link) == false
            tables[chain.table, default: [:]][chain.name] = Chain(hook: isElsewhere ? nil : chain.base?.hook)
        }
        var positions = [Int](repeating: 0, count: ruleset.chains.count)
        for rule in ruleset.rules where ruleset.chains.indices.contains(rule.chain) {
            positions[rule.chain] += 1
            let chain = ruleset.chains[rule.chain]
            let expressions = Array(ruleset.expressions(of: rule))
            let place = Place(
                words: "rule \(positions[rule.chain]) (handle \(rule.handle)) of \(chain.table) \(chain.name)",
                sparesServers: Self.sparesServers(expressions))
            for expression in expressions {
                if chain.table.family == .bridge, Self.tracks(expression) {
                    bridgeTracker = bridgeTracker ?? "\(place.words) tracks bridged connections"
                }
                Self.note(
                    expression, place, in: &tables[chain.table, default: [:]][chain.name, default: Chain()])
            }
        }
        for (name, table) in tables.sorted(by: { $0.key.description < $1.key.description })
        where [family == .ipv4 ? .ipv4 : .ipv6, .inet, .bridge, .netdev].contains(name.family) {
            add(table, always: name.family == .netdev)
        }
    }

    /// Whether a chain comes after the fence, so that no probe shows what it does. Chains of other proofs do not count: they act
    /// on their own packets only.
    private func standsBehindFence(_ chain: NftChain) -> Bool {
        guard let base = chain.base, !chain.table.name.hasPrefix(ProofNames.tablePrefix) else { return false }
        // At INPUT of IPv6 the fence stands one further ahead.
        let isAhead = base.hook == .input && family == .ipv6
        guard base.priority >= NftBaseChain.fencePriority - (isAhead ? 1 : 0) else { return false }
        switch chain.table.family {
        case family == .ipv4 ? .ipv4 : .ipv6, .inet: return base.hook == .postrouting || base.hook == .input
        case .bridge: return base.hook == .postrouting
        default: return false
        }
    }

    private struct Place {
        var words: String
        var sparesServers: Bool
    }

    private static func tracks(_ expression: NftExpression) -> Bool {
        switch expression {
        case .conntrack, .setConntrack: true
        default: false
        }
    }

    private static func note(_ expression: NftExpression, _ place: Place, in chain: inout Chain) {
        switch expression {
        case .verdict(.jump(let name)), .verdict(.goto(let name)): chain.jumps.append(name)
        case .redirect: chain.diverts = true
        case .nat(let nat) where nat.kind == .destination: chain.diverts = true
        case .other(let name): note(name, place, in: &chain)
        case .target(let xt), .match(let xt): note(xt.name, place, in: &chain)
        default: break
        }
    }

    private static func note(_ name: String, _ place: Place, in chain: inout Chain) {
        if diverting.contains(name) { chain.diverts = true }
        if let words = words(name) {
            chain.hazards.append(Hazard(text: "\(place.words) \(words)", sparesServers: place.sparesServers))
        }
    }

    /// Whether a rule compares the destination port with another than those of DHCP and DNS.
    private static func sparesServers(_ expressions: [NftExpression]) -> Bool {
        var isPort = false
        for expression in expressions {
            switch expression {
            case .payload(.transport, 2, 2, _): isPort = true
            case .compare(_, .equal, let value) where isPort: return !servers.map(NftValue.init(big16:)).contains(value)
            case .match(let xt): if sparesServers(XtMatch(xt)) { return true }
            default: isPort = false
            }
        }
        return false
    }

    private static let servers = [LocalPlan.dhcpPorts.server, LocalPlan.dnsPort]

    private static func sparesServers(_ match: XtMatch) -> Bool {
        guard case .ports(_, _, let destination, _) = match, !destination.inverted else { return false }
        return !servers.contains(where: destination.range.contains)
    }

    /// Names of expressions and of extensions of x_tables.
    private static let names = [
        "dup", "fwd", "dynset", "TEE", "SET", "recent", "connlimit", "queue", "NFQUEUE",
    ].map { Array($0.utf8) }
    private static let tracking = Array("ct".utf8)
    /// `nfgen_family` of the header behind `nlmsghdr`; NFPROTO_BRIDGE.
    private static let familyOffset = 16
    private static let bridgeFamily: UInt8 = 7

    /// Whether one of the names stands in a message, with the NUL behind it.
    private static func isSuspect(_ message: [UInt8]) -> Bool {
        guard message.count > familyOffset else { return false }
        let isBridge = message[familyOffset] == bridgeFamily
        var end = 0
        while let next = message[end...].firstIndex(of: 0) {
            end = next + 1
            guard next > 1 else { continue }
            func ends(with name: [UInt8]) -> Bool {
                next >= name.count && message[next - name.count..<next].elementsEqual(name)
            }
            if isBridge && ends(with: tracking) || names.contains(where: ends) { return true }
        }
        return false
    }

    // MARK: iptables-legacy

    mutating func readLegacyRules(_ host: any Host) throws(HostError) {
        let loaded = try host.readTextIfPresent("/proc/net/\(family.netfilterName)_tables_names") ?? ""
        for name in loaded.split(separator: "\n").map(String.init) {
            if family == .ipv6 {
                try note(host.legacyTable(LegacyTableName(family: .ipv6, table: name)).entries, of: name)
                continue
            }
            let reply = try host.legacyTable(LegacyTableName(family: .ipv4, table: name))
            let table: XtTable
            do {
                table = try XtTable(info: reply.info, entries: reply.entries)
            } catch {
                throw HostError(.malformed, operation: "iptables-legacy table \(name)", message: "\(error)")
            }
            var chains: [String: Chain] = [:]
            for source in table.chains {
                var chain = Chain(hook: source.hook)
                for (index, rule) in source.rules.enumerated() {
                    let place = Place(
                        words: "rule \(index + 1) of iptables-legacy \(name) \(source.name)",
                        sparesServers: rule.matches.contains { Self.sparesServers(XtMatch($0)) })
                    for match in rule.matches { Self.note(match.name, place, in: &chain) }
                    switch rule.target {
                    case .target(let target): Self.note(target.name, place, in: &chain)
                    case .verdict(.jump(let next)), .verdict(.goto(let next)): chain.jumps.append(next)
                    default: break
                    }
                }
                chains[source.name] = chain
            }
            add(chains, always: false)
        }
    }

    /// ip6tables: the table is not decoded, only searched for the names of its matches and targets.
    private mutating func note(_ entries: [UInt8], of table: String) {
        // A match or target begins at a multiple of eight: its size in two octets, its name with a NUL behind it.
        let starts = stride(from: 0, to: max(0, entries.count - 31), by: 8)
        for name in Self.names where starts.contains(where: { entries[($0 + 2)...].starts(with: name + [0]) }) {
            guard let words = Self.words(String(decoding: name, as: UTF8.self)) else { continue }
            everywhere.append("a rule of ip6tables-legacy \(table) \(words)")
        }
    }
}
