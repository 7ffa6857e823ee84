import Foundation
import HostModel
import TestSupport
import Testing

/// Two and three faults at once: each root cause is named, and what only follows from one stands under it.
@Suite("Several faults at once", .serialized) struct CombinationTests {
    struct Combination: Sendable, CustomTestStringConvertible {
        var faults: [String]
        var backend = "nft"
        var causes: Set<String>
        /// Checks that fail or cannot be judged because of each cause.
        var consequences: [String: Set<String>] = [:]

        var testDescription: String { faults.joined(separator: " + ") + " in " + backend }
    }

    static let combinations = [
        Combination(
            faults: ["ip-forward-off", "masq-missing"], causes: ["ip-forward-off", "masq-missing"],
            consequences: ["ip-forward-off": ["nat.proof", "firewall.forwarded", "firewall.answered"]]),
        Combination(
            faults: ["docker-forward-drop", "masq-wrong-subnet"], causes: ["docker-forward-drop", "masq-wrong-subnet"],
            consequences: ["docker-forward-drop": ["nat.proof", "firewall.answered"]]),
        Combination(
            faults: ["docker-forward-drop", "masq-shadowed"], backend: "iptables-nft",
            causes: ["docker-forward-drop", "masq-shadowed"],
            consequences: ["docker-forward-drop": ["nat.proof"]]),
        Combination(
            faults: ["ip-forward-reset", "masq-not-persistent"], causes: ["ip-forward-reset", "masq-not-persistent"]),
        Combination(
            faults: ["per-interface-forwarding-off=uplink", "nat-notrack"],
            causes: ["per-interface-forwarding-off", "nat-notrack"], consequences: ["nat-notrack": ["nat.proof"]]),
        Combination(faults: ["config-no-link", "subnet-overlap"], causes: ["config-no-link", "subnet-overlap"]),
        Combination(
            faults: ["forward-return-missing", "masq-wrong-oif"], causes: ["forward-return-missing", "masq-wrong-oif"],
            consequences: ["masq-wrong-oif": ["nat.proof"]]),
        Combination(
            faults: ["bridge-down", "dnsmasq-not-running"], causes: ["bridge-down", "lxc-net-stale-network-up"],
            consequences: ["bridge-down": ["nat.proof", "host.dhcp-server"]]),
        Combination(
            faults: ["input-drops-dhcp-dns", "forward-policy-drop", "masq-missing"], backend: "iptables-nft",
            causes: ["input-drops-dhcp-dns", "forward-policy-drop", "masq-missing"],
            consequences: [
                "input-drops-dhcp-dns": ["firewall.dhcp-reaches-host", "firewall.dns-reaches-host"],
                "forward-policy-drop": ["nat.proof", "firewall.answered"],
            ]),
        Combination(
            faults: ["masq-hits-east-west", "ip-forward-reset", "bridge-not-persistent"],
            causes: ["masq-hits-east-west", "ip-forward-reset", "bridge-not-persistent"]),
    ]

    @Test(arguments: combinations)
    func allAreNamed(item: Combination) throws {
        let ended = try Program.lab(
            ["--backend", item.backend] + item.faults.flatMap { ["--fault", $0] }, "lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(Set(report.causes.map(\.id)) == item.causes, "\(report.causes.map(\.id)) \(ended.messages)")
        for (id, checks) in item.consequences {
            let cause = try #require(report.causes.first { $0.id == id })
            #expect(checks.isSubset(of: cause.consequences), "\(id): \(cause.consequences)")
        }
        // Most severe first.
        let severities = report.causes.map(\.severity)
        #expect(severities == severities.sorted(by: >))
    }
}
