package import HostAccess
package import HostModel
internal import WireFormats

/// `bridge-ports {bridge}`: the ports of a bridge, and those among them that carry nothing.
package struct BridgePortsProbe: Probe {
    /// BR_MAX_PORTS of net/bridge/br_private.h: 1 << BR_PORT_BITS.
    private static let limit = 1024

    package init() {}

    package let specification = ProbeSpecification(
        name: "bridge-ports", summary: "A bridge's ports: which are down, isolated or left over, and room for more",
        parameters: ["bridge": .string],
        facts: [
            "count": .integer, "room": .integer, "down": .strings, "isolated": .strings, "leftovers": .strings,
            "halted": .strings, "narrow": .strings,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let name = try parameters.string("bridge")
        let state = NetworkState(host: host)
        let links = try state.links()
        guard let bridge = links.named(name), bridge.kind == "bridge" else {
            throw .notApplicable("there is no bridge \(name)")
        }
        let ports = links.filter { $0.master == bridge.index }
        let leftovers = try Self.leftovers(ports, links, state)
        let down = ports.filter { !$0.isUp && !leftovers.contains($0.name) }.map(\.name)
        let isolated = ports.filter { $0.port?.isIsolated == true }.map(\.name)
        // Without spanning tree a port of a bridge that is up forwards as long as it has a carrier, unless somebody says
        // otherwise.
        let halted = ports.filter { port in
            bridge.isUp && port.isUp && port.isRunning && bridge.bridge?.spanningTree == false
                && port.port?.state == .disabled
                && !leftovers.contains(port.name)
        }.map(\.name)
        // By itself a bridge takes the smallest MTU of its ports; one that somebody has set stays.
        let narrow = ports.filter { $0.mtu < bridge.mtu }.map { "\($0.name) \($0.mtu)" }
        var words = ["\(ports.count) of \(Self.limit) ports"]
        for (title, names) in [
            ("down", down), ("disabled", halted), ("isolated", isolated), ("left over", leftovers),
            ("smaller than \(bridge.mtu)", narrow),
        ]
        where !names.isEmpty {
            words.append("\(title): \(names.prefix(16).joined(separator: " "))")
        }
        return Observation(
            facts: [
                "count": .integer(ports.count), "room": .integer(max(0, Self.limit - ports.count)),
                "down": .strings(down), "isolated": .strings(isolated), "leftovers": .strings(leftovers),
                "halted": .strings(halted), "narrow": .strings(narrow),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETLINK", command: "ip -d link show master \(name)",
                    value: words.joined(separator: "; "))
            ])
    }

    /// Ports of which the other end lies idle in this very namespace: the container that had it is gone.
    private static func leftovers(
        _ ports: [Link], _ links: [Link], _ state: NetworkState
    ) throws(ObservationFailure) -> [String] {
        let pairs = ports.compactMap { port -> (port: Link, peer: Link)? in
            guard port.kind == "veth", port.lowerNamespace == nil, let index = port.lower,
                let peer = links.first(where: { $0.index == index }), peer.master == nil, !peer.isUp
            else { return nil }
            return (port, peer)
        }
        if pairs.isEmpty { return [] }
        let used = Set(try state.addresses().map(\.link))
        return pairs.filter { !used.contains($0.peer.index) }.map(\.port.name)
    }
}
