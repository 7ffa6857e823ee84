internal import HostAccess
internal import HostModel
internal import WireFormats

/// Judges what was seen. Pure: the same transcript always gives the same probes.
struct ProofEvaluator {
    let network: Network
    let ground: ProofGround
    let order: ProbeOrder
    let result: ProbeSightings

    func probes() -> [ProofProbe] {
        order.packets.compactMap { packet in
            guard let sent = IPv4Packet(packet.bytes[...]),
                let mark = ProbeMark(packet: packet.bytes, nonce: order.nonce.bytes)
            else { return nil }
            let trail = ProbeTrail(of: mark, target: sent.destination, bridge: order.bridge, in: result)
            return judge(sent, trail)
        }
    }

    private func judge(_ sent: IPv4Packet, _ trail: ProbeTrail) -> ProofProbe {
        var probe = Self.probe(sent, network: network.name)
        probe.path = path(trail)
        guard trail.reachedBridge else {
            probe.reason = "the positive control failed: \(missingControl(trail))"
            return probe
        }
        guard let exit = trail.exit else {
            judgeAbsence(&probe, trail)
            return probe
        }
        probe.sourceAfter = exit.source.description
        if exit.hook == "input" || exit.destination != sent.destination && ownAddresses.contains(exit.destination) {
            probe.verdict = .redirected
            probe.reason = "delivered to this host as \(exit.destination) instead of \(sent.destination)"
            return probe
        }
        probe.uplink = exit.interface
        (probe.verdict, probe.reason) = judge(source: exit.source, sent: sent, uplink: exit.interface)
        return probe
    }

    /// The verdict on the source address that a packet leaves with.
    private func judge(source: IPv4Address, sent: IPv4Packet, uplink: String) -> (ProofVerdict, String?) {
        if source == sent.source {
            return (.leaked, "leaves \(uplink) untranslated, as \(source)")
        }
        if network.nat == .snat || !network.snat.isEmpty, network.snat.contains(source) {
            return (.masqueraded, nil)
        }
        if network.cidr.contains(source) {
            return (.wrongSource, "leaves \(uplink) as \(source), an address of the containers' own subnet")
        }
        if network.nat == .snat, !network.snat.isEmpty {
            let wanted = network.snat.map(\.description).joined(separator: ", ")
            return (.wrongSource, "leaves \(uplink) as \(source), but the profile wants \(wanted)")
        }
        guard ownAddresses.contains(source) else {
            return (.wrongSource, "leaves \(uplink) as \(source), which is no address of this host")
        }
        let own = ground.addresses.filter { $0.link == uplink }.map(\.address.address)
        // An uplink without addresses borrows one (RFC 1812 §2.2.7); right only where the route prefers it.
        if !own.contains(source), let preferred = preferredSource(for: uplink), preferred != source {
            return (.wrongSource, "leaves \(uplink) as \(source), but its route prefers \(preferred)")
        }
        return (.masqueraded, nil)
    }

    private func preferredSource(for uplink: String) -> IPv4Address? {
        ground.route?.uplink == uplink ? ground.route?.preferredSource : nil
    }

    private func judgeAbsence(_ probe: inout ProofProbe, _ trail: ProbeTrail) {
        if trail.answered {
            probe.verdict = .redirected
            probe.reason = "this host answered in the place of \(network.target)"
        } else if result.captureDrops > 0 {
            probe.reason = "not seen leaving, but the capture lost \(result.captureDrops) packets"
        } else {
            probe.verdict = .dropped
            var reason = "reached \(order.bridge) and never left this host"
            if let error = trail.error { reason += "; the container was told: \(error)" }
            if ground.route == nil, let error = ground.routeError { reason += "; the routing table says: \(error)" }
            probe.reason = reason
        }
    }

    private func missingControl(_ trail: ProbeTrail) -> String {
        if result.captureDrops > 0 { return "the capture lost \(result.captureDrops) packets" }
        return trail.reachedPort
            ? "\(result.port) received the packet, \(order.bridge) did not (a bridge filter, or spanning tree)"
            : "\(result.port) did not receive the packet"
    }

    private var ownAddresses: Set<IPv4Address> {
        Set(ground.addresses.map(\.address.address))
    }

    /// The stations that are known to be passed, then the one that is known to be missed.
    private func path(_ trail: ProbeTrail) -> [PathStep] {
        var steps = [
            PathStep(hook: "container", reached: true),
            PathStep(hook: "port", link: result.port, reached: trail.reachedPort || trail.reachedBridge),
            PathStep(hook: "bridge", link: order.bridge, reached: trail.reachedBridge),
        ]
        guard let exit = trail.exit else {
            if trail.answered {
                steps.append(PathStep(hook: "input", link: order.bridge, reached: true))
            } else if trail.reachedBridge {
                steps.append(PathStep(hook: "uplink", link: ground.route?.uplink, reached: false))
            }
            return steps
        }
        steps.append(PathStep(hook: "prerouting", reached: true))
        steps.append(PathStep(hook: "routing", reached: true))
        if exit.hook == "input" {
            steps.append(PathStep(hook: "input", link: exit.interface, reached: true))
            return steps
        }
        steps.append(PathStep(hook: "forward", reached: true))
        steps.append(PathStep(hook: "postrouting", family: exit.family, reached: true))
        // The fence stops a packet at the door: translation is proved, delivery is not.
        steps.append(PathStep(hook: "uplink", link: exit.interface, reached: exit.hook == nil))
        return steps
    }

    /// The row of a packet before it is judged.
    static func probe(_ sent: IPv4Packet, network: String) -> ProofProbe {
        var from = sent.source.description
        var to = sent.destination.description
        var kind = ProofProtocol.icmp
        switch Transport(of: sent) {
        case .udp(let source, let destination, _):
            kind = .udp
            from += ":\(source)"
            to += ":\(destination)"
        case .tcp(let source, let destination, _, _, _):
            kind = .tcp
            from += ":\(source)"
            to += ":\(destination)"
        case .icmp, .other: break
        }
        return ProofProbe(network: network, protocol: kind, from: from, to: to, verdict: .unknown)
    }
}
