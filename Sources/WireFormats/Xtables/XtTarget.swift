package import HostModel

/// A target of x_tables that is not a verdict or a jump, decoded.
package enum XtTarget: Hashable, Sendable {
    case masquerade(ports: ClosedRange<UInt16>?)
    /// Nil addresses: only ports are changed.
    case sourceNat(ClosedRange<IPv4Address>?)
    case destinationNat
    case netmap(ClosedRange<IPv4Address>?)
    case notrack
    case reject
    case mark
    /// Known to go on with the next rule and to change nothing that is looked at here.
    case passes(name: String)
    case other(name: String)

    private static let passing: Set<String> = [
        "LOG", "NFLOG", "TRACE", "CHECKSUM", "TCPMSS", "TTL", "TOS", "DSCP", "CLASSIFY", "CT", "SECMARK", "AUDIT",
        "TCPOPTSTRIP", "ECN", "HL", "LED", "RATEEST", "CONNSECMARK", "IDLETIMER", "SET", "HMARK", "TEE",
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
        case "DNAT", "REDIRECT": self = .destinationNat
        case "NOTRACK": self = .notrack
        case "CT":
            self = (info.short(0) ?? 0) & 1 != 0 ? .notrack : .passes(name: xt.name)
        case "REJECT": self = .reject
        case "MARK", "CONNMARK": self = .mark
        default: self = Self.passing.contains(xt.name) ? .passes(name: xt.name) : .other(name: xt.name)
        }
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
