internal import HostAccess
internal import HostModel
internal import WireFormats

/// Judges what was seen. Pure: the same transcript always gives the same probes.
struct ProofEvaluator {
    let network: ProofNetwork
    let ground: ProofGround
    let order: ProbeOrder
    let result: ProbeSightings
    var autopsy: ProofAutopsy?

    func probes() -> [ProofProbe] {
        order.packets.compactMap { packet in
            guard let sent = IPPacket(packet.bytes[...]), !ProofPlan.isQuestion(sent, of: order, network: network),
                let mark = ProbeMark(packet: packet.bytes, nonce: order.nonce.bytes)
            else { return nil }
            let trail = ProbeTrail(of: mark, target: sent.destination, bridge: order.bridge, in: result)
            let (second, identification) = secondTrail(of: sent)
            let search = KillerSearch(
                network: network, ground: ground, autopsy: autopsy, trail: trail, second: second,
                identification: identification, isBlind: result.weakness != nil)
            let killer =
                trail.isLost
                ? portKiller(sent, trail) ?? search.killer() : isDiverted(trail, sent) ? search.diverter() : nil
            var probe = judge(sent, trail, killer, second: second)
            if let weakness = result.weakness {
                let words = "weaker evidence, from captures alone: \(weakness)"
                probe.reason = probe.reason.map { "\($0); \(words)" } ?? words
            }
            return probe
        }
    }

    /// Whether a probe was lost without a known cause, so that it has to be sent again with more to observe it.
    var needsAutopsy: Bool {
        result.takenAddresses.isEmpty && result.captureDrops == 0
            && order.packets.contains { packet in
                guard let sent = IPPacket(packet.bytes[...]),
                    !ProofPlan.isQuestion(sent, of: order, network: network),
                    let mark = ProbeMark(packet: packet.bytes, nonce: order.nonce.bytes)
                else { return false }
                let trail = ProbeTrail(of: mark, target: sent.destination, bridge: order.bridge, in: result)
                return trail.isLost && trail.kill == nil && portKiller(sent, trail) == nil || isDiverted(trail, sent)
                    || trail.cameBackBy != nil && !trail.isBack
            }
    }

    /// Whether some probes were answered and others were not, which is asked once more: routers limit how often they
    /// speak of packets that died (net.ipv4.icmp_ratelimit: once in a second).
    var isAnsweredInPart: Bool {
        guard order.mode == .wire else { return false }
        let trails = order.packets.compactMap { packet -> ProbeTrail? in
            guard let sent = IPPacket(packet.bytes[...]), !ProofPlan.isQuestion(sent, of: order, network: network),
                let mark = ProbeMark(packet: packet.bytes, nonce: order.nonce.bytes)
            else { return nil }
            return ProbeTrail(of: mark, target: sent.destination, bridge: order.bridge, in: result)
        }
        return trails.contains(where: \.isBack) && trails.contains(where: \.isUnanswered)
    }

    /// The same probe of the order that was sent again: from the same address, by the same protocol.
    private func secondTrail(of sent: IPPacket) -> (ProbeTrail?, UInt16?) {
        guard let order = autopsy?.order, let result = autopsy?.sightings else { return (nil, nil) }
        for bytes in order.packets {
            guard let packet = IPPacket(bytes.bytes[...]), packet.source == sent.source,
                packet.protocolNumber == sent.protocolNumber, packet.destination == sent.destination,
                let mark = ProbeMark(packet: bytes.bytes, nonce: order.nonce.bytes)
            else { continue }
            return (
                ProbeTrail(of: mark, target: sent.destination, bridge: order.bridge, in: result), packet.identification
            )
        }
        return (nil, nil)
    }

    private func judge(
        _ sent: IPPacket, _ trail: ProbeTrail, _ killer: Killer?, second: ProbeTrail?
    ) -> ProofProbe {
        var probe = Self.probe(sent, network: network.name)
        probe.path = path(trail, killer)
        // What says where the probe went speaks for itself, with or without the control.
        let isDiverted = isDiverted(trail, sent)
        let isExplained = killer != nil && (trail.reachedPort || portKiller(sent, trail) != nil)
        guard trail.reachedBridge || isDiverted || isExplained else {
            probe.reason = "the positive control failed: \(missingControl(trail))"
            return probe
        }
        guard let exit = trail.exit else {
            judgeAbsence(&probe, trail, killer)
            return probe
        }
        probe.sourceAfter = exit.source.description
        if isDiverted {
            let isOwn = exit.hook == "input" || ownAddresses.contains(exit.destination)
            probe.verdict = .redirected
            probe.killer = killer
            probe.reason =
                isOwn
                ? "delivered to this host as \(exit.destination) instead of \(sent.destination)"
                : "sent to \(exit.destination) by \(exit.interface) instead of \(sent.destination)"
            return probe
        }
        probe.uplink = exit.interface
        (probe.verdict, probe.reason) = judge(source: exit.source, sent: sent, uplink: exit.interface)
        if order.mode == .wire {
            // A probe that got no answer at first and one when it was sent again counts as answered.
            judgeDelivery(&probe, second?.isBack == true && trail.isUnanswered ? second ?? trail : trail)
        }
        return probe
    }

    /// Whether it went somewhere else than to where it was sent, this host itself included.
    private func isDiverted(_ trail: ProbeTrail, _ sent: IPPacket) -> Bool {
        if let exit = trail.exit { return exit.hook == "input" || exit.destination != sent.destination }
        return !trail.isLost
    }

