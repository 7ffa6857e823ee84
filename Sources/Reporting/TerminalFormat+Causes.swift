internal import HostModel

/// Root causes: what is wrong, how we know, what else it explains, and how it is repaired.
extension TerminalFormat {
    /// Consequences of one cause that are told one by one: a broken bridge has dozens, and they say nothing more.
    private static let consequencesShown = 3
    private static let evidenceShown = 3

    func write(
        _ causes: [Cause], of report: Report, options: RenderingOptions, to page: inout TextPage
    ) {
        page.paragraph(causes.count == 1 ? "ROOT CAUSE" : "ROOT CAUSES (\(causes.count))", style: .strong)
        for (index, cause) in causes.enumerated() {
            if index > 0 { page.blank() }
            write(cause, titles: report.titles, options: options, to: &page)
        }
    }

    private func write(
        _ cause: Cause, titles: [String: String], options: RenderingOptions, to page: inout TextPage
    ) {
        page.labelled(
            cause.severity.rawValue.uppercased(), "\(cause.title) [\(cause.id)]", column: Self.wordColumn,
            labelStyle: cause.severity.style, style: .strong)
        let indent = Self.wordColumn
        page.paragraph(cause.explanation, indent: indent)
        let column = Self.labelColumn
        page.row("about", cause.subject.description, indent: indent, column: column)
        for evidence in options.verbose ? cause.evidence : Self.brief(cause.evidence) {
            write(evidence, indent: indent, to: &page)
        }
        if options.verbose {
            for (index, check) in cause.consequences.enumerated() {
                page.labelled(
                    index == 0 ? "explains" : "", "\(titles[check] ?? check) [\(check)]", indent: indent, column: column
                )
            }
        } else if cause.consequences.count > Self.consequencesShown {
            page.labelled(
                "explains", "\(cause.consequences.count) other findings (--verbose lists them)", indent: indent,
                column: column)
        } else if !cause.consequences.isEmpty {
            page.labelled(
                "explains", cause.consequences.map { titles[$0] ?? $0 }.joined(separator: "; "), indent: indent,
                column: column)
        }
        write(cause.remedy, of: cause, indent: indent, to: &page)
    }

    /// Where there is much of it, without what the proof saw: that is drawn below.
    private static func brief(_ evidence: [Evidence]) -> [Evidence] {
        let others = evidence.filter { $0.command != "lxc-doctor prove" }
        return evidence.count > evidenceShown && !others.isEmpty ? others : evidence
    }

    func write(_ evidence: Evidence, indent: Int, to page: inout TextPage) {
        let column = Self.labelColumn
        let value = SafeText.line(evidence.value, limit: Self.valueLimit)
        let source = SafeText.line(evidence.source, limit: Self.valueLimit)
        page.labelled("seen", "\(value) (\(source))", indent: indent, column: column)
        if !evidence.command.isEmpty {
            page.verbatim("see it", evidence.command, indent: indent, column: column, style: .plain)
        }
    }

    private func write(_ remedy: RemedyAdvice?, of cause: Cause, indent: Int, to page: inout TextPage) {
        let column = Self.labelColumn
        guard let remedy else {
            page.labelled("repair", "by hand: see lxc-doctor explain \(cause.id)", indent: indent, column: column)
            return
        }
        if remedy.automatic {
            page.labelled("repair", "--auto-remediate does it (remedy \(remedy.id))", indent: indent, column: column)
        }
        if let left = remedy.left {
            page.labelled("repair", "left to a person: \(left)", indent: indent, column: column)
        }
        for (index, command) in remedy.commands.enumerated() {
            page.verbatim(index == 0 ? "by hand" : "", command, indent: indent, column: column)
        }
    }
}

extension Severity {
    var style: TextStyle {
        switch self {
        case .notice: .plain
        case .warning: .doubtful
        case .critical: .bad
        }
    }
}

extension Report {
    /// Titles of the checks by id.
    var titles: [String: String] {
        Dictionary(findings.map { ($0.check, $0.title) }) { first, _ in first }
    }
}
