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
            faults: ["bridge-down", "dnsmasq-not-running"], causes: ["bridge-down", "dnsmasq-not-running"],
            consequences: ["bridge-down": ["nat.proof"], "dnsmasq-not-running": ["host.lxc-net-flag"]]),
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

    /// One fault of each area, three times over: bridge, forwarding, translation, filters, DHCP and DNS, containers,
    /// the next boot, IPv6, other programs. Each can be had together with any of another area.
    private static let rows = [
        [
            "veth-host-side-down", "per-interface-forwarding-off=uplink", "snat-dead-source", "nft-other-table-drop",
            "input-drops-dhcp-dns", "container-dns-broken", "nftables-flush-ruleset", "ipv6-accept-ra-lost",
            "docker28-raw-drop",
        ],
        [
            "bridge-port-isolated", "policy-route-captures", "ipsec-masqueraded", "output-drop", "dhcp-pool-exhausted",
            "invalid-hwaddr", "bridge-nf-sysctl-not-applied", "ipv6-forward-off", "xtables-lock",
        ],
        [
            "bridge-addr-duplicated", "rp-filter-drop", "masq-hits-east-west", "netdev-ingress-or-tc-drop",
            "dhcp-range-outside-subnet=next-start", "duplicate-container-ip", "ip-forward-reset", "mtu-blackhole",
            "two-firewalls-active",
        ],
    ]

    /// One of the two hides the other from everybody, until it is repaired.
    private static let hidden: [Set<String>] = [
        // The containers' packets do not come to the uplink with the smaller MTU.
        ["policy-route-captures", "mtu-blackhole"],
        // What is not forwarded has no answers.
        ["nft-other-table-drop", "rp-filter-drop"],
        // Where containers' packets lead nowhere nothing is forwarded, and nobody sees what would be dropped then.
        ["nft-other-table-drop", "policy-route-captures"],
        // What is dropped while it is forwarded is not translated.
        ["nft-other-table-drop", "ipsec-masqueraded"],
    ]

    /// Every pair of areas in two rows, and three of a row each for every area.
    static let matrix: [[String]] = {
        var sets: [[String]] = []
        for (upper, lower) in [(0, 1), (1, 2), (2, 0)] {
            for first in rows[0].indices {
                for second in rows[0].indices where first < second {
                    sets.append([rows[upper][first], rows[lower][second]])
                }
            }
        }
        for area in rows[0].indices {
            sets.append([rows[0][area], rows[1][(area + 1) % 9], rows[2][(area + 2) % 9]])
            sets.append([rows[0][(area + 3) % 9], rows[1][(area + 5) % 9], rows[2][area]])
        }
        return sets.filter { set in !hidden.contains { $0.isSubset(of: set) } }
    }()

    /// Who starts lxc-net anew comes first, or would take away what another one has done to its rules.
    private static func order(_ faults: [String]) -> [String] {
        let restarts = faults.filter { $0 == "dhcp-pool-exhausted" }
        return restarts + faults.filter { !restarts.contains($0) }
    }

    @Test(arguments: matrix)
    func bothAreNamedAndNothingElse(faults: [String]) throws {
        let ended = try Program.lab(
            Self.order(faults).flatMap { ["--fault", $0] }, "lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        let wanted = Set(faults.map { String($0.prefix { $0 != "=" }) })
        #expect(Set(report.causes.map(\.id)) == wanted, "\(report.causes.map(\.id)) \(ended.messages)")
    }
}
