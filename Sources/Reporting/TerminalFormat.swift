package import HostModel

/// The report for a person at a terminal: what is wrong and why, what to do, then the rest, then the next command.
///
/// Readable without colour: every line says in a word what it is.
package struct TerminalFormat: PartFormat {
    package static let name = FormatName.terminal

    /// Columns of the word at the beginning of a finding's line.
    static let wordColumn = 9
    /// Columns of the label at the beginning of a detail's line.
    static let labelColumn = 10
    /// Characters of one value of evidence; more is cut, JSON has all of it.
    static let valueLimit = 600

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        if options.quiet { return "" }
        var page = TextPage(options)
        writeHeader(report, to: &page)
        for waiver in report.expiredWaivers {
            page.labelled("EXPIRED", waiver.sentence, column: Self.wordColumn, labelStyle: .bad)
        }
        if let fixes = report.fixes {
            page.blank()
            write(fixes, to: &page)
        }
        if !report.causes.isEmpty {
            page.blank()
            write(report.causes, of: report, options: options, to: &page)
        }
        if let proof = report.proof {
            page.blank()
            write(proof, to: &page)
        }
        write(report.findings, of: report, options: options, to: &page)
        let waivers = (report.waivers ?? []).filter { $0.state != .expired }
        if !waivers.isEmpty {
            page.blank()
            page.paragraph("WAIVERS", style: .strong)
            for waiver in waivers { page.labelled("-", waiver.sentence, indent: 2, column: 2) }
        }
        page.blank()
        writeNext(NextStep.steps(after: report, options: options), to: &page)
        return page.text
    }

    package func render(plan steps: [FixStep], options: RenderingOptions) -> String {
        if options.quiet { return "" }
        var page = TextPage(options)
        write(plan: steps, after: options.appliedBefore, to: &page)
        return page.text
    }

    package func render(proof: ProofReport, options: RenderingOptions) -> String {
        if options.quiet { return "" }
        var page = TextPage(options)
        write(proof, to: &page)
        return page.text
    }

    private func writeHeader(_ report: Report, to page: inout TextPage) {
        let label = "\(report.tool.name) \(report.tool.version): \(report.verdict.rawValue.uppercased())"
        let profile = report.profile
        var text = "on \(report.host.hostname), profile \(profile.name) (\(profile.chosenBecause))"
        if !profile.otherBridges.isEmpty {
            text += "; not looked at: \(profile.otherBridges.joined(separator: ", "))"
        }
        page.labelled(
            label, text, column: TextWidth.columns(SafeText.line(label)) + 1, hanging: 2,
            labelStyle: report.verdict.style)
    }

    private func writeNext(_ steps: [NextStep], to page: inout TextPage) {
        if steps.isEmpty {
            page.paragraph("Nothing to do.", style: .good)
        }
        for step in steps {
            page.verbatim("Next:", step.command, column: 7)
            page.paragraph(step.purpose, indent: 7)
        }
    }
}

extension Health {
    var style: TextStyle {
        switch self {
        case .healthy: .good
        case .critical: .bad
        case .warning, .unknown: .doubtful
        }
    }
}
