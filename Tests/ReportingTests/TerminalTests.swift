import HostModel
import Testing

@testable import Reporting

struct TerminalTests {
    /// Everything in a report that must stay on one line to be copied, as the page writes it.
    private func commands(of report: Report) -> [String] {
        let evidence = report.causes.flatMap(\.evidence) + report.findings.flatMap(\.evidence)
        let advice = report.causes.flatMap { $0.remedy?.commands ?? [] }
        let steps = report.fixes?.steps.map(\.command) ?? []
        return (evidence.map(\.command) + advice + steps + [report.fixes?.journal ?? ""])
            .filter { !$0.isEmpty }.map { SafeText.line($0) }
    }

    @Test(arguments: Scenario.all, [(40, false), (60, true), (80, false), (80, true), (132, true)])
    func onlyCommandsAreWiderThanThePage(scenario: Scenario, page: (width: Int, verbose: Bool)) {
        let text = render(
            scenario.report, as: .terminal, options: RenderingOptions(width: page.width, verbose: page.verbose))
        let commands = commands(of: scenario.report)
        for line in text.split(separator: "\n")
        where TextWidth.columns(line) > page.width && !line.contains("Next:") {
            #expect(commands.contains { line.contains($0) }, "too wide: \(line)")
        }
        #expect(!text.contains(" \n") && !text.contains("\n\n\n") && text.hasSuffix("\n"))
    }

    @Test(arguments: Scenario.all)
    func nothingForeignReachesTheTerminal(scenario: Scenario) {
        let text = render(scenario.report, as: .terminal, options: RenderingOptions(verbose: true))
        for scalar in text.unicodeScalars where scalar != "\n" {
            let category = scalar.properties.generalCategory
            #expect(category != .control && category != .format, "U+\(String(scalar.value, radix: 16))")
        }
        #expect(!text.split(separator: "\n").contains("OK       everything is fine"))
    }

    /// The same cause of another network explains nothing of this one.
    @Test func aCauseHidesNoFailureOfAnotherSubject() throws {
        var report = Report.masqueradeMissing
        var other = try #require(report.findings.first { $0.check == "nat.masquerade" })
        other.subject.name = "virbr9"
        other.title = "Packets of virbr9 are translated"
        report.findings.append(other)
        let text = render(report, as: .terminal)
        #expect(text.contains("NO KNOWN CAUSE EXPLAINS IT") && text.contains(other.title))
        #expect(!render(.masqueradeMissing, as: .terminal).contains("NO KNOWN CAUSE EXPLAINS IT"))
    }

    @Test(arguments: Scenario.all)
    func colourAddsNothingButColour(scenario: Scenario) {
        let plain = render(scenario.report, as: .terminal)
        let coloured = render(scenario.report, as: .terminal, options: RenderingOptions(colour: true))
        #expect(coloured != plain)
        #expect(coloured.replacing(/\x1b\[[0-9;]*m/, with: "") == plain)
        #expect(!plain.contains("\u{1b}"))
    }

    @Test func quietWritesNothing() {
        let options = RenderingOptions(quiet: true)
        #expect(render(Report.masqueradeMissing, as: .terminal, options: options) == "")
        #expect(renderPlan(FixStep.plan(.planned), as: .terminal, options: options) == "")
        #expect(render(Report.masqueradeMissing, as: .json, options: options).hasPrefix("{"))
    }

    @Test func partsComeInOrderCausesProofPassedNext() throws {
        let text = render(Report.masqueradeMissing, as: .terminal)
        let places = try ["CRITICAL on", "ROOT CAUSE", "PROOF", "FINE", "Next:"].map {
            try #require(text.firstRange(of: $0)).lowerBound
        }
        #expect(places == places.sorted())
    }

    /// No verdict is lost: each finding is shown by its title, by the cause that explains it, or by a count.
    @Test(arguments: Scenario.all)
    func everyFindingIsAccountedFor(scenario: Scenario) {
        let text = render(scenario.report, as: .terminal, options: RenderingOptions(width: 400))
        let all = render(scenario.report, as: .terminal, options: RenderingOptions(width: 400, verbose: true))
        for finding in scenario.report.findings where finding.verdict != .notApplicable {
            let title = SafeText.line(finding.title)
            let shown = text.contains(title) || !scenario.report.causes(of: finding).isEmpty || finding.verdict == .pass
            #expect(shown && all.contains(title), "\(finding.check)")
        }
        for area in Area.allCases {
            let count = scenario.report.findings.count { $0.verdict == .pass && $0.area == area }
            if count > 0 { #expect(text.contains("\(area.rawValue) \(count)")) }
        }
    }

    @Test(arguments: [
        ("healthy", "Nothing to do."), ("masq-missing", "Next:  lxc-doctor --auto-remediate"),
        ("unprivileged", "Next:  sudo lxc-doctor"), ("not-persistent", "Next:  lxc-doctor explain masq-not-persistent"),
        ("rolled-back", "Next:  lxc-doctor explain masq-missing"), ("repaired", "Nothing to do."),
        ("forward-drop", "Next:  lxc-doctor explain firewall.forward"),
    ])
    func theNextCommand(name: String, line: String) throws {
        let scenario = try #require(Scenario.all.first { $0.name == name })
        #expect(render(scenario.report, as: .terminal).split(separator: "\n").contains(line[...]))
    }

    @Test func theNextCommandRepeatsTheCall() {
        let options = RenderingOptions(invocation: "lxc-doctor --profile makina")
        #expect(
            render(Report.masqueradeMissing, as: .terminal, options: options)
                .contains("Next:  lxc-doctor --profile makina --auto-remediate\n"))
    }

