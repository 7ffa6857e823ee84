package import HostModel

/// What the rules say, for people.
extension TerminalFormat {
    func render(verify report: VerifyReport, options: RenderingOptions) -> String {
        var page = TextPage(options)
        for network in report.networks {
            page.blank()
            page.paragraph("\(network.network) behind \(network.bridge)", style: .strong)
            for answer in network.answers { write(answer, to: &page) }
        }
        if report.networks.isEmpty { page.paragraph("the profile has no network to ask about") }
        guard let proof = report.proof else { return page.text }
        return page.text + "\n" + render(proof: proof, options: options)
    }

    private func write(_ answer: VerifyReport.Answer, to page: inout TextPage) {
        page.labelled(
            answer.verdict.word, answer.title, indent: 2, column: 16, labelStyle: answer.verdict.style)
        if let packet = answer.packet { page.verbatim("packet", packet, indent: 18, column: 10) }
        if let command = answer.command { page.verbatim("send it", command, indent: 18, column: 10) }
        if let reason = answer.reason { page.labelled("", reason, indent: 18, column: 0) }
        write(answer.dependsOn ?? [], indent: 18, to: &page)
        let decided = answer.question == "translated" ? "let out by" : "decided by"
        if let place = answer.decidedBy { write(place, decided, to: &page) }
        if let place = answer.shouldHaveCaught { write(place, "meant for it", to: &page) }
        if let place = answer.provenBy { write(place, "by", to: &page) }
    }

    /// More rules than these are left to JSON.
    private static let mostRules = 4

    private func write(_ unknown: [Dependence], indent: Int, to page: inout TextPage) {
        let asked = unknown.compactMap { unknown in unknown.rule.map { (unknown.what, $0) } }
        for (what, rule) in asked.prefix(Self.mostRules) {
            let place = Killer(
                hook: "", family: rule.family, table: rule.table, chain: rule.chain, rule: rule.rule,
                handle: rule.handle, text: rule.text)
            page.labelled("", "not known, \(what): \(Self.place(place))", indent: indent, column: 0)
            page.verbatim("", rule.text, indent: indent + 2, column: 1)
        }
        let more = asked.count - Self.mostRules
        if more > 0 { page.labelled("", "and \(more) more", indent: indent, column: 0) }
    }

    private func write(_ place: Killer, _ label: String, to page: inout TextPage) {
        page.labelled("", "\(label): \(Self.place(place))", indent: 18, column: 0)
        page.verbatim("", place.text, indent: 20, column: 1)
    }

    private static func place(_ killer: Killer) -> String {
        guard let table = killer.table else { return killer.hook }
        var text = "table \([killer.family, table].compactMap { $0 }.joined(separator: " "))"
        if let chain = killer.chain { text += ", chain \(chain)" }
        if let rule = killer.ruleWords { text += ", \(rule)" }
        return text
    }

    func render(packet report: PacketReport, options: RenderingOptions) -> String {
        var page = TextPage(options)
        page.verbatim(report.packet)
        for step in report.path {
            var text = step.link ?? ""
            if let table = step.table, let chain = step.chain {
                text = "\([step.family, table].compactMap { $0 }.joined(separator: " ")) \(chain)"
            }
            page.labelled(step.hook, text, indent: 2, column: 14)
            if let rule = step.rule { page.verbatim("", rule, indent: 15, column: 1) }
        }
        let style: TextStyle =
            report.verdict == .accepted ? .good : report.verdict == .dropped ? .bad : .doubtful
        var end = ""
        if report.verdict == .accepted {
            end = report.uplink.map { "leaves by \($0)" } ?? "goes to this host"
            if let source = report.sourceAfter { end += " as \(source)" }
            if report.isOfFlow == true { end += ", with the addresses that its flow was given when it began" }
        }
        if let reason = report.reason { end = reason }
        page.labelled(report.verdict.rawValue.uppercased(), end, column: 12, labelStyle: style)
        write(report.dependsOn ?? [], indent: 2, to: &page)
        if let killer = report.killer {
            page.labelled("", "at \(Self.place(killer)):", indent: 2, column: 0)
            page.verbatim("", killer.text, indent: 4, column: 1)
        }
        if let rule = report.translatedBy {
            page.labelled("", "translated by \(Self.place(rule)):", indent: 2, column: 0)
            page.verbatim("", rule.text, indent: 4, column: 1)
        }
        return page.text
    }
}

extension VerifyReport.Verdict {
    fileprivate var word: String {
        switch self {
        case .proven: "PROVEN"
        case .counterexample: "COUNTEREXAMPLE"
        case .undecided: "UNDECIDED"
        }
    }

    fileprivate var style: TextStyle {
        switch self {
        case .proven: .good
        case .counterexample: .bad
        case .undecided: .doubtful
        }
    }
}

package func renderVerify(
    _ report: VerifyReport, as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    switch format {
    case .terminal: TerminalFormat().render(verify: report, options: options)
    // Commands refuse the other formats before.
    default: JSONText.encode(report)
    }
}

package func renderPacket(
    _ report: PacketReport, as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    switch format {
    case .terminal: TerminalFormat().render(packet: report, options: options)
    // Commands refuse the other formats before.
    default: JSONText.encode(report)
    }
}
