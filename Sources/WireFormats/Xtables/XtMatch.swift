package import HostModel

/// A match of x_tables, decoded. The same structures serve iptables-legacy and iptables-nft.
///
/// Source: `linux/netfilter/xt_*.h`, `linux/netfilter_ipv4/ipt_*.h`. Numbers are in host order unless said.
package enum XtMatch: Hashable, Sendable {
    case comment(String)
    /// `tcp` (6) and `udp` (17): ports; `flags` only for tcp.
    case ports(transport: UInt8, source: XtPorts, destination: XtPorts, flags: XtTCPFlags?)
    /// Type 255: any.
    case icmp(type: UInt8, codes: ClosedRange<UInt8>, inverted: Bool)
    case multiport(XtMultiport)
    /// `state`, and `conntrack` where only the state is compared: bits as of `--ctstate`.
    case conntrack(states: UInt16, inverted: Bool)
    case conntrackFields(XtConntrack)
    case mark(value: UInt32, mask: UInt32, inverted: Bool)
    case connmark(value: UInt32, mask: UInt32, inverted: Bool)
    case addressType(XtAddressType)
    case physdev(XtPhysdev)
    case addressRange(XtAddressRange)
    /// Whether an IPsec policy applies: `--pol ipsec` or `--pol none`.
    case policy(ipsec: Bool, out: Bool)
    /// `rpfilter`: 1 loose, 2 with the mark, 4 accept local, 8 inverted.
    case reversePath(flags: UInt8)
    case owner(XtOwner)
    case u32(XtU32)
    /// `pkttype`: PACKET_*.
    case packetType(UInt32, inverted: Bool)
    case ipset(XtSetMatch)
    /// `length`: bytes of the whole IP packet.
    case length(ClosedRange<UInt16>, inverted: Bool)
    /// `ttl`: the values that match.
    case timeToLive(ClosedRange<UInt8>, inverted: Bool)
    /// `tos` and `dscp`: of the type of service.
    case service(value: UInt8, mask: UInt8, inverted: Bool)
    /// `mac`, `limit`, `statistic` and whatever else depends on what this program does not see, too.
    case other(name: String)

    /// Decodes; what is not known or too short for its kind becomes `other`.
    package init(_ xt: XtExtension) {
        self = Self.decode(xt) ?? .other(name: xt.name)
    }

    private static func decode(_ xt: XtExtension) -> XtMatch? {
        let info = XtInfo(xt.info)
        switch (xt.name, xt.revision) {
        case ("comment", _):
            return .comment(info.text(0, limit: 256))
        case ("tcp", _), ("udp", _):
            let isTCP = xt.name == "tcp"
            guard let source = info.range(0), let destination = info.range(4),
                let inverted = info.byte(isTCP ? 11 : 8)
            else { return nil }
            var flags: XtTCPFlags?
            if isTCP {
                guard let option = info.byte(8), let mask = info.byte(9), let compare = info.byte(10) else {
                    return nil
                }
                flags =
                    mask == 0 && option == 0
                    ? nil
                    : XtTCPFlags(option: option, mask: mask, compare: compare, inverted: inverted & 4 != 0)
            }
            return .ports(
                transport: isTCP ? 6 : 17, source: XtPorts(range: source, inverted: inverted & 1 != 0),
                destination: XtPorts(range: destination, inverted: inverted & 2 != 0), flags: flags)
        case ("icmp", _):
            guard let type = info.byte(0), let low = info.byte(1), let high = info.byte(2), low <= high,
                let inverted = info.byte(3)
            else { return nil }
            return .icmp(type: type, codes: low...high, inverted: inverted & 1 != 0)
        case ("multiport", 1):
            guard let multiport = XtMultiport(info) else { return nil }
            return .multiport(multiport)
        case ("conntrack", 1...3):
            guard let wanted = info.short(146), let inverted = info.short(148),
                let states = xt.revision == 1 ? info.byte(150).map(UInt16.init) : info.short(150)
            else { return nil }
            if XtConntrack.Conditions(rawValue: wanted).subtracting(.isStateAlias) == .state {
                return .conntrack(states: states, inverted: inverted & 1 != 0)
            }
            return XtConntrack(info, revision: xt.revision).map { .conntrackFields($0) }
        case ("state", 0):
            guard let states = info.word(0) else { return nil }
            // UNTRACKED is bit 6 here and bit 8 in conntrack.
            let common = UInt16(truncatingIfNeeded: states & 0x3f) | (states & 0x40 != 0 ? 0x100 : 0)
            return .conntrack(states: common, inverted: false)
        case ("mark", 1), ("connmark", 1):
            guard let value = info.word(0), let mask = info.word(4), let inverted = info.byte(8) else { return nil }
            return xt.name == "mark"
                ? .mark(value: value, mask: mask, inverted: inverted != 0)
                : .connmark(value: value, mask: mask, inverted: inverted != 0)
        case ("addrtype", 0...1):
            guard let type = XtAddressType(info, revision: xt.revision) else { return nil }
            return .addressType(type)
        case ("physdev", 0):
            guard let inverted = info.byte(64), let tests = info.byte(65) else { return nil }
            return .physdev(
                XtPhysdev(
                    tests: tests, inverted: inverted, input: info.interface(0, mask: 16),
                    output: info.interface(32, mask: 48)))
        case ("iprange", 1):
            guard let range = XtAddressRange(info) else { return nil }
            return .addressRange(range)
        case ("policy", 0):
            guard let flags = info.short(304), let count = info.short(306), flags & 8 == 0 else { return nil }
            if flags & 4 == 0 && count > 1 { return nil }
            // An element with a condition of its own asks for more than that some policy applies.
            if flags & 4 == 0 && count == 1 {
                guard let conditions = info.byte(74), conditions == 0 else { return nil }
            }
            return .policy(ipsec: flags & 4 == 0, out: flags & 2 != 0)
        case ("rpfilter", 0):
            return info.byte(0).map { .reversePath(flags: $0) }
        case ("owner", 1):
            return XtOwner(info).map { .owner($0) }
        case ("u32", 0):
            return XtU32(info).map { .u32($0) }
        case ("set", _):
            return XtSetMatch(info, revision: xt.revision).map { .ipset($0) }
        case ("pkttype", 0):
            guard let type = info.word(0), let inverted = info.word(4) else { return nil }
            return .packetType(type, inverted: inverted != 0)
        case ("length", 0):
            guard let range = info.range(0), let inverted = info.byte(4) else { return nil }
            return .length(range, inverted: inverted != 0)
        case ("ttl", 0):
            guard let mode = info.byte(0), let value = info.byte(1) else { return nil }
            return timeToLive(mode, value)
        case ("dscp", 0):
            guard let value = info.byte(0), let inverted = info.byte(1) else { return nil }
            return .service(value: value << 2, mask: 0xfc, inverted: inverted != 0)
        case ("tos", 1):
            guard let mask = info.byte(0), let value = info.byte(1), let inverted = info.byte(2) else { return nil }
            return .service(value: value, mask: mask, inverted: inverted != 0)
        default: return nil
        }
    }

    /// struct ipt_ttl_info: 0 equals, 1 does not, 2 is less, 3 is more.
    private static func timeToLive(_ mode: UInt8, _ value: UInt8) -> XtMatch? {
        switch mode {
        case 0, 1: .timeToLive(value...value, inverted: mode == 1)
        case 2: .timeToLive(value...255, inverted: true)
        case 3: .timeToLive(0...value, inverted: true)
        default: nil
        }
    }
}

