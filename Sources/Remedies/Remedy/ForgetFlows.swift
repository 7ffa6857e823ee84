internal import HostAccess
internal import HostModel
internal import Probes
internal import WireFormats

/// Has connection tracking forget the flows that are older than the rules that would translate them, and no other.
///
/// Once the rules are right no such flow begins any more, so the list is complete. Exempt flows are none of these: the
/// rules would not translate them today.
struct ForgetFlows: Remedy {
    static let remedy = "stale-flows"
    let id = remedy

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let flows = draft.facts.staleFlows[network.name, default: []].sorted {
            ($0.original.words, $0.id) < ($1.original.words, $1.id)
        }
        guard !flows.isEmpty else {
            let offloaded = draft.facts.offloadedFlows[network.name, default: 0]
            throw LeftToPerson(
                why: offloaded > 0
                    ? "a flow table forwards them (\(offloaded)), and the kernel does not let go of such flows"
                    : "no flow of \(network.cidr) is left that the rules would translate today",
                what: ["conntrack -L -s \(network.cidr)"])
        }
        try draft.add(
            .forgetFlows(flows), phase: .runtime, remedy: id,
            risk:
                "Who still uses such a flow goes on with the host's address: a connection that the other end knows by "
                + "the container's own address breaks, and has to be made anew.",
            for: cause, reversible: false)
    }
}

/// Tracked flows in words and commands.
enum FlowWords {
    /// So many are named in a sentence; a document has all of them.
    private static let shown = 16

    static func target(_ flows: [TrackedFlow]) -> String {
        flows.count == 1 ? "1 tracked flow" : "\(flows.count) tracked flows"
    }

    static func list(_ flows: [TrackedFlow]) -> String {
        let names = flows.prefix(shown).map(\.original.words)
        return "untranslated: " + (names + rest(flows)).joined(separator: ", ")
    }

    /// conntrack(8), one flow each.
    static func command(_ flows: [TrackedFlow]) -> String {
        (flows.prefix(shown).map { "conntrack -D \(selection($0))" } + rest(flows).map { "# \($0)" })
            .joined(separator: "; ")
    }

    private static func rest(_ flows: [TrackedFlow]) -> [String] {
        flows.count > shown ? ["and \(flows.count - shown) more"] : []
    }

    /// Options that select the flow as long as it is not translated: its answers go to the container itself.
    static func selection(_ flow: TrackedFlow) -> String {
        let tuple = flow.original
        var words = ["-p", transport(tuple.transport), "-s", "\(tuple.source)", "-d", "\(tuple.destination)"]
        words += ["--reply-dst", "\(tuple.source)"]
        if let echo = tuple.echo {
            words += ["--icmp-type", "\(echo.type)", "--icmp-code", "\(echo.code)", "--icmp-id", "\(echo.identifier)"]
        } else if [6, 17, 33, 132, 136].contains(tuple.transport) {
            words += ["--sport", "\(tuple.sourcePort)", "--dport", "\(tuple.destinationPort)"]
        }
        if flow.zone != 0 { words += ["-w", "\(flow.zone)"] }
        if let zone = tuple.zone { words += ["--orig-zone", "\(zone)"] }
        return words.joined(separator: " ")
    }

    /// As conntrack(8) takes it; any other by its number.
    private static func transport(_ number: UInt8) -> String {
        switch number {
        case 1: "icmp"
        case 6: "tcp"
        case 17: "udp"
        case 33: "dccp"
        case 47: "gre"
        case 132: "sctp"
        case 136: "udplite"
        default: "\(number)"
        }
    }
}
