import Foundation
import HostModel
import TestSupport
import Testing

/// Several causes at once: one command repairs the host, a second one changes nothing, and one undo brings it back.
@Suite("Several causes", .serialized) struct FixTogetherTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var faults: [String]
        var backend = "nft"
        var options: [String] = []
        /// What breaks more once the faults are there.
        var setup = ":"
        /// Remedies that must have had a part.
        var remedies: Set<String>

        var testDescription: String { faults.joined(separator: " + ") + " in " + backend }
    }

    static let cases = [
        Case(
            faults: ["bridge-not-persistent=networkd-mask"],
            remedies: ["bridge-persistent", "masquerade-persistent"]),
        Case(
            faults: ["bridge-not-persistent=ifupdown-not-auto", "masq-missing"],
            remedies: ["bridge-persistent", "masquerade", "masquerade-persistent"]),
        Case(
            faults: ["bridge-not-persistent=networkmanager-mask", "ip-forward-off"],
            remedies: ["bridge-persistent", "forwarding", "masquerade-persistent"]),
        Case(
            faults: ["ip-forward-off", "masq-missing", "bridge-not-persistent"],
            remedies: ["forwarding", "masquerade", "lxc-net-configure"]),
        Case(
            faults: ["stale-conntrack=several", "ip-forward-off"], remedies: ["forwarding", "stale-flows"]),
        Case(
            faults: ["forward-policy-drop=nftables-conf", "bridge-missing"],
            remedies: ["bridge-create", "firewall-accept"]),
        Case(
            faults: ["bridge-down", "ip-forward-off", "forward-policy-drop"], backend: "iptables-legacy",
            remedies: ["bridge-up", "forwarding", "firewall-accept"]),
        Case(
            faults: ["masq-shadowed=rules-v4", "ip-forward-off"], backend: "iptables-nft",
            setup: "ip link set lxcbr1 down", remedies: ["bridge-up", "forwarding", "masquerade"]),
        Case(
            faults: ["ufw-forward-drop=other-rules", "masq-missing", "ip-forward-reset"],
            remedies: ["firewall-accept", "masquerade", "forwarding-persistent"]),
        Case(
            faults: ["firewalld-zone=default", "bridge-address-lost", "masq-missing"],
            remedies: ["firewalld-zone", "bridge-address", "masquerade"]),
        Case(
            faults: ["shorewall-misconfig=no-zone", "ip-forward-off", "bridge-down"],
            remedies: ["shorewall-zone", "forwarding", "bridge-up"]),
        Case(
            faults: ["config-legacy-keys", "masq-missing", "bridge-not-persistent"],
            remedies: ["container-config", "masquerade", "lxc-net-configure"]),
        Case(
            faults: ["nftables-flush-ruleset=now", "ip-forward-off", "bridge-down"],
            remedies: ["masquerade", "masquerade-persistent", "forwarding", "bridge-up"]),
    ]

    @Test(arguments: cases)
    func areRepairedByOneCommand(item: Case) throws {
        let ended = try Program.lab(
            ["--backend", item.backend] + item.faults.flatMap { ["--fault", $0] } + item.options,
            RemedyLoop.functions + """

                { \(item.setup); } >&2
                state >/tmp/before
                lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/first; echo "first $?"
                state >/tmp/repaired
                lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/second; echo "second $?"
                state >/tmp/now; diff /tmp/repaired /tmp/now >&2 && echo UNCHANGED
                ls /var/lib/lxc-doctor/journal | wc -l
                lxc-doctor fix undo --yes --quiet >&2; echo "undo $?"
                state >/tmp/now; diff /tmp/before /tmp/now >&2 && echo SAME
                echo SPLIT; cat /tmp/first; echo SPLIT; cat /tmp/second
                """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 3, "\(ended.output) \(ended.messages)")
        #expect(
            parts[0].split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                == ["first 0", "second 0", "UNCHANGED", "1", "undo 0", "SAME"], "\(parts[0]) \(ended.messages)")
        let first = try JSONDecoder().decode(Report.self, from: Data(parts[1].utf8))
        #expect(first.verdict == .healthy, "\(first.causes.map(\.id))")
        #expect(first.proof?.verdict == .masqueraded)
        #expect(first.fixes?.outcome == .applied)
        let remedies = Set(first.fixes?.steps.map(\.remedy) ?? [])
        #expect(item.remedies.isSubset(of: remedies), "\(remedies)")
        let second = try JSONDecoder().decode(Report.self, from: Data(parts[2].utf8))
        #expect(second.fixes == nil)
    }
}
