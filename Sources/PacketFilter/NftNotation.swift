internal import HostModel
internal import WireFormats

/// Writes rules as `nft list` does, near enough for a person to find them.
struct NftNotation {
    private(set) var parts: [RulePart] = []
    private var registers: [Int: (expression: NftExpression, mask: [UInt8])] = [:]
    /// Whether the network header is one of IPv6; a rule of a table of both families may say so itself.
    private var isIPv6: Bool

    init(family: NftFamily) {
        isIPv6 = family == .ipv6
    }

    mutating func add(_ expression: NftExpression, setText: (_ set: String, _ field: String) -> String) {
        switch expression {
        case .payload(_, _, _, let into), .meta(_, let into), .conntrack(_, _, let into), .immediate(let into, _),
            .fib(_, _, let into):
            if let word = into.word { registers[word] = (expression, []) }
        case .bitwise(let from, let into, let mask, _):
            guard let source = from.word, let word = into.word, let loaded = registers[source] else { return }
            registers[word] = (loaded.expression, mask.bytes)
        case .compare(let from, let comparison, let value):
            guard let word = from.word, let (loaded, mask) = registers[word] else { return }
            compare(loaded, mask, comparison, value.bytes)
        case .range(let from, let inverted, let low, let high):
            let name = Self.name(registers[from.word ?? -1]?.expression)
            let text = "\(Self.value(name, low.bytes))-\(Self.value(name, high.bytes))"
            parts.append(.nft("\(name) \(inverted ? "!= " : "")\(text)"))
        case .lookup(let set, let from, let into, let inverted):
            let name = Self.name(registers[from.word ?? -1]?.expression)
            let map = into == nil ? "" : into == .verdict ? "vmap " : "map "
            parts.append(.nft("\(name) \(inverted ? "!= " : "")\(map)\(setText(set, name))"))
        case .match(let xt): parts.append(.match(XtMatch(xt)))
        case .target(let xt): parts.append(.target(xt))
        case .counter: parts.append(.counter)
        case .verdict(let verdict): parts.append(.verdict(verdict))
        case .masquerade: parts.append(.masquerade)
        case .nat(let nat):
            var text = "?"
            if let word = nat.addresses?.low.word, case .immediate(_, let low)? = registers[word]?.expression {
                text = Self.address(low.bytes, [])
                if let other = nat.addresses?.high.word, other != word,
                    case .immediate(_, let high)? = registers[other]?.expression
                {
                    text += "-" + Self.address(high.bytes, [])
                }
            }
            parts.append(nat.kind == .source ? .sourceNat(text) : .nft("dnat to \(text)"))
        case .log(let log): parts.append(.nft(log.prefix.isEmpty ? "log" : "log prefix \"\(log.prefix)\""))
        case .setMeta(let key, let from):
            var text = "?"
            if let word = from.word, case .immediate(_, let value)? = registers[word]?.expression {
                text = Self.hexadecimal(value.bytes)
            }
            parts.append(.nft("\(key.name) set \(text)"))
        case .setConntrack(let key, _): parts.append(.nft("\(key.name) set"))
        case .byteOrder, .shift: return
        case .loaded(_, let into), .generated(_, _, _, let into):
            if let word = into.word { registers[word] = (expression, []) }
        case .setPayload: parts.append(.nft("payload set"))
        case .other(let name): parts.append(.nft(name))
        case .redirect: parts.append(.nft("redirect"))
        case .reject, .limit, .notrack: parts.append(.nft(expression.kernelName))
        }
    }

    private mutating func compare(
        _ loaded: NftExpression, _ mask: [UInt8], _ comparison: NftComparison, _ bytes: [UInt8]
    ) {
        let inverted = comparison == .notEqual
        switch loaded {
        case .payload(.network, 12, 8, _) where bytes.count == 8 && mask.isEmpty && !inverted:
            parts.append(.address(.source, Self.address(Array(bytes.prefix(4)), []), inverted: false))
            parts.append(.address(.destination, Self.address(Array(bytes.suffix(4)), []), inverted: false))
        // Source and destination stand at other places in IPv6 (RFC 8200 §3).
        case .payload(.network, 8, 1...16, _) where isIPv6 && comparison.rawValue < 2:
            parts.append(.address(.source, Self.address6(bytes, mask), inverted: inverted))
        case .payload(.network, 24, 1...16, _) where isIPv6 && comparison.rawValue < 2:
            parts.append(.address(.destination, Self.address6(bytes, mask), inverted: inverted))
        case .payload(.network, 12, 1...4, _) where comparison.rawValue < 2:
            parts.append(.address(.source, Self.address(bytes, mask), inverted: inverted))
        case .payload(.network, 16, 1...4, _) where comparison.rawValue < 2:
            parts.append(.address(.destination, Self.address(bytes, mask), inverted: inverted))
        case .meta(.inputName, _), .meta(.outputName, _):
            let name = bytes.prefix { $0 != 0 }
            let text =
                String(decoding: name, as: UTF8.self) + (name.count == bytes.count && bytes.count < 16 ? "*" : "")
            var isInput = false
            if case .meta(.inputName, _) = loaded { isInput = true }
            parts.append(.interface(isInput: isInput, text, inverted: inverted))
        case .meta(.transportProtocol, _) where bytes.count == 1, .payload(.network, 9, 1, _) where bytes.count == 1:
            parts.append(.transport(bytes[0], inverted: inverted))
        case .meta(.networkProtocol, _):
            // NFPROTO_IPV6.
            if !inverted { isIPv6 = bytes.first == 10 }
            return
        default:
            let name = Self.name(loaded)
            let masked = mask.isEmpty ? "" : " & \(Self.mask(name, mask))"
            let symbols = ["", "!= ", "< ", "<= ", "> ", ">= "]
            parts.append(
                .nft("\(name)\(masked) \(symbols[Int(comparison.rawValue)])\(Self.value(name, bytes))"))
        }
    }

