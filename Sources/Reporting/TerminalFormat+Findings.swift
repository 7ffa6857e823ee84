internal import HostModel

/// The findings: what failed without a known cause, what could not be seen, then what is fine: counted, so that what is
/// wrong stays on the screen.
extension TerminalFormat {
    /// Findings with one and the same reason that are told one by one.
    private static let groupShown = 6

    func write(_ findings: [Finding], of report: Report, options: RenderingOptions, to page: inout TextPage) {
        let failed = findings.filter { $0.verdict == .fail && (options.verbose || report.causes(of: $0).isEmpty) }
        if !failed.isEmpty {
            page.blank()
            page.paragraph(
                options.verbose ? "FAILED CHECKS" : "FAILED, AND NO KNOWN CAUSE EXPLAINS IT", style: .strong)
            for finding in failed { write(failed: finding, to: &page) }
        }
        writeGrouped(findings, .unknown, "could not be looked at: neither good nor bad", options: options, to: &page)
        writeGrouped(findings, .blocked, "cannot be judged before something else holds", options: options, to: &page)
        writeGrouped(findings, .waived, "waived by the operator", options: options, to: &page)
        write(fine: findings.filter { $0.verdict == .pass }, options: options, to: &page)
        writeNotApplicable(findings.filter { $0.verdict == .notApplicable }, options: options, to: &page)
    }

    private func write(fine: [Finding], options: RenderingOptions, to page: inout TextPage) {
        if fine.isEmpty { return }
        page.blank()
        page.paragraph("FINE", style: .strong)
        if options.verbose {
            for finding in fine {
                page.labelled("OK", Self.name(of: finding), column: Self.wordColumn, labelStyle: .good)
                writeDetails(of: finding, to: &page)
            }
            return
        }
        let areas = Area.allCases.compactMap { area in
            let count = fine.count { $0.area == area }
            return count == 0 ? nil : "\(area.rawValue) \(count)"
        }
        page.labelled(
            "OK", "\(areas.joined(separator: ", ")) (--verbose lists them)", column: Self.wordColumn, labelStyle: .good)
    }

    private func write(failed finding: Finding, to page: inout TextPage) {
        page.labelled(
            finding.severity == .notice ? "NOTICE" : "FAIL", Self.name(of: finding), column: Self.wordColumn,
            labelStyle: finding.severity.style)
        writeDetails(of: finding, to: &page)
    }

    private func writeDetails(of finding: Finding, to page: inout TextPage) {
        let column = Self.labelColumn
        let indent = Self.wordColumn
        if let expected = finding.expected, finding.verdict == .fail {
            page.labelled(
                "wanted", SafeText.line(expected, limit: Self.valueLimit), indent: indent, column: column)
        }
        if let observed = finding.observed {
            page.labelled("found", SafeText.line(observed, limit: Self.valueLimit), indent: indent, column: column)
        }
        for evidence in finding.evidence { write(evidence, indent: indent, to: &page) }
    }

    /// Findings of one verdict, those with the same reason together.
    private func writeGrouped(
        _ findings: [Finding], _ verdict: Verdict, _ meaning: String, options: RenderingOptions,
        to page: inout TextPage
    ) {
        let findings = findings.filter { $0.verdict == verdict }
        if findings.isEmpty { return }
        let word = verdict.word.uppercased()
        page.blank()
        page.labelled(
            "\(word) (\(findings.count))", meaning, column: word.utf8.count + 5 + String(findings.count).utf8.count,
            labelStyle: verdict == .waived ? .strong : .doubtful)
        var reasons: [String] = []
        var groups: [String: [Finding]] = [:]
        for finding in findings {
            let reason = reason(of: finding)
            if groups[reason] == nil { reasons.append(reason) }
            groups[reason, default: []].append(finding)
        }
        for reason in reasons {
            page.paragraph("\(reason):", indent: 2)
            let group = groups[reason] ?? []
            let isLong = !options.verbose && group.count > Self.groupShown
            for finding in isLong ? group.prefix(Self.groupShown - 1) : group[...] {
                page.labelled("-", Self.name(of: finding), indent: 4, column: 2)
                if options.verbose {
                    for evidence in finding.evidence { write(evidence, indent: 6, to: &page) }
                }
            }
            if isLong {
                page.paragraph("and \(group.count - Self.groupShown + 1) more (--verbose lists them)", indent: 4)
            }
        }
    }

    private func reason(of finding: Finding) -> String {
        finding.why.isEmpty ? "no reason given" : SafeText.line(finding.why, limit: Self.valueLimit)
    }

    private func writeNotApplicable(_ findings: [Finding], options: RenderingOptions, to page: inout TextPage) {
        if findings.isEmpty { return }
        if options.verbose {
            writeGrouped(findings, .notApplicable, "does not arise on this host", options: options, to: &page)
            return
        }
        let checks = findings.count == 1 ? "1 check does" : "\(findings.count) checks do"
        page.paragraph("\(checks) not apply to this host (--verbose says why).", style: .faint)
    }

    /// The title, and the id by which `explain`, `--skip` and waivers know the check.
    static func name(of finding: Finding) -> String { "\(title(of: finding)) [\(finding.check)]" }

    /// The title, with the subject where the title does not say it already.
    static func title(of finding: Finding) -> String {
        guard finding.subject.kind == .container || finding.subject.kind == .interface, !finding.subject.name.isEmpty,
            !finding.title.utf8.elementsEqual(finding.subject.name.utf8),
            !finding.title.split(separator: " ").contains(where: {
                $0 == finding.subject.name[...] || $0 == "\(finding.subject.name)'s"
            })
        else { return finding.title }
        return "\(finding.title) (\(finding.subject.name))"
    }
}
