internal import WireFormats

/// Statements: what a rule does, as `nft` writes it.
enum NftStatement {
    static func verdict(_ verdict: NftVerdict) -> String {
        switch verdict {
        case .accept: "accept"
        case .drop: "drop"
        case .continue: "continue"
        case .break: "break"
        case .return: "return"
        case .queue: "queue"
        case .jump(let chain): "jump \(chain)"
        case .goto(let chain): "goto \(chain)"
        case .other(let code): "verdict \(code)"
        }
    }

    private static let units: [UInt64: String] = [
        1: "second", 60: "minute", 3600: "hour", 86400: "day", 604_800: "week",
    ]

    static func limit(_ limit: NftLimit) -> String {
        let over = limit.inverted ? "over " : ""
        let unit = units[limit.unit] ?? "\(limit.unit) seconds"
        guard limit.ofBytes else {
            let burst = limit.burst == 0 || limit.burst == 5 ? "" : " burst \(limit.burst) packets"
            return "limit rate \(over)\(limit.rate)/\(unit)\(burst)"
        }
        let burst = limit.burst == 0 ? "" : " burst \(size(UInt64(limit.burst)))"
        return "limit rate \(over)\(size(limit.rate))/\(unit)\(burst)"
    }

    /// `25 mbytes`: the largest unit that leaves no rest.
    static func size(_ bytes: UInt64) -> String {
        if bytes > 0, bytes % (1 << 20) == 0 { return "\(bytes >> 20) mbytes" }
        if bytes > 0, bytes % (1 << 10) == 0 { return "\(bytes >> 10) kbytes" }
        return "\(bytes) bytes"
    }

    /// NF_LOG_*, levels of syslog(3) with 8 for the audit log.
    static func log(_ log: NftLog, level: UInt32?, flags: UInt32, threshold: UInt16) -> String {
        var words = "log"
        if !log.prefix.isEmpty { words += " prefix \"\(log.prefix)\"" }
        if let group = log.group {
            words += " group \(group)"
            if let length = log.snapLength, length > 0 { words += " snaplen \(length)" }
            if threshold > 0 { words += " queue-threshold \(threshold)" }
        } else if let level, level != 4 {
            let names = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"]
            words += " level \(Int(level) < names.count ? names[Int(level)] : "\(level)")"
        }
        if flags & 0x2f == 0x2f { return words + " flags all" }
        let tcp = [(UInt32(1), "sequence"), (2, "options")].filter { flags & $0.0 != 0 }.map(\.1)
        if !tcp.isEmpty { words += " flags tcp \(tcp.joined(separator: ","))" }
        if flags & 4 != 0 { words += " flags ip options" }
        if flags & 8 != 0 { words += " flags skuid" }
        if flags & 0x20 != 0 { words += " flags ether" }
        return words
    }

    /// NF_NAT_RANGE_PROTO_RANDOM, _FULLY, _PERSISTENT, with a space before them.
    static func natFlags(_ flags: UInt32) -> String {
        let names = [(UInt32(4), "random"), (16, "fully-random"), (8, "persistent")].filter { flags & $0.0 != 0 }
        return names.isEmpty ? "" : " " + names.map(\.1).joined(separator: ",")
    }

    /// Codes of ICMP (type 0) by the version of IP, and of both at once (2). Type 1: a reset of TCP.
    static func reject(type: UInt32, code: UInt8, isIP6: Bool, isPlainFamily: Bool) -> String {
        switch type {
        case 1: return "reject with tcp reset"
        case 2:
            let names = ["no-route", "port-unreachable", "host-unreachable", "admin-prohibited"]
            if code == 1 { return "reject" }
            return "reject with icmpx \(Int(code) < names.count ? names[Int(code)] : "\(code)")"
        default:
            if isPlainFamily, code == (isIP6 ? 4 : 3) { return "reject" }
            let kind = isIP6 ? NftKind.icmp6Code : .icmpCode
            let name = NftWords.text([code], kind, isHostOrder: false, links: [:])
            return "reject with \(isIP6 ? "icmpv6" : "icmp") \(name)"
        }
    }

    static func queue(first: UInt16, count: UInt16, flags: UInt16) -> String {
        let names = [(UInt16(1), "bypass"), (2, "fanout")].filter { flags & $0.0 != 0 }.map(\.1)
        let last = count > 1 ? "-\(Int(first) + Int(count) - 1)" : ""
        return "queue" + (names.isEmpty ? "" : " flags \(names.joined(separator: ","))") + " to \(first)\(last)"
    }

    static func object(type: UInt32, name: String) -> String {
        switch type {
        case 1: "counter name \"\(name)\""
        case 2: "quota name \"\(name)\""
        case 3: "ct helper set \"\(name)\""
        case 4: "limit name \"\(name)\""
        case 5: "connlimit name \"\(name)\""
        case 6: "tunnel name \"\(name)\""
        case 7: "ct timeout set \"\(name)\""
        case 8: "meta secmark set \"\(name)\""
        case 9: "ct expectation set \"\(name)\""
        case 10: "synproxy name \"\(name)\""
        default: "object name \"\(name)\""
        }
    }

    static func synproxy(maximumSegment: UInt16, scale: UInt8, flags: UInt32) -> String {
        var words = "synproxy"
        if flags & 1 != 0 { words += " mss \(maximumSegment)" }
        if flags & 2 != 0 { words += " wscale \(scale)" }
        if flags & 8 != 0 { words += " timestamp" }
        if flags & 4 != 0 { words += " sack-perm" }
        return words
    }
}
