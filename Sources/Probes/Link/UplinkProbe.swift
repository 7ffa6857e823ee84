package import HostAccess
package import HostModel
internal import WireFormats

/// `uplink {uplink, target}`: the interface towards the outside, as named or as the kernel routes.
package struct UplinkProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "uplink", summary: "The interface by which the outside is reached, with its gateway",
        parameters: ["uplink": .string, "target": .string],
        facts: ["found": .boolean, "name": .string, "gateway": .string, "source": .string, "reason": .string])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let target = try parameters.address("target")
        let uplink = try Uplink(named: parameters.string("uplink"), target: target, state: NetworkState(host: host))
        var value = uplink.reason
        if uplink.isFound {
            value = "\(target) by \(uplink.name)"
            if let gateway = uplink.gateway { value += " through \(gateway)" }
            if let source = uplink.source { value += " from \(source)" }
        }
        return Observation(
            facts: [
                "found": .boolean(uplink.isFound), "name": .string(uplink.name),
                "gateway": .string(uplink.gateway?.description ?? ""),
                "source": .string(uplink.source?.description ?? ""), "reason": .string(uplink.reason),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETROUTE \(target)", command: "ip route get \(target)", value: value)
            ])
    }
}

/// How the outside is reached.
struct Uplink {
    var isFound = false
    /// "" where there is none.
    var name = ""
    var gateway: IPv4Address?
    var source: IPv4Address?
    /// Why there is none, or what is odd about it; "" if nothing is.
    var reason = ""

    /// The link of that name, or, where the name is empty, the one by which a packet to the target would leave.
    init(named wanted: String, target: IPv4Address, state: NetworkState) throws(ObservationFailure) {
        let links = try state.links()
        let found = try state.way(to: target)
        var way: (route: Route, link: String)?
        var refusal = "there is no route to \(target)"
        switch found {
        case .route(let route): way = route.links.first.map { (route, links.name($0)) }
        case .refused(let kind): refusal = "the route to \(target) is of type \(kind)"
        case .none: break
        }
        if !wanted.isEmpty {
            guard links.named(wanted) != nil else {
                reason = "there is no link \(wanted)"
                return
            }
            isFound = true
            name = wanted
            guard let way, way.link == wanted else {
                reason = way.map { "the route to \(target) leaves by \($0.link)" } ?? refusal
                return
            }
            gateway = way.route.gateway
            source = way.route.preferredSource
            return
        }
        guard let way else {
            reason = refusal
            return
        }
        guard way.route.kind == .unicast else {
            reason = "the route to \(target) is of type \(way.route.kind)"
            return
        }
        isFound = true
        name = way.link
        gateway = way.route.gateway
        source = way.route.preferredSource
    }
}