    @Test func notApplicableSaysWhyOnlyWhenAsked() {
        let reason = "the profile wants none"
        #expect(!render(Report.healthy, as: .terminal).contains(reason))
        #expect(render(Report.healthy, as: .terminal, options: RenderingOptions(verbose: true)).contains(reason))
    }

    /// A step that has no inverse stays: the report must not say that all is as before.
    @Test func aRollbackThatLeftSomethingSaysSo() throws {
        var report = Report.rolledBack
        #expect(render(report, as: .terminal).contains("what was done has been taken back"))
        report.fixes?.steps[2].state = .applied
        #expect(render(report, as: .terminal).contains("ROLLED BACK, except what says DONE"))
    }

    /// Under the fence a good verdict is about translation and no more.
    @Test func theFencePromisesNoDelivery() {
        #expect(render(Report.healthy, as: .terminal).contains("delivery is not"))
        let wire = renderProof(ProofReport(mode: .wire, probes: ProofReport.masqueraded.probes), as: .terminal)
        #expect(wire.contains("really sent") && !wire.contains("delivery"))
        #expect(renderProof(ProofReport(mode: .off, probes: []), as: .terminal).contains("--proof off"))
    }

    /// What was not sent was not caught either.
    @Test func theFenceCatchesOnlyWhatWasSent() {
        func words(_ probes: [ProofProbe]) -> String {
            renderProof(
                ProofReport(mode: .fence, probes: probes), as: .terminal, options: RenderingOptions(width: 400))
        }
        #expect(words([.dropped(.udp), .vanished]).contains("; all were caught before the wire"))
        #expect(words([.noBridge]).contains("; nothing was sent") && !words([.noBridge]).contains("caught"))
        #expect(words([.dropped(.udp), .noBridge]).contains("; what was sent was caught before the wire"))
    }

    /// What ended a packet reads as part of a sentence, whatever it is.
    @Test func aKillerIsPartOfASentence() {
        let rule = Killer(hook: "forward", table: "filter", rule: "2", handle: "7", text: "iifname \"lxcbr1\" drop")
        #expect(rule.clause == ", killed by iifname \"lxcbr1\" drop")
        #expect(Killer(hook: "routing", text: "forwarding is off").clause == ": forwarding is off")
        #expect(rule.ruleWords == "rule 2 (handle 7)")
        var other = rule
        other.text = "-A FORWARD -j DROP"
        #expect(other.ruleWords == "rule 2")
        other = Killer(hook: "forward", table: "filter", handle: "7", text: "ip filter FORWARD: rule with handle 7")
        #expect(other.ruleWords == "rule with handle 7")
        #expect(Killer(hook: "forward", table: "filter", text: "policy drop").ruleWords == nil)
    }

