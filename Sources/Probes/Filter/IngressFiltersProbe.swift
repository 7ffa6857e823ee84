package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `ingress-filters {bridge, uplink, target}`: what throws packets away where a link hands them over, before any rule
/// of a firewall counts them: nftables' family netdev, and filters of traffic control.
package struct IngressFiltersProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "ingress-filters", summary: "netdev chains and tc filters that drop packets at a bridge or the uplink",
        parameters: ["bridge": .string, "uplink": .string, "target": .string],
        facts: ["atBridge": .strings, "atUplink": .strings, "count": .integer])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let state = NetworkState(host: host)
        let links = try state.links()
        let uplink = try Uplink(
            named: parameters.string("uplink"), target: try parameters.address("target"), state: state)
        let master = links.named(bridge)?.index
        let inside = Set(links.filter { $0.name == bridge || master != nil && $0.master == master }.map(\.name))
        var atBridge: [String] = []
        var atUplink: [String] = []
        var evidence: [Evidence] = []
        func note(_ devices: [String], _ text: String, _ source: String, _ command: String) {
            let here = Set(devices).intersection(inside).sorted()
            if !here.isEmpty { atBridge.append("\(here.joined(separator: " ")): \(text)") }
            if devices.contains(uplink.name) { atUplink.append("\(uplink.name): \(text)") }
            guard !here.isEmpty || devices.contains(uplink.name) else { return }
            evidence.append(Evidence(source: source, command: command, value: text))
        }
        let ruleset = try RulesetState(host: host).ruleset()
        for (index, chain) in ruleset.chains.enumerated() {
            let table = ruleset.tables[chain.table]
            guard let base = chain.base, base.isOnDevices(in: table.name.family), !table.dormant else { continue }
            let place = "\(table.description) \(chain.name)"
            for rule in ruleset.droppingRules(from: index) {
                note(
                    base.devices, ruleset.text(ofRule: rule), ruleset.place(ofRule: rule),
                    ruleset.command(forRule: rule))
            }
            if base.policy == .drop { note(base.devices, "policy drop", place, "nft list chain \(place)") }
        }
        for drop in try OutsideModel(host: host).droppingFilters() {
            let name = links.name(drop.link)
            note(
                [name], "tc \(drop.kind) action drop", "rtnetlink RTM_GETTFILTER", "tc filter show dev \(name) ingress")
        }
        if evidence.isEmpty {
            evidence = [
                Evidence(
                    source: "nfnetlink NFT_MSG_GETRULE, rtnetlink RTM_GETTFILTER",
                    command: "nft list tables netdev; tc filter show dev \(bridge) ingress",
                    value: "nothing drops at \(bridge), its ports or \(uplink.isFound ? uplink.name : "an uplink")")
            ]
        }
        return Observation(
            facts: [
                "atBridge": .strings(atBridge), "atUplink": .strings(atUplink),
                "count": .integer(atBridge.count + atUplink.count),
            ], evidence: evidence)
    }
}
