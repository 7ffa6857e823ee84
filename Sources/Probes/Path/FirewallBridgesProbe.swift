package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `firewall-bridges {bridge}`: the firewall bridges of Proxmox VE beside the containers' bridge. A packet crosses such a
/// bridge first; with br_netfilter it is tracked there already, and what is tracked before routing is not translated behind
/// it, unless the first passage has a conntrack zone of its own.
///
/// Names: `fwbrIDiN` the bridge, `fwlnIDiN` its port, `fwprIDpN` that port's other end in the containers' bridge.
package struct FirewallBridgesProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "firewall-bridges", summary: "Firewall bridges of Proxmox VE before a container bridge",
        parameters: ["bridge": .string],
        facts: ["bridges": .strings, "count": .integer, "tracked": .boolean, "zoned": .boolean, "rule": .string])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let links = try NetworkState(host: host).links()
        guard let own = links.named(bridge) else { throw .notApplicable("there is no link \(bridge)") }
        let isEntered = links.contains { $0.master == own.index && $0.name.hasPrefix("fwpr") }
        let bridges = isEntered ? links.filter { $0.kind == "bridge" && $0.name.hasPrefix("fwbr") }.map(\.name) : []
        guard !bridges.isEmpty else { throw .notApplicable("no firewall bridge leads into \(bridge)") }
        let filter = try NetworkFilter(on: host)
        let crossed = filter.forwarding.links.filter { bridges.contains($0.name) }
        let tracked = crossed.first(where: filter.forwarding.bridgeNetfilter)
        let zone = filter.ruleset.firstRule(that: .setsZone)
        return Observation(
            facts: [
                "bridges": .strings(bridges), "count": .integer(bridges.count),
                "tracked": .boolean(tracked != nil), "zoned": .boolean(zone != nil),
                "rule": .string(zone.map(filter.ruleset.text(ofRule:)) ?? ""),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETLINK", command: "ip link show type bridge; ip link show master \(bridge)",
                    value: "\(bridges.joined(separator: ", ")) before \(bridge)"),
                zone.map { Evidence(rule: $0, of: filter.ruleset) }
                    ?? Evidence(
                        source: "nfnetlink NFT_MSG_GETRULE", command: "iptables -t raw -S PREROUTING; nft list ruleset",
                        value: "no rule sets a conntrack zone"),
            ] + ((tracked ?? crossed.first).map { [Evidence(bridgeNetfilter: $0, of: filter.forwarding)] } ?? []))
    }
}
