import Foundation
import HostModel
import Testing

@testable import Reporting

/// Tools that are not ours judge the committed examples, which are what the formats write (`ExampleTests`). A tool that
/// is not there is a failure, never a skip. JSON and NDJSON: `SchemaTests`; metrics: `promtool` on a practice host.
struct OutsideToolTests {
    private func examples(_ ending: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: Workplace.examples.path)
            .filter { $0.hasSuffix("." + ending) }.sorted()
        #expect(names.count >= (ending == "html" ? Scenario.all.count + 2 : Scenario.all.count))
        return names.map { Workplace.examples.appendingPathComponent($0).path }
    }

    private func tool(_ name: String) -> String { Workplace.root.appendingPathComponent("Tests/Tools/\(name)").path }

    @Test func xmllintFindsValidJUnit() throws {
        let arguments = ["--noout", "--nonet", "--schema", tool("junit.xsd")]
        let ended = try Workplace.run("xmllint", arguments + examples("junit"))
        #expect(ended.status == 0, "\(ended.text)")
    }

    @Test(arguments: [
        (" tests=\"10\"", ""), ("time=\"0.0115\"", "time=\"soon\""), ("<testcase classname", "<test classname"),
        ("</testsuites>", ""), (" message=\"critical: wanted masqueraded, found leaked\"", ""), ("&#39;", "<"),
    ])
    func xmllintSeesWhatIsWrong(part: String, other: String) throws {
        let text = render(.masqueradeMissing, as: .junit)
        #expect(text.contains(part))
        let broken = ["broken.junit": Data(text.replacing(part, with: other).utf8)]
        try Workplace.withFiles(broken) { files in
            let arguments = ["--noout", "--nonet", "--schema", tool("junit.xsd")] + files.map(\.path)
            let ended = try Workplace.run("xmllint", arguments)
            #expect(ended.status != 0, "\(ended.text)")
        }
    }

    /// As it is written, without anything in between.
    @Test(arguments: Scenario.all)
    func proveComesToTheSameVerdict(scenario: Scenario) throws {
        let file = Workplace.examples.appendingPathComponent("\(scenario.name).\(scenario.exit).tap")
        let ended = try Workplace.run("prove", ["--exec", "cat", file.path])
        #expect(!ended.text.contains("Parse errors"), "\(ended.text)")
        #expect((ended.status == 0) == (scenario.exit == 0), "\(ended.text)")
    }

    /// What Perl's reader of TAP's YAML would take for a mapping.
    @Test(arguments: ["dropped: forwarding is off", "dropped : no", "-A FORWARD -m comment --comment \"x: y\" -j DROP"])
    func proveReadsEvidenceWithColons(text: String) throws {
        var report = Report.masqueradeMissing
        let broken = try #require(report.findings.firstIndex { $0.verdict == .fail })
        report.findings[broken].evidence = [Evidence(source: "rule", command: "nft list ruleset", value: text)]
        let rendered = render(report, as: .tap)
        try Workplace.withFiles(["x.tap": Data(rendered.utf8)]) { files in
            let ended = try Workplace.run("prove", ["--exec", "cat", files[0].path])
            #expect(!ended.text.contains("Parse errors"), "\(ended.text)")
        }
        // For YAML itself the text is what it was.
        let evidence = try #require(rendered.components(separatedBy: "  evidence:\n    - ").dropFirst().first)
        let item = evidence.prefix { $0 != "\n" }
        let read = try Workplace.run(
            "python3", ["-c", "import sys, yaml; print(yaml.safe_load(sys.argv[1]), end='')", String(item)])
        #expect(read.text == "\(text) (rule)")
    }

    @Test func theOutputOfThePluginKeepsTheGuidelines() throws {
        let arguments = try examples("nagios").flatMap { file in
            [String(file.split(separator: ".").dropLast().last ?? ""), file]
        }
        let ended = try Workplace.run(tool("check-plugin-output"), arguments)
        #expect(ended.status == 0, "\(ended.text)")
    }

    @Test(arguments: [
        ("LXC CRITICAL", "LXC OK"), ("time=0.0115s", "time=0,0115s"), (" | ", " "), ("fail=2", "pass=2"), ("\n", ""),
        ("profile makina", "profile|makina"),
    ])
    func theCheckerOfThePluginSeesWhatIsWrong(part: String, other: String) throws {
        let text = render(.masqueradeMissing, as: .nagios)
        #expect(text.contains(part))
        try Workplace.withFiles(["x.nagios": Data(text.replacing(part, with: other).utf8)]) { files in
            let ended = try Workplace.run(tool("check-plugin-output"), ["2", files[0].path])
            #expect(ended.status == 1, "\(ended.text)")
        }
    }

    @Test func tidyFindsNothingToSayOfThePage() throws {
        for file in try examples("html") {
            let ended = try Workplace.run("tidy", ["-quiet", "-errors", "--drop-empty-elements", "no", file])
            #expect(ended.status == 0, "\(file): \(ended.text)")
        }
    }

    @Test func thePageStandsAloneAndCanBeUsedByEverybody() throws {
        let ended = try Workplace.run(tool("check-page"), examples("html"))
        #expect(ended.status == 0, "\(ended.text)")
    }

    @Test(arguments: [
        ("--quiet: #55606c", "--quiet: #8590a0"), ("<h3", "<h5"), ("lang=\"en\"", "dir=\"ltr\""),
        ("<main", "<div"), ("role=\"img\"", "role=\"none\""), ("id=\"causes\"", "id=\"other\""),
        ("<body>", "<body onload=\"go()\">"), ("<body>", "<body><img src=\"https://example.com/x.png\">"),
    ])
    func theCheckerOfThePageSeesWhatIsWrong(part: String, other: String) throws {
        let text = render(.masqueradeMissing, as: .html)
        #expect(text.contains(part))
        try Workplace.withFiles(["x.html": Data(text.replacing(part, with: other).utf8)]) { files in
            let ended = try Workplace.run(tool("check-page"), [files[0].path])
            #expect(ended.status == 1, "\(ended.text)")
        }
    }

    /// Headless Chromium: phone and desk, dark and light, paper, filters and search, and no request but for the file.
    @Test func aBrowserFindsNothingToSayOfThePage() throws {
        let ended = try Workplace.run(tool("browse-page"), examples("html"))
        #expect(ended.status == 0, "\(ended.text)")
    }

    @Test(arguments: [
        ("<main", "<div style=\"width: 3000px\">wide</div><main", "too wide"),
        ("'use strict';", "'use strict'; nonsense();", "a script fails"),
        ("<body>", "<body><img alt=\"\" src=\"other.png\">", "asks for"),
        ("(prefers-color-scheme: dark)", "(min-width: 99999px)", "look the same"),
        ("finding.hidden = !fits;", "", "a filter hides nothing"),
        ("@media print", "@media (min-width: 99999px)", "buttons are printed"),
    ])
    func theBrowserSeesWhatIsWrong(part: String, other: String, words: String) throws {
        let text = render(.masqueradeMissing, as: .html)
        #expect(text.contains(part))
        try Workplace.withFiles(["x.html": Data(text.replacing(part, with: other).utf8)]) { files in
            let ended = try Workplace.run(tool("browse-page"), [files[0].path])
            #expect(ended.status == 1 && ended.text.contains(words), "\(ended.text)")
        }
    }
}