    /// The verdict on the source address that a packet leaves with.
    private func judge(source: IPAddress, sent: IPPacket, uplink: String) -> (ProofVerdict, String?) {
        if source == sent.source {
            return network.nat == .routed
                ? (.routed, nil) : (.leaked, "leaves \(uplink) untranslated, as \(source)")
        }
        if source.v6?.isLinkLocal == true {
            return (.wrongSource, "leaves \(uplink) as \(source), a link-local address, to which no answer comes")
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

    private func preferredSource(for uplink: String) -> IPAddress? {
        let routes = [ground.route].compactMap { $0 } + (ground.otherRoutes ?? []).map(\.route)
        return routes.first { $0.uplink == uplink }?.preferredSource
    }

    private func judgeAbsence(_ probe: inout ProofProbe, _ trail: ProbeTrail, _ killer: Killer?) {
        if trail.answered || trail.stations.contains("input.last") {
            probe.verdict = .redirected
            probe.killer = killer
            probe.reason =
                trail.answered
                ? "this host answered in the place of \(network.target)" : "delivered to this host itself"
        } else if result.captureDrops > 0 {
            probe.reason = "not seen leaving, but the capture lost \(result.captureDrops) packets"
        } else {
            probe.verdict = .dropped
            if order.mode == .wire { probe.delivery = .failed }
            probe.killer = killer
            // A filter of the bridge, or of ip called from the bridge (bridge-nf-call-iptables), acts before it.
            let station = trail.reachedBridge ? order.bridge : result.port
            var reason =
                trail.reachedBridge || trail.reachedPort
                ? "reached \(station) and never left this host" : "never reached \(station)"
            if let place = killer?.hook == "ingress" ? ingress : place(of: trail) { reason += "; it was lost \(place)" }
            if let error = trail.error { reason += "; the container was told: \(error)" }
            if ground.route == nil, let error = ground.routeError { reason += "; the routing table says: \(error)" }
            probe.reason = reason
        }
    }

    private var ingress: String { "at the ingress of \(order.bridge), before it is routed" }

    private func place(of trail: ProbeTrail) -> String? {
        switch trail.lossHook {
        case "uplink": "behind POSTROUTING (neighbour, traffic control or carrier of the uplink)"
        case "postrouting": "in POSTROUTING"
        case "forward": "in FORWARD"
        case "routing": "at the routing decision"
        case "prerouting": "in PREROUTING"
        default: nil
        }
    }

    private func missingControl(_ trail: ProbeTrail) -> String {
        if result.captureDrops > 0 { return "the capture lost \(result.captureDrops) packets" }
        return trail.reachedPort
            ? "\(result.port) received the packet, \(order.bridge) did not (a bridge filter, or spanning tree)"
            : "\(result.port) did not receive the packet"
    }

    var ownAddresses: Set<IPAddress> {
        Set(ground.addresses.map(\.address.address))
    }

    /// The stations that are known to be passed, then the one that is known to be missed.
    private func path(_ trail: ProbeTrail, _ killer: Killer?) -> [PathStep] {
        var steps = [
            PathStep(hook: "container", reached: true),
            PathStep(hook: "port", link: result.port, reached: trail.reachedPort || trail.reachedBridge),
            PathStep(hook: "bridge", link: order.bridge, reached: trail.reachedBridge),
        ]
        guard let exit = trail.exit else { return steps + lostPath(trail, killer) }
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

    /// The way behind the bridge of a probe that did not leave, as far as it is known.
    private func lostPath(_ trail: ProbeTrail, _ kill: Killer?) -> [PathStep] {
        if trail.answered || trail.stations.contains("input.last") {
            return [PathStep(hook: "input", link: order.bridge, reached: true)]
        }
        let uplink = PathStep(hook: "uplink", link: ground.route?.uplink, reached: false)
        guard trail.reachedBridge else { return [] }
        guard !trail.stations.isEmpty else { return [uplink] }
        if let kill, kill.hook == "ingress" {
            return PathStep.ingress(kill, order.bridge, isBridgeNetfilter: trail.stations.contains("prerouting.last"))
                + ["forward", "postrouting"].map { PathStep(hook: $0, reached: false) } + [uplink]
        }
        let hooks = [
            ("prerouting", "prerouting.first"), ("routing", "prerouting.last"), ("forward", "forward.first"),
            ("postrouting", "postrouting.first"),
        ]
        return hooks.map { hook, station in
            let isEnd = hook == trail.lossHook && trail.stations.contains(station)
            return PathStep(
                hook: hook, family: isEnd ? kill?.family : nil, table: isEnd ? kill?.table : nil,
                chain: isEnd ? kill?.chain : nil, reached: trail.stations.contains(station))
        } + [uplink]
    }

    /// The row of a packet before it is judged.
    static func probe(_ sent: IPPacket, network: String) -> ProofProbe {
        var from = sent.source.description
        var to = sent.destination.description
        var kind = ProofProtocol.icmp
        switch Transport(of: sent) {
        case .udp(let source, let destination, _):
            kind = .udp
            from = sent.source.description(port: source)
            to = sent.destination.description(port: destination)
        case .tcp(let source, let destination, _, _, _):
            kind = .tcp
            from = sent.source.description(port: source)
            to = sent.destination.description(port: destination)
        case .icmp, .icmpv6, .other: break
        }
        return ProofProbe(network: network, protocol: kind, from: from, to: to, verdict: .unknown)
    }
}
