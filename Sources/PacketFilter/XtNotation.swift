internal import HostModel
internal import WireFormats

/// Writes rules as `iptables -S` does, near enough for a person to find them.
enum XtNotation {
    /// The parts of a rule of iptables-legacy.
    static func parts(_ rule: XtRule) -> [RulePart] {
        var parts: [RulePart] = []
        for (field, address, mask, inversion) in [
            (PacketField.source, rule.source, rule.sourceMask, XtRule.Inversions.source),
            (.destination, rule.destination, rule.destinationMask, .destination),
        ] where mask.value != 0 || rule.inversions.contains(inversion) {
            let text = IPv4Prefix(address: address, netmask: mask)?.description ?? "\(address)/\(mask)"
            parts.append(.address(field, text, inverted: rule.inversions.contains(inversion)))
        }
        if rule.input != .any {
            parts.append(
                .interface(
                    isInput: true, rule.input.description, inverted: rule.inversions.contains(.input)))
        }
        if rule.output != .any {
            parts.append(
                .interface(
                    isInput: false, rule.output.description, inverted: rule.inversions.contains(.output)))
        }
        if rule.transport != 0 {
            parts.append(.transport(rule.transport, inverted: rule.inversions.contains(.transport)))
        }
        parts += rule.matches.map { .match(XtMatch($0)) }
        switch rule.target {
        case .verdict(.continue): break
        case .verdict(let verdict): parts.append(.verdict(verdict))
        case .target(let xt): parts.append(.target(xt))
        }
        return parts
    }

    /// The order in which `iptables -S` writes the parts, whatever their order in the rule.
    private static func rank(_ part: RulePart) -> Int {
        switch part {
        case .address(let field, _, _): field == .source ? 0 : 1
        case .interface(let isInput, _, _): isInput ? 2 : 3
        case .transport: 4
        case .match, .words, .nft, .counter: 5
        case .verdict, .masquerade, .sourceNat, .target: 6
        }
    }

    /// Every part with a space before it.
    static func text(_ unordered: [RulePart]) -> String {
        let parts = (0...6).flatMap { wanted in unordered.filter { rank($0) == wanted } }
        return parts.map { part in
            switch part {
            case .address(let field, let text, let inverted):
                "\(not(inverted)) \(field == .source ? "-s" : "-d") \(text.contains("/") ? text : text + (text.contains(":") ? "/128" : "/32"))"
            case .interface(let isInput, let name, let inverted):
                "\(not(inverted)) \(isInput ? "-i" : "-o") \(name.hasSuffix("*") ? name.dropLast() + "+" : name[...])"
            case .transport(let number, let inverted): "\(not(inverted)) -p \(transport(number))"
            case .match(let match): text(match)
            case .words(let words): words
            case .nft(let text): " [\(text)]"
            case .counter: ""
            case .verdict(let verdict): text(verdict)
            case .masquerade: " -j MASQUERADE"
            case .sourceNat(let address): " -j SNAT --to-source \(address)"
            case .target(let xt): text(xt)
            }
        }.joined()
    }

    static func transport(_ number: UInt8) -> String {
        switch number {
        case 1: "icmp"
        case 6: "tcp"
        case 17: "udp"
        case 58: "ipv6-icmp"
        default: "\(number)"
        }
    }

    private static func not(_ inverted: Bool) -> String { inverted ? " !" : "" }

    private static func text(_ verdict: NftVerdict) -> String {
        switch verdict {
        case .jump(let chain): " -j \(chain)"
        case .goto(let chain): " -g \(chain)"
        default: " -j \(NftNotation.verdict(verdict).uppercased())"
        }
    }

    private static func text(_ xt: XtExtension) -> String {
        switch XtTarget(xt) {
        case .sourceNat(let range?):
            let high = range.lowerBound == range.upperBound ? "" : "-\(range.upperBound)"
            return " -j SNAT --to-source \(range.lowerBound)\(high)"
        case .masquerade(let ports?):
            return " -j MASQUERADE --to-ports \(ports.lowerBound)-\(ports.upperBound)"
        case .notrack: return xt.name == "CT" ? " -j CT --notrack" : " -j NOTRACK"
        default: return " -j \(xt.name)"
        }
    }

    static func text(_ match: XtMatch) -> String {
        switch match {
        case .comment(let text): " -m comment --comment \"\(text)\""
        case .ports(let transport, let source, let destination, _):
            " -m \(self.transport(transport))" + ports("--sport", source) + ports("--dport", destination)
        case .icmp: " -m icmp"
        case .multiport(let multiport):
            " -m multiport\(not(multiport.inverted)) "
                + ["--sports", "--dports", "--ports"][Int(multiport.side.rawValue)] + " "
                + multiport.ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound):\($0.upperBound)" }
                .joined(separator: ",")
        case .conntrack(let states, let inverted): " -m conntrack\(not(inverted)) --ctstate \(self.states(states))"
        case .mark(let value, let mask, let inverted): " -m mark\(not(inverted)) --mark \(hex(value))/\(hex(mask))"
        case .connmark(let value, let mask, let inverted):
            " -m connmark\(not(inverted)) --mark \(hex(value))/\(hex(mask))"
        case .addressType: " -m addrtype"
        case .physdev: " -m physdev"
        case .addressRange(let range):
            " -m iprange"
                + (range.source.map { "\(not(range.sourceInverted)) --src-range \($0.lowerBound)-\($0.upperBound)" }
                    ?? "")
                + (range.destination.map {
                    "\(not(range.destinationInverted)) --dst-range \($0.lowerBound)-\($0.upperBound)"
                } ?? "")
        case .policy(let ipsec, let out): " -m policy --pol \(ipsec ? "ipsec" : "none") --dir \(out ? "out" : "in")"
        case .conntrackFields: " -m conntrack"
        case .reversePath(let flags):
            " -m rpfilter" + (flags & 1 != 0 ? " --loose" : "") + (flags & 2 != 0 ? " --validmark" : "")
                + (flags & 4 != 0 ? " --accept-local" : "") + (flags & 8 != 0 ? " --invert" : "")
        case .owner: " -m owner"
        case .u32: " -m u32"
        case .ipset: " -m set"
        case .packetType: " -m pkttype"
        case .other(let name): " -m \(name)"
        }
    }

    private static func ports(_ option: String, _ ports: XtPorts) -> String {
        guard !ports.isAny else { return "" }
        let range = ports.range
        let text = range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound):\(range.upperBound)"
        return "\(not(ports.inverted)) \(option) \(text)"
    }

    private static func states(_ mask: UInt16) -> String {
        let names: [(UInt16, String)] = [
            (1, "INVALID"), (8, "NEW"), (4, "RELATED"), (2, "ESTABLISHED"), (256, "UNTRACKED"), (64, "SNAT"),
            (128, "DNAT"),
        ]
        return names.filter { mask & $0.0 != 0 }.map(\.1).joined(separator: ",")
    }

    private static func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
