internal import HostAccess
internal import HostModel
internal import WireFormats

/// Judges what was seen of the packets that stay on this host. Pure.
struct LocalEvaluator {
    let network: Network
    let ground: ProofGround
    let order: ProbeOrder
    let local: LocalOrder
    let result: ProbeSightings
    let autopsy: ProofAutopsy?

    func probes() -> [LocalProbe] {
        local.hostPackets.indices.compactMap { probe(local.hostPackets[$0], local.hostNonce, again($0, \.hostPackets)) }
            + local.peerPackets.indices.compactMap {
                probe(local.peerPackets[$0], local.peerNonce, again($0, \.peerPackets), isForPeer: true)
            }
    }

    /// The same packet of the order that was sent a second time.
    private func again(_ index: Int, _ packets: KeyPath<LocalOrder, [ByteString]>) -> ProbeMark? {
        guard let again = autopsy?.order?.local, again[keyPath: packets].indices.contains(index) else { return nil }
        let nonce = packets == \.hostPackets ? again.hostNonce : again.peerNonce
        return ProbeMark(packet: again[keyPath: packets][index].bytes, nonce: nonce.bytes)
    }

    private func probe(
        _ packet: ByteString, _ nonce: ByteString, _ again: ProbeMark?, isForPeer: Bool = false
    ) -> LocalProbe? {
        guard let sent = IPPacket(packet.bytes[...]), let mark = ProbeMark(packet: packet.bytes, nonce: nonce.bytes)
        else { return nil }
        let row = ProofEvaluator.probe(sent, network: network.name)
        var probe = LocalProbe(
            network: network.name, kind: isForPeer ? .eastWest : kind(sent), protocol: row.protocol, from: row.from,
            to: row.to, arrival: .unknown)
        if let failure = result.localFailure {
            probe.reason = "nothing was sent: \(failure)"
            return probe
        }
        if !isForPeer, let weakness = result.weakness {
            probe.reason = "nothing was sent, because nothing would keep it from a server: \(weakness)"
            return probe
        }
        let trail = ProbeTrail(of: mark, target: sent.destination, bridge: order.bridge, in: result)
        if isForPeer {
            judgePeer(&probe, sent, mark, trail)
        } else {
            judgeHost(&probe, sent, trail)
        }
        if probe.arrival == .dropped, probe.killer == nil, let again { probe.killer = killer(again, trail) }
        return probe
    }

    private func kind(_ sent: IPPacket) -> LocalProbeKind {
        if case .udp(_, LocalPlan.dhcpPorts.server, _) = Transport(of: sent) { return .dhcp }
        return .dns
    }

    // MARK: Into the host

    private func judgeHost(_ probe: inout LocalProbe, _ sent: IPPacket, _ trail: ProbeTrail) {
        let reached = trail.exit?.hook == "input" || trail.stations.contains("input.last")
        probe.path =
            start(trail, isOnBridge: trail.reachedBridge || reached) + [
                PathStep(hook: "prerouting", reached: reached || trail.stations.contains("prerouting.first")),
                PathStep(hook: "routing", reached: reached || trail.stations.contains("prerouting.last")),
                inputStep(trail, reached: reached),
            ]
        if reached {
            probe.arrival = .arrived
            probe.sourceAfter = (trail.exit?.source ?? sent.source).description
        } else if let exit = trail.exit {
            probe.arrival = .altered
            probe.sourceAfter = exit.source.description
            probe.reason = "went on to \(exit.destination) by \(exit.interface) instead of into this host"
        } else {
            judgeLoss(&probe, trail, isSeen: trail.reachedBridge || !trail.stations.isEmpty)
            if let killer = probe.killer, killer.hook == "ingress" {
                probe.path =
                    start(trail, isOnBridge: trail.reachedBridge)
                    + PathStep.ingress(
                        killer, order.bridge, isBridgeNetfilter: trail.stations.contains("prerouting.last"))
                    + [PathStep(hook: "input", link: order.bridge, reached: false)]
                probe.reason = "lost at the ingress of \(order.bridge)"
            }
        }
    }

    private func inputStep(_ trail: ProbeTrail, reached: Bool) -> PathStep {
        let isEnd = trail.stations.contains("input.first") && !reached
        return PathStep(
            hook: "input", family: isEnd ? trail.kill?.family : nil, table: isEnd ? trail.kill?.table : nil,
            chain: isEnd ? trail.kill?.chain : nil, link: order.bridge, reached: reached || isEnd)
    }

    // MARK: To the other container

