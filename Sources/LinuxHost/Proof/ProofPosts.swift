internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// A chain of the proof's own table: where it logs the probes, and where it stops them.
struct ProofPost {
    let family: NftFamily
    let hook: NftHook
    let priority: Int32
    /// The name of the hook with the end of it: `forward.first`.
    let name: String
    /// Whether a probe that comes here is stopped in fence mode.
    let stops: Bool
    /// Of a post at the ingress of one link.
    private var device: String?

    /// Whether it stops packets between containers. Under br_netfilter a bridged packet passes POSTROUTING of the ip family last,
    /// and conntrack would confirm it next. Its source is final there, so it counts as arrived and is stopped. Without
    /// br_netfilter no bridged packet comes here, and nothing tracks it.
    private var stopsPeers: Bool { stops && family == .ipv4 && hook == .postrouting }

    /// The prefix of its log statement, which tells the post and whether the packet was stopped there.
    func prefix(stopping: Bool) -> String { "\(family.name) \(name)" + (stopping ? " stop" : "") }
    var chain: String { name.replacing(".", with: "_").replacing("-", with: "m") }

    private static let last = NftBaseChain.fencePriority
    /// At INPUT of IPv6 conntrack confirms one further ahead (NF_IP6_PRI_LAST - 1).
    private static let lastAtInputOfIPv6 = NftBaseChain.fencePriority - 1

    private static let all = [
        ProofPost(.ipv4, .prerouting, .min, "prerouting.first"),
        ProofPost(.ipv4, .prerouting, last, "prerouting.last"),
        // A redirected probe would reach a real process.
        ProofPost(.ipv4, .input, .min, "input.first"),
        ProofPost(.ipv4, .input, last, "input.last", stops: true),
        ProofPost(.ipv4, .forward, .min, "forward.first"),
        ProofPost(.ipv4, .forward, last, "forward.last"),
        ProofPost(.ipv4, .postrouting, .min, "postrouting.first"),
        ProofPost(.ipv4, .postrouting, last, "postrouting.last", stops: true),
        ProofPost(.bridge, .prerouting, .min, "prerouting.first"),
        // What is bridged never passes the hooks of the ip family.
        ProofPost(.bridge, .postrouting, last, "postrouting.last", stops: true),
    ]

    /// The posts of the orders: in an investigation one before each priority as well.
    static func posts(of orders: [ProbeOrder]) -> [ProofPost] {
        let families = Set(orders.map(\.family))
        let hooks: [String: NftHook] = ["prerouting": .prerouting, "forward": .forward, "postrouting": .postrouting]
        return all.filter { families.contains(.ipv4) || $0.family != .ipv4 }
            + (families.contains(.ipv6) ? all.compactMap(\.ofIPv6) : [])
            + orders.flatMap { order in
                (order.investigation?.brackets ?? []).compactMap { bracket in
                    hooks[bracket.hook].map {
                        ProofPost(order.family == .ipv4 ? .ipv4 : .ipv6, $0, bracket.priority, bracket.name)
                    }
                }
            }
    }

    /// The same post for the other family; nil for one that sees both.
    private var ofIPv6: ProofPost? {
        guard family == .ipv4 else { return nil }
        let isLastAtInput = hook == .input && priority == Self.last
        return ProofPost(.ipv6, hook, isLastAtInput ? Self.lastAtInputOfIPv6 : priority, name, stops: stops)
    }

    /// Whether packets of an order come by here.
    private func sees(_ order: ProbeOrder) -> Bool {
        switch family {
        case .ipv4: order.family == .ipv4
        case .ipv6: order.family == .ipv6
        default: true
        }
    }

    /// Before everybody else at the ingress of a link: only the trace begins there.
    static func ingress(of device: String) -> ProofPost {
        var post = ProofPost(.netdev, .netdevIngress, .min, "ingress.first")
        post.device = device
        return post
    }

    private init(_ family: NftFamily, _ hook: NftHook, _ priority: Int32, _ name: String, stops: Bool = false) {
        self.family = family
        self.hook = hook
        self.priority = priority
        self.name = name
        self.stops = stops
    }

