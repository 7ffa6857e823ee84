import Foundation
import HostModel
import TestSupport
import Testing

/// Breaks a practice host for real, and asks the doctor what it sees.
///
/// Serial: each starts namespaces, and the machine has few cores.
@Suite(.serialized) struct RepairTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        /// The root causes that must be named, and no other.
        var causes: Set<String>
        var check: String
        /// Whether `--auto-remediate --yes` makes the host healthy again.
        var repaired = true
        var options: [String] = []
        var status: Int32 = 2

        var testDescription: String { "\(fault) \(options.joined(separator: " "))" }
    }

    static let cases: [Case] = [
        Case(fault: "bridge-missing", causes: ["bridge-missing", "masq-missing"], check: "bridge.exists"),
        Case(fault: "bridge-missing=removed", causes: ["bridge-missing"], check: "bridge.exists"),
        Case(fault: "bridge-down", causes: ["bridge-down"], check: "bridge.up"),
        Case(
            fault: "bridge-wrong-address-or-mask", causes: ["bridge-wrong-address-or-mask"], check: "bridge.address"),
        Case(fault: "ip-forward-off", causes: ["ip-forward-off"], check: "forwarding.global"),
        Case(
            fault: "per-interface-forwarding-off=bridge", causes: ["per-interface-forwarding-off"],
            check: "forwarding.interfaces"),
        Case(
            fault: "per-interface-forwarding-off=uplink", causes: ["per-interface-forwarding-off"],
            check: "forwarding.interfaces"),
        Case(fault: "ip-forward-reset", causes: ["ip-forward-reset"], check: "forwarding.next-boot", status: 1),
        Case(fault: "masq-missing", causes: ["masq-missing"], check: "nat.masquerade"),
        Case(
            fault: "masq-missing", causes: ["masq-missing"], check: "nat.masquerade",
            options: ["--backend", "iptables-nft"]),
        Case(
            fault: "masq-missing", causes: ["masq-missing"], check: "nat.masquerade",
            options: ["--backend", "iptables-legacy"]),
        Case(fault: "masq-wrong-subnet", causes: ["masq-wrong-subnet"], check: "nat.masquerade"),
        Case(fault: "masq-wrong-oif", causes: ["masq-wrong-oif"], check: "nat.masquerade"),
        Case(fault: "masq-shadowed", causes: ["masq-shadowed"], check: "nat.masquerade"),
    ]

    /// One run: what the doctor says, what it does, and what it says then.
    private func examine(_ item: Case) throws -> (before: Report, status: Int32, after: Report, repairStatus: Int32) {
        let script = """
            lxc-doctor --format json; echo "STATUS $?"
            lxc-doctor --auto-remediate --yes --format json 2>/dev/null; echo "STATUS $?"
            """
        let ended = try Program.lab(["--fault", item.fault] + item.options, script)
        let parts = ended.output.components(separatedBy: "STATUS ")
        try #require(parts.count == 3, "\(ended.output) \(ended.messages)")
        func report(_ text: String) throws -> Report {
            let json = text[(try #require(text.firstIndex(of: "{")))...]
            return try JSONDecoder().decode(Report.self, from: Data(json.utf8))
        }
        return (
            try report(parts[0]), try #require(Int32(parts[1].prefix { $0.isNumber })), try report(parts[1]),
            try #require(Int32(parts[2].prefix { $0.isNumber }))
        )
    }

    @Test(arguments: cases)
    func isNamedAndRepaired(item: Case) throws {
        let run = try examine(item)
        #expect(run.status == item.status)
        #expect(Set(run.before.causes.map(\.id)) == item.causes, "\(run.before.causes.map(\.id))")
        let finding = try #require(run.before.findings.first { $0.check == item.check })
        #expect(finding.verdict == .fail)
        #expect(!finding.evidence.isEmpty)
        #expect(finding.evidence.allSatisfy { !$0.command.isEmpty && !$0.source.isEmpty })
        if item.repaired {
            #expect(run.after.fixes?.outcome == .applied, "\(String(describing: run.after.fixes))")
            #expect(run.after.causes.isEmpty, "\(run.after.causes.map(\.id))")
            #expect(run.after.proof?.verdict == .masqueraded)
            #expect(run.repairStatus == 0)
        } else {
            #expect(run.repairStatus == item.status)
        }
    }
}
