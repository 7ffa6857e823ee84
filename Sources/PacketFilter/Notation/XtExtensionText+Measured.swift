internal import HostModel
internal import WireFormats

/// Matches that count, measure or remember.
extension XtExtensionText {
    /// Periods of `limit` in its own units of 1/10,000 second, longest first.
    private static let periods: [(name: String, seconds: UInt64)] = [
        ("day", 86400), ("hour", 3600), ("min", 60), ("sec", 1),
    ]

    /// `5/min` of the time between two packets: the shortest period that tells it well enough.
    static func rate(_ average: UInt64, scale: UInt64) -> (text: String, seconds: UInt64) {
        guard average > 0 else { return ("0/sec", 1) }
        var best = periods[0]
        for period in periods.dropFirst() {
            let length = period.seconds * scale
            if average > length || length / average < length % average { break }
            best = period
        }
        return ("\(best.seconds * scale / average)/\(best.name)", best.seconds)
    }

    func measured(_ xt: XtExtension, _ info: XtInfo) -> String? {
        switch xt.name {
        case "limit":
            guard let average = info.word(0), let burst = info.word(4) else { return nil }
            let rate = Self.rate(UInt64(average), scale: 10_000).text
            return " --limit \(rate)\(burst == 5 ? "" : " --limit-burst \(burst)")"
        case "hashlimit": return xt.revision == 3 ? hashlimit(info) : nil
        case "statistic": return statistic(info)
        case "time": return time(info)
        case "connlimit":
            guard let limit = info.word(16), let flags = info.word(20) else { return nil }
            let mask = NftWords.prefixLength(info.bytes(0, isIP6 ? 16 : 4)) ?? 0
            return " --connlimit-\(flags & 1 != 0 ? "upto" : "above") \(limit) --connlimit-mask \(mask)"
                + " --connlimit-\(flags & 2 != 0 ? "daddr" : "saddr")"
        case "connbytes":
            guard let from = info.quad(0), let to = info.quad(8), let what = info.byte(16), let way = info.byte(17),
                what < 3, way < 3
            else { return nil }
            let range = from > to ? "\(to):\(from)" : to == .max ? "\(from)" : "\(from):\(to)"
            return "\(Self.not(from > to)) --connbytes \(range)"
                + " --connbytes-mode \(["packets", "bytes", "avgpkt"][Int(what)])"
                + " --connbytes-dir \(["original", "reply", "both"][Int(way)])"
        case "quota":
            return info.quad(8).map { "\(Self.not((info.word(0) ?? 0) & 1 != 0)) --quota \($0)" }
        default: return nil
        }
    }

    /// `xt_hashlimit_mtinfo3`: a name of 255 bytes, then, aligned, the configuration.
    private func hashlimit(_ info: XtInfo) -> String? {
        guard let average = info.quad(256), let burst = info.quad(264), let mode = info.word(272),
            let size = info.word(276), let most = info.word(280), let sweep = info.word(284),
            let expires = info.word(288), let interval = info.word(292), let source = info.byte(296),
            let destination = info.byte(297), mode & 64 == 0
        else { return nil }
        var words = mode & 16 != 0 ? " --hashlimit-above " : " --hashlimit-upto "
        var quantum: UInt32 = 1000
        if mode & 32 != 0 {
            // A cost for 16 bytes, of all that a second has to give; with a burst it is another unit.
            guard average > 0, average <= UInt32.max, burst == 0 else { return nil }
            words += Self.bytes((UInt64(UInt32.max) / average - 1) << 4) + "b/s"
        } else {
            let rate = Self.rate(average, scale: 1_000_000)
            words += rate.text
            quantum = UInt32(clamping: rate.seconds * 1000)
            words += " --hashlimit-burst \(burst)"
        }
        let keys = [(UInt32(4), "srcip"), (8, "srcport"), (1, "dstip"), (2, "dstport")].filter { mode & $0.0 != 0 }
        if !keys.isEmpty { words += " --hashlimit-mode \(keys.map(\.1).joined(separator: ","))" }
        words += " --hashlimit-name \(info.text(0, limit: 255))"
        if size != 0 { words += " --hashlimit-htable-size \(size)" }
        if most != 0 { words += " --hashlimit-htable-max \(most)" }
        if sweep != 1000 { words += " --hashlimit-htable-gcinterval \(sweep)" }
        if expires != quantum { words += " --hashlimit-htable-expire \(expires)" }
        let whole: UInt8 = isIP6 ? 128 : 32
        if source != whole { words += " --hashlimit-srcmask \(source)" }
        if destination != whole { words += " --hashlimit-dstmask \(destination)" }
        if interval != 0 { words += " --hashlimit-rate-interval \(interval)" }
        return words
    }

