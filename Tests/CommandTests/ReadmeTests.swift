import Foundation
import TestSupport
import Testing

/// What the README shows is what the program does.
@Suite struct ReadmeTests {
    private static let text: String = {
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("README.md")
        do { return String(decoding: try Data(contentsOf: file), as: UTF8.self) } catch { return "" }
    }()

    /// The first block of code of a language.
    private static func block(_ language: String) throws -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex(of: "```\(language)"))
        let end = try #require(lines[(start + 1)...].firstIndex(of: "```"))
        return Array(lines[(start + 1)..<end])
    }

    /// What differs between runs: the names of ports, the sender's address and port, and the time.
    private static func constant(_ line: String) -> String {
        line.replacing(/lxcdoc[0-9a-f]+/, with: "PORT").replacing(/:\d{4,5} >/, with: ":N >")
            .replacing(/10\.5\.\d+\.\d+(?!\/)/, with: "ADDRESS").replacing(#/ +/#, with: " ")
    }

    /// Line by line, in order; `[...]` stands for lines that are left out.
    @Test func theReportIsARealOne() throws {
        var shown = try Self.block("console")
        #expect(shown.removeFirst() == "# lxc-doctor")
        let ended = try Program.lab(["--fault", "masq-missing"], "lxc-doctor")
        let real = ended.output.split(separator: "\n", omittingEmptySubsequences: false).map {
            Self.constant(String($0))
        }
        var place = 0
        var mayLeaveOut = false
        for line in shown {
            if line.hasSuffix("[...]") {
                mayLeaveOut = true
                continue
            }
            let wanted = Self.constant(line)
            let isNext = real[place...].first == wanted
            let found = mayLeaveOut ? real[place...].firstIndex(of: wanted) : isNext ? place : nil
            guard let found else {
                Issue.record("not in the real report, or not here: \(line)\n\(ended.output)")
                return
            }
            place = found + 1
            mayLeaveOut = false
        }
        let rest = real[place...].filter { !$0.isEmpty }
        #expect(rest == [], "there is more")
    }

    /// Whoever copies it has a profile that is read.
    @Test func theProfileIsAccepted() throws {
        let lines = try Self.block("yaml").joined(separator: "\n")
        let ended = try Program.lab(
            [],
            "cat >/tmp/office.yaml <<'END'\n\(lines)\nEND\nlxc-doctor --profile /tmp/office.yaml --proof off; echo \"exit $?\""
        )
        let words = ended.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("profile office (--profile /tmp/office.yaml)"), "\(ended.output)\(ended.messages)")
        #expect(ended.output.hasSuffix("exit 2\n") && ended.messages.isEmpty)
    }
}
