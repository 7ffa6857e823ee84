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
            (proof.probes.isEmpty
                ? "nothing was sent" : "\(proof.verdict.meaning); \(proof.mode.meaning(of: proof))") + proof.age
        page.labelled(
            label, meaning, column: label.utf8.count + 1, hanging: 7, labelStyle: proof.verdict.style)
        for group in ProbeGroup.groups(of: proof.probes) {
            page.blank()
            write(group, alone: group.probes.count == proof.probes.count, to: &page)
        }
        if let local = proof.local, !local.isEmpty {
            page.blank()
            write(local, to: &page)
        }
    }

    private func write(_ group: ProbeGroup, alone: Bool, to page: inout TextPage) {
        let probe = group.first
        page.labelled(
            group.protocols, group.ends + (alone ? "" : ": \(probe.verdict.word)"), indent: 2,
            column: group.protocols.utf8.count + 1, hanging: 4, labelStyle: .strong)
        PathDrawing(of: probe).write(to: &page, indent: 4, limit: Self.valueLimit)
        guard let reason = group.reason else { return }
        page.labelled("", SafeText.line(reason, limit: Self.valueLimit), indent: 4, column: 0, hanging: 2)
    }

    /// What stays on this host: a line for what arrived, a picture for what did not.
    private func write(_ probes: [LocalProbe], to page: inout TextPage) {
        for group in LocalGroup.groups(of: probes) {
            let probe = group.first
            guard probe.arrival != .arrived else {
                page.labelled(
                    "ok", "\(group.protocols) \(group.meaning)", indent: 2, column: 4,
                    labelStyle: PathDrawing.Mark.passed.style)
                continue
            }
            page.labelled(
                group.protocols, "\(group.ends): \(probe.arrival.rawValue.uppercased())", indent: 2,
                column: group.protocols.utf8.count + 1, hanging: 4, labelStyle: .strong)
            PathDrawing(of: probe).write(to: &page, indent: 4, limit: Self.valueLimit)
            guard let reason = probe.reason, probe.arrival == .unknown || probe.path.isEmpty else { continue }
            page.labelled("", SafeText.line(reason, limit: Self.valueLimit), indent: 4, column: 0, hanging: 2)
        }
    }
}

extension ProofReport {
    /// What must be said beside the verdict of a proof that may be true no more; "" for any other.
    var age: String { isOutdated == true ? "; the host has changed since, and it is not made again yet" : "" }
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
        case .routed: "every packet leaves as it is, as the profile wants it"
        }
    }

    var style: TextStyle {
        switch self {
        case .leaked, .wrongSource, .redirected, .dropped: .bad
        case .unknown: .doubtful
        case .masqueraded, .routed: .good
        }
    }
}

extension ProofReport {
    /// Of the fence: only what was sent can have been caught.
    fileprivate var caught: String {
        let sent = probes.filter { probe in probe.path.contains { $0.reached && $0.hook != "container" } }
        if sent.isEmpty { return "nothing was sent" }
        return sent.count == probes.count
            ? "all were caught before the wire" : "what was sent was caught before the wire"
    }
}

extension ProofMode {
    /// How the proof was made. The fence proves translation and not delivery, and a good verdict must say so.
    func meaning(of proof: ProofReport) -> String {
        switch self {
        case .fence where proof.verdict.isHealthy: "caught after NAT, so delivery is not tested"
        case .fence: proof.caught
        case .wire where proof.probes.contains { $0.delivery == .failed }: "really sent, and not everything arrives"
        case .wire where proof.probes.allSatisfy { $0.delivery == .confirmed }: "really sent, and answered"
        case .wire: "really sent"
        case .off: "not made"
        }
    }
}
