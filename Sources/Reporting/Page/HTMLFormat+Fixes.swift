internal import HostModel

/// Repairs: what was or would be changed, step by step.
extension HTMLFormat {
    func write(_ fixes: FixReport, to page: inout HTMLPage) {
        let good = fixes.outcome == .applied
        page.element(
            "section", [("class", "card \(good ? "" : "alarm")"), ("aria-labelledby", "repair")]
        ) { page in
            page.element("h2", [("id", "repair")], "Repair: \(fixes.outcome.word)")
            if let reason = fixes.reason { page.element("p", reason) }
            write(fixes.steps, to: &page)
            if let journal = fixes.journal {
                page.element("p", [("class", "note")]) { page in
                    page.words("Journal: ")
                    page.element("code", journal)
                }
            }
        }
    }

    func write(_ steps: [FixStep], to page: inout HTMLPage) {
        page.element("ol", [("class", "steps")]) { page in
            for step in steps {
                page.element("li") { page in
                    page.element("h3", step.target)
                    page.element("p", [("class", "tags")]) { page in
                        page.element(
                            "span", [("class", "badge \(step.state.tone.rawValue)")], step.words.lowercased())
                        page.element("code", step.id)
                        page.element("span", step.subject.description)
                    }
                    page.element("div", [("class", "change")]) { page in
                        write("Before", step.before, to: &page)
                        write("After", step.after, to: &page)
                    }
                    page.element("dl") { page in
                        page.element("dt", "Risk")
                        page.element("dd", step.risk.isEmpty ? "none known" : step.risk)
                        page.element("dt", "Undo")
                        page.element("dd", step.reversal == "none" ? "cannot be undone" : step.reversal)
                    }
                    if !step.command.isEmpty { write(command: step.command, to: &page) }
                }
            }
        }
    }

    private func write(_ label: String, _ value: String, to page: inout HTMLPage) {
        let lines = SafeText.lines(value, atMost: 200).map { Escape.markup($0) }
        page.element("div") { page in
            page.element("h4", label)
            page.raw("<pre tabindex=\"0\">\(lines.isEmpty ? "(nothing)" : lines.joined(separator: "\n"))</pre>\n")
        }
    }
}

extension FixStepState {
    var tone: Tone {
        switch self {
        case .planned, .unchanged: .plain
        case .applied: .good
        case .rolledBack: .doubtful
        case .failed, .refused: .bad
        }
    }
}