    private static func bytes(_ bytes: UInt64) -> String {
        for (unit, name) in [(UInt64(1 << 20), "m"), (1 << 10, "k")] where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return "\(bytes)"
    }

    private func statistic(_ info: XtInfo) -> String? {
        guard let mode = info.short(0), let flags = info.short(2), let first = info.word(4) else { return nil }
        let not = Self.not(flags & 1 != 0)
        guard mode == 0 else {
            return " --mode nth\(not) --every \(UInt64(first) + 1) --packet \(info.word(8) ?? 0)"
        }
        return " --mode random\(not) --probability \(Self.probability(first))"
    }

    /// A part of 2^31 with eleven digits behind the point.
    private static func probability(_ number: UInt32) -> String {
        let scale: UInt64 = 100_000_000_000
        let product = UInt64(min(number, 1 << 31)).multipliedFullWidth(by: scale)
        let (quotient, rest) = UInt64(1 << 31).dividingFullWidth((product.high, product.low))
        let rounded = quotient + (rest >= 1 << 30 ? 1 : 0)
        let digits = String(rounded % scale)
        return "\(rounded / scale)." + String(repeating: "0", count: 11 - digits.count) + digits
    }

    private func time(_ info: XtInfo) -> String? {
        guard let first = info.word(0), let last = info.word(4), let start = info.word(8), let stop = info.word(12),
            let days = info.word(16), let weekdays = info.byte(20), let flags = info.byte(21)
        else { return nil }
        func clock(_ seconds: UInt32) -> String {
            [seconds / 3600, seconds / 60 % 60, seconds % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(
                separator: ":")
        }
        var words = ""
        if start != 0 || stop != 86399 { words += " --timestart \(clock(start)) --timestop \(clock(stop))" }
        if days != 0xffff_fffe {
            words +=
                " --monthdays "
                + (1...31).filter { days >> UInt32($0) & 1 != 0 }.map(String.init).joined(separator: ",")
        }
        if weekdays != 0xfe {
            let names = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
            words += " --weekdays \(Self.names(UInt32(weekdays), names))"
        }
        for (option, seconds) in [("--datestart", first), ("--datestop", last)] where seconds != 0 {
            words += " \(option) \(RFC3339.text(secondsSince1970: Int(seconds)).dropLast())"
        }
        return words + (flags & 1 != 0 ? " --kerneltz" : "") + (flags & 2 != 0 ? " --contiguous" : "")
    }

    // MARK: What is kept between packets

    func stateful(_ xt: XtExtension, _ info: XtInfo) -> String? {
        switch xt.name {
        case "recent": return xt.revision == 1 ? recent(info) : nil
        case "cpu": return info.word(0).map { "\(Self.not((info.word(4) ?? 0) != 0)) --cpu \($0)" }
        case "cluster":
            guard let total = info.word(0), let mask = info.word(4), let seed = info.word(8), let flags = info.word(12)
            else { return nil }
            return "\(Self.not(flags & 1 != 0)) --cluster-local-nodemask 0x\(Self.hex(mask, 8))"
                + " --cluster-total-nodes \(total) --cluster-hash-seed 0x\(Self.hex(seed, 8))"
        case "connlabel":
            guard let bit = info.short(0), let options = info.short(2) else { return nil }
            return "\(Self.not(options & 1 != 0)) --label \"\(bit)\"\(options & 2 != 0 ? " --set" : "")"
        default: return nil
        }
    }

    private func recent(_ info: XtInfo) -> String? {
        guard let seconds = info.word(0), let hits = info.word(4), let mode = info.byte(8), let inverted = info.byte(9),
            let side = info.byte(210)
        else { return nil }
        let verbs = [(UInt8(1), "rcheck"), (2, "set"), (4, "update"), (8, "remove")]
        guard let verb = verbs.first(where: { mode & $0.0 != 0 })?.1 else { return nil }
        var words = "\(Self.not(inverted != 0)) --\(verb)"
        if seconds != 0 { words += " --seconds \(seconds)" }
        if mode & 32 != 0 { words += " --reap" }
        if hits != 0 { words += " --hitcount \(hits)" }
        if mode & 16 != 0 { words += " --rttl" }
        return words
            + " --name \(info.text(10, limit: 200)) --mask \(NftWords.address(info.bytes(212, isIP6 ? 16 : 4)))"
            + (side == 0 ? " --rsource" : " --rdest")
    }
}
