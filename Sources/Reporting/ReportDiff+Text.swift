internal import HostModel

/// The difference for a person.
extension ReportDiff {
    package func text(options: RenderingOptions) -> String {
        if options.quiet { return "" }
        var page = TextPage(options)
        let (words, style): (String, TextStyle) =
            worse
            ? ("WORSE", .bad) : isEmpty ? ("SAME", .good) : (isBetter ? "BETTER" : "NOT WORSE", .good)
        page.labelled(
            "\(words):", "\(old.verdict.rawValue) (\(old.startedAt)) -> \(new.verdict.rawValue) (\(new.startedAt))",
            column: words.utf8.count + 2, hanging: 2, labelStyle: style)
        if old.hostname != new.hostname || old.profile != new.profile {
            page.labelled(
                "NOTE",
                "not the same host or profile: \(old.hostname) as \(old.profile), then \(new.hostname) as \(new.profile)",
                column: 5, labelStyle: .doubtful)
        }
        write("BROKE", broke, .bad, to: &page)
        write("HEALED", healed, .good, to: &page)
        // A check that passes as before, on other numbers: worth a line only to who asks.
        let quiet = options.verbose ? [] : changed.filter { $0.before == .pass && $0.after == .pass }
        write("CHANGED", changed.filter { !quiet.contains($0) && !$0.isUnseen }, .strong, to: &page)
        writeUnseen(to: &page)
        if !quiet.isEmpty {
            page.blank()
            let checks = quiet.count == 1 ? "1 check passes" : "\(quiet.count) checks pass"
            page.paragraph("\(checks) as before, but on other values (--verbose shows them).", style: .faint)
        }
        writeWaivers(to: &page)
        write("NEW ROOT CAUSES", appeared, to: &page)
        write("ROOT CAUSES THAT ARE GONE", gone, to: &page)
        if let proof {
            page.blank()
            page.paragraph(
                "PROOF  \(proof.before?.word ?? "not made") -> \(proof.after?.word ?? "not made")", style: .strong)
        }
        return page.text
    }

    private func writeWaivers(to page: inout TextPage) {
        guard let waivers else { return }
        page.blank()
        page.paragraph("WAIVERS (\(waivers.count))", style: .strong)
        for waiver in waivers {
            let name = waiver.subject.map { "\(waiver.id) (\($0))" } ?? waiver.id
            page.labelled(
                "-",
                SafeText.line(
                    "\(name): \(waiver.before?.rawValue ?? "not there") -> \(waiver.after?.rawValue ?? "not there"); "
                        + "holds until \(waiver.expires): \(waiver.reason)", limit: 600), indent: 2, column: 2)
        }
    }

    private func writeUnseen(to page: inout TextPage) {
        let groups = unseen
        if groups.isEmpty { return }
        page.blank()
        page.paragraph(
            "CANNOT BE JUDGED ANY MORE (\(groups.map(\.changes.count).reduce(0, +)))", style: .doubtful)
        for group in groups {
            page.labelled("-", SafeText.line(group.why, limit: 600), indent: 2, column: 2)
            page.paragraph(group.changes.map { "\($0.check) (\($0.subject.name))" }.joined(separator: ", "), indent: 4)
        }
    }

    private func write(_ heading: String, _ changes: [Change], _ style: TextStyle, to page: inout TextPage) {
        if changes.isEmpty { return }
        page.blank()
        page.paragraph("\(heading) (\(changes.count))", style: style)
        for change in changes {
            let verdicts = "\(change.before?.word ?? "not looked at") -> \(change.after?.word ?? "not looked at")"
            page.labelled(
                "-", "\(change.title) [\(change.check)] (\(change.subject.name)): \(verdicts)", indent: 2, column: 2)
            guard change.beforeDetail != change.afterDetail else { continue }
            for (label, detail) in [("was", change.beforeDetail), ("is", change.afterDetail)] {
                if let detail, !detail.isEmpty {
                    page.labelled(label, SafeText.line(detail, limit: 600), indent: 4, column: 5)
                }
            }
        }
    }

    private func write(_ heading: String, _ causes: [CauseChange], to page: inout TextPage) {
        if causes.isEmpty { return }
        page.blank()
        page.paragraph(heading, style: .strong)
        for cause in causes {
            page.labelled("-", "\(cause.title) [\(cause.id)] (\(cause.subject.name))", indent: 2, column: 2)
        }
    }
}
