internal import HostAccess
internal import HostModel
internal import WireFormats

/// Wire mode: whether an answer came back through the translation.
extension ProofEvaluator {
    /// Of a probe that was seen on the wire. Silence alone is no fault: many first routers never answer.
    func judgeDelivery(_ probe: inout ProofProbe, _ trail: ProbeTrail) {
        let said: String
        if trail.isBack, let source = trail.errorSource, ownAddresses.contains(source) {
            probe.delivery = .failed
            said = "this host itself told the container: \(trail.error ?? "")"
        } else if trail.isBack {
            probe.delivery = .confirmed
            guard probe.protocol == .udp, probe.verdict == .masqueraded, let hole = lengthThatIsLost(probe) else { return }
            probe.delivery = .failed
            said = hole
        } else if let interface = trail.cameBackBy {
            probe.delivery = .failed
            let filtered = autopsy?.sightings?.findings?.counters["TcpExt.IPReversePathFilter"] ?? 0
            let why =
                filtered > 0
                ? "dropped by the reverse path filter (net.ipv4.conf.\(interface).rp_filter)"
                : "a filter drops answers, or their way back is missing"
            said = "an answer came back to \(interface) and did not reach the container: \(why)"
        } else {
            probe.delivery = .unknown
            said = "nobody answered; \(gatewaySaid)"
        }
        probe.reason = probe.reason.map { "\($0); \(said)" } ?? said
    }

    /// The second question: an echo request to the first router.
    private var gatewaySaid: String {
        guard let gateway = ground.route?.gateway, let trail = trail(where: { $0.destination == gateway }) else {
            return "there is no gateway to ask"
        }
        return trail.isBack && trail.answered
            ? "the gateway \(gateway) answers echo requests of the container, so the way to it and back is whole"
            : "nor does the gateway \(gateway) answer echo requests, which many do not"
    }

    /// A long datagram that gets no answer where a short one does. "Fragmentation needed" is an answer.
    private func lengthThatIsLost(_ probe: ProofProbe) -> String? {
        var length = 0
        let trail = trail { packet in
            length = 20 + packet.payload.count
            return packet.destination == network.target && ProofPlan.isQuestion(packet, of: order, network: network)
                && probe.from.hasPrefix("\(packet.source):")
        }
        guard let trail, !trail.isBack else { return nil }
        return "a packet of \(length) bytes gets no answer where a short one does: "
            + "the MTU of the way to the first router is smaller than that of \(trail.exit?.interface ?? "the uplink")"
    }

    private func trail(where isWanted: (IPv4Packet) -> Bool) -> ProbeTrail? {
        for bytes in order.packets {
            guard let packet = IPv4Packet(bytes.bytes[...]), isWanted(packet),
                let mark = ProbeMark(packet: bytes.bytes, nonce: order.nonce.bytes)
            else { continue }
            return ProbeTrail(of: mark, target: packet.destination, bridge: order.bridge, in: result)
        }
        return nil
    }
}
