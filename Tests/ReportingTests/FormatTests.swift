import Foundation
import HostModel
import Testing

@testable import Reporting

/// What holds for every format of a report.
struct FormatTests {
    private static let all = Scenario.all.flatMap { scenario in FormatName.allCases.map { (scenario, $0) } }

    @Test(arguments: all)
    func everyFormatEndsItsLastLineAndLetsNothingForeignThrough(scenario: Scenario, format: FormatName) {
        let text = render(scenario.report, as: format)
        #expect(text.hasSuffix("\n"))
        for scalar in text.unicodeScalars where scalar != "\n" {
            let category = scalar.properties.generalCategory
            #expect(category != .control && (category != .format || format == .json || format == .ndjson))
        }
    }

    /// One exit rule: no format calls good what the exit code calls bad, or the other way round.
    @Test(arguments: Scenario.all)
    func noFormatContradictsTheExitCode(scenario: Scenario) throws {
        let report = scenario.report
        let junit = render(report, as: .junit)
        #expect((junit.contains("<failure ") || junit.contains("<error ")) == (scenario.exit != 0))
        let counts = try #require(junit.firstMatch(of: /tests="(\d+)" failures="(\d+)" errors="(\d+)"/))
        #expect(counts.1 == "\(junit.split(separator: "<testcase ").count - 1)")
        #expect(counts.2 == "\(junit.split(separator: "<failure ").count - 1)")
        #expect(counts.3 == "\(junit.split(separator: "<error ").count - 1)")
        let points = render(report, as: .tap).split(separator: "\n").filter { $0.hasPrefix("not ok") }
        #expect(points.contains { !$0.contains(" # TODO ") } == (scenario.exit != 0))
        #expect(render(report, as: .prometheus).contains("\nlxc_doctor_exit_code \(scenario.exit)\n"))
        let words = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
        #expect(render(report, as: .nagios).hasPrefix("LXC \(words[Int(scenario.exit)]) - "))
        for format in [FormatName.markdown, .html] {
            #expect(render(report, as: format).contains("exit code \(scenario.exit)"))
        }
        #expect(render(report, as: .ndjson).contains("\"exitCode\":\(scenario.exit),"))
    }

    @Test(arguments: FormatName.allCases)
    func everyFormatShowsWaivers(format: FormatName) {
        let text = render(.waived, as: format, options: RenderingOptions(width: 500))
        let seconds = RFC3339.secondsSince1970("2024-05-01T23:59:59Z").map(String.init) ?? ""
        switch format {
        case .json, .ndjson: #expect(text.contains("\"expired\"") && text.contains("jumbo frames are wanted here"))
        case .prometheus:
            #expect(text.contains("lxc_doctor_waiver_state{id=\"bridge.mtu\",subject=\"\",state=\"active\"} 1"))
            #expect(text.contains("subject=\"lxcbr1\"} \(seconds)"))
        default:
            let plain = text.replacing("\\", with: "")
            #expect(plain.contains("the waiver of masq-not-persistent (lxcbr1) expired on 2024-05-01"))
            #expect(plain.contains("jumbo frames are wanted here"))
        }
    }

    @Test(arguments: Scenario.all)
    func ndjsonHasEveryRecordOnce(scenario: Scenario) throws {
        let report = scenario.report
        var kinds: [String: Int] = [:]
        for line in render(report, as: .ndjson).split(separator: "\n") {
            let record = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            kinds[record["record"] as? String ?? "", default: 0] += 1
        }
        let wanted = [
            "run": 1, "verdict": 1, "cause": report.causes.count, "finding": report.findings.count,
            "probe": report.proof?.probes.count ?? 0, "step": report.fixes?.steps.count ?? 0,
            "waiver": report.waivers?.count ?? 0,
        ]
        #expect(kinds == wanted.filter { $0.value > 0 })
    }

    /// A scraper refuses a page on which a sample stands twice.
    @Test(arguments: Scenario.all)
    func noSampleStandsTwice(scenario: Scenario) {
        let samples = render(scenario.report, as: .prometheus).split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.prefix(upTo: $0.lastIndex(of: " ") ?? $0.endIndex) }
        #expect(Set(samples).count == samples.count && samples.count > 8)
    }

    enum Syntax: String {
        case markup, tap, yaml, prometheusLabel, nagios, markdown, code, codeInTable

        func escape(_ text: String) -> String {
            switch self {
            case .markup: Escape.markup(text)
            case .tap: Escape.tap(text)
            case .yaml: Escape.yaml(text)
            case .prometheusLabel: Escape.prometheusLabel(text)
            case .nagios: Escape.nagios(text)
            case .markdown: Escape.markdown(text)
            case .code: Escape.markdownCode(text)
            case .codeInTable: Escape.markdownCode(text, inTable: true)
            }
        }
    }

    @Test(arguments: [
        (Syntax.markup, "a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"), (.tap, "a#b\\c", "a\\#b\\\\c"),
        (.tap, "a\nb", "a\\\\nb"), (.yaml, "say \"x\\\"", "\"say \\\"x\\\\\\\"\""),
        (.prometheusLabel, "a\"b\\", "a\\\"b\\\\"), (.nagios, "a|b<c>\n", "a/b(c)\\n"),
        (.markdown, "*a* `b` <c> [d](e)", "\\*a\\* \\`b\\` \\<c\\> \\[d\\]\\(e\\)"), (.code, "a`b", "``a`b``"),
        (.code, "`", "`` ` ``"), (.codeInTable, "a|b", "`a\\|b`"),
    ])
    func escapes(syntax: Syntax, text: String, wanted: String) {
        #expect(syntax.escape(text) == wanted)
    }

    @Test(arguments: [
        (0, "0"), (0.0115, "0.0115"), (1_715_915_565, "1715915565"), (-0.5, "-0.5"), (0.000_000_4, "0"),
        (.nan, "0"), (.infinity, "0"), (1e300, "0"), (2.5, "2.5"),
    ])
    func decimals(value: Double, text: String) {
        #expect(Decimal.text(value) == text)
    }

    /// Gauges in base units, and labels whose values are bounded by the catalog and by what is on the host: what a label
    /// says is never a text, a time, an address or a number that grows.
    @Test func metricsAreGaugesInBaseUnitsWithBoundedLabels() {
        let labels: Set<Substring> = [
            "version", "profile", "verdict", "check", "subject_kind", "subject", "severity", "cause", "area", "network",
            "container", "protocol", "outcome", "id", "state", "part",
        ]
        for scenario in Scenario.all {
            let text = renderMetrics(scenario.report, watch: .example)
            for line in text.split(separator: "\n") {
                if line.hasPrefix("# TYPE ") {
                    #expect(line.hasSuffix(" gauge") && !line.contains("_total"), "\(line)")
                    #expect(!line.contains(/milli|micro|minutes|percent|kib|mib/), "\(line)")
                }
                guard !line.hasPrefix("#") else { continue }
                for label in line.matches(of: /([a-z_]+)="/) {
                    #expect(labels.contains(label.output.1), "\(line)")
                }
            }
        }
    }
}
