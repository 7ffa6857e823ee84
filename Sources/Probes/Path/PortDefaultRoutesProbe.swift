package import HostAccess
package import HostModel
internal import WireFormats

/// `port-default-routes`: default routes of the host that lead into a container, and the addresses that a network
/// manager of the host has given to ports of bridges.
///
/// A veth that is no port of a bridge may be the host's own uplink (a host that is itself a container); it counts only
/// with an IPv4 link-local address (RFC 3927) and without a gateway.
package struct PortDefaultRoutesProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "port-default-routes", summary: "Default routes of the host that lead into a container's port",
        parameters: [:], facts: ["routes": .strings, "addresses": .strings, "count": .integer, "first": .boolean])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let state = NetworkState(host: host)
        let links = try state.links()
        let bridges = Set(links.filter { $0.kind == "bridge" }.map(\.index))
        let addresses = try state.addresses()
        let linkLocal = addresses.filter { $0.address.address.value >> 16 == 0xa9fe }
        func isPort(_ link: Link) -> Bool { link.master.map(bridges.contains) ?? false }
        let defaults = try state.routes().filter {
            $0.destination.length == 0 && $0.kind == .unicast && ($0.table == 254 || $0.table == 253)
        }
        let best = defaults.map(\.metric).min()
        var routes: [String] = []
        var isFirst = false
        for route in defaults {
            for link in links where route.links.contains(link.index) {
                let isOwnVeth =
                    link.kind == "veth" && route.gateway == nil && linkLocal.contains { $0.link == link.index }
                guard isPort(link) || isOwnVeth else { continue }
                routes.append(
                    "default" + (route.gateway.map { " via \($0)" } ?? "") + " dev \(link.name) metric \(route.metric)")
                if route.metric == best { isFirst = true }
            }
        }
        let strays = links.filter(isPort).flatMap { port in
            addresses.filter { $0.link == port.index }.map { "\($0.address) on \(port.name)" }
        }
        return Observation(
            facts: [
                "routes": .strings(routes), "addresses": .strings(strays), "count": .integer(routes.count),
                "first": .boolean(isFirst),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETROUTE", command: "ip route show default",
                    value: routes.isEmpty ? "no default route by a port of a bridge" : routes.joined(separator: ", ")),
                Evidence(
                    source: "rtnetlink RTM_GETADDR", command: "ip -4 address",
                    value: strays.isEmpty ? "no port of a bridge has an address" : strays.joined(separator: ", ")),
            ])
    }
}
