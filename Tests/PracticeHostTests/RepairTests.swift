import Foundation
import HostModel
import TestSupport
import Testing

/// Breaks a practice host for real, asks the doctor what it sees, and lets it repair what it can.
///
/// Serial: each starts namespaces, and the machine has few cores.
@Suite(.serialized) struct RepairTests {
    /// One run: what the doctor says, what it does, and what it says then.
    private struct Run {
        var before: Report
        var status: Int32
        var after: Report
        var repairStatus: Int32
        /// After a person has done what the cause says.
        var mended: Report?
        var messages = ""
    }

    private func examine(_ item: BrokenHost) throws -> Run {
        let mend =
            item.byHand.isEmpty
            ? "" : "{ \(item.byHand); } >/dev/null\nlxc-doctor \(item.arguments) --format json; echo \"STATUS $?\""
        let script = """
            { \(item.setup.isEmpty ? ":" : item.setup); } >/dev/null 2>&1
            lxc-doctor \(item.arguments) --format json; echo "STATUS $?"
            lxc-doctor \(item.arguments) --auto-remediate --yes --format json 2>/dev/null; echo "STATUS $?"
            \(mend)
            """
        let ended = try Program.lab((item.fault.map { ["--fault", $0] } ?? []) + item.options, script)
        let parts = ended.output.components(separatedBy: "STATUS ")
        try #require(parts.count == (item.byHand.isEmpty ? 3 : 4), "\(ended.output) \(ended.messages)")
        func report(_ text: String) throws -> Report {
            let json = text[(try #require(text.firstIndex(of: "{")))...]
            return try JSONDecoder().decode(Report.self, from: Data(json.utf8))
        }
        return Run(
            before: try report(parts[0]), status: try #require(Int32(parts[1].prefix { $0.isNumber })),
            after: try report(parts[1]), repairStatus: try #require(Int32(parts[2].prefix { $0.isNumber })),
            mended: item.byHand.isEmpty ? nil : try report(parts[2]), messages: ended.messages)
    }

    @Test(arguments: BrokenHost.all)
    func isNamedAndRepaired(item: BrokenHost) throws {
        let run = try examine(item)
        #expect(Set(run.before.causes.map(\.id)) == item.causes, "\(run.before.causes.map(\.id))")
        #expect(run.status == run.before.exitCode)
        let failed = run.before.findings.filter { $0.verdict == .fail }
        for check in item.checks {
            let finding = try #require(failed.first { $0.check == check }, "\(check): \(failed.map(\.check))")
            #expect(!finding.evidence.isEmpty)
            #expect(finding.evidence.allSatisfy { !$0.command.isEmpty && !$0.source.isEmpty && !$0.value.isEmpty })
        }
        let seen = run.before.causes.flatMap(\.evidence)
        for part in item.evidence {
            #expect(seen.contains { $0.source.contains(part) || $0.value.contains(part) }, "\(part): \(seen)")
        }
        if failed.contains(where: { $0.severity == .critical }) { #expect(run.status == 2) }
        let automatic = run.before.causes.filter { $0.remedy?.automatic == true }
        #expect(automatic.isEmpty == !item.isRepaired, "\(automatic.map(\.id))")
        TestResults.note(.reproduced, item.causes)
        guard item.isRepaired else {
            #expect(run.after.causes.map(\.id) == run.before.causes.map(\.id))
            if let mended = run.mended {
                #expect(mended.causes.isEmpty, "\(mended.causes.map(\.id)) \(run.messages)")
                #expect(mended.verdict == .healthy)
                #expect(mended.proof?.verdict == .masqueraded)
            }
            return
        }
        #expect(run.after.fixes?.outcome == .applied, "\(String(describing: run.after.fixes?.reason))")
        let left = Set(run.after.causes.map(\.id))
        #expect(left == item.left, "\(left)")
        if item.left.isEmpty {
            #expect(run.after.verdict == .healthy)
            #expect(run.after.proof?.verdict == .masqueraded)
            #expect(run.repairStatus == 0)
            TestResults.note(.repaired, item.causes)
        }
    }

    /// A check that nothing makes fail proves nothing.
    @Test func everyCheckFailsSomewhere() throws {
        struct List: Decodable {
            struct Row: Decodable { var id: String }
            var checks: [Row]
        }
        let listed = try Program.run(["list", "checks", "--format", "json"])
        let known = Set(try JSONDecoder().decode(List.self, from: Data(listed.output.utf8)).checks.map(\.id))
        let broken = Set(BrokenHost.all.flatMap(\.checks))
        // Checks over what the proof sees between containers and in them have suites of their own, which name them.
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let others = try [
            "ProofLocalTests", "ProofContainerTests", "VerifyTests", "PathCauseTests", "IPv6Tests",
            "ProofContainerIPv6Tests",
        ].map {
            try String(contentsOf: folder.appendingPathComponent("\($0).swift"), encoding: .utf8)
        }.joined()
        // Named there by their causes, bridge-nf-forward-drop and masq-duplicated.
        let byCause: Set<String> = ["firewall.east-west", "firewall.duplicated"]
        #expect(others.contains("bridge-nf-forward-drop") && others.contains("masq-duplicated"))
        // Hardware, and kernel state that all namespaces share: no practice host can have these faults, and tests of the
        // probes bring the evidence of them. The race is made in EveryFaultTests.
        let byFault: Set<String> = ["nat.port-collisions"]
        let literals = try String(
            contentsOf: folder.deletingLastPathComponent().appendingPathComponent("ProbesTests/LiteralOnlyTests.swift"),
            encoding: .utf8)
        let elsewhere = byCause.union(byFault)
        let nowhere = known.subtracting(broken).subtracting(elsewhere).filter { !literals.contains("\"\($0)\"") }.filter
        {
            !others.contains("\"\($0)\"")
        }
        #expect(nowhere.isEmpty, "no host makes these fail: \(nowhere.sorted())")
        #expect(broken.subtracting(known).isEmpty, "there is no such check: \(broken.subtracting(known).sorted())")
    }
}
