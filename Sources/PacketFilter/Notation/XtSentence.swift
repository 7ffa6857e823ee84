internal import HostModel
internal import WireFormats

/// Writes a rule as `iptables -S` does: the addresses and interfaces first, then the matches as they stand in the
/// rule, then the target.
struct XtSentence {
    /// A condition that stands outside the matches.
    struct Plain {
        var text: String
        var isInverted: Bool
    }

    var source: Plain?
    var destination: Plain?
    var input: Plain?
    var output: Plain?
    var transport: Plain?
    var fragment: Plain?
    /// Each with a space before it.
    var matches: [String] = []
    var target = ""

    var text: String {
        func plain(_ option: String, _ condition: Plain?) -> String {
            condition.map { "\($0.isInverted ? " !" : "") \(option)\($0.text.isEmpty ? "" : " ")\($0.text)" } ?? ""
        }
        return plain("-s", source) + plain("-d", destination) + plain("-i", input) + plain("-o", output)
            + plain("-p", transport) + plain("-f", fragment) + matches.joined() + target
    }

    /// A rule of iptables-legacy.
    init(_ rule: XtRule, set: @escaping (UInt16) -> String) {
        let words = XtExtensionText(isIP6: false, transport: rule.transport, set: set)
        source = Self.address(rule.source, rule.sourceMask, rule.inversions.contains(.source))
        destination = Self.address(rule.destination, rule.destinationMask, rule.inversions.contains(.destination))
        input = Self.interface(rule.input, rule.inversions.contains(.input))
        output = Self.interface(rule.output, rule.inversions.contains(.output))
        if rule.transport != 0 {
            transport = Plain(
                text: NftWords.transport(rule.transport), isInverted: rule.inversions.contains(.transport))
        }
        if rule.fragment { fragment = Plain(text: "", isInverted: rule.inversions.contains(.fragment)) }
        matches = rule.matches.map(words.match)
        switch rule.target {
        case .verdict(let verdict): target = Self.verdict(verdict)
        case .target(let xt): target = words.target(xt)
        }
    }

    private static func address(_ address: IPv4Address, _ mask: IPv4Address, _ isInverted: Bool) -> Plain? {
        guard mask.value != 0 || isInverted else { return nil }
        let text = IPv4Prefix(address: address, netmask: mask)?.description ?? "\(address)/\(mask)"
        return Plain(text: text.contains("/") ? text : text + "/32", isInverted: isInverted)
    }

    private static func interface(_ interface: XtInterface, _ isInverted: Bool) -> Plain? {
        interface == .any && !isInverted ? nil : Plain(text: interface.description, isInverted: isInverted)
    }

    static func verdict(_ verdict: NftVerdict) -> String {
        switch verdict {
        case .continue: ""
        case .jump(let chain): " -j \(chain)"
        case .goto(let chain): " -g \(chain)"
        default: " -j \(NftStatement.verdict(verdict).uppercased())"
        }
    }

    init() {}
}