    /// What is done with a probe here.
    private func statements(stopping: Bool, group: UInt16, traces: Bool) -> [NftExpression] {
        var statements: [NftExpression] = []
        if traces, name == "prerouting.first" || device != nil { statements += NftExpression.enableTrace }
        guard device == nil else { return statements }
        statements.append(.log(NftLog(prefix: prefix(stopping: stopping), group: group)))
        if stopping { statements.append(.verdict(.drop)) }
        return statements
    }

    /// The chain with its rules.
    func build(
        _ batch: inout NftTransaction, in table: NftTableName, _ orders: [ProbeOrder], group: UInt16, traces: Bool
    ) throws(HostError) {
        batch.newChain(
            chain, in: table, base: NftBaseChain(hook: hook, priority: priority, devices: device.map { [$0] } ?? []))
        for order in orders where sees(order) { try add(order, to: &batch, in: table, group: group, traces: traces) }
    }

    private func add(
        _ order: ProbeOrder, to batch: inout NftTransaction, in table: NftTableName, group: UInt16, traces: Bool
    ) throws(HostError) {
        let outside = statements(stopping: stops && order.mode == .fence, group: group, traces: traces)
        try match(order.nonce.bytes, &batch, in: table, outside)
        guard let local = order.local else { return }
        if !local.hostPackets.isEmpty {
            let statements = statements(stopping: stops, group: group, traces: traces)
            try match(local.hostNonce.bytes, &batch, in: table, statements)
            // The transaction id of DHCP.
            batch.newRule(
                in: chain, of: table,
                NftExpression.meta(.transportProtocol, equal: NftValue(byte: UInt8(IPPROTO_UDP)))
                    + NftExpression.bytes(.transport, at: 2, equal: NftValue(big16: 67))
                    + NftExpression.bytes(
                        .transport, at: 12, equal: NftValue(big32: ProbeMark.sequence(local.hostNonce.bytes)))
                    + statements)
        }
        if local.peer != nil {
            let statements = statements(stopping: stopsPeers, group: group, traces: traces)
            try match(local.peerNonce.bytes, &batch, in: table, statements)
        }
    }

    /// Two rules that know the packets of a nonce.
    private func match(
        _ nonce: [UInt8], _ batch: inout NftTransaction, in table: NftTableName, _ statements: [NftExpression]
    ) throws(HostError) {
        guard let payload = NftValue(nonce.prefix(8)), payload.count == 8 else {
            throw HostError(.malformed, operation: "raise the fence", message: "the nonce is not eight bytes")
        }
        // Behind the eight bytes of a UDP or an ICMP echo header.
        batch.newRule(in: chain, of: table, NftExpression.bytes(.transport, at: 8, equal: payload) + statements)
        // The sequence number of TCP, with SYN and without ACK.
        batch.newRule(
            in: chain, of: table,
            NftExpression.meta(.transportProtocol, equal: NftValue(byte: UInt8(IPPROTO_TCP)))
                + NftExpression.bytes(.transport, at: 4, equal: NftValue(big32: ProbeMark.sequence(nonce)))
                + NftExpression.bytes(.transport, at: 13, equal: NftValue(byte: 2)) + statements)
    }

    /// A packet that was logged here.
    func sighting(
        of packet: NflogPacket, microseconds: Int, name interfaceName: (UInt32) -> String
    ) -> Sighting {
        let isFence = packet.prefix == prefix(stopping: true)
        let outwards = hook == .postrouting || hook == .forward
        let hookName = name.split(separator: ".").first.map(String.init) ?? name
        return Sighting(
            interface: interfaceName(outwards ? packet.output : packet.input),
            direction: isFence ? .fenced : .passed, microseconds: microseconds,
            packet: ByteString(Array(packet.payload)), hook: isFence ? hookName : name, family: family.name,
            mark: packet.mark == 0 ? nil : packet.mark)
    }
}
