package import HostModel

/// One packet, as the host's IP layer is asked about it.
package struct SamplePacket: Codable, Sendable, Hashable {
    package enum Transport: Sendable, Hashable {
        case tcp, udp, icmp
        case other(UInt8)
    }

    package enum ConnectionState: String, Codable, Sendable, CaseIterable {
        case new, established, related, invalid, untracked
    }

    package enum Direction: String, Codable, Sendable, CaseIterable {
        case original, reply
    }

    /// The link that the IP layer says it came in by: the bridge, not the port. Nil: the host itself sends it.
    package var inputInterface: String?
    /// The port of that bridge; nil where it is none, or is not known.
    package var inputPort: String?
    package var source: IPv4Address
    package var destination: IPv4Address
    package var `protocol`: Transport
    /// ICMP: the type.
    package var sourcePort: UInt16
    /// ICMP: the code.
    package var destinationPort: UInt16
    /// The mark it has before the first hook.
    package var mark: UInt32
    /// What conntrack says of it, unless a rule keeps it from being tracked.
    package var connectionState: ConnectionState
    package var direction: Direction
    /// A second or further fragment, which has no ports. Conntrack puts fragments together, so this is seen only by
    /// chains before it and only where it is off.
    package var fragment: Bool
    /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32.
    package var tcpFlags: UInt8
    /// What conntrack makes of the source at postrouting, for a packet of a known flow that is translated.
    package var mappedSource: IPv4Address?
    /// What conntrack makes of the destination at prerouting, for a packet of a known flow that is translated.
    package var mappedDestination: IPv4Address?
    /// As it comes in; nil: not known.
    package var timeToLive: UInt8?
    /// Of the whole IP packet, in bytes; nil: not known.
    package var length: UInt16?
    /// The user and group of the socket that sends it, for a packet of the host itself; nil: not known.
    package var user: UInt32?
    package var group: UInt32?
    /// The mark of a known flow; nil: not known. That of a new one is 0.
    package var connectionMark: UInt32?

    package init(
        inputInterface: String?, inputPort: String? = nil, source: IPv4Address, destination: IPv4Address,
        protocol: Transport, sourcePort: UInt16 = 0, destinationPort: UInt16 = 0, mark: UInt32 = 0,
        connectionState: ConnectionState = .new, direction: Direction = .original, fragment: Bool = false,
        tcpFlags: UInt8 = 2, mappedSource: IPv4Address? = nil, mappedDestination: IPv4Address? = nil
    ) {
        self.inputInterface = inputInterface
        self.inputPort = inputPort
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.mark = mark
        self.connectionState = connectionState
        self.direction = direction
        self.fragment = fragment
        self.tcpFlags = tcpFlags
        self.mappedSource = mappedSource
        self.mappedDestination = mappedDestination
    }
}

extension SamplePacket.Transport: Codable, CustomStringConvertible {
    package var number: UInt8 {
        switch self {
        case .icmp: 1
        case .tcp: 6
        case .udp: 17
        case .other(let number): number
        }
    }

    package init(number: UInt8) {
        switch number {
        case 1: self = .icmp
        case 6: self = .tcp
        case 17: self = .udp
        default: self = .other(number)
        }
    }

    /// `tcp`, or the number of a protocol without a name here.
    package var description: String {
        switch self {
        case .icmp: "icmp"
        case .tcp: "tcp"
        case .udp: "udp"
        case .other(let number): "\(number)"
        }
    }

    package init(from decoder: any Decoder) throws {
        self.init(number: try decoder.singleValueContainer().decode(UInt8.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}