package struct XtPorts: Hashable, Sendable {
    package var range: ClosedRange<UInt16>
    package var inverted: Bool
    package var isAny: Bool { range == 0...UInt16.max && !inverted }
}

package struct XtTCPFlags: Hashable, Sendable {
    package var option: UInt8
    package var mask: UInt8
    package var compare: UInt8
    package var inverted: Bool
}

/// `xt_multiport_v1`: up to 15 ports or ranges.
package struct XtMultiport: Hashable, Sendable {
    package enum Side: UInt8, Sendable { case source, destination, either }
    package var side: Side
    package var ranges: [ClosedRange<UInt16>]
    package var inverted: Bool

    fileprivate init?(_ info: XtInfo) {
        guard let side = info.byte(0).flatMap(Side.init(rawValue:)), let count = info.byte(1), count <= 15,
            let inverted = info.byte(47)
        else { return nil }
        self.side = side
        self.inverted = inverted != 0
        ranges = []
        var index = 0
        while index < Int(count) {
            guard let low = info.short(2 + 2 * index), let more = info.byte(32 + index) else { return nil }
            if more != 0, index + 1 < Int(count) {
                guard let high = info.short(4 + 2 * index), low <= high else { return nil }
                ranges.append(low...high)
                index += 2
            } else {
                ranges.append(low...low)
                index += 1
            }
        }
    }
}

