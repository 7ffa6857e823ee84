import Foundation
import HostModel
import TestSupport
import Testing

/// Hosts that close on purpose what the packets of the proof happen to be: at most a warning, which says what passes.
@Suite("A list of what containers may do", .serialized) struct EgressListTests {
    struct List: Sendable, CustomTestStringConvertible {
        var name: String
        var options: [String] = ["--backend", "iptables-nft"]
        var openings: [String]
        var cause: String
        /// What the evidence says that passes.
        var passing: String
        var testDescription: String { name }
    }

    static let lists = [
        List(
            name: "HTTPS and DNS",
            openings: ["-i lxcbr1 -p tcp --dport 443", "-i lxcbr1 -p udp --dport 53", "-i lxcbr1 -p tcp --dport 53"],
            cause: "egress-filtered", passing: "passes: HTTPS (tcp 443), DNS (udp 53), DNS (tcp 53); does not: "),
        List(
            name: "QUIC too", options: ["--backend", "iptables-legacy"],
            openings: [
                "-i lxcbr1 -p tcp --dport 443", "-i lxcbr1 -p udp --dport 53", "-i lxcbr1 -p udp --dport 443",
            ], cause: "egress-filtered", passing: "passes: HTTPS (tcp 443), DNS (udp 53), QUIC (udp 443); does not: "),
        List(
            name: "one network", openings: ["-i lxcbr1 -d 192.0.2.0/24"], cause: "egress-allow-list",
            passing: "passes: everything to 192.0.2.0/24; does not: "),
        List(
            name: "one network, from a container beside", options: ["--backend", "iptables-nft", "--containers", "1"],
            openings: ["-s 10.5.0.0/16 -d 192.0.2.0/24"], cause: "egress-allow-list",
            passing: "passes: everything to 192.0.2.0/24; does not: "),
        List(
            name: "HTTPS and DNS, with a container", options: ["--backend", "iptables-nft", "--containers", "1"],
            openings: ["-i lxcbr1 -p tcp --dport 443", "-i lxcbr1 -p udp --dport 53"], cause: "egress-filtered",
            passing: "passes: HTTPS (tcp 443), DNS (udp 53); does not: "),
    ]

    private static func report(_ options: [String], _ openings: [String], between: Bool = true) throws -> Report {
        let program = options.contains("iptables-legacy") ? "iptables-legacy" : "iptables-nft"
        let rules =
            ["-F FORWARD", "-P FORWARD DROP", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
            + (between ? ["-A FORWARD -i lxcbr1 -o lxcbr1 -j ACCEPT"] : [])
            + openings.map { "-A FORWARD \($0) -j ACCEPT" }
        let ended = try Program.lab(
            options,
            "set -e\n" + rules.map { "\(program) \($0)\n" }.joined() + "set +e; lxc-doctor --format json")
        return try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
    }

    @Test(arguments: lists) func isNoFault(list: List) throws {
        let report = try Self.report(list.options, list.openings)
        #expect(report.causes.map(\.id) == [list.cause])
        let cause = try #require(report.causes.first)
        let isNotice = list.cause == "egress-filtered"
        #expect(cause.severity == (isNotice ? .notice : .warning))
        #expect(report.exitCode == (isNotice ? 0 : 1))
        #expect(report.verdict == (isNotice ? .healthy : .warning))
        #expect(cause.evidence.contains { $0.value.hasPrefix("-P FORWARD DROP") })
        #expect(cause.evidence.contains { $0.value.hasPrefix(list.passing) }, "\(cause.evidence)")
        #expect(!report.findings.contains { $0.verdict == .fail && $0.severity == .critical })
        #expect(
            !report.findings.contains { $0.verdict == .blocked }, "\(report.findings.filter { $0.verdict == .blocked })"
        )
    }

    /// What goes from one container to another is another matter, and is told beside it.
    @Test func whatStopsContainersAmongThemselvesIsToldBeside() throws {
        let report = try Self.report(Self.lists[0].options, Self.lists[0].openings, between: false)
        #expect(Set(report.causes.map(\.id)) == ["egress-filtered", "bridge-nf-forward-drop"])
        #expect(report.verdict == .warning)
    }

    @Test(arguments: [
        [], ["-p icmp"], ["-p icmp", "-p udp --dport 53"], ["-s 10.5.0.0/17 -p tcp --dport 443"],
    ])
    func whereNothingUsefulPassesItIsAFault(openings: [String]) throws {
        let report = try Self.report(Self.lists[0].options, openings)
        #expect(report.causes.map(\.id) == ["forward-policy-drop"])
        #expect(report.verdict == .critical && report.exitCode == 2)
    }
}
