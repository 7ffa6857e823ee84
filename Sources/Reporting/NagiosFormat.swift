package import HostModel

/// The output of a monitoring plugin: one line that says it, performance data, then details.
///
/// Nagios, Icinga and their relatives read it together with the exit code. Source: Monitoring Plugins Development
/// Guidelines, "Plugin Output".
package struct NagiosFormat: ReportFormat {
    package static let name = FormatName.nagios
    /// Characters of the first line before the performance data: what fits a pager.
    private static let firstLine = 80

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        let service = "LXC \(Self.status(report.exitCode)) - "
        let text = Escape.nagios(Self.headline(of: report))
        let first = service + TextWidth.cut(text, to: Self.firstLine - service.utf8.count)
        let details = Self.details(of: report).map { Escape.nagios($0) }
        return (["\(first) | \(Self.performance(of: report))"] + details).joined(separator: "\n") + "\n"
    }

    private static func status(_ code: Int32) -> String {
        switch code {
        case 0: "OK"
        case 1: "WARNING"
        case 2: "CRITICAL"
        default: "UNKNOWN"
        }
    }

    private static func headline(of report: Report) -> String {
        if let fixes = report.fixes, report.repairFailed { return "repair \(fixes.outcome.word)" }
        let expired = report.expiredWaivers.isEmpty ? "" : "a waiver expired: "
        return expired + found(in: report)
    }

    private static func found(in report: Report) -> String {
        if let cause = report.causes.first(where: { $0.severity != .notice }) {
            return report.causes.count == 1 ? cause.title : "\(cause.title) (+\(report.causes.count - 1) more)"
        }
        if let failed = report.findings.first(where: { $0.weight == .failed }) { return "not so: \(failed.title)" }
        let unseen = report.findings.count { $0.weight == .unseen }
        if unseen > 0 { return unseen == 1 ? "1 check could not be judged" : "\(unseen) checks could not be judged" }
        return "\(report.summary.pass) checks hold"
            + (report.proof.flatMap { $0.verdict.isHealthy ? ", proof \($0.verdict.rawValue)" : nil } ?? "")
    }

    /// `'label'=value[UOM];[warn];[crit];[min];[max]`: no thresholds, for the verdict is not made from these numbers.
    private static func performance(of report: Report) -> String {
        let summary = report.summary
        var values = [
            ("time", "\(Decimal.text(report.durationMilliseconds / 1000))s"), ("pass", String(summary.pass)),
            ("fail", String(summary.fail)), ("unknown", String(summary.unknown)), ("blocked", String(summary.blocked)),
            ("waived", String(summary.waived)), ("causes", String(report.causes.count)),
        ]
        if let milliseconds = report.proof?.durationMilliseconds {
            values.append(("proof_time", "\(Decimal.text(milliseconds / 1000))s"))
        }
        return values.map { "\($0.0)=\($0.1);;;0" }.joined(separator: " ")
    }

    private static func details(of report: Report) -> [String] {
        var lines = ["profile \(report.profile.name) (\(report.profile.chosenBecause))"]
        for cause in report.causes {
            lines.append("root cause, \(cause.severity.rawValue): \(cause.title) [\(cause.id)], \(cause.subject)")
            lines += (cause.remedy?.commands ?? []).map { "  by hand: \($0)" }
        }
        for finding in report.findings where finding.weight == .failed && report.causes(of: finding).isEmpty {
            lines.append("\(finding.severity.rawValue): \(finding.title) [\(finding.name)] \(finding.contrast)")
        }
        for finding in report.findings where finding.weight == .unseen {
            lines.append("\(finding.verdict.rawValue): \(finding.title) [\(finding.name)] \(finding.why)")
        }
        if let proof = report.proof, proof.mode != .off {
            lines.append("packet proof: \(proof.verdict.word.lowercased()), \(proof.mode.meaning(of: proof))")
        }
        if let fixes = report.fixes {
            lines.append("repair: \([fixes.outcome.word, fixes.reason].compactMap { $0 }.joined(separator: ": "))")
        }
        return lines + (report.waivers ?? []).map(\.sentence)
    }
}
