import HostModel
import Testing

@testable import Reporting

struct DiffTests {
    private func report(_ verdict: Verdict, severity: Severity = .critical, observed: String? = nil) -> Report {
        .scenario(findings: [
            .make("a.b", "A holds", .nat, verdict, severity: severity, reason: "r", observed: observed)
        ])
    }

    @Test(
        arguments: [
            (Verdict.pass, Verdict.fail, "broke", 2), (.fail, .pass, "healed", 0), (.unknown, .fail, "broke", 2),
            (.fail, .unknown, "changed", 0), (.pass, .unknown, "changed", 2), (.blocked, .pass, "changed", 0),
            (.fail, .blocked, "changed", 0), (.pass, .blocked, "changed", 2), (.blocked, .fail, "broke", 2),
            (.unknown, .blocked, "changed", 0), (.fail, .waived, "healed", 0), (.waived, .fail, "broke", 2),
            (.pass, .notApplicable, "changed", 0), (.pass, .pass, "", 0), (.fail, .fail, "", 0),
        ] as [(Verdict, Verdict, String, Int32)])
    func verdicts(before: Verdict, after: Verdict, list: String, exit: Int32) {
        let diff = ReportDiff(old: report(before), new: report(after))
        let lists = ["broke": diff.broke, "healed": diff.healed, "changed": diff.changed].filter { !$0.value.isEmpty }
        #expect(lists.keys.sorted() == (list.isEmpty ? [] : [list]))
        #expect(diff.exitCode == exit)
        #expect(diff.isEmpty == list.isEmpty)
    }

    @Test func aNoticeThatBreaksIsToldButNotWorse() {
        let diff = ReportDiff(old: report(.pass, severity: .notice), new: report(.fail, severity: .notice))
        #expect(diff.broke.count == 1 && diff.exitCode == 0)
    }

    @Test func otherValuesAreAChange() {
        let diff = ReportDiff(old: report(.fail, observed: "1"), new: report(.fail, observed: "2"))
        #expect(diff.changed.count == 1 && diff.exitCode == 0)
        #expect(diff.text(options: RenderingOptions()).contains("was  1"))
    }

    /// What is looked at no more has not healed; what is looked at for the first time and fails has broken.
    @Test func causesThatAppearedAndWentAreListed() {
        let empty = Report.scenario(findings: [])
        #expect(ReportDiff(old: report(.fail), new: empty).changed.count == 1)
        #expect(ReportDiff(old: report(.fail), new: empty).healed.isEmpty)
        #expect(ReportDiff(old: empty, new: report(.fail)).exitCode == 2)
        #expect(ReportDiff(old: empty, new: report(.pass)).isEmpty)
    }

    /// One link down blocks a dozen checks: that is one story, and nothing of it is broken or healed.
    @Test func whatCannotBeJudgedAnyMoreIsToldTogether() throws {
        let diff = ReportDiff(old: .healthy, new: .bridgeMissing)
        #expect(diff.broke.allSatisfy { $0.after == .fail })
        let group = try #require(diff.unseen.first)
        #expect(diff.unseen.count == 1 && group.changes.map(\.check).contains("bridge.up"))
        let text = diff.text(options: RenderingOptions())
        #expect(text.contains("CANNOT BE JUDGED ANY MORE (\(group.changes.count))"))
        #expect(text.contains("  - waits for bridge.exists\n    bridge.up (lxcbr1), "))
    }

    @Test func anImprovementIsCalledBetter() {
        func title(_ old: Report, _ new: Report) -> String {
            ReportDiff(old: old, new: new).text(options: RenderingOptions()).split(separator: ":").first.map(
                String.init) ?? ""
        }
        #expect(title(.masqueradeMissing, .healthy) == "BETTER")
        #expect(title(report(.unknown), report(.pass)) == "BETTER")
        #expect(title(report(.fail, observed: "1"), report(.fail, observed: "2")) == "NOT WORSE")
        #expect(title(.healthy, .masqueradeMissing) == "WORSE" && title(.healthy, .healthy) == "SAME")
    }

    @Test func causesAndProof() {
        let diff = ReportDiff(old: .healthy, new: .masqueradeMissing)
        #expect(diff.appeared.map(\.id) == ["masq-missing"] && diff.gone.isEmpty)
        #expect(diff.proof == ReportDiff.ProofChange(before: .masqueraded, after: .leaked))
        let back = ReportDiff(old: .masqueradeMissing, new: .healthy)
        #expect(back.gone.map(\.id) == ["masq-missing"] && !back.worse)
    }

    /// The same findings, but the repair failed.
    @Test func aRolledBackRepairIsWorse() {
        #expect(ReportDiff(old: .healthy, new: .repaired).exitCode == 0)
        var failed = Report.repaired
        failed.exitCode = 2
        #expect(ReportDiff(old: .repaired, new: failed).exitCode == 2)
    }

    @Test func nothingForeignReachesTheTerminal() {
        let text = ReportDiff(old: .healthy, new: .hostile).text(options: RenderingOptions(verbose: true))
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }
}
