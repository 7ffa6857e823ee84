internal import HostModel
internal import WireFormats

/// Values as `nft` writes them. Source: nft(8), its tables of symbols; protocols(5), rt_realms and group of iproute2.
enum NftWords {
    /// `bytes` as in the packet, or, for what the kernel keeps in host order, as in memory.
    static func text(_ bytes: [UInt8], _ kind: NftKind, isHostOrder: Bool, links: [UInt32: String]) -> String {
        let number = number(bytes, isHostOrder: isHostOrder)
        switch kind {
        case .number, .fragmentOffset: return number.map(String.init) ?? hexadecimal(bytes)
        case .hexadecimal: return number.map { "0x" + String($0, radix: 16) } ?? hexadecimal(bytes)
        case .address: return address(bytes)
        case .hardwareAddress: return bytes.map { pad(UInt64($0), 2) }.joined(separator: ":")
        case .mark: return number.map { "0x" + pad($0, 8) } ?? hexadecimal(bytes)
        case .name: return "\"\(name(bytes))\""
        case .text: return "\"\(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))\""
        case .link:
            guard let number else { return hexadecimal(bytes) }
            return links[UInt32(truncatingIfNeeded: number)].map { "\"\($0)\"" } ?? "\(number)"
        case .connectionState, .connectionStatus, .tcpFlags: return bits(number ?? 0, kind)
        case .connectionLabel: return label(bytes)
        case .trafficHandle: return handle(number ?? 0)
        case .milliseconds: return duration((number ?? 0) / 1000)
        case .hour: return clock(number ?? 0)
        case .time: return instant(number ?? 0)
        default: return number.map { symbol($0, kind) } ?? hexadecimal(bytes)
        }
    }

    /// An end of a range, which is written without the names of symbols.
    static func rangeText(_ bytes: [UInt8], _ kind: NftKind, isHostOrder: Bool, links: [UInt32: String]) -> String {
        let number = number(bytes, isHostOrder: isHostOrder)
        switch kind {
        case .transport, .family, .packetType, .icmpType, .icmpCode, .icmp6Type, .icmp6Code, .notification,
            .addressType, .linkType, .group, .realm, .weekday, .arpOperation, .mobility, .connectionDirection:
            return number.map(String.init) ?? hexadecimal(bytes)
        case .service: return number.map { "0x" + pad($0, 2) } ?? hexadecimal(bytes)
        case .milliseconds: return number.map { "\($0 / 1000)s" } ?? hexadecimal(bytes)
        default: return text(bytes, kind, isHostOrder: isHostOrder, links: links)
        }
    }

