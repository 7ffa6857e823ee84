internal import HostModel
internal import WireFormats

extension XtExtensionText {
    func target(_ xt: XtExtension) -> String {
        let info = XtInfo(xt.info)
        if xt.name == "CT", (info.short(0) ?? 0) & 2 != 0 { return " -j NOTRACK" }
        let words = translation(xt, info) ?? change(xt, info) ?? handling(xt, info)
        return " -j \(xt.name)\(words ?? "")"
    }

    /// NF_NAT_RANGE_PROTO_RANDOM, _FULLY, _PERSISTENT.
    static func natFlags(_ flags: UInt32) -> String {
        (flags & 4 != 0 ? " --random" : "") + (flags & 16 != 0 ? " --random-fully" : "")
            + (flags & 8 != 0 ? " --persistent" : "")
    }

    /// Codes of a `reject` of nftables.
    func reject(type: UInt32, code: UInt8) -> String {
        if type == 1 { return "tcp-reset" }
        if isIP6 {
            switch code {
            case 0: return "icmp6-no-route"
            case 1: return "icmp6-adm-prohibited"
            case 3: return "icmp6-addr-unreachable"
            default: return "icmp6-port-unreachable"
            }
        }
        let names: [UInt8: String] = [
            0: "icmp-net-unreachable", 1: "icmp-host-unreachable", 2: "icmp-proto-unreachable",
            9: "icmp-net-prohibited", 10: "icmp-host-prohibited", 13: "icmp-admin-prohibited",
        ]
        return names[code] ?? "icmp-port-unreachable"
    }

    // MARK: Translation

    /// Where the parts of a range lie: `nf_nat_range` (revision 1 and later, and everywhere for IPv6), or
    /// `nf_nat_ipv4_multi_range_compat`.
    private func translation(_ xt: XtExtension, _ info: XtInfo) -> String? {
        guard ["SNAT", "DNAT", "MASQUERADE", "REDIRECT", "NETMAP"].contains(xt.name) else { return nil }
        let isOld = !isIP6 && xt.revision == 0
        let size = isIP6 ? 16 : 4
        guard let flags = info.word(isOld ? 4 : 0), let low = info.networkShort(isOld ? 16 : 36),
            let high = info.networkShort(isOld ? 18 : 38)
        else { return nil }
        let first = info.bytes(isOld ? 8 : 4, size)
        let last = info.bytes(isOld ? 12 : 20, size)
        var ports = flags & 2 != 0 ? Self.span(low, high, "-") : nil
        if flags & 32 != 0, let base = info.networkShort(40), ports != nil { ports? += "/\(base)" }
        switch xt.name {
        case "NETMAP":
            let mask = zip(first, last).map { ~($0 ^ $1) }
            return
                " --to \(NftWords.address(first))/\(NftWords.prefixLength(mask).map(String.init) ?? NftWords.address(mask))"
        case "MASQUERADE", "REDIRECT":
            return (ports.map { " --to-ports \($0)" } ?? "") + Self.natFlags(flags)
        default:
            var place = ""
            if flags & 1 != 0 {
                place = NftWords.address(first) + (first == last ? "" : "-\(NftWords.address(last))")
                if isIP6, ports != nil { place = "[\(place)]" }
            }
            return " --to-\(xt.name == "SNAT" ? "source" : "destination") \(place)\(ports.map { ":\($0)" } ?? "")"
                + Self.natFlags(flags)
        }
    }

    // MARK: Changes of the packet

