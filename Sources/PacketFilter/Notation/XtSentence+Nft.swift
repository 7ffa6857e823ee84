internal import WireFormats

/// Rules of iptables-nft: matches of x_tables, and what the tool writes as expressions of nftables.
extension XtSentence {
    /// Conditions of `-m tcp` or `-m udp`, which make one match wherever the first of them stood.
    private struct Ports {
        var place: Int
        var source: String?
        var destination: String?
        var flags: String?
    }

    init(
        _ expressions: [NftListedExpression], _ family: NftFamily, links: [UInt32: String],
        set: @escaping (UInt16) -> String
    ) {
        self.init()
        var sentence = NftSentence(family, links: links) { _ in nil }
        var ports: Ports?
        var number: UInt8 = 0
        var half: (field: String, value: UInt64)?
        for listed in expressions {
            let words = XtExtensionText(isIP6: family == .ipv6, transport: number, set: set)
            switch listed.expression {
            case .compare(let register, let comparison, let value):
                guard let operand = sentence[register] else { continue }
                let isInverted = comparison == .notEqual
                if take(operand, value.bytes, isInverted: isInverted) {
                    if ["meta l4proto", "ip protocol", "ip6 nexthdr"].contains(operand.field.name), !isInverted {
                        number = value[0]
                    }
                } else if let port = Self.port(operand), let wanted = value.bigNumber {
                    if comparison == .greaterOrEqual {
                        half = (operand.field.name, wanted)
                        continue
                    }
                    let lower = half.flatMap { $0.field == operand.field.name ? $0.value : nil } ?? 0
                    let range: ClosedRange<UInt64> =
                        switch comparison {
                        case .lessOrEqual: min(lower, wanted)...wanted
                        // The one end of what an inverted range leaves.
                        case .less: 0...(max(wanted, 1) - 1)
                        case .greater: min(wanted + 1, 65535)...65535
                        default: wanted...wanted
                        }
                    note(port, XtExtensionText.span(range.lowerBound, range.upperBound), isInverted, &ports)
                } else if operand.base == .transport, operand.firstBit == 104, operand.length == 1 {
                    flags(operand.mask?.first ?? 0xff, value[0], isInverted, &ports)
                } else if !takeMatch(operand, value.bytes, isInverted) {
                    let before = sentence.text
                    sentence.compare(register, comparison, value.bytes)
                    matches.append(" [\(sentence.text.dropFirst(before.isEmpty ? 0 : before.utf8.count + 1))]")
                }
            case .range(let register, let isInverted, let low, let high):
                guard let operand = sentence[register], let port = Self.port(operand), let first = low.bigNumber,
                    let last = high.bigNumber
                else { continue }
                note(port, "\(first):\(last)", isInverted, &ports)
            case .match(let xt): matches.append(words.match(xt))
            case .target(let xt): target = words.target(xt)
            case .verdict(let verdict): target = Self.verdict(verdict)
            case .limit(let limit): matches.append(" -m limit" + Self.limit(limit))
            case .counter: continue
            case .log(let log):
                if case .log(let level, let flags, let threshold)? = listed.detail {
                    target = words.log(log, level: level, flags: flags, threshold: threshold)
                }
            case .setMeta(.trace, _): target = " -j TRACE"
            case .masquerade(let flags, _): target = " -j MASQUERADE" + XtExtensionText.natFlags(flags)
            case .reject(let type, let code):
                target = " -j REJECT --reject-with " + words.reject(type: type, code: code)
            case .nat(let nat):
                var address = ""
                if let register = nat.addresses?.low { address = sentence.value(register, [.address]) }
                target =
                    nat.kind == .source ? " -j SNAT --to-source \(address)" : " -j DNAT --to-destination \(address)"
            case .other, .lookup, .redirect, .notrack, .setConntrack, .setPayload, .setMeta:
                var other = NftSentence(family, links: links) { _ in nil }
                other.add(listed)
                matches.append(" [\(other.text)]")
            default: sentence.add(listed)
            }
        }
        guard let ports else { return }
        let name = number == 17 ? "udp" : number == 6 ? "tcp" : NftWords.transport(number)
        matches.insert(
            " -m \(name)" + [ports.source, ports.destination, ports.flags].compactMap { $0 }.joined(), at: ports.place)
    }

    // MARK: Conditions

