internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes
internal import WireFormats

/// What IPv6 there is outside, and what lives on the bridges beside what lxc-net makes.
extension PlanFacts {
    private static let conf = "/proc/sys/net/ipv6/conf"

    /// The switches of IPv6 that a plan may need. None where the kernel has no IPv6.
    static func ipv6Settings(_ host: any Host) throws(HostError) -> Set<String> {
        var keys: Set<String> = []
        for link in try host.listIfPresent(conf) {
            keys.insert(SysctlName.ipv6Forwarding(of: link))
            keys.insert(SysctlName.acceptRouterAdvertisements(of: link))
        }
        return keys
    }

    /// Links that must go on hearing router advertisements, and what a restart of lxc-net would take from the bridges.
    /// `state`, `lxcNet` and `uplinks` must have been read.
    mutating func readIPv6(_ host: any Host, _ profile: Profile) throws(HostError) {
        var addresses: [(link: String, text: String)] = []
        do throws(ObservationFailure) {
            let found = try IPv6State(on: host)
            advertised = Set(found.defaultRoutes.filter(\.isAdvertised).map(\.link))
            advertised.formUnion(found.addresses.filter { $0.isGlobal && !$0.isPermanent }.map(\.link))
            // Without any route, one may still come.
            if found.defaultRoutes.isEmpty { advertised.formUnion(uplinks.values) }
            addresses = found.addresses.filter(\.isGlobal).map { ($0.link, $0.text) }
        } catch {
            if case .unknown(let reason) = error {
                throw HostError(.malformed, operation: "read the state of IPv6", message: reason)
            }
        }
        let settings = LxcNetSettings(
            main: state.file(lxcNet.mainFile), settings: state.file(lxcNet.settingsFile), files: lxcNet)
        let own = settings.ipv6.flatMap { IPv6Prefix($0) }?.description
        for network in profile.networks {
            let bridge = network.bridge
            notBroughtBack[bridge] =
                addresses.filter { $0.link == bridge && $0.text != own }.map { "the address \($0.text)" }
                + (try routes(by: bridge, hasIPv6: !addresses.isEmpty, host))
        }
        try readRoutesElsewhere(host, profile)
    }

    /// Into a part of a network, by another link than its bridge or by none.
    private mutating func readRoutesElsewhere(_ host: any Host, _ profile: Profile) throws(HostError) {
        let routes: [Route] = try host.routes(.ipv4)
        let links = try host.links()
        for route in routes where route.maker != 2 && route.kind == .unicast {
            guard let source = route.preferredSource else { continue }
            sentFrom[source, default: []].append("the route to \(route.destination)")
        }
        for network in profile.networks {
            let bridge = links.first { $0.name == network.bridge }?.index
            routedElsewhere[network.bridge] = routes.filter { route in
                route.kind == .unicast && network.cidr.contains(route.destination.address)
                    && route.destination.length >= network.cidr.length && !route.links.contains(where: { $0 == bridge })
            }.map { "the route to \($0.destination)" }
        }
    }

    /// Those that neither the kernel made with an address nor a router advertised.
    private func routes(by bridge: String, hasIPv6: Bool, _ host: any Host) throws(HostError) -> [String] {
        guard state.exists(link: bridge) else { return [] }
        guard let index = try host.links().first(where: { $0.name == bridge })?.index else { return [] }
        let routes: [Route] = try host.routes(.ipv4)
        let routes6: [InternetRoute<IPv6Address>] = hasIPv6 ? try host.routes(.ipv6) : []
        return Self.foreign(routes, index) + Self.foreign(routes6, index)
    }

    /// RTPROT_KERNEL is 2, RTPROT_RA 9 (linux/rtnetlink.h).
    private static func foreign<Address>(_ routes: [InternetRoute<Address>], _ link: Int) -> [String] {
        routes.filter { $0.links.contains(link) && $0.maker != 2 && $0.maker != 9 && $0.kind == .unicast }
            .map { "the route to \($0.destination)" }
    }
}