    private func change(_ xt: XtExtension, _ info: XtInfo) -> String? {
        func byte(_ offset: Int) -> UInt8 { info.byte(offset) ?? 0 }
        switch xt.name {
        case "MARK":
            guard case .mark(let change) = XtTarget(xt) else { return nil }
            return " --set-xmark \(Self.hex(change.value))/\(Self.hex(change.mask))"
        case "CONNMARK":
            guard case .connmark(let change) = XtTarget(xt) else { return nil }
            var words: String
            switch change.mode {
            case .set: words = " --set-xmark \(Self.hex(change.value))/\(Self.hex(change.mask))"
            case .save: words = " --save-mark --nfmask \(Self.hex(change.packetMask)) --ctmask \(Self.hex(change.mask))"
            case .restore:
                words = " --restore-mark --nfmask \(Self.hex(change.packetMask)) --ctmask \(Self.hex(change.mask))"
            }
            if let shift = change.shift {
                words += " --\(shift > 0 ? "left" : "right")-shift-mark \(shift.magnitude)"
            }
            return words
        case "TTL", "HL":
            let verb = ["set", "inc", "dec"][Int(min(2, byte(0)))]
            return " --\(xt.name.lowercased())-\(verb) \(byte(1))"
        case "DSCP": return " --set-dscp 0x\(Self.hex(byte(0), 2))"
        case "TOS": return " --set-tos 0x\(Self.hex(byte(0), 2))/0x\(Self.hex(byte(1), 2))"
        case "CLASSIFY":
            return info.word(0).map { " --set-class \(Self.hex($0 >> 16, 4)):\(Self.hex($0 & 0xffff, 4))" }
        case "CHECKSUM": return " --checksum-fill"
        case "ECN": return byte(0) & 0x30 != 0 ? " --ecn-tcp-remove" : nil
        case "TCPMSS":
            return info.short(0).map { $0 == .max ? " --clamp-mss-to-pmtu" : " --set-mss \($0)" }
        // struct xt_tproxy_target_info: mask and value of the mark, an address, a port in network order.
        case "TPROXY":
            guard let mask = info.word(0), let value = info.word(4),
                let port = info.networkShort(xt.revision == 0 ? 12 : 24)
            else { return nil }
            let address = NftWords.address(info.bytes(8, isIP6 ? 16 : 4))
            return " --on-port \(port) --on-ip \(address) --tproxy-mark \(Self.hex(value))/\(Self.hex(mask))"
        case "TCPOPTSTRIP":
            let options = (0..<256).filter { (info.word($0 / 32 * 4) ?? 0) >> UInt32($0 % 32) & 1 != 0 }
            return " --strip-options \(options.map(String.init).joined(separator: ","))"
        default: return nil
        }
    }

    // MARK: What becomes of the packet

    private static let rejections = [
        "icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable",
        "echo-reply", "icmp-net-prohibited", "icmp-host-prohibited", "tcp-reset", "icmp-admin-prohibited",
    ]
    private static let rejections6 = [
        "icmp6-no-route", "icmp6-adm-prohibited", "icmp6-not-neighbour", "icmp6-addr-unreachable",
        "icmp6-port-unreachable", "icmp6-echo-reply", "tcp-reset", "icmp6-policy-fail", "icmp6-reject-route",
    ]
    private static let events = [
        "new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark",
    ]

    private func handling(_ xt: XtExtension, _ info: XtInfo) -> String? {
        switch xt.name {
        case "REJECT":
            let names = isIP6 ? Self.rejections6 : Self.rejections
            guard let with = info.word(0), Int(with) < names.count else { return nil }
            return " --reject-with \(names[Int(with)])"
        case "LOG":
            guard let level = info.byte(0), let flags = info.byte(1) else { return nil }
            return Self.log(prefix: info.text(2, limit: 30), level: UInt32(level), flags: UInt32(flags))
        case "NFLOG":
            guard let size = info.word(0), let group = info.short(4), let threshold = info.short(6),
                let flags = info.short(8)
            else { return nil }
            return Self.netlinkLog(
                prefix: info.text(12, limit: 64), group: group, size: flags & 1 != 0 ? size : nil,
                range: flags & 1 == 0 ? size : 0,
                threshold: threshold == 1 ? 0 : threshold)
        case "NFQUEUE":
            guard let queue = XtQueue(xt) else { return nil }
            return
                (queue.count > 1
                ? " --queue-balance \(queue.first):\(Int(queue.first) + Int(queue.count) - 1)"
                : " --queue-num \(queue.first)")
                + (queue.flags & 1 != 0 ? " --queue-bypass" : "") + (queue.flags & 2 != 0 ? " --queue-cpu-fanout" : "")
        case "AUDIT":
            guard let type = info.byte(0), type < 3 else { return nil }
            return " --type \(["accept", "drop", "reject"][Int(type)])"
        case "TEE":
            let link = info.text(16, limit: 16)
            return
                " --gateway \(NftWords.address(info.bytes(0, isIP6 ? 16 : 4)))\(link.isEmpty ? "" : " --oif \(link)")"
        case "SET": return setChange(xt, info)
        case "CT": return template(info)
        default: return nil
        }
    }

