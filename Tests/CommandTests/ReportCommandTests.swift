import Foundation
import TestSupport
import Testing

/// Saved reports, converted and compared by the built program.
@Suite struct ReportCommandTests {
    private static let examples = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("reports/examples").path

    private static func example(_ name: String) throws -> String {
        try String(decoding: Data(contentsOf: URL(fileURLWithPath: "\(examples)/\(name)")), as: UTF8.self)
    }

    @Test(arguments: ["json", "ndjson", "junit", "tap", "prometheus", "nagios", "markdown", "html"])
    func convertWritesWhatADoctorWouldHaveWritten(format: String) throws {
        let ended = try Program.run(["report", "convert", "\(Self.examples)/masq-missing.2.json", "--format", format])
        #expect(ended.status == 0 && ended.messages.isEmpty)
        #expect(try ended.output == Self.example("masq-missing.2.\(format)"))
    }

    @Test func severalFormatsAtOnce() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("convert-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) } }
        let ended = try Program.run([
            "report", "convert", "\(Self.examples)/waived.1.json", "--exit-code", "--format", "nagios", "--format",
            "html=\(folder.path)/page.html", "--format", "tap=\(folder.path)/doctor.tap",
        ])
        #expect(ended.status == 1)
        #expect(try ended.output == Self.example("waived.1.nagios"))
        for (file, wanted) in [("page.html", "waived.1.html"), ("doctor.tap", "waived.1.tap")] {
            let text = try String(decoding: Data(contentsOf: folder.appendingPathComponent(file)), as: UTF8.self)
            #expect(try text == Self.example(wanted))
        }
    }

    @Test(arguments: [
        ("healthy.0", "masq-missing.2", Int32(2), "BROKE"), ("masq-missing.2", "healthy.0", 0, "HEALED"),
        ("healthy.0", "healthy.0", 0, "SAME"),
    ])
    func diff(old: String, new: String, status: Int32, word: String) throws {
        let files = ["\(Self.examples)/\(old).json", "\(Self.examples)/\(new).json"]
        let text = try Program.run(["report", "diff"] + files)
        #expect(text.status == status && text.output.contains(word) && text.messages.isEmpty)
        let json = try Program.run(["report", "diff", "--format", "json"] + files)
        #expect(json.status == status && json.output.contains("\"schema\" : \"lxc-doctor/diff/1\""))
    }

    @Test(arguments: [
        (["report", "convert", "/nonexistent"], Int32(65), "/nonexistent"),
        (["report", "convert", "EXAMPLES/recording.json"], 65, "is lxc-doctor/recording/1, not lxc-doctor/report/1"),
        (["report", "convert", "EXAMPLES/healthy.0.tap"], 65, "not valid JSON"),
        (["report", "diff", "EXAMPLES/healthy.0.json", "EXAMPLES/plan.json"], 65, "lxc-doctor/plan/1"),
        (["report", "diff", "EXAMPLES/healthy.0.json"], 64, "new"),
        (
            ["report", "diff", "EXAMPLES/healthy.0.json", "EXAMPLES/healthy.0.json", "--format", "tap"], 64,
            "terminal, json"
        ),
        (
            ["report", "convert", "EXAMPLES/healthy.0.json", "--format", "tap", "--format", "json"], 64,
            "standard output"
        ),
        (
            ["report", "convert", "EXAMPLES/healthy.0.json", "--format", "tap=/tmp/x", "--format", "json=/tmp/x"], 64,
            "share a file"
        ),
        (["list", "checks", "--format", "junit"], 64, "a list cannot be written as junit"),
        (["explain", "masq-missing", "--format", "html"], 64, "an explanation cannot be written as html"),
        (["prove", "--format", "nagios"], 64, "a proof cannot be written as nagios"),
        (["fix", "plan", "--format", "tap"], 64, "unknown format 'tap'"),
    ])
    func badInput(arguments: [String], status: Int32, words: String) throws {
        let ended = try Program.run(arguments.map { $0.replacing("EXAMPLES", with: Self.examples) })
        #expect(ended.status == status && ended.output.isEmpty)
        #expect(ended.messages.contains(words) && ended.messages.split(separator: "\n").count == 1, "\(ended.messages)")
    }
}
