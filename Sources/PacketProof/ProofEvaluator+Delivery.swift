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

    /// The second question: an echo request to the first router.
    private var gatewaySaid: String {
        guard let gateway = ground.route?.gateway,
            let trail = trail(where: { $0.destination == gateway && !isLong($0) })
        else { return "there is no gateway to ask" }
        return trail.isBack && trail.answered
            ? "the gateway \(gateway) answers echo requests of the container, so the way to it and back is whole"
            : "nor does the gateway \(gateway) answer echo requests, which many do not"
    }

    /// A long echo request that gets no answer where a short one does. "Fragmentation needed" is an answer.
    private var lengthThatIsLost: String? {
        guard let gateway = ground.route?.gateway,
            let short = trail(where: { $0.destination == gateway && !isLong($0) }), short.answered, short.isBack
        else { return nil }
        var length = 0
        let long = trail { packet in
            length = 20 + packet.payload.count
            return packet.destination == gateway && isLong(packet)
        }
        guard let long, !long.isBack else { return nil }
        return "an echo request of \(length) bytes gets no answer from \(gateway) where a short one does: "
            + "the MTU of the way there is smaller than that of \(long.exit?.interface ?? "the uplink")"
    }

    private func isLong(_ packet: IPv4Packet) -> Bool { packet.payload.count >= ProofPlan.largeBytes - 20 }

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
