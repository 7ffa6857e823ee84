internal import HostModel

/// The packet proof, each probe drawn as a line from the container to where it ended.
extension TerminalFormat {
    func write(_ proof: ProofReport, to page: inout TextPage) {
        guard proof.mode != .off else {
            page.paragraph("PROOF  not made (--proof off)", style: .strong)
            return
        }
        let label = "PROOF  \(proof.verdict.word):"
        let meaning =
            proof.probes.isEmpty
            ? "nothing was sent" : "\(proof.verdict.meaning); \(proof.mode.meaning(of: proof))"
        page.labelled(
            label, meaning, column: label.utf8.count + 1, hanging: 7, labelStyle: proof.verdict.style)
        for group in ProbeGroup.groups(of: proof.probes) {
            write(group, alone: group.probes.count == proof.probes.count, to: &page)
        }
    }

    private func write(_ group: ProbeGroup, alone: Bool, to page: inout TextPage) {
        let probe = group.first
        let route = group.probes.count == 1 ? "\(probe.from) -> \(probe.to)" : group.ends
        page.labelled(
            group.protocols, alone ? route : "\(route): \(probe.verdict.word)", indent: 2, column: 16,
            hanging: 4)
        let drawing = drawing(of: probe)
        if !drawing.isEmpty { page.labelled("", drawing, indent: 4, column: 0, hanging: 2) }
        if let killer = probe.killer {
            page.labelled("", "X dropped at \(Self.place(of: killer)):", indent: 4, column: 0, hanging: 2, style: .bad)
            page.verbatim("", SafeText.line(killer.text, limit: Self.valueLimit), indent: 5, column: 1)
        } else if probe.verdict == .dropped, let lost = probe.path.first(where: { !$0.reached }) {
            page.labelled(
                "", "X lost before \(station(lost, probe)); nothing says by what", indent: 4, column: 0, hanging: 2,
                style: .bad)
        }
        if let reason = probe.reason {
            page.labelled("", SafeText.line(reason, limit: Self.valueLimit), indent: 4, column: 0, hanging: 2)
        }
    }

    /// `container -> vethA -> lxcbr1 -> forward -> NAT -> up0 as 203.0.113.2`; an `X` marks the place of death. Where
    /// the fence caught the packet, the link that it would leave by stands in parentheses.
    private func drawing(of probe: ProofProbe) -> String {
        var stations: [String] = []
        for step in probe.path {
            guard step.reached else { break }
            if step.hook == "prerouting" || step.hook == "routing" { continue }
            stations.append(station(step, probe))
        }
        if let killer = probe.killer, stations.last != killer.hook, probe.verdict == .dropped {
            stations.append(killer.hook)
        }
        if let uplink = probe.path.last, uplink.hook == "uplink", !uplink.reached, probe.sourceAfter != nil {
            stations.append("(\(station(uplink, probe)))")
        }
        var drawing = stations.joined(separator: " -> ")
        if probe.verdict == .dropped, !drawing.isEmpty { drawing += " -X" }
        return drawing
    }

    private func station(_ step: PathStep, _ probe: ProofProbe) -> String {
        switch step.hook {
        case "container": return probe.container ?? "container"
        case "port", "bridge": return step.link ?? step.hook
        case "postrouting":
            let translated = probe.verdict == .masqueraded || probe.verdict == .wrongSource
            return translated ? "NAT" : "postrouting, untranslated"
        case "uplink":
            let link = step.link ?? probe.uplink ?? "uplink"
            return probe.sourceAfter.map { "\(link) as \($0)" } ?? link
        default: return step.hook
        }
    }

    static func place(of killer: Killer) -> String {
        var place: [String] = []
        if let table = killer.table {
            place.append("table " + [killer.family, table].compactMap { $0 }.joined(separator: " "))
        }
        if let chain = killer.chain { place.append("chain \(chain)") }
        if let rule = killer.rule { place.append("rule \(rule)") }
        return place.isEmpty ? killer.hook : "\(killer.hook) (\(place.joined(separator: ", ")))"
    }
}

/// Probes that went the same way to the same end: they are drawn once.
struct ProbeGroup {
    var first: ProofProbe
    var probes: [ProofProbe]

    static func groups(of probes: [ProofProbe]) -> [ProbeGroup] {
        var groups: [ProbeGroup] = []
        for probe in probes {
            if let index = groups.firstIndex(where: { $0.takes(probe) }) {
                groups[index].probes.append(probe)
            } else {
                groups.append(ProbeGroup(first: probe, probes: [probe]))
            }
        }
        return groups
    }

    /// `udp, tcp, icmp`.
    var protocols: String {
        var names: [String] = []
        for probe in probes where !names.contains(probe.protocol.rawValue) { names.append(probe.protocol.rawValue) }
        return names.joined(separator: ", ")
    }

    /// The addresses without the ports, which differ.
    var ends: String { "\(Self.address(first.from)) -> \(Self.address(first.to))" }

    private func takes(_ probe: ProofProbe) -> Bool {
        first.network == probe.network && first.container == probe.container && first.verdict == probe.verdict
            && first.reason == probe.reason && first.sourceAfter == probe.sourceAfter && first.uplink == probe.uplink
            && first.path == probe.path && first.killer == probe.killer
            && Self.address(first.from) == Self.address(probe.from) && Self.address(first.to) == Self.address(probe.to)
    }

    private static func address(_ end: String) -> Substring {
        end.split(separator: ":", maxSplits: 1).first ?? end[...]
    }
}

extension ProofVerdict {
    /// For people: `WRONG SOURCE`.
    var word: String { self == .wrongSource ? "WRONG SOURCE" : rawValue.uppercased() }

    var meaning: String {
        switch self {
        case .leaked: "a packet goes out untranslated"
        case .wrongSource: "a packet goes out with an address that is not the uplink's"
        case .redirected: "a packet does not go where it was sent"
        case .dropped: "a packet does not get out of this host"
        case .unknown: "it could not be seen where a packet goes"
        case .masqueraded: "every packet leaves with the host's address"
        }
    }

    var style: TextStyle {
        switch self {
        case .leaked, .wrongSource, .redirected, .dropped: .bad
        case .unknown: .doubtful
        case .masqueraded: .good
        }
    }
}

extension ProofMode {
    /// How the proof was made. The fence proves translation and not delivery, and a good verdict must say so.
    func meaning(of proof: ProofReport) -> String {
        switch self {
        case .fence where proof.verdict == .masqueraded: "caught after NAT, so delivery is not tested"
        case .fence: "all were caught before the wire"
        case .wire: "really sent, with TTL 2"
        case .off: "not made"
        }
    }
}
