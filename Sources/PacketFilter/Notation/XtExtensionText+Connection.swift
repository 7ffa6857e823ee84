internal import HostModel
internal import WireFormats

/// Matches that look at the connection, at routing, at interfaces and at sockets.
extension XtExtensionText {
    private static let addressTypes = [
        "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",
        "THROW", "NAT", "XRESOLVE",
    ]

    func connection(_ xt: XtExtension, _ info: XtInfo) -> String? {
        switch xt.name {
        case "conntrack": return conntrack(xt, info)
        case "state":
            return info.word(0).map {
                " --state \(Self.states(UInt16(truncatingIfNeeded: $0 & 0x3f) | ($0 & 0x40 != 0 ? 256 : 0)))"
            }
        case "mark", "connmark":
            guard let value = info.word(0), let mask = info.word(4), let inverted = info.byte(8) else { return nil }
            return "\(Self.not(inverted != 0)) --mark \(Self.hex(value))\(mask == .max ? "" : "/\(Self.hex(mask))")"
        case "addrtype":
            guard case .addressType(let type) = XtMatch(xt) else { return nil }
            var words = ""
            if type.source != 0 {
                words +=
                    "\(Self.not(type.sourceInverted)) --src-type \(Self.names(UInt32(type.source), Self.addressTypes))"
            }
            if type.destination != 0 {
                words +=
                    "\(Self.not(type.destinationInverted)) --dst-type \(Self.names(UInt32(type.destination), Self.addressTypes))"
            }
            if type.limitsInterface { words += type.limitsInput ? " --limit-iface-in" : " --limit-iface-out" }
            return words
        case "physdev": return physdev(info)
        case "iprange": return addresses(info)
        case "policy": return policy(info)
        case "rpfilter":
            return info.byte(0).map { flags in
                [(UInt8(1), " --loose"), (2, " --validmark"), (4, " --accept-local"), (8, " --invert")]
                    .filter { flags & $0.0 != 0 }.map(\.1).joined()
            }
        case "owner": return owner(info)
        case "set":
            guard case .ipset(let match) = XtMatch(xt) else { return nil }
            let places = match.isSource.map { $0 ? "src" : "dst" }.joined(separator: ",")
            return "\(Self.not(match.inverted)) --match-set \(set(match.index)) \(places)"
        case "helper":
            return "\(Self.not((info.word(0) ?? 0) != 0)) --helper \(Self.quoted(info.text(4, limit: 30)))"
        case "socket":
            let names = ["--transparent", "--nowildcard", "--restore-skmark"].enumerated()
            return names.filter { (info.byte(0) ?? 0) >> UInt8($0.offset) & 1 != 0 }.map { " \($0.element)" }.joined()
        case "realm":
            guard let id = info.word(0), let mask = info.word(4), let inverted = info.byte(8) else { return nil }
            return "\(Self.not(inverted != 0)) --realm \(Self.hex(id))\(mask == .max ? "" : "/\(Self.hex(mask))")"
        case "devgroup": return groups(info)
        default: return nil
        }
    }

    static func states(_ mask: UInt16) -> String {
        let names: [(UInt16, String)] = [
            (1, "INVALID"), (8, "NEW"), (4, "RELATED"), (2, "ESTABLISHED"), (256, "UNTRACKED"), (64, "SNAT"),
            (128, "DNAT"),
        ]
        return names.filter { mask & $0.0 != 0 }.map(\.1).joined(separator: ",")
    }

    private func conntrack(_ xt: XtExtension, _ info: XtInfo) -> String? {
        guard let fields = XtConntrack(info: xt), let wanted = info.short(146) else { return nil }
        let conditions = fields.wanted
        func not(_ condition: XtConntrack.Conditions) -> String { Self.not(fields.inverted.contains(condition)) }
        let isAlias = wanted & 0x2000 != 0
        var words = ""
        if conditions.contains(.state) {
            words += "\(not(.state)) --\(isAlias ? "" : "ct")state \(Self.states(fields.states))"
        }
        if conditions.contains(.transport) { words += "\(not(.transport)) --ctproto \(fields.transport)" }
        let addresses: [(XtConntrack.Conditions, String)] = [
            (.originalSource, "--ctorigsrc"), (.originalDestination, "--ctorigdst"), (.replySource, "--ctreplsrc"),
            (.replyDestination, "--ctrepldst"),
        ]
        for (index, (condition, option)) in addresses.enumerated() where conditions.contains(condition) {
            words += "\(not(condition)) \(option) \(masked(info, index))"
        }
        if conditions.contains(.status) {
            let names =
                fields.status == 0
                ? "NONE" : Self.names(UInt32(fields.status), ["EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"])
            words += "\(not(.status)) --ctstatus \(names)"
        }
        if conditions.contains(.expires) {
            words += "\(not(.expires)) --ctexpire \(Self.span(info.word(128) ?? 0, info.word(132) ?? 0))"
        }
        let ports: [(XtConntrack.Conditions, String)] = [
            (.originalSourcePort, "--ctorigsrcport"), (.originalDestinationPort, "--ctorigdstport"),
            (.replySourcePort, "--ctreplsrcport"), (.replyDestinationPort, "--ctrepldstport"),
        ]
        for (index, (condition, option)) in ports.enumerated() where conditions.contains(condition) {
            let range = fields.ports[index]
            words += "\(not(condition)) \(option) \(Self.span(range.lowerBound, range.upperBound))"
        }
        if conditions.contains(.direction) {
            words += " --ctdir \(fields.inverted.contains(.direction) ? "REPLY" : "ORIGINAL")"
        }
        return words
    }