    /// The expression `log` of nftables as the target that was written.
    func log(_ log: NftLog, level: UInt32?, flags: UInt32, threshold: UInt16) -> String {
        guard let group = log.group else {
            return " -j LOG" + Self.log(prefix: log.prefix, level: level ?? 4, flags: flags)
        }
        return " -j NFLOG"
            + Self.netlinkLog(
                prefix: log.prefix, group: group, size: log.snapLength.flatMap { $0 == 0 ? nil : $0 }, range: 0,
                threshold: threshold)
    }

    private static func log(prefix: String, level: UInt32, flags: UInt32) -> String {
        var words = prefix.isEmpty ? "" : " --log-prefix \(quoted(prefix))"
        if level != 4 { words += " --log-level \(level)" }
        let options = [
            (UInt32(1), " --log-tcp-sequence"), (2, " --log-tcp-options"), (4, " --log-ip-options"), (8, " --log-uid"),
            (32, " --log-macdecode"),
        ]
        return words + options.filter { flags & $0.0 != 0 }.map(\.1).joined()
    }

    private static func netlinkLog(
        prefix: String, group: UInt16, size: UInt32?, range: UInt32, threshold: UInt16
    ) -> String {
        var words = prefix.isEmpty ? "" : " --nflog-prefix \(quoted(prefix))"
        if group != 0 { words += " --nflog-group \(group)" }
        if let size { words += " --nflog-size \(size)" } else if range != 0 { words += " --nflog-range \(range)" }
        return words + (threshold != 0 ? " --nflog-threshold \(threshold)" : "")
    }

    /// `xt_set_info_target_v1` and later: three sets of an index, a count of parts and bits for the source.
    private func setChange(_ xt: XtExtension, _ info: XtInfo) -> String? {
        guard xt.revision > 0 else { return nil }
        var words = ""
        for (option, offset) in [("--add-set", 0), ("--del-set", 4), ("--map-set", 8)] {
            if option == "--map-set", xt.revision < 3 { continue }
            guard let index = info.short(offset), let parts = info.byte(offset + 2), let bits = info.byte(offset + 3)
            else { return nil }
            if index == .max { continue }
            let places = (1...max(1, Int(min(parts, 6)))).map { bits >> UInt8($0) & 1 != 0 ? "src" : "dst" }
            words += " \(option) \(set(index)) \(places.joined(separator: ","))"
        }
        let at = xt.revision == 3 ? 12 : 8
        if xt.revision > 1, let flags = info.word(at), let timeout = info.word(at + 4) {
            if flags & 1 != 0 { words += " --exist" }
            if timeout != .max { words += " --timeout \(timeout)" }
            if xt.revision == 3 {
                words += [(UInt32(0x100), " --map-mark"), (0x200, " --map-prio"), (0x400, " --map-queue")]
                    .filter { flags & $0.0 != 0 }.map(\.1).joined()
            }
        }
        return words
    }

    private func template(_ info: XtInfo) -> String? {
        guard let flags = info.short(0), let zone = info.short(2), let events = info.word(4),
            let expected = info.word(8)
        else { return nil }
        if flags & 1 != 0 { return " --notrack" }
        var words = ""
        let helper = info.text(12, limit: 16)
        let timeout = info.text(28, limit: 32)
        if !helper.isEmpty { words += " --helper \(helper)" }
        if !timeout.isEmpty { words += " --timeout \(timeout)" }
        if events != 0 { words += " --ctevents \(Self.names(events, Self.events))" }
        if expected != 0 { words += " --expevents \(Self.names(expected, ["new"]))" }
        let option = flags & 4 != 0 ? "--zone-orig" : flags & 8 != 0 ? "--zone-reply" : "--zone"
        if flags & 16 != 0 {
            words += " \(option) mark"
        } else if zone != 0 {
            words += " \(option) \(zone)"
        }
        return words
    }
}