    private func judgePeer(_ probe: inout LocalProbe, _ sent: IPPacket, _ mark: ProbeMark, _ trail: ProbeTrail) {
        // Under br_netfilter it is stopped where only the port is left to come.
        let arrived = result.sightings.lazy.filter { sighting in
            sighting.direction == .sent && sighting.interface == result.peerPort
                || sighting.direction == .fenced && sighting.hook == "postrouting"
        }.compactMap { IPPacket($0.packet.bytes[...]) }.first(where: mark.matches)
        probe.path = start(trail, isOnBridge: trail.reachedPort)
        if ground.bridgeNetfilter == true {
            probe.path += ["prerouting", "forward", "postrouting"].map { hook in
                let isEnd = arrived == nil && trail.lossHook == hook
                return PathStep(
                    hook: hook, family: isEnd ? trail.kill?.family : nil, table: isEnd ? trail.kill?.table : nil,
                    chain: isEnd ? trail.kill?.chain : nil,
                    reached: arrived != nil || trail.stations.contains(hook + ".first"))
            }
        }
        probe.path.append(PathStep(hook: "peer", link: result.peerPort, reached: arrived != nil))
        guard let arrived else {
            judgeLoss(&probe, trail, isSeen: trail.reachedPort)
            return
        }
        probe.sourceAfter = arrived.source.description
        if arrived.source != sent.source {
            probe.arrival = .altered
            probe.reason = "arrives as \(arrived.source) instead of \(sent.source)"
        } else if arrived.destination != sent.destination {
            probe.arrival = .altered
            probe.reason = "arrives at \(arrived.destination) instead of \(sent.destination)"
        } else {
            probe.arrival = .arrived
        }
    }

    // MARK: Both

    private func start(_ trail: ProbeTrail, isOnBridge: Bool) -> [PathStep] {
        [
            PathStep(hook: "container", reached: true),
            PathStep(hook: "port", link: result.port, reached: trail.reachedPort || isOnBridge),
            PathStep(hook: "bridge", link: order.bridge, reached: isOnBridge),
        ]
    }

    private func judgeLoss(_ probe: inout LocalProbe, _ trail: ProbeTrail, isSeen: Bool) {
        guard isSeen || trail.kill != nil else {
            probe.reason = "the positive control failed: \(result.port) did not receive the packet"
            return
        }
        guard result.captureDrops == 0 else {
            probe.reason = "not seen arriving, but the capture lost \(result.captureDrops) packets"
            return
        }
        // Only one capture of all interfaces sees the second port.
        guard probe.kind != .eastWest || result.peerPort != nil else {
            probe.reason = "the second container could not be watched"
            return
        }
        probe.arrival = .dropped
        probe.killer = trail.kill.map { named($0, trail) }
        probe.reason = "lost " + (hook(of: trail).map { "in \($0.uppercased())" } ?? "on \(order.bridge)")
    }

    private func named(_ kill: RuleKill, _ trail: ProbeTrail) -> Killer {
        let place = kill.family == "netdev" ? "ingress" : hook(of: trail) ?? "bridge"
        return Killer(kill, hook: kill.family == "bridge" ? "bridge" : place)
    }

    /// What ended the packet when it was sent again: a rule that could be traced then, or the last step of
    /// iptables-legacy in the hook where it was lost.
    private func killer(_ mark: ProbeMark, _ trail: ProbeTrail) -> Killer? {
        func isOurs(_ packet: ByteString) -> Bool { IPPacket(packet.bytes[...]).map(mark.matches) ?? false }
        if let kill = autopsy?.sightings?.kills.last(where: { isOurs($0.packet) }) { return named(kill, trail) }
        guard let hook = hook(of: trail),
            let step = autopsy?.sightings?.findings?.legacySteps.last(where: { isOurs($0.packet) })
        else { return nil }
        return Killer(step, hook: hook, family: .ipv4)
    }

    private func hook(of trail: ProbeTrail) -> String? {
        if trail.stations.contains("input.first") { return "input" }
        return trail.lossHook
    }
}

extension LocalProbe {
    /// A row for each kind of packet that was not sent because somebody would have kept its address.
    static func notSent(_ network: Network, _ ground: ProofGround, _ order: ProbeOrder) -> [LocalProbe] {
        let from = order.addresses.first?.address.description ?? ""
        func row(_ kind: LocalProbeKind, _ to: String, _ reason: String) -> LocalProbe {
            LocalProbe(
                network: network.name, kind: kind, protocol: .udp, from: from, to: to, arrival: .unknown, reason: reason
            )
        }
        var rows: [LocalProbe] = []
        if let hazard = ground.hazardsIntoHost?.first {
            let gateway = network.address.address.description
            if ground.wantsServer(network.dhcp, running: ground.servesDHCP) { rows.append(row(.dhcp, gateway, hazard)) }
            if ground.wantsServer(network.dns, running: ground.servesDNS) { rows.append(row(.dns, gateway, hazard)) }
        }
        if order.local?.peer == nil, let tracker = ground.bridgeTracker {
            rows.append(row(.eastWest, network.cidr.description, "\(tracker), and would keep the address of a probe"))
        }
        return rows
    }
}
