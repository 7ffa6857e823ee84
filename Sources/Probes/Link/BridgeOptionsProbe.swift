package import HostAccess
package import HostModel
internal import WireFormats

/// `bridge-options {bridge}`: what a bridge does to frames beside passing them on: spanning tree, VLANs, multicast
/// snooping; and whether its hardware address is its own.
package struct BridgeOptionsProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "bridge-options", summary: "A bridge's spanning tree, VLAN and multicast settings, and its address",
        parameters: ["bridge": .string],
        facts: [
            "stp": .boolean, "forwardDelay": .integer, "waiting": .strings, "vlanFiltering": .boolean,
            "withoutVlan": .strings, "snooping": .boolean, "querier": .boolean, "foreignQueriers": .strings,
            "mac": .string, "macIsSet": .boolean, "macOfPort": .string,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let name = try parameters.string("bridge")
        let state = NetworkState(host: host)
        let links = try state.links()
        guard let bridge = links.named(name), let options = bridge.bridge else {
            throw .notApplicable("there is no bridge \(name)")
        }
        // The kernel takes the ports of a proof away a moment after the proof has ended.
        let ports = links.filter { $0.master == bridge.index && !$0.name.hasPrefix(ProofNames.linkPrefix) }
        let waiting = ports.filter { [.listening, .learning].contains($0.port?.state) }
        var facts: [String: FactValue] = [
            "stp": .boolean(options.spanningTree), "forwardDelay": .integer(options.forwardDelay / 100),
            "waiting": .strings(waiting.map(\.name)), "vlanFiltering": .boolean(options.vlanFiltering),
            "withoutVlan": .strings([]), "snooping": .boolean(options.multicastSnooping),
            "querier": .boolean(options.multicastQuerier),
            "foreignQueriers": .strings(options.foreignQueriers.map(links.name)),
            "mac": .string(bridge.mac?.description ?? ""),
            "macOfPort": .string(ports.first { $0.mac != nil && $0.mac == bridge.mac }?.name ?? ""),
        ]
        var words = ["stp \(options.spanningTree ? "on, forward delay \(options.forwardDelay / 100) s" : "off")"]
        if !waiting.isEmpty { words.append("waiting: \(waiting.map(\.name).joined(separator: " "))") }
        words.append("multicast snooping \(options.multicastSnooping ? "on" : "off")")
        if !options.foreignQueriers.isEmpty {
            words.append("querier behind \(options.foreignQueriers.map(links.name).joined(separator: " "))")
        }
        var observation = Observation()
        observation.show(
            "stp", "forwardDelay", "waiting", "snooping", "querier", "foreignQueriers",
            by: Evidence(
                source: "rtnetlink RTM_GETLINK", command: "ip -d link show dev \(name)",
                value: words.joined(separator: ", ")))
        if options.vlanFiltering {
            let tagged = try state.bridgeVLANs()
            let without = ([bridge] + ports).filter { link in
                tagged.first { $0.link == link.index }?.untagged == nil
            }.map(\.name)
            facts["withoutVlan"] = .strings(without)
            observation.show(
                "vlanFiltering", "withoutVlan",
                by: Evidence(
                    source: "rtnetlink RTM_GETLINK AF_BRIDGE", command: "bridge vlan show",
                    value: without.isEmpty
                        ? "every port has a VLAN for untagged frames"
                        : "no VLAN for untagged frames at \(without.joined(separator: " "))"))
        }
        if let type = try state.addressAssignment(of: bridge) {
            facts["macIsSet"] = .boolean(type == 3)
            observation.show(
                "mac", "macIsSet", "macOfPort",
                by: Evidence(
                    source: "/sys/class/net/\(name)/addr_assign_type",
                    command: "cat /sys/class/net/\(name)/addr_assign_type",
                    value:
                        "\(type): \(bridge.mac?.description ?? "no address") \(type == 3 ? "was set" : "was not set")"))
        }
        observation.facts = facts
        return observation
    }
}