/// `addrtype`: masks of `1 << RTN_*`, 0 for any.
package struct XtAddressType: Hashable, Sendable {
    package var source: UInt16
    package var destination: UInt16
    package var sourceInverted: Bool
    package var destinationInverted: Bool
    package var limitsInterface: Bool
    /// To that of the input, else of the output.
    package var limitsInput: Bool

    fileprivate init?(_ info: XtInfo, revision: UInt8) {
        guard let source = info.short(0), let destination = info.short(2), let flags = info.word(4) else { return nil }
        self.source = source
        self.destination = destination
        limitsInput = revision > 0 && flags & 4 != 0
        if revision == 0 {
            guard let second = info.word(8) else { return nil }
            (sourceInverted, destinationInverted, limitsInterface) = (flags != 0, second != 0, false)
        } else {
            (sourceInverted, destinationInverted, limitsInterface) = (flags & 1 != 0, flags & 2 != 0, flags & 12 != 0)
        }
    }
}

/// `physdev`: which tests are made (1 in, 2 out, 4 is-bridged, 8 is-in, 16 is-out) and which are inverted.
package struct XtPhysdev: Hashable, Sendable {
    package var tests: UInt8
    package var inverted: UInt8
    package var input: XtInterface
    package var output: XtInterface
}

/// `owner` (struct xt_owner_match_info): whose socket a packet is of.
package struct XtOwner: Hashable, Sendable {
    package var users: ClosedRange<UInt32>
    package var groups: ClosedRange<UInt32>
    /// 1 user, 2 group, 4 a socket at all, 8 also supplementary groups.
    package var tests: UInt8
    package var inverted: UInt8

    fileprivate init?(_ info: XtInfo) {
        func range(_ offset: Int) -> ClosedRange<UInt32>? {
            guard let low = info.word(offset), let high = info.word(offset + 4), low <= high else { return nil }
            return low...high
        }
        guard let users = range(0), let groups = range(8), let tests = info.byte(16), let inverted = info.byte(17)
        else { return nil }
        (self.users, self.groups, self.tests, self.inverted) = (users, groups, tests, inverted)
    }

    /// For a packet without a socket each test fails, unless inverted.
    package var holdsWithoutSocket: Bool { tests & ~inverted == 0 }
}

/// `u32`: tests that all must hold, each over a number read from the packet.
package struct XtU32: Hashable, Sendable {
    /// XT_U32_*: 0 and, 1 left shift, 2 right shift, 3 move the start to the value.
    package struct Step: Hashable, Sendable {
        package var number: UInt32
        package var operation: UInt8
    }

    package struct Test: Hashable, Sendable {
        package var steps: [Step]
        package var ranges: [ClosedRange<UInt32>]
    }

    package var tests: [Test]
    package var inverted: Bool

    /// `struct xt_u32`: 11 tests of 180 bytes (11 steps of 8 bytes, 11 ranges of 8, two counts), count, inversion.
    fileprivate init?(_ info: XtInfo) {
        guard let count = info.byte(1980), count <= 11, let inverted = info.byte(1981) else { return nil }
        self.inverted = inverted != 0
        tests = []
        for index in 0..<Int(count) {
            let start = 180 * index
            guard let steps = info.byte(start + 176), steps <= 11, let ranges = info.byte(start + 177), ranges <= 11
            else { return nil }
            var test = Test(steps: [], ranges: [])
            for step in 0..<Int(steps) {
                guard let number = info.word(start + 8 * step), let operation = info.byte(start + 8 * step + 4) else {
                    return nil
                }
                test.steps.append(Step(number: number, operation: operation))
            }
            for range in 0..<Int(ranges) {
                guard let low = info.word(start + 88 + 8 * range), let high = info.word(start + 92 + 8 * range) else {
                    return nil
                }
                if low <= high { test.ranges.append(low...high) }
            }
            tests.append(test)
        }
    }
}

/// `iprange` for IPv4.
package struct XtAddressRange: Hashable, Sendable {
    package var source: ClosedRange<IPv4Address>?
    package var destination: ClosedRange<IPv4Address>?
    package var sourceInverted: Bool
    package var destinationInverted: Bool

    fileprivate init?(_ info: XtInfo) {
        guard let flags = info.byte(64) else { return nil }
        if flags & 1 != 0 {
            guard let low = info.address(0), let high = info.address(16), low <= high else { return nil }
            source = low...high
        }
        if flags & 2 != 0 {
            guard let low = info.address(32), let high = info.address(48), low <= high else { return nil }
            destination = low...high
        }
        sourceInverted = flags & 16 != 0
        destinationInverted = flags & 32 != 0
    }
}