    /// Those that stand outside the matches.
    private mutating func take(_ operand: NftSentence.Operand, _ value: [UInt8], isInverted: Bool) -> Bool {
        switch operand.field.name {
        case "ip saddr", "ip6 saddr": source = Self.address(operand, value, isInverted)
        case "ip daddr", "ip6 daddr": destination = Self.address(operand, value, isInverted)
        case "iifname": input = Self.interface(value, isInverted)
        case "oifname": output = Self.interface(value, isInverted)
        case "meta l4proto", "ip protocol", "ip6 nexthdr":
            transport = Plain(text: NftWords.transport(value.first ?? 0), isInverted: isInverted)
        // The offset of a fragment: none in the first.
        case "ip frag-off" where value.allSatisfy { $0 == 0 }: fragment = Plain(text: "", isInverted: !isInverted)
        case "meta nfproto": return true
        default:
            // Both addresses at once.
            guard operand.base == .network, operand.field.name.hasPrefix("@"), value.count % 2 == 0, !isInverted,
                operand.firstBit == (value.count == 8 ? 96 : 64), value.count == 8 || value.count == 32
            else { return false }
            let half = value.count / 2
            source = Plain(text: Self.whole(Array(value.prefix(half))), isInverted: false)
            destination = Plain(text: Self.whole(Array(value.suffix(half))), isInverted: false)
        }
        return true
    }

    private static func whole(_ bytes: [UInt8]) -> String { "\(NftWords.address(bytes))/\(bytes.count * 8)" }

    private static func address(_ operand: NftSentence.Operand, _ value: [UInt8], _ isInverted: Bool) -> Plain {
        let length = operand.mask.map { NftWords.prefixLength($0) } ?? value.count * 8
        let bytes =
            operand.field.name.hasPrefix("ip6") ? value + [UInt8](repeating: 0, count: max(0, 16 - value.count)) : value
        let mask = length.map(String.init) ?? NftWords.address(operand.mask ?? [])
        return Plain(text: "\(NftWords.address(bytes))/\(mask)", isInverted: isInverted)
    }

    /// Without a NUL behind it a name is the beginning of names.
    private static func interface(_ value: [UInt8], _ isInverted: Bool) -> Plain {
        let name = value.prefix { $0 != 0 }
        let isBeginning = name.count == value.count && value.count < 16
        return Plain(text: String(decoding: name, as: UTF8.self) + (isBeginning ? "+" : ""), isInverted: isInverted)
    }

    private static func port(_ operand: NftSentence.Operand) -> PortOption? {
        guard operand.base == .transport, operand.length == 2 else { return nil }
        return operand.firstBit == 0 ? .source : operand.firstBit == 16 ? .destination : nil
    }

    private mutating func note(
        _ option: PortOption, _ value: String, _ isInverted: Bool, _ ports: inout Ports?
    ) {
        if ports == nil { ports = Ports(place: matches.count) }
        let text = (isInverted ? " !" : "") + " \(option.rawValue) \(value)"
        if option == .source { ports?.source = text } else { ports?.destination = text }
    }

    private mutating func flags(_ mask: UInt8, _ value: UInt8, _ isInverted: Bool, _ ports: inout Ports?) {
        if ports == nil { ports = Ports(place: matches.count) }
        ports?.flags =
            "\(isInverted ? " !" : "") --tcp-flags \(XtExtensionText.flags(mask)) \(XtExtensionText.flags(value))"
    }

    /// Those that the tool writes as expressions, too.
    private mutating func takeMatch(_ operand: NftSentence.Operand, _ value: [UInt8], _ isInverted: Bool) -> Bool {
        let not = isInverted ? " !" : ""
        switch operand.field.name {
        case "meta mark", "ct mark":
            guard let number = NftWords.number(value, isHostOrder: true) else { return false }
            let mask = operand.mask.flatMap { NftWords.number($0, isHostOrder: true) }.map {
                "/" + XtExtensionText.hex($0)
            }
            let name = operand.field.name == "meta mark" ? "mark" : "connmark"
            matches.append(" -m \(name)\(not) --mark \(XtExtensionText.hex(number))\(mask ?? "")")
        case "meta pkttype":
            matches.append(" -m pkttype\(not) --pkt-type \(XtExtensionText.packetType(UInt32(value.first ?? 0)))")
        default: return false
        }
        return true
    }

    private static func limit(_ limit: NftLimit) -> String {
        let units: [UInt64: String] = [1: "sec", 60: "min", 3600: "hour", 86400: "day"]
        let burst = limit.burst == 5 ? "" : " --limit-burst \(limit.burst)"
        return " --limit \(limit.rate)/\(units[limit.unit] ?? "\(limit.unit)s")\(burst)"
    }
}

private enum PortOption: String {
    case source = "--sport"
    case destination = "--dport"
}
