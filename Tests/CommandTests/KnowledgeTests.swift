import Foundation
import HostModel
import TestSupport
import Testing

/// `list` and `explain`: what the doctor knows, without a host.
@Suite struct KnowledgeTests {
    private struct Causes: Decodable {
        struct Row: Decodable {
            var id: String
            var title: String
            var severity: Severity
            var detection: String
            var remedy: String?
        }
        var causes: [Row]
    }

    private static func causes() throws -> [Causes.Row] {
        let ended = try Program.run(["list", "causes", "--format", "json"])
        return try JSONDecoder().decode(Causes.self, from: Data(ended.output.utf8)).causes
    }

    @Test func listSaysHowEachCauseIsDetected() throws {
        let causes = try Self.causes()
        let byID = Dictionary(uniqueKeysWithValues: causes.map { ($0.id, $0) })
        #expect(Set(causes.map(\.detection)).isSubset(of: ["live", "configuration", "documented"]))
        #expect(byID["masq-missing"]?.detection == "live")
        #expect(byID["masq-missing"]?.severity == .critical && byID["masq-missing"]?.remedy == "masquerade")
        #expect(byID["config-no-link"]?.detection == "configuration")
        #expect(causes.allSatisfy { !$0.title.contains("{{") })
    }

    @Test func listIsReadInATerminal() throws {
        let ended = try Program.run(["list", "causes"])
        let lines = ended.output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines.filter { $0.count > 80 })")
        #expect(lines.contains { $0.contains("masq-missing") && $0.contains("live") })
    }

    @Test func explainTellsTheWholeStory() throws {
        let ended = try Program.run(["explain", "masq-missing"])
        for heading in [
            "What happens", "Symptom", "Why", "How the doctor sees it", "See it by hand",
            "What to do", "Commands", "References",
        ] {
            #expect(ended.output.contains("\n\(heading)\n"), "\(heading)")
        }
        #expect(!ended.output.contains("{{"))
        // To be copied: one line, however long.
        let command =
            "nft 'add rule ip lxc-doctor postrouting ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade'"
        #expect(ended.output.contains("\n  \(command)\n"), "\(ended.output)")
    }

    /// What it speaks of as below stands below.
    @Test func theRuleThatIsSpokenOfFollows() throws {
        let text = try Program.run(["explain", "masq-missing"]).output
        let said = try #require(text.firstRange(of: "below"))
        let rule = try #require(text.firstRange(of: "counter masquerade'"))
        #expect(said.lowerBound < rule.lowerBound && !text.contains("rule above"))
    }

    /// `none` is a word of the catalog's files, not one for people.
    @Test func whatHasNoRemedyIsRepairedByHandEverywhere() throws {
        let id = try #require(Self.causes().first { $0.remedy == "none" }?.id)
        #expect(try Program.run(["explain", id]).output.contains("\nRepair\n  by hand"))
        let rows = try Program.run(["list", "causes"]).output.split(separator: "\n")
        #expect(rows.contains { $0.hasPrefix(id) && $0.contains("by hand") })
        #expect(!rows.contains { $0.split(separator: " ").contains("none") && $0.contains(" live ") })
    }

    @Test func everyCauseIsExplained() throws {
        for cause in try Self.causes() {
            let ended = try Program.run(["explain", cause.id])
            #expect(!ended.output.contains("remedy none"), "\(cause.id)")
            #expect(ended.status == 0 && !ended.output.contains("{{"), "\(cause.id)")
            if cause.detection == "documented" { #expect(ended.output.contains("the doctor cannot see it")) }
        }
    }
}
