import Foundation
import TestSupport
import Testing

/// Command lines of the doctor that are read without ArgumentParser, against the same in a form that only it reads.
@Suite struct PlainDoctorTests {
    private static let lines = [
        // What a proof sends is new each time, and not shown here.
        ("-q", "-q --proof=fence"), ("doctor -q", "doctor --proof=fence -q"), ("--proof off", "--proof=off"),
        ("-q --proof off", "-q --proof=off"), ("--quiet --proof off", "--quiet --proof=off"),
        ("--proof off --verbose", "--proof=off --verbose"), ("-v --proof off", "-v --proof=off"),
        ("--proof off --profile makina", "--proof=off --profile=makina"),
        ("doctor --format json --proof off", "doctor --format=json --proof=off"),
        ("--proof off --format nagios", "--proof=off --format=nagios"),
    ]

    /// What differs from one run to the next is taken out.
    private func lasting(_ text: String) -> String {
        text.replacingOccurrences(
            of: #""(startedAt|durationMilliseconds)" : [^\n]*|[0-9.]+ ?m?s\b|time=[^ ]*"#, with: "",
            options: .regularExpression)
    }

    @Test func bothWaysSayTheSame() throws {
        let script = Self.lines.flatMap { [$0.0, $0.1] }.map { line in
            "lxc-doctor \(line) >/tmp/out 2>&1; echo \"status $?\" >>/tmp/out; cat /tmp/out; echo SPLIT"
        }.joined(separator: "\n")
        let ended = try Program.lab(["--profile", "makina", "--fault", "masq-missing"], script)
        #expect(ended.status == 0, "\(ended.messages)")
        let parts = ended.output.components(separatedBy: "SPLIT\n").dropLast().map(lasting)
        try #require(parts.count == 2 * Self.lines.count)
        for (index, line) in Self.lines.enumerated() {
            #expect(parts[2 * index].contains("status 2"), "\(line.0)")
            #expect(parts[2 * index] == parts[2 * index + 1], "\(line.0)")
        }
    }
}
