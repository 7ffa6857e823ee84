package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `ipv6-network {bridge, address}`: whether the bridge carries the IPv6 address that its profile wants, and whether a rule
/// translates what its containers send.
///
/// Rules of IPv6 are not part of the model of packets: a rule counts that translates at postrouting and that neither an
/// address nor an interface in it keeps from this network.
package struct IPv6NetworkProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "ipv6-network", summary: "The IPv6 address of a bridge, and the translation of its network",
        parameters: ["bridge": .string, "address": .string],
        facts: [
            "carried": .boolean, "addresses": .strings, "translated": .string, "rule": .string, "reason": .string,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let text = try parameters.string("address")
        guard let wanted = IPv6Prefix(text) else { throw .unknown("\(text) is no IPv6 address with a prefix length") }
        let state = try IPv6State(on: host)
        let own = state.addresses.filter { $0.link == bridge && $0.isGlobal }
        let ruleset = try RulesetState(host: host).ruleset()
        let uplinks = Set(state.defaultRoutes.map(\.link))
        let rule = Self.translation(of: wanted, in: ruleset, uplinks: uplinks)
        var observation = Observation(
            facts: [
                "carried": .boolean(own.contains { IPv6Prefix($0.text) == wanted }),
                "addresses": .strings(own.map(\.text)), "translated": .string(rule == nil ? "no" : "yes"),
                "rule": .string(rule.map(ruleset.text(ofRule:)) ?? ""), "reason": .string(""),
            ],
            evidence: [
                Evidence(
                    source: "/proc/net/if_inet6", command: "ip -6 address show dev \(bridge)",
                    value: own.isEmpty
                        ? "\(bridge) has no IPv6 address of its own" : own.map(\.text).joined(separator: ", "))
            ])
        guard rule == nil else {
            observation.evidence += rule.map { [Evidence(rule: $0, of: ruleset)] } ?? []
            return observation
        }
        observation.evidence.append(
            Evidence(
                source: "nfnetlink NFT_MSG_GETRULE", command: "nft list ruleset ip6; ip6tables -t nat -S POSTROUTING",
                value: "no rule translates \(text)"))
        guard let found = try LegacyTranslation(of: wanted, uplinks: uplinks, on: host) else { return observation }
        observation.facts["translated"] = .string("yes")
        observation.facts["rule"] = .string(found.rule)
        observation.evidence[observation.evidence.count - 1] = Evidence(
            source: "ip6tables-legacy nat", command: "ip6tables-legacy-save -t nat", value: found.rule)
        return observation
    }

    /// The first rule of the nat chains at postrouting that translates packets of the network.
    private static func translation(
        of network: IPv6Prefix, in ruleset: Ruleset, uplinks: Set<String>
    ) -> Int? {
        let tables = Set(
            ruleset.chains.compactMap { chain -> Int? in
                let family = ruleset.tables[chain.table].name.family
                guard let base = chain.base, base.type == "nat", base.hook == .postrouting,
                    family == .ipv6 || family == .inet, !ruleset.tables[chain.table].dormant
                else { return nil }
                return chain.table
            })
        return ruleset.rules.indices.first { index in
            guard tables.contains(ruleset.chains[ruleset.rules[index].chain].table),
                ruleset.traits(ofRule: index).contains(.translatesSource)
            else { return false }
            let expressions = ruleset.expressions(ofRule: index)
            return expressions.contains(where: isTranslation)
                && mayMatch(expressions, network: network, uplinks: uplinks)
        }
    }

    private static func isTranslation(_ expression: NftExpression) -> Bool {
        switch expression {
        case .masquerade: true
        case .nat(let nat): nat.kind == .source && nat.family == .ipv6
        case .target(let xt): xt.name == "MASQUERADE" || xt.name == "SNAT"
        default: false
        }
    }

    /// What a register was loaded with last.
    private enum Loaded {
        case source(length: Int, mask: [UInt8]?)
        case output
        case family
    }

    /// False where an address, a family or an interface in the rule is certainly another.
    private static func mayMatch(
        _ expressions: [NftExpression], network: IPv6Prefix, uplinks: Set<String>
    ) -> Bool {
        var loaded: [NftRegister: Loaded] = [:]
        for expression in expressions {
            switch expression {
            // The source of an IPv6 header: 16 bytes from the eighth on. A shorter load is a prefix.
            case .payload(let base, let offset, let length, let into):
                loaded[into] = nil
                if base == .network, offset == 8, length <= 16 {
                    loaded[into] = .source(length: Int(length), mask: nil)
                } else if base == .network, offset == 12, length <= 4 {
                    // The source of an IPv4 header, in a table of both families.
                    return false
                }
            case .meta(let key, let into):
                loaded[into] = key == .outputName ? .output : key == .networkProtocol ? .family : nil
            case .bitwise(let from, let into, let mask, _):
                guard case .source(let length, _)? = loaded[from] else { continue }
                loaded[into] = .source(length: length, mask: mask.bytes)
            case .compare(let register, let comparison, let value):
                guard let known = loaded[register] else { continue }
                let isSame: Bool
                switch known {
                case .source(let length, let mask):
                    var own = Array(network.address.octets.prefix(length))
                    if let mask { own = zip(own, mask).map { $0 & $1 } }
                    isSame = own == Array(value.bytes.prefix(own.count))
                case .output:
                    let name = String(decoding: value.bytes.prefix { $0 != 0 }, as: UTF8.self)
                    isSame = uplinks.isEmpty || uplinks.contains(name)
                case .family: isSame = value.bytes.first == 10
                }
                if comparison == .equal, !isSame { return false }
            default: break
            }
        }
        return true
    }
}
