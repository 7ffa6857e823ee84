package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// What may drop ARP on its way to and from this host: chains of nftables' family arp (arptables-nft makes such ones), and
/// arptables of old, whose rules are seen by its own program alone.
package struct ARPFilters: Sendable {
    /// Chains that drop what comes in by a bridge, or what is answered there, whatever it is. Where and what: `arp filter
    /// INPUT: policy drop`.
    package var certain: [String] = []
    /// All that drop anything at all.
    package var possible: [String] = []
    package var evidence: [Evidence] = []

    /// Source: arptables.c, `proc_name`; the file is there as soon as the module is.
    private static let legacyNames = "/proc/net/arp_tables_names"

    package init(bridge: String, on host: any Host) throws(ObservationFailure) {
        let ruleset = try RulesetState(host: host).ruleset()
        for (hook, key) in [(NftHook.arpInput, NftMetaKey.inputName), (.arpOutput, .outputName)] {
            for chain in ruleset.baseChains(family: .arp, hook: hook) {
                note(chain, of: ruleset, key, bridge)
            }
        }
        do {
            guard try host.readTextIfPresent(Self.legacyNames)?.contains("filter") == true else { return }
        } catch {
            throw ObservationFailure(error)
        }
        possible.append("arptables-legacy filter")
        evidence.append(
            Evidence(source: Self.legacyNames, command: "arptables-legacy -S", value: "the table filter is in use"))
    }

    private mutating func note(_ chain: Int, of ruleset: Ruleset, _ key: NftMetaKey, _ bridge: String) {
        let table = ruleset.tables[ruleset.chains[chain].table]
        let place = "\(table.name) \(ruleset.chains[chain].name)"
        let isClosed = ruleset.chains[chain].base?.policy == .drop
        let dropping = ruleset.droppingRules(from: chain)
        guard isClosed || !dropping.isEmpty else { return }
        let end = Self.end(of: chain, in: ruleset, key, bridge)
        let rule = end == .policy ? nil : dropping.first
        let text = rule.map(ruleset.text(ofRule:)) ?? "policy drop"
        possible.append("\(place): \(text)")
        if end != .depends { certain.append("\(place): \(text)") }
        evidence.append(
            rule.map { Evidence(rule: $0, of: ruleset) }
                ?? Evidence(source: place, command: "nft -a list chain \(place)", value: text))
    }

    private enum End {
        /// Everything is dropped.
        case rule, policy
        /// Some is accepted, or may be.
        case depends
    }

    /// What becomes of whatever ARP comes to a chain. Rules that drop only some do not count; behind the first that
    /// decides otherwise nothing is certain.
    private static func end(of chain: Int, in ruleset: Ruleset, _ key: NftMetaKey, _ bridge: String) -> End {
        let here = NftValue(interface: bridge).map { NftExpression.meta(key, equal: $0) }
        for index in ruleset.chains[chain].rules {
            guard case .nft(let position) = ruleset.rules[index].body else { return .depends }
            let expressions = ruleset.nft.expressions(of: ruleset.nft.rules[position])
            guard case .verdict(let verdict)? = expressions.last else { continue }
            let matches = conditions(expressions.dropLast())
            guard verdict == .drop else { return .depends }
            if matches.isEmpty || matches == here { return .rule }
        }
        return ruleset.chains[chain].base?.policy == .drop ? .policy : .depends
    }

    /// The expressions that choose, without what every ARP of IPv4 over Ethernet has (RFC 826): hardware type, protocol and
    /// the lengths of addresses, which arptables-nft asks for in every rule.
    private static func conditions(_ expressions: some Sequence<NftExpression>) -> [NftExpression] {
        var found: [NftExpression] = []
        for expression in expressions {
            switch expression {
            case .counter, .log: continue
            case .compare where found.last.map(isFixed) == true: found.removeLast()
            default: found.append(expression)
            }
        }
        return found
    }

    private static func isFixed(_ expression: NftExpression) -> Bool {
        guard case .payload(.network, let offset, let length, _) = expression else { return false }
        return offset + length <= 6
    }
}

/// `bridge-arp {bridge}`: whether the host answers ARP on a bridge: the switch of the interface, `arp_ignore`, filters.
package struct BridgeARPProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "bridge-arp", summary: "Whether this host answers ARP on a bridge", parameters: ["bridge": .string],
        facts: ["arp": .boolean, "ignored": .boolean, "dropped": .strings])

    /// No reply at all (ip-sysctl.rst, arp_ignore).
    private static let never = 8

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let name = try parameters.string("bridge")
        guard let link = try NetworkState(host: host).links().named(name) else {
            throw .notApplicable("there is no link \(name)")
        }
        let filters = try ARPFilters(bridge: name, on: host)
        // The larger of the two counts.
        var settings: [SysctlReading] = []
        for part in ["all", name] {
            guard let key = SysctlKey("net/ipv4/conf/\(part)/arp_ignore") else { continue }
            settings.append(try SysctlReading(key, on: host))
        }
        let ignoring = settings.first { $0.text.flatMap { Int($0) } == Self.never }
        var evidence: [Evidence] = ignoring.map { [$0.evidence] } ?? []
        if !filters.certain.isEmpty { evidence += filters.evidence }
        if link.isWithoutARP || evidence.isEmpty {
            evidence.insert(
                Evidence(
                    source: "rtnetlink RTM_GETLINK \(name)", command: "ip link show dev \(name)",
                    value: link.isWithoutARP ? "NOARP" : "ARP is on"), at: 0)
        }
        return Observation(
            facts: [
                "arp": .boolean(!link.isWithoutARP), "ignored": .boolean(ignoring != nil),
                "dropped": .strings(filters.certain),
            ], evidence: evidence)
    }
}
