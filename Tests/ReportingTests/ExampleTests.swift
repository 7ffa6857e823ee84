import Foundation
import HostModel
import Testing

@testable import Reporting

/// The committed examples are what the formats write. `RECORD_EXAMPLES=1` writes them anew, and then fails.
struct ExampleTests {
    @Test(arguments: Scenario.all, FormatName.allCases)
    func exampleIsWhatTheFormatWrites(scenario: Scenario, format: FormatName) throws {
        #expect(scenario.report.exitCode == scenario.exit)
        try compare(
            render(scenario.report, as: format), with: "\(scenario.name).\(scenario.exit).\(format.rawValue)")
    }

    @Test(arguments: FormatName.forParts)
    func plan(format: FormatName) throws {
        try compare(renderPlan(FixStep.plan(.planned), as: format), with: "plan.\(format.rawValue)")
    }

    @Test(arguments: FormatName.forParts)
    func proof(format: FormatName) throws {
        let probes = ProofReport.masqueraded.probes + [.dropped(.udp), .vanished, .noBridge]
        try compare(
            renderProof(
                ProofReport(mode: .wire, probes: probes, local: LocalProbe.arrived + LocalProbe.dropped), as: format),
            with: "proof.\(format.rawValue)")
    }

    @Test func diff() throws {
        let diff = ReportDiff(old: .notPersistent, new: .masqueradeMissing)
        #expect(diff.exitCode == 2)
        try compare(JSONText.encode(diff), with: "diff.json")
        try compare(diff.text(options: RenderingOptions()), with: "diff.terminal")
    }

    @Test(arguments: FormatName.basic)
    func verify(format: FormatName) throws {
        try compare(renderVerify(.leaking, as: format), with: "verify.\(format.rawValue)")
        try compare(renderPacket(.translated, as: format), with: "verify-packet.\(format.rawValue)")
    }

    @Test func watch() throws {
        try compare(JSONText.encode(WatchStatus.example), with: "watch.json")
        try compare(renderMetrics(.masqueradeMissing, watch: .example), with: "watch.prometheus")
        try compare(renderMetricsOfEnd(.example), with: "watch-ended.prometheus")
    }

    @Test func everyExampleBelongsToATest() throws {
        let expected = Set(
            FormatName.allCases.flatMap { format in
                Scenario.all.map { "\($0.name).\($0.exit).\(format.rawValue)" }
            }
                + FormatName.forParts.flatMap { ["plan.\($0.rawValue)", "proof.\($0.rawValue)"] }
                + FormatName.basic.flatMap { ["verify.\($0.rawValue)", "verify-packet.\($0.rawValue)"] }
                + [
                    "recording.json", "list.json", "diff.json", "diff.terminal", "page.png", "watch.json",
                    "watch.prometheus",
                    "watch-ended.prometheus",
                ] + Workplace.repairExamples)
        let found = try FileManager.default.contentsOfDirectory(atPath: Workplace.examples.path)
        #expect(Set(found) == expected)
    }
}

/// Compares with the committed example, or records it where that is asked for.
func compare(_ text: String, with name: String) throws {
    let file = Workplace.examples.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["RECORD_EXAMPLES"] == "1" {
        try Data(text.utf8).write(to: file)
        Issue.record("recorded \(name): look at the difference, then run again without RECORD_EXAMPLES")
        return
    }
    let wanted = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(text == wanted)
}