    static func number(_ bytes: [UInt8], isHostOrder: Bool) -> UInt64? {
        guard bytes.count <= 8 else { return nil }
        let ordered = isHostOrder ? bytes.reversed() : bytes
        return ordered.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A name shorter than a register without a NUL behind it is the beginning of names.
    private static func name(_ bytes: [UInt8]) -> String {
        let name = bytes.prefix { $0 != 0 }
        return String(decoding: name, as: UTF8.self) + (name.count == bytes.count && bytes.count < 16 ? "*" : "")
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = bytes.map { pad(UInt64($0), 2) }.joined().drop { $0 == "0" }
        return "0x" + (digits.isEmpty ? "0" : digits)
    }

    private static func pad(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: Addresses

    static func address(_ bytes: [UInt8]) -> String {
        if bytes.count <= 4 {
            let octets = bytes + [UInt8](repeating: 0, count: 4 - bytes.count)
            return octets.map(String.init).joined(separator: ".")
        }
        guard bytes.count <= 16 else { return hexadecimal(bytes) }
        return address6(bytes + [UInt8](repeating: 0, count: 16 - bytes.count))
    }

    /// RFC 5952, with the last 32 bits as IPv4 where they are one inside ::ffff:0:0/96.
    private static func address6(_ bytes: [UInt8]) -> String {
        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        if groups.prefix(5).allSatisfy({ $0 == 0 }), groups[5] == 0xffff {
            return "::ffff:" + bytes.suffix(4).map(String.init).joined(separator: ".")
        }
        var longest = 0..<0
        var start: Int?
        for index in 0...8 {
            if index < 8, groups[index] == 0 {
                start = start ?? index
            } else if let first = start {
                if index - first > longest.count { longest = first..<index }
                start = nil
            }
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard longest.count > 1 else { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }

    /// How many leading bits are set, where no others are.
    static func prefixLength(_ mask: [UInt8]) -> Int? {
        let leading = mask.prefix { $0 == 0xff }.count
        guard leading < mask.count else { return leading * 8 }
        let next = mask[leading]
        let bits = (~next).leadingZeroBitCount
        guard next == (bits == 0 ? 0 : ~(0xff >> UInt8(bits))), mask[(leading + 1)...].allSatisfy({ $0 == 0 }) else {
            return nil
        }
        return leading * 8 + bits
    }

    /// Of a range from the first address of a prefix to its last.
    static func prefixLength(from low: [UInt8], through high: [UInt8]) -> Int? {
        guard low.count == high.count else { return nil }
        let changing = zip(low, high).map { $0 ^ $1 }
        guard let length = prefixLength(changing.map { ~$0 }) else { return nil }
        let isWhole = zip(zip(low, high), changing).allSatisfy { $0.0 & $1 == 0 && $0.1 & $1 == $1 }
        return isWhole ? length : nil
    }

    // MARK: Names

    static func transport(_ number: UInt8) -> String { transports[UInt64(number)] ?? "\(number)" }

    private static let transports: [UInt64: String] = [
        0: "ip", 1: "icmp", 2: "igmp", 3: "ggp", 4: "ipencap", 5: "st", 6: "tcp", 8: "egp", 9: "igp", 12: "pup",
        17: "udp",
        20: "hmp", 22: "xns-idp", 27: "rdp", 29: "iso-tp4", 33: "dccp", 36: "xtp", 37: "ddp", 38: "idpr-cmtp",
        41: "ipv6", 43: "ipv6-route", 44: "ipv6-frag", 45: "idrp", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah",
        57: "skip", 58: "ipv6-icmp", 59: "ipv6-nonxt", 60: "ipv6-opts", 73: "rspf", 81: "vmtp", 88: "eigrp",
        89: "ospf", 93: "ax.25", 94: "ipip", 97: "etherip", 98: "encap", 103: "pim", 108: "ipcomp", 112: "vrrp",
        115: "l2tp", 124: "isis", 132: "sctp", 133: "fc", 135: "mobility-header", 136: "udplite", 137: "mpls-in-ip",
        138: "manet", 139: "hip", 140: "shim6", 141: "wesp", 142: "rohc",
    ]

    private static let symbols: [NftKind: [UInt64: String]] = [
        .transport: transports,
        .family: [2: "ipv4", 10: "ipv6"],
        .etherType: [0x0800: "ip", 0x0806: "arp", 0x86dd: "ip6", 0x8100: "8021q", 0x88a8: "8021ad"],
        .connectionDirection: [0: "original", 1: "reply"],
        .packetType: [0: "host", 1: "broadcast", 2: "multicast", 3: "other"],
        .icmpType: [
            0: "echo-reply", 3: "destination-unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request",
            9: "router-advertisement", 10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem",
            13: "timestamp-request", 14: "timestamp-reply", 15: "info-request", 16: "info-reply",
            17: "address-mask-request", 18: "address-mask-reply",
        ],
        .icmpCode: [
            0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable",
            4: "frag-needed", 9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited",
        ],
        .icmp6Type: [
            1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem",
            128: "echo-request", 129: "echo-reply", 130: "mld-listener-query", 131: "mld-listener-report",
            132: "mld-listener-done", 133: "nd-router-solicit", 134: "nd-router-advert", 135: "nd-neighbor-solicit",
            136: "nd-neighbor-advert", 137: "nd-redirect", 138: "router-renumbering", 141: "ind-neighbor-solicit",
            142: "ind-neighbor-advert", 143: "mld2-listener-report",
        ],
        .icmp6Code: [
            0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable", 5: "policy-fail",
            6: "reject-route",
        ],
        .service: [
            0: "cs0", 8: "cs1", 10: "af11", 12: "af12", 14: "af13", 16: "cs2", 18: "af21", 20: "af22", 22: "af23",
            24: "cs3", 26: "af31", 28: "af32", 30: "af33", 32: "cs4", 34: "af41", 36: "af42", 38: "af43", 40: "cs5",
            46: "ef", 48: "cs6", 56: "cs7",
        ],
        .notification: [0: "not-ect", 1: "ect1", 2: "ect0", 3: "ce"],
        .addressType: [
            0: "unspec", 1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole",
            7: "unreachable", 8: "prohibit",
        ],
        .boolean: [0: "missing", 1: "exists"],
        .linkType: [1: "ether", 512: "ppp", 769: "ipip6", 772: "loopback", 776: "sit", 778: "ipgre"],
        .group: [0: "\"default\""],
        .realm: [0: "\"cosmos\""],
        .weekday: [
            0: "\"Sunday\"", 1: "\"Monday\"", 2: "\"Tuesday\"", 3: "\"Wednesday\"", 4: "\"Thursday\"",
            5: "\"Friday\"", 6: "\"Saturday\"",
        ],
        .arpOperation: [
            1: "request", 2: "reply", 3: "rrequest", 4: "rreply", 8: "inrequest", 9: "inreply", 10: "nak",
        ],
        .mobility: [
            0: "binding-refresh-request", 1: "home-test-init", 2: "careof-test-init", 3: "home-test", 4: "careof-test",
            5: "binding-update", 6: "binding-acknowledgement", 7: "binding-error",
        ],
    ]

    private static func symbol(_ number: UInt64, _ kind: NftKind) -> String {
        if let name = symbols[kind]?[number] { return name }
        switch kind {
        case .service: return "0x" + pad(number, 2)
        case .etherType: return "0x" + pad(number, 4)
        default: return "\(number)"
        }
    }

    // MARK: Bits

    static func bitNames(_ kind: NftKind) -> [(UInt64, String)] {
        switch kind {
        case .connectionState: [(1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")]
        case .connectionStatus:
            [
                (1, "expected"), (2, "seen-reply"), (4, "assured"), (8, "confirmed"), (16, "snat"), (32, "dnat"),
                (512, "dying"),
            ]
        case .tcpFlags:
            [
                (1, "fin"), (2, "syn"), (4, "rst"), (8, "psh"), (16, "ack"), (32, "urg"), (64, "ecn"), (128, "cwr"),
            ]
        default: []
        }
    }

    private static func bits(_ number: UInt64, _ kind: NftKind) -> String {
        let names = bitNames(kind).filter { number & $0.0 != 0 }
        let known = names.reduce(0) { $0 | $1.0 }
        guard !names.isEmpty, known == number else { return "0x" + String(number, radix: 16) }
        return names.map(\.1).joined(separator: ",")
    }

    /// The number of the one bit that is set, in host order.
    private static func label(_ bytes: [UInt8]) -> String {
        guard let place = bytes.firstIndex(where: { $0 != 0 }) else { return "0" }
        return "\(place * 8 + bytes[place].trailingZeroBitCount)"
    }

    private static func handle(_ number: UInt64) -> String {
        switch number {
        case 0: "none"
        case 0xffff_ffff: "root"
        default: String(number >> 16, radix: 16) + ":" + String(number & 0xffff, radix: 16)
        }
    }

    // MARK: Time

    /// `1h30m`; of whole seconds.
    static func duration(_ seconds: UInt64) -> String {
        let units: [(UInt64, String)] = [(604_800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s")]
        var rest = seconds
        var text = ""
        for (size, name) in units.dropFirst() where rest >= size {
            text += "\(rest / size)\(name)"
            rest %= size
        }
        return text.isEmpty ? "0s" : text
    }

    /// Seconds since midnight, in UTC as the kernel keeps it.
    private static func clock(_ seconds: UInt64) -> String {
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        return "\"\(two(hour)):\(two(minute))" + (second == 0 ? "" : ":\(two(second))") + "\""
    }

    /// Nanoseconds since the epoch, in UTC.
    private static func instant(_ nanoseconds: UInt64) -> String {
        let text = RFC3339.text(secondsSince1970: Int(clamping: nanoseconds / 1_000_000_000))
        return "\"\(text.prefix(10)) \(text.dropFirst(11).prefix(8))\""
    }
}