    static func text(_ parts: [RulePart]) -> String {
        parts.map(text).joined(separator: " ")
    }

    private static func text(_ part: RulePart) -> String {
        switch part {
        case .address(let field, let text, let inverted):
            "\(text.contains(":") ? "ip6" : "ip") \(field == .source ? "saddr" : "daddr") "
                + "\(inverted ? "!= " : "")\(text)"
        case .interface(let isInput, let name, let inverted):
            "\(isInput ? "iifname" : "oifname") \(inverted ? "!= " : "")\"\(name)\""
        case .transport(let number, let inverted):
            "meta l4proto \(inverted ? "!= " : "")\(XtNotation.transport(number))"
        case .match(let match): "xt match\(XtNotation.text(match))"
        case .words(let words): "xt match\(words)"
        case .nft(let text): text
        case .counter: "counter"
        case .verdict(let verdict): self.verdict(verdict)
        case .masquerade: "masquerade"
        case .sourceNat(let text): "snat to \(text)"
        case .target(let xt): "xt target \(xt.name)"
        }
    }

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

    private static func name(_ expression: NftExpression?) -> String {
        switch expression {
        case .payload(.network, 12, _, _): "ip saddr"
        case .payload(.network, 16, _, _): "ip daddr"
        case .payload(.network, 9, _, _): "ip protocol"
        case .payload(.transport, 0, 2, _): "th sport"
        case .payload(.transport, 2, 2, _): "th dport"
        case .payload(let base, let offset, let length, _):
            "@\(base == .link ? "ll" : base == .network ? "nh" : "th"),\(offset &* 8),\(length &* 8)"
        case .meta(let key, _): key.name
        case .conntrack(let key, _, _): key.name
        case .fib(let result, _, _): result == .addressType ? "fib type" : "fib oif"
        case .loaded(let name, _), .generated(let name, _, _, _): name
        default: "?"
        }
    }

    /// Marks and states are numbers in host order.
    private static func mask(_ name: String, _ bytes: [UInt8]) -> String {
        guard name.hasPrefix("meta") || name.hasPrefix("ct"), let number = NftValue(bytes)?.host32 else {
            return hexadecimal(bytes)
        }
        return "0x" + String(number, radix: 16)
    }

    private static func value(_ name: String, _ bytes: [UInt8]) -> String {
        switch name {
        case "ip saddr", "ip daddr": address(bytes, [])
        case "th sport", "th dport": bytes.count == 2 ? "\(Int(bytes[0]) << 8 | Int(bytes[1]))" : hexadecimal(bytes)
        case "iif", "oif": NftValue(bytes)?.host32.map { "\($0)" } ?? hexadecimal(bytes)
        case "meta mark", "ct mark": NftValue(bytes)?.host32.map { "0x" + String($0, radix: 16) } ?? hexadecimal(bytes)
        case "meta l4proto", "ip protocol": bytes.count == 1 ? XtNotation.transport(bytes[0]) : hexadecimal(bytes)
        case "iifname", "oifname": "\"\(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))\""
        default: hexadecimal(bytes)
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        "0x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Fewer than four bytes, or a mask, are a prefix.
    private static func address(_ bytes: [UInt8], _ mask: [UInt8]) -> String {
        guard bytes.count <= 4, let address = IPv4Address(octets: bytes + [UInt8](repeating: 0, count: 4 - bytes.count))
        else { return hexadecimal(bytes) }
        if mask.isEmpty { return bytes.count == 4 ? "\(address)" : "\(address)/\(bytes.count * 8)" }
        guard let netmask = IPv4Address(octets: mask + [UInt8](repeating: 0, count: max(0, 4 - mask.count))),
            let prefix = IPv4Prefix(address: address, netmask: netmask)
        else { return "\(address) & \(hexadecimal(mask))" }
        return prefix.description
    }

    /// The same of IPv6; other masks than those of a prefix are not written as one.
    private static func address6(_ bytes: [UInt8], _ mask: [UInt8]) -> String {
        let whole = bytes + [UInt8](repeating: 0, count: max(0, 16 - bytes.count))
        guard let address = IPv6Address(octets: whole) else { return hexadecimal(bytes) }
        if mask.isEmpty { return bytes.count == 16 ? "\(address)" : "\(address)/\(bytes.count * 8)" }
        let bits = mask.reduce(0) { $0 + $1.nonzeroBitCount }
        let isPrefix = mask.enumerated().allSatisfy { index, octet in
            octet == UInt8(truncatingIfNeeded: 0xff00 >> min(8, max(0, bits - index * 8)))
        }
        return isPrefix ? "\(address)/\(bits)" : "\(address) & \(hexadecimal(mask))"
    }

    /// `{ 10.5.0.0/16, 10.6.0.1 }`, the first eight elements.
    static func anonymous(_ set: NftSet, of field: String) -> String {
        let entries = set.entries
        let shown = entries.prefix(8).map { entry in
            let low = value(field, entry.low)
            let value = entry.low == entry.high ? low : "\(low)-\(value(field, entry.high))"
            if case .verdict(let verdict)? = entry.content { return "\(value) : \(self.verdict(verdict))" }
            return value
        }
        return "{ \(shown.joined(separator: ", "))\(entries.count > 8 ? ", …" : "") }"
    }
}
