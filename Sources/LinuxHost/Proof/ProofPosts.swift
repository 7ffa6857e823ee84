internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Where our own table looks at the probes, and where it stops them.
struct ProofPost {
    let family: NftFamily
    let hook: NftHook
    let priority: Int32
    /// The name of the hook with the end of it: `forward.first`.
    let name: String
    /// Whether a probe that comes here is stopped in fence mode.
    let stops: Bool

    /// The text of the log statement, by which the post is known again.
    var prefix: String { "\(family.name) \(name)" }
    var chain: String { name.replacing(".", with: "_") }

    /// Behind everybody else, but one before conntrack confirms a connection (NF_IP_PRI_CONNTRACK_CONFIRM): of equals
    /// the one that came later is first, and conntrack may come and go with the rules of others.
    private static let last = Int32.max - 1

    static let all = [
        ProofPost(.ipv4, .prerouting, .min, "prerouting.first"),
        ProofPost(.ipv4, .prerouting, last, "prerouting.last"),
        // A redirected probe would reach a real process.
        ProofPost(.ipv4, .input, last, "input.last", stops: true),
        ProofPost(.ipv4, .forward, .min, "forward.first"),
        ProofPost(.ipv4, .forward, last, "forward.last"),
        ProofPost(.ipv4, .postrouting, .min, "postrouting.first"),
        ProofPost(.ipv4, .postrouting, last, "postrouting.last", stops: true),
        ProofPost(.bridge, .prerouting, .min, "prerouting.first"),
        // What is bridged never passes the hooks of the ip family.
        ProofPost(.bridge, .postrouting, last, "postrouting.last", stops: true),
    ]

    private init(_ family: NftFamily, _ hook: NftHook, _ priority: Int32, _ name: String, stops: Bool = false) {
        self.family = family
        self.hook = hook
        self.priority = priority
        self.name = name
        self.stops = stops
    }

    /// What is done with a probe here.
    private func statements(_ order: ProbeOrder, group: UInt16) -> [NftExpression] {
        var statements: [NftExpression] = []
        if order.traces, name == "prerouting.first" { statements += NftExpression.enableTrace }
        statements.append(.log(NftLog(prefix: prefix, group: group)))
        if stops, order.mode == .fence { statements.append(.verdict(.drop)) }
        return statements
    }

    /// The chain with its two rules.
    func build(_ batch: inout NftTransaction, in table: NftTableName, _ order: ProbeOrder, group: UInt16)
        throws(HostError)
    {
        let nonce = order.nonce.bytes
        guard let payload = NftValue(nonce.prefix(8)), payload.count == 8 else {
            throw HostError(.malformed, operation: "raise the fence", message: "the nonce is not eight bytes")
        }
        batch.newChain(chain, in: table, base: NftBaseChain(hook: hook, priority: priority))
        let statements = statements(order, group: group)
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
        of packet: NflogPacket, mode: ProofMode, microseconds: Int, name interfaceName: (UInt32) -> String
    ) -> Sighting {
        let isFence = stops && mode == .fence
        let outwards = hook == .postrouting || hook == .forward
        let hookName = name.split(separator: ".").first.map(String.init) ?? name
        return Sighting(
            interface: interfaceName(outwards ? packet.output : packet.input),
            direction: isFence ? .fenced : .passed, microseconds: microseconds,
            packet: ByteString(Array(packet.payload)), hook: isFence ? hookName : name, family: family.name)
    }
}
