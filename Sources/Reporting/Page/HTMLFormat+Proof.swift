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
                    "span", [("class", "badge \(PathPicture.tone(of: proof.verdict).rawValue)")],
                    proof.verdict.word.lowercased())
                page.words(
                    proof.probes.isEmpty
                        ? " Nothing was sent\(proof.age)."
                        : " \(proof.verdict.meaning); \(proof.mode.meaning(of: proof))\(proof.age).")
            }
            for (index, group) in ProbeGroup.groups(of: proof.probes).enumerated() {
                write(group, id: "path\(index + 1)", to: &page)
            }
            write(proof.local ?? [], to: &page)
        }
    }

    private func write(_ group: ProbeGroup, id: String, to page: inout HTMLPage) {
        let probe = group.first
        let drawing = PathPicture(probe)
        let title = "\(group.protocols): \(group.ends)"
        page.element("figure", [("class", "path")]) { page in
            page.element("figcaption") { page in
                page.element("strong", group.protocols)
                page.words(" \(group.ends.replacing("->", with: "\u{2192}")) ")
                page.element(
                    "span", [("class", "badge \(PathPicture.tone(of: probe.verdict).rawValue)")],
                    probe.verdict.word.lowercased())
            }
            if !drawing.isEmpty {
                page.raw(drawing.lying(id: "\(id)-wide", title: title))
                page.raw(drawing.standing(id: "\(id)-narrow", title: title))
            }
            if let killer = probe.killer {
                page.element("p", [("class", "death")]) { page in
                    page.element("strong", "Dropped")
                    page.words(" at \(killer.hook) (\(PathDrawing.place(of: killer))):")
                }
                page.element("pre", [("tabindex", "0")], killer.text)
            }
            if let reason = probe.reason { page.element("p", [("class", "note")], reason) }
        }
    }

    /// What stays on this host: DHCP, DNS, and one container to another.
    private func write(_ probes: [LocalProbe], to page: inout HTMLPage) {
        if probes.isEmpty { return }
        page.element("h3", "On this host")
        page.element("ul", [("class", "plain")]) { page in
            for group in LocalGroup.groups(of: probes) {
                let probe = group.first
                page.element("li") { page in
                    page.element("span", [("class", "badge \(probe.arrival.tone.rawValue)")], probe.arrival.rawValue)
                    page.words(" \(group.protocols) \(probe.arrival == .arrived ? group.meaning : group.ends)")
                    let why = [probe.killer?.text, probe.reason].compactMap { $0 }.joined(separator: ": ")
                    if probe.arrival != .arrived, !why.isEmpty { page.words(": \(why)") }
                }
            }
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
                    page.element("div") { page in Self.write(network, to: &page) }
                }
            }
        }
    }

    private static func write(_ network: Network, to page: inout HTMLPage) {
        page.element("h3", network.name)
        page.element("dl") { page in
            for (term, value) in facts(of: network) {
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

extension Arrival {
    var tone: Tone {
        switch self {
        case .arrived: .good
        case .altered, .dropped: .bad
        case .unknown: .unseen
        }
    }
}
