package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `path-mtu {network, bridge, address, target}`: the largest packet on the bridge and on the way out, and who tells the
/// containers where they differ.
///
/// Two mechanisms do: the host's own ICMP "fragmentation needed" (RFC 1191), and a rule that writes the smaller size into
/// TCP's handshake (TCPMSS, `tcp option maxseg size set`).
package struct PathMTUProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "path-mtu", summary: "The MTU of a bridge against that of the way to the outside",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "bridgeMTU": .integer, "outsideMTU": .integer, "uplink": .string, "smaller": .boolean,
            "clamped": .boolean, "clampRule": .string, "fragmentationNeeded": .string, "dropRule": .string,
            "deleteRule": .string, "clamp": .string,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let address = try parameters.address("address")
        let target = try parameters.address("target")
        let state = NetworkState(host: host)
        let links = try state.links()
        guard let inside = links.named(bridge) else { throw .notApplicable("there is no link \(bridge)") }
        let filter = try NetworkFilter(on: host)
        let questions = filter.questions(
            network: try parameters.prefix("network"), bridge: bridge, address: address, target: target)
        let container = questions.someContainer
        let way = filter.forwarding.decision(source: container, destination: target, input: bridge)
        let outputs = way.links.compactMap(links.named)
        guard way.kind == .unicast, let narrow = outputs.min(by: { $0.mtu < $1.mtu }) else {
            throw .notApplicable("there is no way to the outside")
        }
        let ofRoute = try state.routes().filter { route in
            route.destination.length == 0 && route.links.contains(narrow.index) && (route.mtu ?? 0) > 0
        }.compactMap(\.mtu).min()
        let outside = min(narrow.mtu, ofRoute.map { Int($0) } ?? .max)
        var observation = Observation(
            facts: [
                "bridgeMTU": .integer(inside.mtu), "outsideMTU": .integer(outside), "uplink": .string(narrow.name),
                "smaller": .boolean(outside < inside.mtu), "clamped": .boolean(false), "clampRule": .string(""),
                "fragmentationNeeded": .string("accepted"), "dropRule": .string(""),
                "deleteRule": .string(""), "clamp": .string(""),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETLINK, RTM_GETROUTE",
                    command: "ip link show dev \(bridge); ip link show dev \(narrow.name); ip route show default",
                    value: "\(bridge) mtu \(inside.mtu), \(narrow.name) mtu \(narrow.mtu)"
                        + (ofRoute.map { ", its default route mtu \($0)" } ?? ""))
            ])
        guard outside < inside.mtu else { return observation }
        if let rule = filter.ruleset.firstRule(that: .clampsSegments) {
            observation.facts["clamped"] = .boolean(true)
            observation.facts["clampRule"] = .string(filter.ruleset.text(ofRule: rule))
            observation.evidence.append(Evidence(rule: rule, of: filter.ruleset))
        }
        observation.facts["clamp"] = .string(
            observation.facts["clamped"] == .boolean(true) ? "" : Self.clamp(filter.ruleset))
        // Type 3, code 4, about a packet of the container: from the bridge's address to it.
        let message = SamplePacket(
            inputInterface: nil, source: address, destination: container, protocol: .icmp, sourcePort: 3,
            destinationPort: 4, connectionState: .related)
        let result = questions.walk.walk(message)
        observation.facts["fragmentationNeeded"] = .string(result.verdict.rawValue)
        if result.verdict == .dropped, let killer = result.killer {
            observation.facts["dropRule"] = .string(killer.text)
            observation.facts["deleteRule"] = .string(Self.deletion(of: killer) ?? "")
            observation.evidence.append(Evidence(killer))
        }
        return observation
    }

    /// The command that takes the rule out of its chain; nil for a policy.
    private static func deletion(of killer: Killer) -> String? {
        guard let table = killer.table, let chain = killer.chain else { return nil }
        if killer.text.hasPrefix("-") {
            let program = killer.backend == "iptables-legacy" ? "iptables-legacy" : "iptables"
            return killer.rule.map { "\(program) -t \(table) -D \(chain) \($0)" }
        }
        guard let family = killer.family, let handle = killer.handle else { return nil }
        return "nft delete rule \(family) \(table) \(chain) handle \(handle)"
    }

    /// The command that makes the rule for TCP in the program whose rules are there: an nft host need not have iptables.
    private static func clamp(_ ruleset: Ruleset) -> String {
        let rule = "FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"
        let backends = Set(ruleset.tables.map(\.backend))
        if backends.contains(.iptablesLegacy) { return "iptables-legacy -t mangle -A \(rule)" }
        if backends.contains(.iptablesNft) { return "iptables -t mangle -A \(rule)" }
        return "nft 'add table inet mss; add chain inet mss forward { type filter hook forward priority mangle; }; "
            + "add rule inet mss forward tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu'"
    }
}
