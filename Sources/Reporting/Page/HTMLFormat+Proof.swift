internal import HostModel

/// The packet proof and the networks, drawn.
extension HTMLFormat {
    func write(_ proof: ProofReport, to page: inout HTMLPage) {
        page.element("section", [("class", "card"), ("aria-labelledby", "proof")]) { page in
            page.element("h2", [("id", "proof")], "Packet proof")
            guard proof.mode != .off else {
                page.element("p", "Not made (--proof off).")
                return
            }
            page.element("p") { page in
                page.element(
                    "span", [("class", "badge \(PathDrawing.tone(of: proof.verdict).rawValue)")],
                    proof.verdict.word.lowercased())
                page.words(
                    proof.probes.isEmpty
                        ? " Nothing was sent." : " \(proof.verdict.meaning); \(proof.mode.meaning(of: proof)).")
            }
            for (index, group) in ProbeGroup.groups(of: proof.probes).enumerated() {
                write(group, id: "path\(index + 1)", to: &page)
            }
        }
    }

    private func write(_ group: ProbeGroup, id: String, to page: inout HTMLPage) {
        let probe = group.first
        let drawing = PathDrawing(probe)
        let title = "\(group.protocols): \(group.ends)"
        page.element("figure", [("class", "path")]) { page in
            page.element("figcaption") { page in
                page.element("strong", group.protocols)
                page.words(" \(group.ends.replacing("->", with: "\u{2192}")) ")
                page.element(
                    "span", [("class", "badge \(PathDrawing.tone(of: probe.verdict).rawValue)")],
                    probe.verdict.word.lowercased())
            }
            if !drawing.isEmpty {
                page.raw(drawing.lying(id: "\(id)-wide", title: title))
                page.raw(drawing.standing(id: "\(id)-narrow", title: title))
            }
            if let killer = probe.killer {
                page.element("p", [("class", "death")]) { page in
                    page.element("strong", "Dropped")
                    page.words(" at \(TerminalFormat.place(of: killer)):")
                }
                page.element("pre", [("tabindex", "0")], killer.text)
            }
            if let reason = probe.reason { page.element("p", [("class", "note")], reason) }
        }
    }

    func writeNetworks(of report: Report, to page: inout HTMLPage) {
        page.element("section", [("class", "card"), ("aria-labelledby", "networks")]) { page in
            page.element(
                "h2", [("id", "networks")], report.profile.networks.count == 1 ? "The network" : "The networks")
            for (index, network) in report.profile.networks.enumerated() {
                page.element("div", [("class", "network")]) { page in
                    page.element("figure") { page in
                        page.raw(NetworkDrawing(network: network, report: report).markup(id: "network\(index + 1)"))
                    }
                    page.element("div") { page in
                        page.element("h3", network.name)
                        page.element("dl") { page in
                            for (term, value) in Self.facts(of: network) {
                                page.element("dt", term)
                                page.element("dd", value)
                            }
                        }
                        page.element("p", [("class", "legend")]) { page in
                            for tone in [Tone.good, .doubtful, .bad, .unseen] {
                                page.element("span", [("class", "key \(tone.rawValue)")], tone.word)
                            }
                        }
                    }
                }
            }
        }
    }

    /// What the profile wants of a network.
    private static func facts(of network: Network) -> [(String, String)] {
        var facts = [
            ("Bridge", network.bridge), ("Address", network.address.description), ("Way out", network.nat.rawValue),
            ("DHCP", network.dhcp.rawValue), ("DNS", network.dns.rawValue),
            ("Uplink", network.uplink ?? "by the routing table"), ("Proof aims at", network.target.description),
        ]
        if !network.exempt.isEmpty {
            facts.append(("Not translated", network.exempt.map(\.description).joined(separator: ", ")))
        }
        return facts
    }
}
