internal import HostModel

/// Root causes as cards: what is wrong, how we know, what it explains, and what to type.
extension HTMLFormat {
    func writeCauses(of report: Report, to page: inout HTMLPage) {
        page.element("section", [("aria-labelledby", "causes")]) { page in
            page.element("h2", [("id", "causes")], report.causes.count == 1 ? "Root cause" : "Root causes")
            for cause in report.causes { write(cause, titles: report.titles, to: &page) }
        }
    }

    private func write(_ cause: Cause, titles: [String: String], to page: inout HTMLPage) {
        page.element("article", [("class", "card cause \(cause.severity.tone.rawValue)")]) { page in
            page.element("h3", cause.title)
            page.element("p", [("class", "tags")]) { page in
                page.element("span", [("class", "badge \(cause.severity.tone.rawValue)")], cause.severity.rawValue)
                page.element("code", cause.id)
                page.element("span", cause.subject.description)
            }
            page.element("p", cause.explanation)
            write(cause.evidence, heading: "How we know", to: &page)
            if !cause.consequences.isEmpty {
                page.element("h4", "It also explains")
                page.element("ul") { page in
                    for check in cause.consequences { page.element("li", titles[check] ?? check) }
                }
            }
            if let remedy = cause.remedy { write(remedy, to: &page) }
        }
    }

    private func write(_ remedy: RemedyAdvice, to page: inout HTMLPage) {
        page.element("h4", "Repair")
        if remedy.automatic {
            page.element("p") { page in
                page.element("code", "lxc-doctor --auto-remediate")
                page.words(" does it (remedy \(remedy.id)): it shows its plan and asks first.")
            }
        }
        if let left = remedy.left { page.element("p", "It is left to a person: \(left).") }
        if !remedy.commands.isEmpty {
            page.element("p", [("class", "note")], remedy.automatic ? "Or by hand:" : "By hand:")
            write(command: remedy.commands.joined(separator: "\n"), lines: remedy.commands, to: &page)
        }
    }

    /// Evidence, with the command that shows the same to a person.
    func write(_ evidence: [Evidence], heading: String?, to page: inout HTMLPage) {
        if evidence.isEmpty { return }
        if let heading { page.element("h4", heading) }
        for piece in evidence {
            page.element("figure", [("class", "evidence")]) { page in
                page.element("blockquote", piece.value)
                page.element("figcaption", piece.source)
                if !piece.command.isEmpty { write(command: piece.command, to: &page) }
            }
        }
    }

    /// Something to copy. The script adds a button; without it, a click selects all.
    func write(command: String, lines: [String]? = nil, to page: inout HTMLPage) {
        let lines = (lines ?? [command]).map { Escape.markup($0, limit: 4000) }
        page.raw(
            "<div class=\"command\"><pre tabindex=\"0\"><code>\(lines.joined(separator: "\n"))</code></pre></div>\n")
    }
}

extension Severity {
    var tone: Tone {
        switch self {
        case .notice: .plain
        case .warning: .doubtful
        case .critical: .bad
        }
    }
}
