package import HostModel

/// Markdown for tickets and merge requests (CommonMark with GitHub's tables).
package struct MarkdownFormat: PartFormat {
    package static let name = FormatName.markdown

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        let summary = report.summary
        var parts = [
            "# \(Escape.markdown(report.tool.name)): \(report.verdict.rawValue)",
            "Host \(Escape.markdownCode(report.host.hostname)), profile \(Escape.markdownCode(report.profile.name)) "
                + "\\(\(Escape.markdown(report.profile.chosenBecause))\\), \(report.startedAt), "
                + "exit code \(report.exitCode). "
                + "\(summary.pass) hold, \(summary.fail) fail, \(summary.unknown + summary.blocked) could not be judged, "
                + "\(summary.waived) waived, \(summary.notApplicable) do not apply.",
        ]
        let expired = report.expiredWaivers.map { "> **Expired waiver:** \(Escape.markdown($0.sentence))" }
        if !expired.isEmpty { parts.append(expired.joined(separator: "\n>\n")) }
        if let fixes = report.fixes { parts += repair(fixes) }
        if !report.causes.isEmpty {
            parts.append("## Root causes")
            for cause in report.causes { parts += section(cause, titles: report.titles) }
        }
        if let proof = report.proof { parts += section(proof) }
        parts += ["## Findings", table(report.findings)]
        let waivers = (report.waivers ?? []).map { "- \(Escape.markdown($0.sentence))" }
        if !waivers.isEmpty { parts += ["## Waivers", waivers.joined(separator: "\n")] }
        return parts.joined(separator: "\n\n") + "\n"
    }

    package func render(plan steps: [FixStep], options: RenderingOptions) -> String {
        (["# Plan"] + (steps.isEmpty ? ["There is nothing that can be repaired."] : list(steps)))
            .joined(separator: "\n\n") + "\n"
    }

    package func render(proof: ProofReport, options: RenderingOptions) -> String {
        section(proof).joined(separator: "\n\n") + "\n"
    }

    private func section(_ cause: Cause, titles: [String: String]) -> [String] {
        var parts = [
            "### \(Escape.markdown(cause.title))",
            "\(cause.severity.rawValue), \(Escape.markdownCode(cause.id)), \(Escape.markdown(cause.subject.description)). "
                + Escape.markdown(cause.explanation),
        ]
        let evidence = cause.evidence.map { evidence in
            "- \(Escape.markdown(evidence.value)) (\(Escape.markdown(evidence.source)))"
                + (evidence.command.isEmpty ? "" : ": \(Escape.markdownCode(evidence.command))")
        }
        if !evidence.isEmpty { parts.append(evidence.joined(separator: "\n")) }
        if !cause.consequences.isEmpty {
            let names = cause.consequences.map { Escape.markdown(titles[$0] ?? $0) }
            parts.append("It explains: \(names.joined(separator: "; ")).")
        }
        if let remedy = cause.remedy {
            if let left = remedy.left { parts.append("The repair is left to a person: \(Escape.markdown(left)).") }
            if remedy.automatic { parts.append("`--auto-remediate` repairs it. By hand:") }
            if !remedy.commands.isEmpty { parts.append(Escape.markdownBlock(remedy.commands)) }
        }
        return parts
    }

    private func section(_ proof: ProofReport) -> [String] {
        guard proof.mode != .off else { return ["## Packet proof", "Not made."] }
        var rows = ["| protocol | from | to | verdict | leaves as |", "| --- | --- | --- | --- | --- |"]
        for probe in proof.probes {
            let end =
                probe.killer.map { "dropped at \($0.hook): \(Escape.markdownCode($0.text, inTable: true))" }
                ?? probe.sourceAfter.map { Escape.markdownCode($0, inTable: true) }
                ?? Escape.markdown(probe.reason ?? "")
            rows.append(
                "| \(probe.protocol.rawValue) | \(Escape.markdown(probe.from)) | \(Escape.markdown(probe.to)) "
                    + "| \(probe.verdict.word.lowercased()) | \(end) |")
        }
        let meaning =
            "**\(proof.verdict.word.lowercased())**: \(proof.verdict.meaning); \(proof.mode.meaning(of: proof))"
            + "\(proof.age)."
        return ["## Packet proof", meaning] + (proof.probes.isEmpty ? [] : [rows.joined(separator: "\n")])
            + section(proof.local ?? [])
    }

    /// What stays on this host: DHCP, DNS, and one container to another.
    private func section(_ probes: [LocalProbe]) -> [String] {
        if probes.isEmpty { return [] }
        var rows = ["| on this host | from | to | arrival | detail |", "| --- | --- | --- | --- | --- |"]
        for probe in probes {
            let end =
                probe.killer.map { "dropped at \($0.hook): \(Escape.markdownCode($0.text, inTable: true))" }
                ?? Escape.markdown(probe.reason ?? "")
            rows.append(
                "| \(probe.kind.word) \(probe.protocol.rawValue) | \(Escape.markdown(probe.from)) "
                    + "| \(Escape.markdown(probe.to)) | \(probe.arrival.rawValue) | \(end) |")
        }
        return [rows.joined(separator: "\n")]
    }

    private func table(_ findings: [Finding]) -> String {
        var rows = ["| verdict | check | subject | says | detail |", "| --- | --- | --- | --- | --- |"]
        for finding in findings {
            let verdict = finding.verdict == .fail ? "**fail** (\(finding.severity.rawValue))" : finding.verdict.word
            let detail = finding.verdict == .fail ? finding.contrast : finding.why
            rows.append(
                "| \(verdict) | \(Escape.markdownCode(finding.check, inTable: true)) "
                    + "| \(Escape.markdown(finding.subject.description)) | \(Escape.markdown(finding.title)) "
                    + "| \(Escape.markdown(detail)) |")
        }
        return rows.joined(separator: "\n")
    }

    private func repair(_ fixes: FixReport) -> [String] {
        let reason = fixes.reason.map { ": \(Escape.markdown($0))" } ?? ""
        return ["## Repair", "**\(fixes.outcome.word)**\(reason)"] + list(fixes.steps)
            + (fixes.journal.map { ["Journal: \(Escape.markdownCode($0))"] } ?? [])
    }

    private func list(_ steps: [FixStep]) -> [String] {
        steps.enumerated().flatMap { index, step in
            [
                "\(index + 1). **\(Escape.markdown(step.target))** (\(step.words.lowercased())). "
                    + "Risk: \(Escape.markdown(step.risk.isEmpty ? "none known" : step.risk)) "
                    + "Undo: \(Escape.markdown(step.reversal))."
            ] + (step.command.isEmpty ? [] : [Escape.markdownBlock([step.command])])
        }
    }
}
