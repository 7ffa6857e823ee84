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

    private func report(_ options: [String], _ script: String) throws -> Report {
        let ended = try Program.lab(options, "{ \(script)\n} >&2; lxc-doctor --format json")
        return try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
    }

    /// A firewall that shuts out forwarding, DHCP and DNS is one cause, which one repair takes away.
    @Test(arguments: [
        ("ufw-forward-drop=enabled", ["firewall.dhcp-reaches-host", "firewall.dns-reaches-host", "firewall.dhcp-dns"]),
        ("firewalld-zone=default", ["firewall.dhcp-reaches-host", "firewall.dns-reaches-host", "firewall.dhcp-dns"]),
        ("shorewall-misconfig=no-zone", ["firewall.dhcp-reaches-host", "firewall.host-output"]),
    ])
    func aFirewallIsOneCause(fault: String, consequences: [String]) throws {
        let report = try report(["--fault", fault], "true")
        #expect(report.causes.map(\.id) == [String(fault.prefix { $0 != "=" })], "\(report.causes.map(\.id))")
        #expect(Set(consequences).isSubset(of: report.causes.first?.consequences ?? []), "\(report.causes)")
    }

    /// Somebody's own rule or table is none of that program's doing, and its repair would leave it.
    @Test(arguments: [
        "iptables -I INPUT -i lxcbr1 -p udp --dport 67 -j DROP; iptables -I INPUT -i lxcbr1 -p udp --dport 53 -j DROP",
        """
        nft 'add table inet own; add chain inet own i { type filter hook input priority -20; }'
        nft 'add rule inet own i iifname lxcbr1 udp dport { 53, 67 } drop'
        """,
    ])
    func aRuleBesideTheFirewallIsAnotherCause(script: String) throws {
        let report = try report(["--fault", "ufw-forward-drop=enabled"], script)
        #expect(
            Set(report.causes.map(\.id)) == ["ufw-forward-drop", "input-drops-dhcp-dns"], "\(report.causes.map(\.id))")
    }

    /// What a rule of nat sends from the containers back to one of them is neither lost in a filter of the bridge nor in
    /// INPUT, whether bridged packets pass the rules or not.
    @Test(arguments: [0, 1]) func aDiversionToAContainerIsNamed(bridgeNetfilter: Int) throws {
        let report = try report(
            [],
            """
            sysctl -qw net.bridge.bridge-nf-call-iptables=\(bridgeNetfilter)
            nft 'add table ip d; add chain ip d p { type nat hook prerouting priority -100; }'
            nft 'add rule ip d p iifname lxcbr1 meta l4proto tcp dnat to 10.5.0.9'
            """)
        #expect(report.causes.map(\.id) == ["probe-redirected"], "\(report.causes.map(\.id))")
        let tcp = report.proof?.probes.filter { $0.protocol == .tcp } ?? []
        #expect(!tcp.isEmpty && tcp.allSatisfy { $0.verdict == .redirected }, "\(tcp)")
        #expect(tcp.allSatisfy { $0.reason?.contains("sent to 10.5.0.9") == true }, "\(tcp.map(\.reason))")
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
