/// What a value is, so as to write it as `nft` does.
enum NftKind {
    case number, hexadecimal, address, hardwareAddress, transport, family, etherType, mark, name, link, text
    case connectionState, connectionStatus, connectionDirection, connectionLabel, packetType, fragmentOffset
    case icmpType, icmpCode, icmp6Type, icmp6Code, service, notification, tcpFlags, addressType, boolean, linkType
    case trafficHandle, group, realm, milliseconds, hour, weekday, time, arpOperation, mobility

    /// Of bits that have names: a test for some of them is written without the mask.
    var isBits: Bool {
        switch self {
        case .connectionState, .connectionStatus, .tcpFlags, .connectionLabel: true
        default: false
        }
    }
}

/// A field that a match looks at, by the name that `nft` gives it.
struct NftField {
    var name: String
    var kind: NftKind
    /// Bits of the header that it begins in, for a field of a packet.
    var bits: Range<Int> = 0..<0
}

/// The headers whose fields have names. Source: RFC 791, 8200, 9293, 768, 792, 4443, 826, 4302, 4303; nft(8).
///
/// The raw value is what `nft` calls the header.
enum NftHeader: String {
    case ether, vlan, ip, ip6, arp, tcp, udp, udplite, sctp, dccp, icmp, igmp, ah, esp, comp
    case icmp6 = "icmpv6"
    /// Of a transport that is not known.
    case transport = "th"

    static func network(etherType: UInt16) -> NftHeader? {
        switch etherType {
        case 0x0800: .ip
        case 0x86dd: .ip6
        case 0x0806: .arp
        case 0x8100: .vlan
        default: nil
        }
    }

    static func transport(_ number: UInt8) -> NftHeader? {
        switch number {
        case 1: .icmp
        case 2: .igmp
        case 6: .tcp
        case 17: .udp
        case 33: .dccp
        case 50: .esp
        case 51: .ah
        case 58: .icmp6
        case 108: .comp
        case 132: .sctp
        case 136: .udplite
        default: nil
        }
    }

    /// The field that lies in exactly these bits.
    func field(_ bits: Range<Int>) -> NftField? {
        let found = fields.first { $0.1 == bits.lowerBound && $0.2 == bits.count }
        return found.map { NftField(name: rawValue + " " + $0.0, kind: $0.3, bits: bits) }
    }

    private typealias Row = (String, Int, Int, NftKind)
    private static let ports: [Row] = [("sport", 0, 16, .number), ("dport", 16, 16, .number)]

    /// Name, first bit, bits, kind.
    private var fields: [Row] {
        switch self {
        case .ether: Self.etherFields
        case .vlan: Self.vlanFields
        case .ip: Self.ipFields
        case .ip6: Self.ip6Fields
        case .arp: Self.arpFields
        case .tcp: Self.tcpFields
        case .udp: Self.udpFields
        case .udplite: Self.ports + [("checksum", 48, 16, .number)]
        case .sctp: Self.ports + [("vtag", 32, 32, .number), ("checksum", 64, 32, .number)]
        case .dccp, .transport: Self.ports
        case .icmp: Self.icmpFields
        case .icmp6: Self.icmp6Fields
        case .igmp: [("type", 0, 8, .number), ("mrt", 8, 8, .number), ("checksum", 16, 16, .number)]
        case .ah: Self.ahFields
        case .esp: [("spi", 0, 32, .number), ("sequence", 32, 32, .number)]
        case .comp: [("nexthdr", 0, 8, .transport), ("flags", 8, 8, .hexadecimal), ("cpi", 16, 16, .number)]
        }
    }

    private static let etherFields: [Row] = [
        ("daddr", 0, 48, .hardwareAddress), ("saddr", 48, 48, .hardwareAddress), ("type", 96, 16, .etherType),
    ]
    private static let vlanFields: [Row] = [
        ("pcp", 112, 3, .number), ("dei", 115, 1, .number), ("id", 116, 12, .number), ("type", 128, 16, .etherType),
    ]
    private static let ipFields: [Row] = [
        ("version", 0, 4, .number), ("hdrlength", 4, 4, .number), ("dscp", 8, 6, .service),
        ("ecn", 14, 2, .notification),
        ("length", 16, 16, .number), ("id", 32, 16, .number), ("frag-off", 48, 16, .fragmentOffset),
        ("ttl", 64, 8, .number), ("protocol", 72, 8, .transport), ("checksum", 80, 16, .number),
        ("saddr", 96, 32, .address), ("daddr", 128, 32, .address),
    ]
    private static let ip6Fields: [Row] = [
        ("version", 0, 4, .number), ("dscp", 4, 6, .service), ("ecn", 10, 2, .notification),
        ("flowlabel", 12, 20, .number), ("length", 32, 16, .number), ("nexthdr", 48, 8, .transport),
        ("hoplimit", 56, 8, .number), ("saddr", 64, 128, .address), ("daddr", 192, 128, .address),
    ]
    private static let arpFields: [Row] = [
        ("htype", 0, 16, .number), ("ptype", 16, 16, .etherType), ("hlen", 32, 8, .number), ("plen", 40, 8, .number),
        ("operation", 48, 16, .arpOperation), ("saddr ether", 64, 48, .hardwareAddress),
        ("saddr ip", 112, 32, .address), ("daddr ether", 144, 48, .hardwareAddress), ("daddr ip", 192, 32, .address),
    ]
    private static let tcpFields: [Row] =
        ports + [
            ("sequence", 32, 32, .number), ("ackseq", 64, 32, .number), ("doff", 96, 4, .number),
            ("reserved", 100, 4, .number), ("flags", 104, 8, .tcpFlags), ("window", 112, 16, .number),
            ("checksum", 128, 16, .number), ("urgptr", 144, 16, .number),
        ]
    private static let udpFields: [Row] = ports + [("length", 32, 16, .number), ("checksum", 48, 16, .number)]
    private static let icmpFields: [Row] = [
        ("type", 0, 8, .icmpType), ("code", 8, 8, .icmpCode), ("checksum", 16, 16, .number), ("id", 32, 16, .number),
        ("sequence", 48, 16, .number), ("gateway", 32, 32, .number),
    ]
    private static let icmp6Fields: [Row] = [
        ("type", 0, 8, .icmp6Type), ("code", 8, 8, .icmp6Code), ("checksum", 16, 16, .number),
        ("id", 32, 16, .number), ("sequence", 48, 16, .number), ("mtu", 32, 32, .number),
    ]
    private static let ahFields: [Row] = [
        ("nexthdr", 0, 8, .transport), ("hdrlength", 8, 8, .number), ("reserved", 16, 16, .number),
        ("spi", 32, 32, .number), ("sequence", 64, 32, .number),
    ]
}