    private func masked(_ info: XtInfo, _ index: Int) -> String {
        let size = isIP6 ? 16 : 4
        let address = NftWords.address(info.bytes(32 * index, size))
        let mask = info.bytes(32 * index + 16, size)
        guard let length = NftWords.prefixLength(mask) else { return "\(address)/\(NftWords.address(mask))" }
        return length == size * 8 ? address : "\(address)/\(length)"
    }

    private func physdev(_ info: XtInfo) -> String? {
        guard let inverted = info.byte(64), let tests = info.byte(65) else { return nil }
        let rows: [(UInt8, String)] = [
            (8, " --physdev-is-in"), (1, " --physdev-in \(info.interface(0, mask: 16))"), (16, " --physdev-is-out"),
            (2, " --physdev-out \(info.interface(32, mask: 48))"), (4, " --physdev-is-bridged"),
        ]
        return rows.filter { tests & $0.0 != 0 }.map { Self.not(inverted & $0.0 != 0) + $0.1 }.joined()
    }

    private func addresses(_ info: XtInfo) -> String? {
        guard let flags = info.byte(64) else { return nil }
        let size = isIP6 ? 16 : 4
        func range(_ offset: Int) -> String {
            "\(NftWords.address(info.bytes(offset, size)))-\(NftWords.address(info.bytes(offset + 16, size)))"
        }
        var words = ""
        if flags & 1 != 0 { words += "\(Self.not(flags & 16 != 0)) --src-range \(range(0))" }
        if flags & 2 != 0 { words += "\(Self.not(flags & 32 != 0)) --dst-range \(range(32))" }
        return words
    }

    private func policy(_ info: XtInfo) -> String? {
        guard let flags = info.short(304), let count = info.short(306), count <= 4 else { return nil }
        var words = " --dir \(flags & 1 != 0 ? "in" : "out") --pol \(flags & 4 != 0 ? "none" : "ipsec")"
        if flags & 8 != 0 { words += " --strict" }
        for index in 0..<(flags & 4 != 0 ? 0 : Int(count)) {
            let start = 76 * index
            guard let wanted = info.byte(start + 74), let inverted = info.byte(start + 75) else { return nil }
            if index > 0 { words += " --next" }
            func add(_ bit: UInt8, _ text: String) {
                if wanted & bit != 0 { words += "\(Self.not(inverted & bit != 0)) \(text)" }
            }
            add(32, "--reqid \(info.word(start + 68) ?? 0)")
            add(16, "--spi \(Self.hex(info.word(start + 64).map(\.byteSwapped) ?? 0))")
            add(4, "--proto \(NftWords.transport(info.byte(start + 72) ?? 0))")
            add(8, "--mode \(info.byte(start + 73) == 1 ? "tunnel" : "transport")")
            add(2, "--tunnel-dst \(NftWords.address(info.bytes(start + 32, isIP6 ? 16 : 4)))")
            add(1, "--tunnel-src \(NftWords.address(info.bytes(start, isIP6 ? 16 : 4)))")
        }
        return words
    }

    private func owner(_ info: XtInfo) -> String? {
        guard let tests = info.byte(16), let inverted = info.byte(17) else { return nil }
        var words = ""
        if tests & 4 != 0 { words += "\(Self.not(inverted & 4 != 0)) --socket-exists" }
        for (bit, option, offset) in [(UInt8(1), "--uid-owner", 0), (2, "--gid-owner", 8)] where tests & bit != 0 {
            guard let low = info.word(offset), let high = info.word(offset + 4) else { return nil }
            words += "\(Self.not(inverted & bit != 0)) \(option) \(Self.span(low, high, "-"))"
        }
        return words
    }

    private func groups(_ info: XtInfo) -> String? {
        guard let flags = info.word(0) else { return nil }
        var words = ""
        for (bit, option, offset) in [(UInt32(1), "--src-group", 4), (4, "--dst-group", 12)] where flags & bit != 0 {
            guard let group = info.word(offset), let mask = info.word(offset + 4) else { return nil }
            let name =
                mask == .max ? (group == 0 ? "default" : Self.hex(group)) : "\(Self.hex(group))/\(Self.hex(mask))"
            words += "\(Self.not(flags & bit << 1 != 0)) \(option) \(name)"
        }
        return words
    }
}
