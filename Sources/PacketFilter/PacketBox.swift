package import HostModel

/// What of a packet is told apart, each as a number.
package enum PacketField: Int, CaseIterable, Sendable {
    /// Of ICMP the source port is the type (upper byte) and the code.
    case source, destination, transport, sourcePort, destinationPort
    /// The packet's own mark, and that of its connection.
    case mark, connectionMark
    /// What conntrack says of it (`SamplePacket.ConnectionState.number`), and which way it goes (1: a reply).
    case state, direction
    /// 1: a second or further fragment, which has no ports.
    case fragment
    /// The flags of TCP, as in the byte of its header that has them. Of what is not TCP it says nothing.
    case tcpFlags
}

/// A set of packets: those whose every field lies in the set for that field. Immutable.
package struct PacketBox: Hashable, Sendable {
    package var source: IntervalSet
    package var destination: IntervalSet
    /// IP protocol numbers.
    package var transport: IntervalSet
    package var sourcePort: IntervalSet
    package var destinationPort: IntervalSet
    package var mark: IntervalSet
    package var connectionMark: IntervalSet
    package var state: IntervalSet
    package var direction: IntervalSet
    package var fragment: IntervalSet
    package var tcpFlags: IntervalSet

    private static let bytes = IntervalSet(0...255)
    private static let ports = IntervalSet(0...65535)
    private static let states = IntervalSet(0...6)
    private static let bits = IntervalSet(0...1)

    package init(
        source: IntervalSet = .all, destination: IntervalSet = .all, transport: IntervalSet? = nil,
        sourcePort: IntervalSet? = nil, destinationPort: IntervalSet? = nil, mark: IntervalSet = .all,
        connectionMark: IntervalSet = .all, state: IntervalSet? = nil, direction: IntervalSet? = nil,
        fragment: IntervalSet? = nil, tcpFlags: IntervalSet? = nil
    ) {
        self.source = source
        self.destination = destination
        self.transport = transport ?? Self.bytes
        self.sourcePort = sourcePort ?? Self.ports
        self.destinationPort = destinationPort ?? Self.ports
        self.mark = mark
        self.connectionMark = connectionMark
        self.state = state ?? Self.states
        self.direction = direction ?? Self.bits
        self.fragment = fragment ?? Self.bits
        self.tcpFlags = tcpFlags ?? Self.bytes
    }

    /// The ports that a flow may begin with or go to: nothing legitimate uses port 0 (RFC 6335 §6), and firewalls drop
    /// it on purpose. Of ICMP this leaves out the echo reply (type 0, code 0), which opens no flow.
    static let usedPorts = IntervalSet(1...65535)

    /// Whole packets without a mark that open a flow.
    package static func opening(
        source: IntervalSet, destination: IntervalSet, transport: IntervalSet? = nil, sourcePort: IntervalSet? = nil,
        destinationPort: IntervalSet? = nil
    ) -> PacketBox {
        PacketBox(
            source: source, destination: destination, transport: transport,
            sourcePort: sourcePort ?? usedPorts, destinationPort: destinationPort ?? usedPorts, mark: .zero,
            connectionMark: .zero,
            state: IntervalSet(SamplePacket.ConnectionState.new.number), direction: .zero, fragment: .zero,
            tcpFlags: openingFlags)
    }

    package subscript(field: PacketField) -> IntervalSet {
        get {
            switch field {
            case .source: source
            case .destination: destination
            case .transport: transport
            case .sourcePort: sourcePort
            case .destinationPort: destinationPort
            case .mark: mark
            case .connectionMark: connectionMark
            case .state: state
            case .direction: direction
            case .fragment: fragment
            case .tcpFlags: tcpFlags
            }
        }
        set {
            switch field {
            case .source: source = newValue
            case .destination: destination = newValue
            case .transport: transport = newValue
            case .sourcePort: sourcePort = newValue
            case .destinationPort: destinationPort = newValue
            case .mark: mark = newValue
            case .connectionMark: connectionMark = newValue
            case .state: state = newValue
            case .direction: direction = newValue
            case .fragment: fragment = newValue
            case .tcpFlags: tcpFlags = newValue
            }
        }
    }

    /// A flow of TCP is opened with SYN, alone or with the two flags that ask for ECN (RFC 3168 §6.1.1).
    static let openingFlags = IntervalSet([0x02...0x02, 0xc2...0xc2])
    /// What the other end of a flow may send: SYN only with ACK, RST with it or alone, all else with ACK (RFC 9293 §3.10),
    /// each with what ECN adds. Scans, not conversations, have other flags, such as none, all, or SYN and FIN.
    static let answeringFlags = IntervalSet(
        (0...255 as ClosedRange<UInt32>).filter { flags in
            let plain = flags & 0x3f
            if flags & 0x02 != 0 { return plain == 0x12 }
            if flags & 0x04 != 0 { return flags == 0x04 || flags == 0x14 }
            return flags & 0x10 != 0
        }.map { $0...$0 })

    package var isEmpty: Bool { PacketField.allCases.contains { self[$0].isEmpty } }

    /// Nil where no packet is in both.
    package func intersection(_ other: PacketBox) -> PacketBox? {
        var result = self
        for field in PacketField.allCases {
            let common = self[field].intersection(other[field])
            if common.isEmpty { return nil }
            result[field] = common
        }
        return result
    }

    /// The packets of this box that are not in the other, as boxes that do not overlap.
    package func subtracting(_ other: PacketBox) -> [PacketBox] {
        guard intersection(other) != nil else { return [self] }
        var rest = self
        var result: [PacketBox] = []
        for field in PacketField.allCases {
            let outside = rest[field].subtracting(other[field])
            if !outside.isEmpty {
                var piece = rest
                piece[field] = outside
                result.append(piece)
            }
            rest[field] = rest[field].intersection(other[field])
        }
        return result
    }

    /// The packets of the boxes that are in none of the others. Nil where that takes too many boxes.
    package static func subtract(_ others: [PacketBox], from boxes: [PacketBox], limit: Int = 4096) -> [PacketBox]? {
        var rest = boxes
        for other in others {
            rest = rest.flatMap { $0.subtracting(other) }
            if rest.count > limit { return nil }
        }
        return rest
    }
}

