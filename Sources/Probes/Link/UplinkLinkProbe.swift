package import HostAccess
package import HostModel
internal import WireFormats

/// `uplink-link {uplink, target}`: the uplink's carrier, and whether its gateway answers ARP. Sends nothing: the kernel
/// remembers how its own last question ended.
package struct UplinkLinkProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "uplink-link", summary: "Whether the uplink has a carrier and its gateway answers",
        parameters: ["uplink": .string, "target": .string],
        facts: [
            "name": .string, "up": .boolean, "carrier": .boolean, "gateway": .string, "state": .string,
            "answers": .boolean,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let state = NetworkState(host: host)
        let uplink = try Uplink(
            named: parameters.string("uplink"), target: parameters.address("target"), state: state)
        guard let link = try state.links().named(uplink.name) else {
            throw .notApplicable("there is no uplink to look at")
        }
        let entry = try uplink.gateway.flatMap { (gateway) throws(ObservationFailure) in
            try state.neighbours().first { $0.link == link.index && $0.address == gateway }
        }
        // A driver that tells nothing of a carrier is believed to have one.
        let carrier = link.isUp && link.carrier != false
        let standing = entry?.standing ?? ""
        var evidence = [
            Evidence(
                source: "rtnetlink RTM_GETLINK \(link.name)", command: "ip link show \(link.name)",
                value: link.isUp ? carrier ? "has a carrier" : "NO-CARRIER" : "is down")
        ]
        if let gateway = uplink.gateway {
            evidence.append(
                Evidence(
                    source: "rtnetlink RTM_GETNEIGH \(gateway)",
                    command: "ip neigh show to \(gateway) dev \(link.name)",
                    value: standing.isEmpty ? "not asked for yet" : standing))
        }
        return Observation(
            facts: [
                "name": .string(link.name), "up": .boolean(link.isUp), "carrier": .boolean(carrier),
                "gateway": .string(uplink.gateway?.description ?? ""), "state": .string(standing),
                "answers": .boolean(entry?.isSilent != true),
            ],
            evidence: evidence)
    }
}

extension Neighbour {
    /// An entry that failed may be old: nobody has asked since. Two minutes are recent.
    private static let recentSeconds = 120.0
    /// One unanswered question is a moment's matter; two are a second (`mcast_solicit`, arp(7)).
    private static let unansweredQuestions = 2

    /// Nobody answered when the kernel asked for it of late.
    fileprivate var isSilent: Bool {
        switch state {
        case 0x01: questions ?? 0 >= Self.unansweredQuestions
        case 0x20: secondsSinceUpdate.map { $0 <= Self.recentSeconds } ?? false
        default: false
        }
    }

    /// The state, with what the kernel has learnt since.
    fileprivate var standing: String {
        switch state {
        case 0x01 where isSilent: "\(stateName): \(questions ?? 0) questions, no answer"
        case 0x20: secondsSinceUpdate.map { "\(stateName) \(Int($0)) s ago" } ?? stateName
        default: stateName
        }
    }
}
