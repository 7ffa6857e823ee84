internal import HostModel

/// Every finding, worst first, with filters that the script turns on.
extension HTMLFormat {
    func writeFindings(of report: Report, to page: inout HTMLPage) {
        let order = report.counts.map(\.0)
        let sorted = report.findings.enumerated().sorted { left, right in
            let ranks = [left, right].map { rank($0.element, order) }
            return ranks[0] != ranks[1] ? ranks[0] < ranks[1] : left.offset < right.offset
        }.map(\.element)
        page.element("section", [("class", "card"), ("aria-labelledby", "findings")]) { page in
            page.element("h2", [("id", "findings")], "All findings")
            writeFilters(report, to: &page)
            page.element("div", [("id", "finding-list")]) { page in
                for finding in sorted { write(finding, of: report, to: &page) }
            }
            page.element("p", [("id", "none-left"), ("class", "note"), ("hidden", "")], "No finding fits the filter.")
        }
    }

    private func rank(_ finding: Finding, _ order: [Verdict]) -> Int {
        let verdict = order.firstIndex(of: finding.verdict) ?? order.count
        return verdict * 4 + (finding.severity == .critical ? 0 : finding.severity == .warning ? 1 : 2)
    }

    /// Hidden until the script runs: without it they would do nothing.
    private func writeFilters(_ report: Report, to page: inout HTMLPage) {
        page.element("form", [("id", "filters"), ("hidden", "")]) { page in
            page.element("fieldset") { page in
                page.element("legend", "Show")
                for (verdict, count) in report.counts where count > 0 {
                    page.element("label", [("class", "toggle \(verdict.tone.rawValue)")]) { page in
                        page.void("input", [("type", "checkbox"), ("value", verdict.rawValue), ("checked", "")])
                        page.words("\(verdict.word) (\(count))")
                    }
                }
            }
            page.element("label", [("class", "search")]) { page in
                page.words("Find ")
                page.void("input", [("type", "search"), ("id", "search"), ("autocomplete", "off")])
            }
        }
    }

    private func write(_ finding: Finding, of report: Report, to page: inout HTMLPage) {
        var attributes = [
            ("class", "finding \(tone(of: finding).rawValue)"), ("data-verdict", finding.verdict.rawValue),
        ]
        if finding.verdict == .fail && report.causes(of: finding).isEmpty { attributes.append(("open", "")) }
        page.element("details", attributes) { page in
            page.element("summary") { page in
                page.element("span", [("class", "badge \(tone(of: finding).rawValue)")], word(of: finding))
                page.element("span", [("class", "title")], TerminalFormat.title(of: finding))
                page.element("code", finding.check)
            }
            page.element("div", [("class", "inside")]) { page in
                page.element("dl") { page in
                    for (term, value) in facts(of: finding) {
                        page.element("dt", term)
                        page.element("dd", value)
                    }
                }
                write(finding.evidence, heading: nil, to: &page)
            }
        }
    }

    private func facts(of finding: Finding) -> [(String, String)] {
        [
            ("Subject", finding.subject.description), ("Severity", finding.severity.rawValue),
            ("Reason", finding.why), ("Wanted", finding.expected ?? ""), ("Found", finding.observed ?? ""),
            ("Causes", finding.causes.joined(separator: ", ")),
        ].filter { !$0.1.isEmpty }
    }

    private func word(of finding: Finding) -> String {
        finding.verdict == .fail && finding.severity == .notice ? "notice" : finding.verdict.word
    }

    private func tone(of finding: Finding) -> Tone {
        finding.verdict == .fail ? finding.severity.tone : finding.verdict.tone
    }
}

extension Verdict {
    var tone: Tone {
        switch self {
        case .pass: .good
        case .fail: .bad
        case .unknown, .blocked: .unseen
        case .waived: .plain
        case .notApplicable: .faint
        }
    }
}