extension SamplePacket.ConnectionState {
    /// Its place among the bits of `ct state`: invalid 0, established 1, related 2, new 3, untracked 6.
    package var number: UInt32 {
        switch self {
        case .invalid: 0
        case .established: 1
        case .related: 2
        case .new: 3
        case .untracked: 6
        }
    }

    package init?(number: UInt32) {
        guard let found = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = found
    }

    /// Those with an entry of conntrack.
    static let tracked = IntervalSet(1...3)
}

extension IntervalSet {
    package static let zero = IntervalSet(0...0)

    package init(_ value: UInt32) {
        self.init(value...value)
    }

    package init(_ prefix: IPv4Prefix) {
        self.init(prefix.first.value...prefix.last.value)
    }

    /// As few prefixes as can be, lowest first; at most `limit`.
    package func prefixes(limit: Int = 32) -> [IPv4Prefix] {
        var result: [IPv4Prefix] = []
        for range in ranges {
            var low = UInt64(range.lowerBound)
            while low <= UInt64(range.upperBound), result.count < limit {
                let aligned = low == 0 ? 32 : min(32, low.trailingZeroBitCount)
                let room = UInt64(range.upperBound) - low + 1
                let bits = min(aligned, 63 - room.leadingZeroBitCount)
                if let prefix = IPv4Prefix(
                    address: IPv4Address(value: UInt32(truncatingIfNeeded: low)), length: 32 - bits)
                {
                    result.append(prefix)
                }
                low += 1 << UInt64(bits)
            }
        }
        return result
    }
}
