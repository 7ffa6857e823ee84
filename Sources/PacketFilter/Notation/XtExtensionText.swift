internal import HostModel
internal import WireFormats

/// Writes matches and targets of x_tables as `iptables -S` does, each with a space before it. One that is not known is
/// written by its name.
///
/// Source: `linux/netfilter/xt_*.h`, `linux/netfilter_ipv4/ipt_*.h`; iptables-extensions(8).
struct XtExtensionText {
    let isIP6: Bool
    /// Of the rule, for what is written differently for each.
    let transport: UInt8
    /// The name of a set of ipset.
    let set: (UInt16) -> String

    func match(_ xt: XtExtension) -> String {
        let info = XtInfo(xt.info)
        if let words = simple(xt, info) ?? measured(xt, info) ?? connection(xt, info) ?? stateful(xt, info) {
            let isAlias = xt.name == "conntrack" && (info.short(146) ?? 0) & 0x2000 != 0
            return " -m \(isAlias ? "state" : xt.name)\(words)"
        }
        return " -m \(xt.name)"
    }

    // MARK: Words

    static func not(_ isInverted: Bool) -> String { isInverted ? " !" : "" }

    static func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

    static func hex(_ value: some BinaryInteger, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// A text is quoted unless it is one plain word.
    static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x2d || byte == 0x5f
        }
        if isPlain, !text.isEmpty { return text }
        return "\"" + text.map { "\"\\'".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "\""
    }

    static func span<Number: BinaryInteger>(_ low: Number, _ high: Number, _ between: String = ":") -> String {
        low == high ? "\(low)" : "\(low)\(between)\(high)"
    }

    static func flags(_ bits: UInt8) -> String {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"].enumerated().filter { bits >> UInt8($0.offset) & 1 != 0 }
        return names.isEmpty ? "NONE" : names.map(\.element).joined(separator: ",")
    }

    static func packetType(_ type: UInt32) -> String {
        switch type {
        case 0: "unicast"
        case 1: "broadcast"
        case 2: "multicast"
        default: "\(type)"
        }
    }

    /// Names of the bits that are set, in the order of the table.
    static func names(_ bits: UInt32, _ table: [String]) -> String {
        table.enumerated().filter { bits >> UInt32($0.offset) & 1 != 0 }.map(\.element).joined(separator: ",")
    }

    // MARK: What a packet says of itself

    private func simple(_ xt: XtExtension, _ info: XtInfo) -> String? {
        func byte(_ offset: Int) -> UInt8 { info.byte(offset) ?? 0 }
        switch xt.name {
        case "comment": return " --comment \(Self.quoted(info.text(0, limit: 256)))"
        case "tcp", "udp":
            guard let source = info.range(0), let destination = info.range(4) else { return nil }
            let bits = byte(xt.name == "tcp" ? 11 : 8)
            var words = ports("--sport", source, bits & 1 != 0) + ports("--dport", destination, bits & 2 != 0)
            guard xt.name == "tcp" else { return words }
            if byte(8) != 0 { words += "\(Self.not(bits & 8 != 0)) --tcp-option \(byte(8))" }
            if byte(9) != 0 || bits & 4 != 0 {
                words += "\(Self.not(bits & 4 != 0)) --tcp-flags \(Self.flags(byte(9))) \(Self.flags(byte(10)))"
            }
            return words
        case "sctp", "dccp":
            guard let destination = info.range(0), let source = info.range(4) else { return nil }
            let (used, inverted) =
                xt.name == "sctp"
                ? (info.word(284) ?? 0, info.word(288) ?? 0) : (UInt32(info.short(8) ?? 0), UInt32(info.short(10) ?? 0))
            // Chunks and types of packets are not written out.
            guard used & ~3 == 0 else { return nil }
            return (used & 1 != 0 ? ports("--sport", source, inverted & 1 != 0) : "")
                + (used & 2 != 0 ? ports("--dport", destination, inverted & 2 != 0) : "")
        case "icmp", "icmp6":
            let option = xt.name == "icmp" ? "--icmp-type" : "--icmpv6-type"
            let not = Self.not(byte(3) & 1 != 0)
            if byte(0) == 255, xt.name == "icmp" { return "\(not) \(option) any" }
            let code = byte(1) == 0 && byte(2) == 255 ? "" : "/\(byte(1))"
            return "\(not) \(option) \(byte(0))\(code)"
        case "multiport":
            guard case .multiport(let multiport) = XtMatch(xt) else { return nil }
            let option = ["--sports", "--dports", "--ports"][Int(multiport.side.rawValue)]
            let list = multiport.ranges.map { Self.span($0.lowerBound, $0.upperBound) }
            return "\(Self.not(multiport.inverted)) \(option) \(list.joined(separator: ","))"
        case "esp", "ah":
            guard let low = info.word(0), let high = info.word(4) else { return nil }
            let inverted = byte(xt.name == "esp" ? 8 : 13) & 1 != 0
            return "\(Self.not(inverted)) --\(xt.name)spi \(Self.span(low, high))"
        case "mac":
            let address = info.bytes(0, 6).map { Self.hex($0, 2) }.joined(separator: ":")
            return "\(Self.not((info.word(8) ?? 0) != 0)) --mac-source \(address)"
        case "ttl", "hl":
            let test = ["eq", "eq", "lt", "gt"][Int(min(3, byte(0)))]
            return "\(Self.not(byte(0) == 1)) --\(xt.name)-\(test) \(byte(1))"
        case "length": return lengths("--length", info, byte(4) != 0)
        case "tcpmss": return lengths("--mss", info, byte(4) != 0)
        case "pkttype": return "\(Self.not((info.word(4) ?? 0) != 0)) --pkt-type \(Self.packetType(info.word(0) ?? 0))"
        case "dscp": return "\(Self.not(byte(1) != 0)) --dscp 0x\(Self.hex(byte(0), 2))"
        case "tos": return "\(Self.not(byte(2) != 0)) --tos 0x\(Self.hex(byte(1), 2))/0x\(Self.hex(byte(0), 2))"
        case "ecn":
            var words = ""
            if byte(0) & 0x10 != 0 { words += "\(Self.not(byte(1) & 0x10 != 0)) --ecn-tcp-ece" }
            if byte(0) & 0x20 != 0 { words += "\(Self.not(byte(1) & 0x20 != 0)) --ecn-tcp-cwr" }
            if byte(0) & 1 != 0 { words += "\(Self.not(byte(1) & 1 != 0)) --ecn-ip-ect \(byte(2))" }
            return words
        case "u32": return number(XtMatch(xt))
        case "string": return string(xt, info)
        case "bpf": return program(info)
        default: return nil
        }
    }

