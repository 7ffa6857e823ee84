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
            guard probe.verdict == .masqueraded, let hole = lengthThatIsLost else { return }
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

    /// The second question: an echo request to the first router, or to the target.
    private var gatewaySaid: String {
        guard let (asked, trail) = question(isLong: false) else { return "there is no gateway to ask" }
        let name = asked == network.target ? "\(asked)" : "the gateway \(asked)"
        return trail.isBack && trail.answered
            ? "\(name) answers echo requests of the container, so the way to it and back is whole"
            : "nor does \(name) answer echo requests, which many do not"
    }

    /// A long echo request that gets no answer where a short one does. "Fragmentation needed" is an answer.
    private var lengthThatIsLost: String? {
        guard let (asked, short) = question(isLong: false), short.answered, short.isBack,
            let (_, long) = question(isLong: true), !long.isBack
        else { return nil }
        let length = order.packets.map(\.bytes.count).max() ?? 0
        if let resident = order.resident, !long.reachedPort, !long.reachedBridge {
            return
                "a packet of \(length) bytes does not even come through \(resident.port), where a short one does: its MTU "
                + "is smaller than that of \(resident.interface) in \(resident.title)"
        }
        let place =
            asked == network.target
            ? "somewhere on the way there or back, and the router that finds them too long is not heard (clamp the MSS)"
            : "than that of \(long.exit?.interface ?? "the uplink")"
        return "an echo request of \(length) bytes gets no answer from \(asked) where a short one does: "
            + "the MTU is smaller \(place)"
    }

    /// Who was asked the one or the other, and what came of it.
    private func question(isLong: Bool) -> (asked: IPAddress, ProbeTrail)? {
        for bytes in order.packets {
            guard let packet = IPPacket(bytes.bytes[...]), ProofPlan.isQuestion(packet, of: order, network: network),
                (packet.payload.count >= ProofPlan.largeBytes - IPPacket.headerCount(of: packet.family)) == isLong,
                let mark = ProbeMark(packet: bytes.bytes, nonce: order.nonce.bytes)
            else { continue }
            let trail = ProbeTrail(of: mark, target: packet.destination, bridge: order.bridge, in: result)
            return (packet.destination, trail)
        }
        return nil
    }
}