    /// A broken bridge explains dozens of findings: their number says as much as all their titles.
    @Test func manyConsequencesAreCountedUnlessAsked() throws {
        let short = render(Report.bridgeMissing, as: .terminal)
        #expect(short.contains("explains  4 other findings (--verbose lists them)"))
        let all = render(Report.bridgeMissing, as: .terminal, options: RenderingOptions(width: 200, verbose: true))
        for check in Cause.bridgeMissing.consequences { #expect(all.contains("[\(check)]"), "\(check)") }
        #expect(all.contains("explains  lxcbr1 is up [bridge.up]"))
        // A few are told.
        #expect(render(Report.masqueradeMissing, as: .terminal).contains("explains  A container's packet leaves"))
    }

    /// `explain`, `--skip` and waivers want ids.
    @Test func findingsThatDidNotPassAreShownWithTheirId() {
        let wide = RenderingOptions(width: 200)
        #expect(render(Report.bridgeMissing, as: .terminal, options: wide).contains("- lxcbr1 is up [bridge.up]\n"))
        #expect(render(Report.unprivileged, as: .terminal, options: wide).contains("host's address [nat.masquerade]\n"))
        let all = render(Report.healthy, as: .terminal, options: RenderingOptions(width: 200, verbose: true))
        for finding in Report.healthy.findings { #expect(all.contains("[\(finding.check)]"), "\(finding.check)") }
    }

    /// `--verbose` promises all evidence: also of what holds.
    @Test func whatHoldsIsShownWithItsEvidenceWhenAsked() {
        let all = render(Report.healthy, as: .terminal, options: RenderingOptions(verbose: true))
        #expect(all.contains("see it    ip -d link show lxcbr1"))
        #expect(!render(Report.healthy, as: .terminal).contains("ip -d link show"))
        #expect(all.contains("NOT APPLICABLE (2)"))
    }

    @Test func titlesAreNeverCut() {
        let title = String(repeating: "a long title of many words ", count: 8) + "ends here"
        let verdicts: [Verdict] = [.pass, .unknown, .blocked, .waived, .notApplicable, .fail]
        let findings = verdicts.map { Finding.make("a.\($0.rawValue)", title, .host, $0) }
        let text = render(
            Report.scenario(findings: findings), as: .terminal, options: RenderingOptions(width: 60, verbose: true))
        #expect(!text.contains("..."))
        #expect(text.split(whereSeparator: \.isWhitespace).count { $0 == "here" } == verdicts.count)
    }

    /// Ctrl-C at the beginning of a run: a hundred checks that nobody looked at are one line of news.
    @Test func manyWithOneReasonAreCounted() {
        let findings = (1...40).map {
            Finding.make("a.b\($0)", "Number \($0) holds", .host, .unknown, reason: "interrupted")
        }
        let text = render(Report.scenario(findings: findings), as: .terminal)
        #expect(text.split(separator: "\n").count { $0.contains("Number ") } == 5)
        #expect(text.contains("    and 35 more (--verbose lists them)\n"))
        let all = render(Report.scenario(findings: findings), as: .terminal, options: RenderingOptions(verbose: true))
        #expect(all.split(separator: "\n").count { $0.contains("Number ") } == 40)
    }

    /// Where the containers cannot be listed there is no name to put behind the title.
    @Test func aSubjectWithoutNameIsNotShown() {
        let finding = Finding.make(
            "a.b", "Each one holds", .container, .unknown, subject: Subject(kind: .container, name: ""), reason: "r")
        #expect(render(Report.scenario(findings: [finding]), as: .terminal).contains("- Each one holds [a.b]\n"))
    }

    /// The plan of a second round does not deny the first.
    @Test func aSecondPlanSaysWhatWasDone() {
        let text = renderPlan(FixStep.plan(.planned), as: .terminal, options: RenderingOptions(appliedBefore: 2))
        #expect(text.contains("2 changes have been made, and stay") && !text.contains("Nothing has been changed"))
        #expect(renderPlan(FixStep.plan(.planned), as: .terminal).contains("Nothing has been changed yet."))
    }

    /// What has no way back was not taken back.
    @Test func aStepWithoutAWayBackWasNotDone() {
        let text = render(Report.rolledBack, as: .terminal)
        #expect(text.contains("NOT DONE    package lxc") && text.contains("TAKEN BACK  /proc/sys/net"))
    }

    @Test func anOldProofSaysSo() {
        var proof = ProofReport.leaked
        proof.isOutdated = true
        for format in [FormatName.terminal, .markdown, .html] {
            let text = renderProof(proof, as: format).replacing("\n", with: " ")
            #expect(text.contains("the host has changed since"), "\(format)")
            #expect(!renderProof(.leaked, as: format).contains("changed since"))
        }
        var report = Report.masqueradeMissing
        #expect(render(report, as: .prometheus).contains("protocol=\"udp\",verdict=\"leaked\"} 1"))
        report.proof = proof
        #expect(render(report, as: .prometheus).contains("protocol=\"udp\",verdict=\"unknown\"} 1"))
    }

    @Test func anEmptyPlanSaysSo() {
        #expect(renderPlan([], as: .terminal).contains("nothing that can be repaired"))
    }

    @Test func table() {
        let table = TextTable(
            columns: ["cause", "area", "title"],
            rows: [
                [
                    "masq-missing", "nat",
                    "No rule translates 10.5.0.0/16 to the outside, so nothing is answered at all",
                ],
                ["x\u{1b}[2J"],
            ])
        #expect(
            table.render()
                == """
                cause         area  title
                masq-missing  nat   No rule translates 10.5.0.0/16 to the outside, so nothing is
                                    answered at all
                x\\x1b[2J

                """)
    }

    @Test func aTableWithoutRoomPutsTheLastCellBelow() {
        let id = String(repeating: "i", count: 36)
        let table = TextTable(
            columns: ["ID", "REMEDY", "TITLE"], rows: [[id, "by the tool that owns it", "A title of some words"]])
        let indent = String(repeating: " ", count: 36)
        #expect(
            table.render()
                == """
                ID\(indent)REMEDY
                    TITLE
                \(id)  by the tool that owns it
                    A title of some words

                """)
    }
}