    private func ports(_ option: String, _ ports: ClosedRange<UInt16>, _ isInverted: Bool) -> String {
        if ports == 0...UInt16.max, !isInverted { return "" }
        return "\(Self.not(isInverted)) \(option) \(Self.span(ports.lowerBound, ports.upperBound))"
    }

    private func lengths(_ option: String, _ info: XtInfo, _ isInverted: Bool) -> String? {
        info.range(0).map { "\(Self.not(isInverted)) \(option) \(Self.span($0.lowerBound, $0.upperBound))" }
    }

    private func number(_ match: XtMatch) -> String? {
        guard case .u32(let u32) = match else { return nil }
        let tests = u32.tests.map { test in
            let steps = test.steps.enumerated().map { index, step in
                index == 0
                    ? Self.hex(step.number)
                    : ["&", "<<", ">>", "@"][Int(min(3, step.operation))] + Self.hex(step.number)
            }
            let ranges = test.ranges.map { range in
                range.count == 1
                    ? Self.hex(range.lowerBound) : "\(Self.hex(range.lowerBound)):\(Self.hex(range.upperBound))"
            }
            return steps.joined() + "=" + ranges.joined(separator: ",")
        }
        return "\(Self.not(u32.inverted)) --u32 \"\(tests.joined(separator: "&&"))\""
    }

    private func string(_ xt: XtExtension, _ info: XtInfo) -> String? {
        guard let from = info.short(0), let to = info.short(2), let length = info.byte(148), length <= 128,
            let flags = info.byte(149)
        else { return nil }
        let pattern = info.bytes(20, Int(length))
        let isPrintable = pattern.allSatisfy { (0x20...0x7e).contains($0) } && pattern.first != 0x7c
        let text =
            isPrintable
            ? "--string \""
                + pattern.map {
                    $0 == 0x22 || $0 == 0x5c ? "\\\(Character(UnicodeScalar($0)))" : "\(Character(UnicodeScalar($0)))"
                }.joined() + "\""
            : "--hex-string \"|" + pattern.map { Self.hex($0, 2) }.joined() + "|\""
        var words = "\(Self.not(flags & 1 != 0)) \(text) --algo \(info.text(4, limit: 16))"
        if from != 0 { words += " --from \(from)" }
        if to != UInt16.max { words += " --to \(to)" }
        return words + (flags & 2 != 0 ? " --icase" : "")
    }

    /// Classic BPF as decimal numbers; a pinned program by its path.
    private func program(_ info: XtInfo) -> String? {
        switch info.short(0) {
        case 0:
            guard let count = info.short(2), count <= 64 else { return nil }
            let code = (0..<Int(count)).map { index in
                let place = 8 + 8 * index
                return
                    "\(info.short(place) ?? 0) \(info.byte(place + 2) ?? 0) \(info.byte(place + 3) ?? 0) \(info.word(place + 4) ?? 0)"
            }
            return " --bytecode \"\(([String(count)] + code).joined(separator: ","))\""
        case 1: return " --object-pinned \(info.text(8, limit: 512))"
        default: return nil
        }
    }
}
