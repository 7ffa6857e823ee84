package import HostModel

/// The report as one file for a browser: nothing is loaded from elsewhere, and it reads without its script.
package struct HTMLFormat: PartFormat {
    package static let name = FormatName.html

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        document(title: "\(report.verdict.rawValue): \(report.host.hostname), \(report.tool.name)") { page in
            writeHeader(report, to: &page)
            page.element("main", [("id", "content")]) { page in
                writeExpired(report, to: &page)
                if let fixes = report.fixes { write(fixes, to: &page) }
                if !report.causes.isEmpty { writeCauses(of: report, to: &page) }
                writeNext(report, options, to: &page)
                if let proof = report.proof { write(proof, to: &page) }
                writeNetworks(of: report, to: &page)
                writeFindings(of: report, to: &page)
                writeWaivers(report.waivers ?? [], to: &page)
            }
            writeFooter(report, to: &page)
        }
    }

    package func render(plan steps: [FixStep], options: RenderingOptions) -> String {
        document(title: "Plan") { page in
            writePlainHeader("Plan: nothing has been changed yet", to: &page)
            page.element("main", [("id", "content")]) { page in
                page.element("section", [("aria-labelledby", "plan")]) { page in
                    page.element("h2", [("id", "plan")], steps.isEmpty ? "There is nothing to repair" : "Steps")
                    write(steps, to: &page)
                }
            }
        }
    }

    package func render(proof: ProofReport, options: RenderingOptions) -> String {
        document(title: "Packet proof: \(proof.verdict.word.lowercased())") { page in
            writePlainHeader("Packet proof", to: &page)
            page.element("main", [("id", "content")]) { write(proof, to: &$0) }
        }
    }

    // MARK: The document

    private func document(title: String, _ body: (inout HTMLPage) -> Void) -> String {
        var page = HTMLPage()
        page.raw("<!DOCTYPE html>\n")
        page.element("html", [("lang", "en")]) { page in
            page.element("head") { page in
                page.void("meta", [("charset", "utf-8")])
                page.void("meta", [("name", "viewport"), ("content", "width=device-width, initial-scale=1")])
                page.void("meta", [("name", "color-scheme"), ("content", "light dark")])
                page.void(
                    "meta",
                    [
                        ("http-equiv", "Content-Security-Policy"),
                        ("content", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"),
                    ])
                page.element("title", title)
                page.raw("<style>\n\(PageStyle.text)</style>\n")
            }
            page.element("body") { page in
                page.element("a", [("class", "skip"), ("href", "#content")], "Skip to the content")
                body(&page)
                page.raw("<script>\n\(PageScript.text)</script>\n")
            }
        }
        return page.text
    }

    private func writePlainHeader(_ title: String, to page: inout HTMLPage) {
        page.element("header", [("class", "banner plain")]) { $0.element("h1", title) }
    }

    private func writeHeader(_ report: Report, to page: inout HTMLPage) {
        page.element("header", [("class", "banner \(report.verdict.tone.rawValue)")]) { page in
            page.element("p", [("class", "product")], "\(report.tool.name) \(report.tool.version)")
            page.element("h1") { page in
                page.element("span", [("class", "mark"), ("aria-hidden", "true")], report.verdict.mark)
                page.words("\(report.host.hostname) is \(report.verdict.sentence)")
            }
            page.element("p", [("class", "lead")], headline(of: report))
            page.element("ul", [("class", "counts"), ("aria-label", "Findings by verdict")]) { page in
                for (verdict, count) in report.counts where count > 0 {
                    page.element("li", [("class", verdict.tone.rawValue)]) { page in
                        page.element("strong", String(count))
                        page.words(" \(verdict.word)")
                    }
                }
            }
            let profile = report.profile
            page.element(
                "p", [("class", "meta")],
                "Profile \(profile.name): \(profile.chosenBecause). \(report.startedAt), "
                    + "\(Decimal.text((report.durationMilliseconds * 10).rounded() / 10)) ms, exit code \(report.exitCode)."
                    + (profile.otherBridges.isEmpty
                        ? "" : " Not looked at: \(profile.otherBridges.joined(separator: ", "))."))
        }
    }

    /// What the reader must know if it is the only line that is read.
    private func headline(of report: Report) -> String {
        if let fixes = report.fixes, report.repairFailed { return "The repair was \(fixes.outcome.word)." }
        if let cause = report.causes.first {
            return cause.title
                + (report.causes.count == 1 ? "." : ", and \(report.causes.count - 1) more.")
        }
        switch report.verdict {
        case .healthy:
            return report.proof?.verdict == .masqueraded
                ? "Packets of a throw-away container leave with the host's address." : "Every check that counts holds."
        case .unknown: return "Something could not be looked at, so it is neither good nor bad."
        case .warning where !report.findings.contains { $0.weight == .failed }: return "A waiver has expired."
        case .warning, .critical: return "A check fails, and no known cause explains it."
        }
    }

    private func writeExpired(_ report: Report, to page: inout HTMLPage) {
        let expired = report.expiredWaivers
        if expired.isEmpty { return }
        page.element("section", [("class", "card alarm"), ("aria-labelledby", "expired")]) { page in
            page.element(
                "h2", [("id", "expired")], expired.count == 1 ? "A waiver has expired" : "Waivers have expired")
            page.element("ul") { page in
                for waiver in expired { page.element("li", waiver.sentence) }
            }
        }
    }

    private func writeNext(_ report: Report, _ options: RenderingOptions, to page: inout HTMLPage) {
        let steps = NextStep.steps(after: report, options: options)
        if steps.isEmpty { return }
        page.element("section", [("class", "card"), ("aria-labelledby", "next")]) { page in
            page.element("h2", [("id", "next")], "What to do next")
            for step in steps {
                write(command: step.command, to: &page)
                page.element("p", [("class", "note")], "It \(step.purpose).")
            }
        }
    }

    private func writeWaivers(_ waivers: [WaiverUse], to page: inout HTMLPage) {
        if waivers.isEmpty { return }
        page.element("section", [("class", "card"), ("aria-labelledby", "waivers")]) { page in
            page.element("h2", [("id", "waivers")], "Waivers")
            page.element("ul", [("class", "plain")]) { page in
                for waiver in waivers {
                    page.element("li") { page in
                        page.element(
                            "span", [("class", "badge \(waiver.state == .expired ? "bad" : "plain")")],
                            waiver.state.rawValue)
                        page.words(" " + waiver.sentence)
                    }
                }
            }
        }
    }

    private func writeFooter(_ report: Report, to page: inout HTMLPage) {
        page.element("footer") { page in
            let rights =
                report.host.privileges.isEmpty ? "no privilege" : report.host.privileges.joined(separator: ", ")
            page.element(
                "p",
                "\(report.host.os), kernel \(report.host.kernel). Looked at with \(rights). Nothing on this page was loaded from elsewhere."
            )
        }
    }
}

extension Health {
    var tone: Tone {
        switch self {
        case .healthy: .good
        case .warning: .doubtful
        case .critical: .bad
        case .unknown: .unseen
        }
    }

    /// A sign that is no colour.
    var mark: String {
        switch self {
        case .healthy: "\u{2713}"
        case .warning: "!"
        case .critical: "\u{2715}"
        case .unknown: "?"
        }
    }

    /// After "the host is".
    var sentence: String {
        switch self {
        case .healthy: "healthy"
        case .warning: "at risk"
        case .critical: "broken"
        case .unknown: "not fully known"
        }
    }
}

extension Report {
    /// In the order in which they matter.
    var counts: [(Verdict, Int)] {
        [
            (.fail, summary.fail), (.unknown, summary.unknown), (.blocked, summary.blocked), (.waived, summary.waived),
            (.pass, summary.pass), (.notApplicable, summary.notApplicable),
        ]
    }
}
