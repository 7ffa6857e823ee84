package import HostModel

/// The Test Anything Protocol: a test point per finding, diagnostics as YAML.
///
/// A point is `not ok` without a directive exactly where it counts for the exit code.
///
/// The version line says 13, and everything below it means the same in versions 13 and 14: plan first, `\#` for a hash in a
/// description, directives, YAML blocks indented by two; no subtests, no pragmas. Perl's `prove` and other consumers in
/// use end with a parse error at any version above 13, while version 14 requires of its consumers that they read 13.
/// Source: https://testanything.org/tap-version-14-specification.html, "Changes from TAP13" and "Compatibility".
package struct TAPFormat: ReportFormat {
    package static let name = FormatName.tap

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        let expired = report.expiredWaivers
        let count = report.findings.count + (report.fixes == nil ? 0 : 1) + expired.count
        var lines = ["TAP version 13", count == 0 ? "1..0 # SKIP no check was chosen" : "1..\(count)"]
        lines.append(
            "# \(Escape.tap("\(report.tool.name) \(report.tool.version) on \(report.host.hostname), profile \(report.profile.name)"))"
        )
        for cause in report.causes {
            lines.append("# root cause: \(Escape.tap("\(cause.title) [\(cause.id)]"))")
        }
        for (index, finding) in report.findings.enumerated() { lines += point(index + 1, finding, of: report) }
        for (index, waiver) in expired.enumerated() {
            lines.append("not ok \(report.findings.count + index + 1) - \(Escape.tap(waiver.sentence))")
        }
        if let fixes = report.fixes { lines += point(count, fixes) }
        for waiver in report.waivers ?? [] where waiver.state != .expired {
            lines.append("# \(Escape.tap(waiver.sentence))")
        }
        lines.append("# verdict: \(report.verdict.rawValue), exit code \(report.exitCode)")
        return lines.joined(separator: "\n") + "\n"
    }

    private func point(_ number: Int, _ finding: Finding, of report: Report) -> [String] {
        let name = Escape.tap("\(finding.name): \(finding.title)")
        let why = finding.why.isEmpty ? "no reason given" : finding.why
        switch finding.weight {
        case .passed: return ["ok \(number) - \(name)"]
        case .uncounted:
            switch finding.verdict {
            case .notApplicable: return ["ok \(number) - \(name) # SKIP \(Escape.tap(why))"]
            case .waived: return ["not ok \(number) - \(name) # TODO waived: \(Escape.tap(why))"]
            case .pass, .fail, .unknown, .blocked:
                return ["not ok \(number) - \(name) # TODO only a notice"] + diagnostics(of: finding, in: report)
            }
        case .failed, .unseen: return ["not ok \(number) - \(name)"] + diagnostics(of: finding, in: report)
        }
    }

    private func point(_ number: Int, _ fixes: FixReport) -> [String] {
        let name = Escape.tap("repair: \(fixes.outcome.word)")
        if fixes.outcome == .applied { return ["ok \(number) - \(name)"] }
        return ["not ok \(number) - \(name)"]
            + block([("outcome", fixes.outcome.rawValue), ("reason", fixes.reason), ("journal", fixes.journal)])
    }

    private func diagnostics(of finding: Finding, in report: Report) -> [String] {
        let causes = report.causes(of: finding)
        var lines = block([
            ("verdict", finding.verdict.rawValue), ("severity", finding.severity.rawValue),
            ("reason", finding.why.isEmpty ? nil : finding.why), ("wanted", finding.expected),
            ("found", finding.observed),
        ])
        let end = lines.removeLast()
        lines += list("causes", causes.map(\.id))
        lines += list("evidence", finding.evidence.map { "\($0.value) (\($0.source))" })
        lines += list("commands", causes.flatMap { $0.remedy?.commands ?? [] })
        return lines + [end]
    }

    private func block(_ pairs: [(String, String?)]) -> [String] {
        ["  ---"] + pairs.compactMap { key, value in value.map { "  \(key): \(Escape.yaml($0))" } } + ["  ..."]
    }

    private func list(_ key: String, _ items: [String]) -> [String] {
        items.isEmpty ? [] : ["  \(key):"] + items.map { "    - \(Escape.tapItem($0))" }
    }
}
