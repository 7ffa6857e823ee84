package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `subnet-elsewhere {network, bridge}`: other links and routes that claim addresses of the bridge's subnet.
///
/// A link counts where the subnet of one of its addresses overlaps; a route where its prefix is the subnet or lies
/// inside. A default route and shorter prefixes that cover the subnet do not count: the bridge's own route is more
/// specific than they are. A route is felt where a container has an address that it takes away.
package struct SubnetElsewhereProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "subnet-elsewhere", summary: "Other interfaces and routes that claim addresses of a subnet",
        parameters: ["network": .string, "bridge": .string],
        facts: ["links": .strings, "routes": .strings, "count": .integer, "felt": .strings])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network").network
        let bridge = try parameters.string("bridge")
        let state = NetworkState(host: host)
        let links = try state.links()
        let own = links.named(bridge)?.index
        let others = try state.addresses().filter { address in
            address.link != own && address.address.length > 0 && network.overlaps(address.address)
        }.map { "\(links.name($0.link)) \($0.address)" }
        var routes: [String] = []
        var taken: [IPv4Prefix] = []
        for route in try state.routes() where route.kind == .unicast && network.contains(route.destination) {
            for link in route.links where link != own {
                taken.append(route.destination)
                routes.append(
                    "\(route.destination) dev \(links.name(link)) table \(HostForwarding.FibRule.tableName(route.table))"
                )
            }
        }
        let felt =
            taken.isEmpty
            ? []
            : try state.knownAddresses(behind: bridge).filter { address in
                taken.contains { $0.contains(address) }
            }
        let byLinks = Evidence(
            source: "rtnetlink RTM_GETADDR", command: "ip -4 address show",
            value: others.isEmpty
                ? "no other link carries an address of \(network)" : others.joined(separator: ", "))
        let byRoutes = Evidence(
            source: "rtnetlink RTM_GETROUTE", command: "ip route show table all root \(network)",
            value: routes.isEmpty ? "no route into \(network) by another link" : routes.joined(separator: ", "))
        // What is well beside what is not is no evidence of it.
        let isFree = others.isEmpty && routes.isEmpty
        return Observation(
            facts: [
                "links": .strings(others), "routes": .strings(routes), "count": .integer(others.count + routes.count),
                "felt": .strings(felt.map(\.description)),
            ],
            evidence: (isFree || !others.isEmpty ? [byLinks] : []) + (isFree || !routes.isEmpty ? [byRoutes] : []))
    }
}
