package import HostModel

/// A target of x_tables that is not a verdict or a jump, decoded.
package enum XtTarget: Hashable, Sendable {
    case masquerade(ports: ClosedRange<UInt16>?)
    /// Nil addresses: only ports are changed.
    case sourceNat(ClosedRange<IPv4Address>?)
    case destinationNat(XtNatRange)
    /// To an address of this host.
    case redirect(ports: ClosedRange<UInt16>?)
    case netmap(ClosedRange<IPv4Address>?)
    case notrack
    /// `CT` without `--notrack`: a template for conntrack, after which no other one counts.
    case template
    case reject
    case mark(XtMarkChange)
    case connmark(XtMarkChange)
    /// Gives the packet to a socket of this host and marks it so; where there is no such socket, drops it.
    case tproxy(XtMarkChange)
    /// Answers a SYN for the other end, and takes what the one who sent it answers.
    case synproxy
    /// Changes a set of ipset, and goes on.
    case ipset(XtSetTarget)
    /// Known to go on with the next rule and to change nothing that is looked at here.
    case passes(name: String)
    case other(name: String)

    private static let passing: Set<String> = [
        "LOG", "NFLOG", "TRACE", "CHECKSUM", "TCPMSS", "TTL", "TOS", "DSCP", "CLASSIFY", "CT", "SECMARK", "AUDIT",
        "TCPOPTSTRIP", "ECN", "HL", "LED", "RATEEST", "CONNSECMARK", "IDLETIMER", "TEE",
    ]

    package init(_ xt: XtExtension) {
        let info = XtInfo(xt.info)
        switch xt.name {
        case "MASQUERADE":
            let flags = info.word(4) ?? 0
            let low = info.networkShort(16) ?? 0
            let high = info.networkShort(18) ?? 0
            self = .masquerade(ports: flags & 2 != 0 && low <= high ? low...high : nil)
        case "SNAT":
            self = .sourceNat(Self.addresses(xt, info))
        case "NETMAP":
            self = .netmap(Self.addresses(xt, info))
        case "DNAT": self = .destinationNat(Self.range(xt, info))
        case "REDIRECT": self = .redirect(ports: Self.range(xt, info).ports)
        case "NOTRACK": self = .notrack
        case "CT":
            self = (info.short(0) ?? 0) & 1 != 0 ? .notrack : .template
        case "REJECT": self = .reject
        case "MARK":
            self = XtMarkChange(mark: info, revision: xt.revision).map(XtTarget.mark) ?? .other(name: xt.name)
        case "CONNMARK":
            self = XtMarkChange(connmark: info, revision: xt.revision).map(XtTarget.connmark) ?? .other(name: xt.name)
        case "TPROXY":
            self = XtMarkChange(tproxy: info, revision: xt.revision).map(XtTarget.tproxy) ?? .other(name: xt.name)
        case "SYNPROXY": self = .synproxy
        case "SET":
            self = XtSetTarget(info, revision: xt.revision).map(XtTarget.ipset) ?? .other(name: xt.name)
        default: self = Self.passing.contains(xt.name) ? .passes(name: xt.name) : .other(name: xt.name)
        }
    }

    /// As `addresses`, with the ports behind them in network order.
    private static func range(_ xt: XtExtension, _ info: XtInfo) -> XtNatRange {
        let isOld = xt.revision == 0
        var range = XtNatRange(addresses: addresses(xt, info), ports: nil)
        if let flags = info.word(isOld ? 4 : 0), flags & 2 != 0, let low = info.networkShort(isOld ? 16 : 36),
            let high = info.networkShort(isOld ? 18 : 38), low <= high
        {
            range.ports = low...high
        }
        return range
    }

    /// Revision 0 is `nf_nat_ipv4_multi_range_compat` (a count, flags, two addresses), later ones `nf_nat_range`
    /// (flags, two addresses of 16 bytes).
    private static func addresses(_ xt: XtExtension, _ info: XtInfo) -> ClosedRange<IPv4Address>? {
        let isOld = xt.revision == 0
        guard let flags = info.word(isOld ? 4 : 0), flags & 1 != 0, let low = info.address(isOld ? 8 : 4),
            let high = info.address(isOld ? 12 : 20), low <= high
        else { return nil }
        return low...high
    }
}

/// What a translation changes; nil: left as it is.
package struct XtNatRange: Hashable, Sendable {
    package var addresses: ClosedRange<IPv4Address>?
    package var ports: ClosedRange<UInt16>?
}

/// A change of the packet's or the connection's mark.
package struct XtMarkChange: Hashable, Sendable {
    package enum Mode: UInt8, Sendable { case set, save, restore }
    package var mode: Mode
    /// Of the mark that is written.
    package var value: UInt32
    /// Bits that are cleared first; for save and restore, of the connection's mark.
    package var mask: UInt32
    /// For save and restore: bits of the packet's mark.
    package var packetMask: UInt32
    /// Nil: the mark is not shifted.
    package var shift: Int8?

    /// `xt_mark_tginfo2`.
    init?(mark info: XtInfo, revision: UInt8) {
        guard revision == 2, let value = info.word(0), let mask = info.word(4) else { return nil }
        self.init(mode: .set, value: value, mask: mask, packetMask: 0, shift: nil)
    }

    /// `xt_tproxy_target_info` and `_v1`: the mask is of the bits that are cleared, and comes first.
    init?(tproxy info: XtInfo, revision: UInt8) {
        guard revision <= 1, let mask = info.word(0), let value = info.word(4) else { return nil }
        self.init(mode: .set, value: value, mask: mask, packetMask: 0, shift: nil)
    }

    /// `xt_connmark_tginfo1` and 2 (with a shift, before the mode: direction 0 is left).
    init?(connmark info: XtInfo, revision: UInt8) {
        guard (1...2).contains(revision), let value = info.word(0), let mask = info.word(4),
            let packetMask = info.word(8), let mode = info.byte(revision == 2 ? 14 : 12).flatMap(Mode.init(rawValue:))
        else { return nil }
        var shift: Int8?
        if revision == 2, let direction = info.byte(12), let bits = info.byte(13), bits > 0 {
            guard bits < 32 else { return nil }
            shift = direction == 0 ? Int8(bits) : -Int8(bits)
        }
        self.init(mode: mode, value: value, mask: mask, packetMask: packetMask, shift: shift)
    }

    package init(mode: Mode, value: UInt32, mask: UInt32, packetMask: UInt32, shift: Int8?) {
        self.mode = mode
        self.value = value
        self.mask = mask
        self.packetMask = packetMask
        self.shift = shift
    }
}
