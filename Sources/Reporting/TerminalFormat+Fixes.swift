internal import HostModel

/// Repairs: the plan before anything happens, and what became of it.
extension TerminalFormat {
    /// Lines of a file's content that a plan shows.
    private static let contentLines = 12

    func write(plan steps: [FixStep], after applied: Int = 0, to page: inout TextPage) {
        if steps.isEmpty {
            page.paragraph("PLAN  empty: there is nothing that can be repaired.", style: .strong)
            return
        }
        let count = steps.count == 1 ? "1 step" : "\(steps.count) steps"
        page.paragraph(
            applied == 0
                ? "PLAN  \(count). Nothing has been changed yet."
                : "NEXT PLAN  \(count). "
                    + (applied == 1
                        ? "1 change has been made, and stays." : "\(applied) changes have been made, and stay."),
            style: .strong)
        let column = Self.labelColumn
        for (index, step) in steps.enumerated() {
            page.blank()
            page.labelled("\(index + 1).", "\(step.target) [\(step.id)]", column: 4, style: .strong)
            page.row("for", step.subject.description, indent: 4, column: column)
            write("now", step.before, to: &page)
            write("then", step.after, to: &page)
            if !step.command.isEmpty { page.verbatim("by hand", step.command, indent: 4, column: column) }
            page.labelled("risk", step.risk.isEmpty ? "none known" : step.risk, indent: 4, column: column)
            let lasting = step.reversal == "none"
            page.labelled(
                "undo", lasting ? "cannot be undone" : step.reversal, indent: 4, column: column,
                style: lasting ? .doubtful : .plain)
        }
    }

    func write(_ fixes: FixReport, to page: inout TextPage) {
        let (words, style): (String, TextStyle) =
            switch fixes.outcome {
            case .applied: ("APPLIED", .good)
            case .rolledBack where fixes.steps.contains { $0.state == .failed }:
                ("ROLLED BACK, except what says DONE or FAILED", .bad)
            case .rolledBack where fixes.steps.contains { $0.state == .applied }:
                ("ROLLED BACK, except what says DONE", .bad)
            case .rolledBack: ("ROLLED BACK: what was done has been taken back", .bad)
            case .refused: ("REFUSED: nothing was changed", .bad)
            }
        page.paragraph("REPAIR  \(words)", style: style)
        if let reason = fixes.reason { page.paragraph(reason, indent: 2) }
        for step in fixes.steps {
            let change = "\(step.target): \(short(step.before)) -> \(short(step.after))"
            page.labelled(step.words, change, indent: 2, column: 12, labelStyle: step.state.style)
        }
        if let journal = fixes.journal { page.verbatim("journal", journal, indent: 2, column: 12, style: .plain) }
    }

    /// A value that may be a whole file.
    private func write(_ label: String, _ value: String, to page: inout TextPage) {
        let lines = SafeText.lines(value, atMost: Self.contentLines)
        if lines.isEmpty { page.row(label, "(nothing)", indent: 4, column: Self.labelColumn) }
        for (index, line) in lines.enumerated() {
            let margin = line.prefix { $0 == " " }.count
            page.labelled(index == 0 ? label : "", line, indent: 4, column: Self.labelColumn + min(margin, 24))
        }
    }

    private func short(_ value: String) -> String {
        let lines = SafeText.lines(value, atMost: .max)
        guard let first = lines.first, !first.isEmpty || lines.count > 1 else { return "(nothing)" }
        let line = TextWidth.cut(first, to: 60)
        return lines.count == 1 ? line : "\(line) (+\(lines.count - 1) lines)"
    }
}

extension FixStep {
    /// What became of it. A step without a way back was not taken back: it failed, and left nothing.
    var words: String { state == .rolledBack && reversal == "none" ? "NOT DONE" : state.words }
}

extension FixStepState {
    fileprivate var words: String {
        switch self {
        case .planned: "PLANNED"
        case .applied: "DONE"
        case .unchanged: "UNCHANGED"
        case .rolledBack: "TAKEN BACK"
        case .failed: "FAILED"
        case .refused: "REFUSED"
        }
    }

    var style: TextStyle {
        switch self {
        case .planned, .unchanged: .plain
        case .applied: .good
        case .rolledBack: .doubtful
        case .failed, .refused: .bad
        }
    }
}
