package import HostModel

/// JUnit XML, as Jenkins, GitLab and others read it: a suite per area, a case per finding.
///
/// A case fails or errs exactly where its finding counts for the exit code; notices, waived and inapplicable findings
/// are skipped with their reason. Source: the schema of Maven Surefire, and that of Jenkins' xUnit plugin.
package struct JUnitFormat: ReportFormat {
    package static let name = FormatName.junit

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        var suites = Area.allCases.compactMap { area -> Suite? in
            let findings = report.findings.filter { $0.area == area }
            return findings.isEmpty ? nil : Suite(name: area.rawValue, cases: findings.map { Case($0, of: report) })
        }
        if let fixes = report.fixes { suites.append(Suite(name: "repair", cases: [Case(fixes)])) }
        let waivers = report.waivers ?? []
        if !waivers.isEmpty { suites.append(Suite(name: "waivers", cases: waivers.map(Case.init))) }
        let all = suites.flatMap(\.cases)
        var page = XMLPage()
        page.open(
            "testsuites",
            [("name", report.tool.name)] + Self.counts(all, seconds: report.durationMilliseconds / 1000))
        for (index, suite) in suites.enumerated() { write(suite, of: report, isFirst: index == 0, to: &page) }
        page.close("testsuites")
        return page.text
    }

    private static func counts(_ cases: [Case], seconds: Double, withSkipped: Bool = false) -> [(String, String)] {
        func count(_ kind: Case.Kind) -> String { String(cases.count { $0.kind == kind }) }
        var counts = [
            ("tests", String(cases.count)), ("failures", count(.failure)), ("errors", count(.error)),
            ("time", Decimal.text(seconds)),
        ]
        if withSkipped { counts.append(("skipped", count(.skipped))) }
        return counts
    }

    private func write(_ suite: Suite, of report: Report, isFirst: Bool, to page: inout XMLPage) {
        let seconds = suite.cases.map(\.seconds).reduce(0, +)
        // Surefire and Jenkins know times without a zone; ours are UTC.
        let timestamp = report.startedAt.hasSuffix("Z") ? String(report.startedAt.dropLast()) : report.startedAt
        page.open(
            "testsuite",
            [("name", suite.name)] + Self.counts(suite.cases, seconds: seconds, withSkipped: true)
                + [("timestamp", timestamp), ("hostname", report.host.hostname)])
        if isFirst { writeProperties(of: report, to: &page) }
        for one in suite.cases {
            let attributes = [
                ("classname", "\(report.tool.name).\(suite.name)"), ("name", one.name),
                ("time", Decimal.text(one.seconds)),
            ]
            guard one.kind != .passed else {
                page.empty("testcase", attributes)
                continue
            }
            page.open("testcase", attributes)
            switch one.kind {
            case .passed: break
            case .skipped: page.empty("skipped", [("message", one.message)])
            case .failure, .error:
                page.element(
                    one.kind.rawValue, [("message", one.message), ("type", one.type)], lines: one.details)
            }
            page.close("testcase")
        }
        page.close("testsuite")
    }

    /// Of the run; a schema allows them on a suite only, so the first one has them.
    private func writeProperties(of report: Report, to page: inout XMLPage) {
        page.open("properties", [])
        for (name, value) in [
            ("profile", report.profile.name), ("kernel", report.host.kernel), ("version", report.tool.version),
            ("verdict", report.verdict.rawValue), ("exitCode", String(report.exitCode)),
        ] {
            page.empty("property", [("name", name), ("value", value)])
        }
        page.close("properties")
    }

    private struct Suite {
        var name: String
        var cases: [Case]
    }

    /// One test case.
    private struct Case {
        enum Kind: String {
            case passed, failure, error, skipped
        }

        var name: String
        var seconds: Double = 0
        var kind: Kind
        var message: String = ""
        var type: String = ""
        var details: [String] = []

        init(_ finding: Finding, of report: Report) {
            name = "\(finding.name): \(finding.title)"
            seconds = finding.durationMilliseconds / 1000
            switch finding.weight {
            case .passed: kind = .passed
            case .failed: kind = .failure
            case .unseen: kind = .error
            case .uncounted: kind = .skipped
            }
            type = finding.verdict.rawValue
            let word = finding.verdict == .fail ? finding.severity.rawValue : finding.verdict.word
            let why = finding.verdict == .fail ? finding.contrast : finding.why
            message = why.isEmpty ? word : "\(word): \(why)"
            details = finding.evidence.flatMap { ["seen: \($0.value) (\($0.source))", "see it: \($0.command)"] }
            for cause in report.causes(of: finding) {
                details += ["root cause: \(cause.title) [\(cause.id)]", cause.explanation]
                details += (cause.remedy?.commands ?? []).map { "by hand: \($0)" }
            }
        }

        init(_ fixes: FixReport) {
            name = "repair"
            kind = fixes.outcome == .applied ? .passed : .failure
            type = fixes.outcome.rawValue
            message = [fixes.outcome.word, fixes.reason].compactMap { $0 }.joined(separator: ": ")
            details = fixes.steps.map { "\($0.words): \($0.target) [\($0.id)]" }
        }

        /// A waiver decides nothing by itself, the findings that it covers do; unless it has expired.
        init(_ waiver: WaiverUse) {
            name = "waiver \(waiver.name)"
            kind = waiver.state == .expired ? .failure : .skipped
            type = waiver.state.rawValue
            message = waiver.sentence
        }
    }
}

/// XML built from top to bottom; texts and attribute values are escaped here, so no caller can forget it.
struct XMLPage {
    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private var depth = 0

    mutating func open(_ name: String, _ attributes: [(String, String)]) {
        text += margin + "<\(name)\(Self.list(attributes))>\n"
        depth += 1
    }

    mutating func close(_ name: String) {
        depth -= 1
        text += margin + "</\(name)>\n"
    }

    mutating func empty(_ name: String, _ attributes: [(String, String)]) {
        text += margin + "<\(name)\(Self.list(attributes))/>\n"
    }

    mutating func element(_ name: String, _ attributes: [(String, String)], lines: [String]) {
        let content = lines.map { Escape.markup($0) }.joined(separator: "\n")
        text += margin + "<\(name)\(Self.list(attributes))>\(content)</\(name)>\n"
    }

    private var margin: String { String(repeating: "  ", count: depth) }

    private static func list(_ attributes: [(String, String)]) -> String {
        attributes.map { " \($0.0)=\"\(Escape.markup($0.1))\"" }.joined()
    }
}
