internal import HostModel

/// A number of which some bits are known.
struct PartialWord: Hashable {
    var value: UInt32
    /// Ones where the bit is known.
    var known: UInt32 = .max

    /// What a mark becomes: bits cleared, then flipped.
    func changed(keeping mask: UInt32, flipping bits: UInt32) -> PartialWord {
        PartialWord(value: (value & mask) ^ bits, known: known | ~mask)
    }

    /// Whether the masked bits equal a value; nil where that is not known.
    func equals(_ wanted: UInt32, mask: UInt32) -> Bool? {
        if (value ^ wanted) & known & mask != 0 || wanted & ~mask != 0 { return false }
        return mask & ~known == 0 ? true : nil
    }
}

/// A byte of which some bits are known.
struct PartialByte: Hashable {
    var value: UInt8 = 0
    /// Ones where the bit is known.
    var known: UInt8 = 0

    func changed(keeping mask: UInt8, flipping bits: UInt8) -> PartialByte {
        PartialByte(value: (value & mask) ^ bits, known: known | ~mask)
    }
}

/// One direction of a flow, as conntrack keeps it.
struct FlowTuple: Hashable {
    var source: IPv4Address
    var destination: IPv4Address
    var sourcePort: UInt16
    var destinationPort: UInt16
}

/// Where a packet is on its way, and what was made of it.
struct WalkState: Hashable {
    enum Tracking {
        /// Conntrack has not seen it yet.
        case unseen
        case tracked, untracked, invalid
    }

    let packet: SamplePacket
    /// Of the whole IP packet, where it was told: a target may add to it.
    var length: UInt16?
    var source: IPv4Address
    var destination: IPv4Address
    var sourcePort: UInt16
    var destinationPort: UInt16
    var mark: PartialWord
    var connectionMark: PartialWord
    var tracking = Tracking.unseen
    /// It has passed the place where conntrack stands.
    var hasMetConntrack = false
    /// The link names; nil where there is none (yet).
    var input: HostForwarding.Interface?
    var output: HostForwarding.Interface?
    /// The device whose ingress or egress it is at.
    var device: HostForwarding.Interface?
    /// The ports of a bridge, where the packet crosses it and br_netfilter shows it to the IP hooks.
    var hasBridgeInfo = false
    var outputIsBridged = false
    /// A chain that has a new route looked up changed the mark of what the host sends.
    var needsRoute = false
    /// A rule gave it to a socket of this host (tproxy).
    var isForSocket = false
    /// It left by lo and came in again.
    var isLooped = false
    var isSourceTranslated = false
    var isDestinationTranslated = false
    var sourceChoices: [IPv4Address]?
    /// Index of the rule that translates the source.
    var translator: Int?
    var zone: UInt16 = 0
    /// Bytes of the IP header that rules and hops write, by their place: the type of service, the lifetime. Addresses
    /// and ports have fields of their own.
    var written: [Int: PartialByte] = [:]
    /// The target CT or `ct zone set` gave it a template for conntrack: later ones, and notrack, are passed over (xt_CT.c,
    /// nft_ct.c).
    var hasTemplate = false
    var templateMark = PartialWord(value: 0)
    /// The mark that a rule sees which asks for that of the connection.
    var seenConnectionMark: PartialWord { tracking == .tracked ? connectionMark : templateMark }
    /// Where the next hop lies, once routed.
    var nextHop: IPv4Address
    /// As conntrack keeps the flow: source, destination, ports, as they first came.
    var original: FlowTuple
    var reply: FlowTuple

    init(_ packet: SamplePacket) {
        self.packet = packet
        length = packet.length
        source = packet.source
        destination = packet.destination
        sourcePort = packet.sourcePort
        destinationPort = packet.destinationPort
        mark = PartialWord(value: packet.mark)
        connectionMark = PartialWord(
            value: packet.connectionMark ?? 0,
            known: packet.connectionState == .new || packet.connectionMark != nil ? .max : 0)
        if let lifetime = packet.timeToLive { written[8] = PartialByte(value: lifetime, known: 0xff) }
        nextHop = packet.destination
        let far = packet.mappedDestination ?? packet.destination
        let near = packet.mappedSource ?? packet.source
        let own = FlowTuple(
            source: packet.source, destination: packet.destination, sourcePort: packet.sourcePort,
            destinationPort: packet.destinationPort)
        let other = FlowTuple(
            source: far, destination: near, sourcePort: packet.destinationPort, destinationPort: packet.sourcePort)
        (original, reply) = packet.direction == .original ? (own, other) : (other, own)
    }

    /// The flow of a first packet, as it is now.
    mutating func keepTuples() {
        original = FlowTuple(
            source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort)
        reply = FlowTuple(
            source: destination, destination: source, sourcePort: destinationPort, destinationPort: sourcePort)
    }

    /// Tracked, or marked for it by a template, which has a mark of its own.
    var hasConnection: Bool { tracking == .tracked || tracking == .unseen && hasTemplate }

    /// A host that has no address yet asks its link: DHCP, IGMP. No route is looked up for it (nft_fib_ipv4.c).
    var asksWithoutAddress: Bool {
        source.value == 0 && (destination.value == .max || destination.value >> 8 == 0xe0_0000)
    }

    /// What is left of its lifetime, where that is known.
    var timeToLive: UInt8? { written[8].flatMap { $0.known == 0xff ? $0.value : nil } }

    func isTranslated(source isSource: Bool) -> Bool { isSource ? isSourceTranslated : isDestinationTranslated }

    /// Whether its ends are still those that it came with.
    var hasOwnAddresses: Bool {
        source == packet.source && destination == packet.destination && sourcePort == packet.sourcePort
            && destinationPort == packet.destinationPort
    }

    /// An ICMP error about a known flow: it belongs to that flow, of which its own header says little.
    var isError: Bool { packet.connectionState == .related && packet.protocol == .icmp }

    var isNew: Bool { packet.connectionState == .new }
    var isReply: Bool { packet.direction == .reply }
    var transport: UInt8 { packet.protocol.number }
    var hasPorts: Bool { packet.protocol == .tcp || packet.protocol == .udp }

    /// IP_CT_* as a bit: invalid 1, established 2, related 4, new 8; nil where there is no conntrack entry.
    var stateBit: UInt32? {
        if tracking == .unseen, hasTemplate { return 8 }
        guard tracking == .tracked else { return nil }
        switch packet.connectionState {
        case .new: return 8
        case .established: return 2
        case .related: return 4
        case .invalid, .untracked: return nil
        }
    }

    /// IPS_*: expected 1, seen reply 2, assured 4, confirmed 8, source translated 16, destination translated 32.
    var status: PartialWord {
        var value: UInt32 = 0
        var known: UInt32 = ~0x3fff
        switch packet.connectionState {
        case .new: known |= 0x3f
        case .related where !isError:
            value |= 1
            known |= 0x3f
        // The first packet may have brought the error about: whether an answer was seen is not known.
        case .related:
            value |= 8
            known |= 8 | 0x30
        default:
            value |= 2 | 8
            known |= 2 | 8 | 0x30
        }
        // The kernel notes only what really changed.
        let newSource =
            isSourceTranslated && (sourceChoices != nil || source != packet.source || sourcePort != packet.sourcePort)
        let newDestination =
            isDestinationTranslated
            && (destination != packet.destination || destinationPort != packet.destinationPort)
        if newSource || packet.mappedSource != nil { value |= isReply ? 0x20 : 0x10 }
        if newDestination || packet.mappedDestination != nil { value |= isReply ? 0x10 : 0x20 }
        return PartialWord(value: value, known: known)
    }
}
