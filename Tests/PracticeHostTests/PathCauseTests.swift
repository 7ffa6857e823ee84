import Foundation
import HostModel
import TestSupport
import Testing

/// Causes on the ways out, in connection tracking and between firewalls: made for real, named with their evidence and with
/// nothing else, and gone after what `explain` says.
@Suite("A cause on the way out", .serialized) struct PathCauseTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        var backend = "nft"
        /// The checks that fail.
        var checks: [String]
        /// What the evidence of the cause must say.
        var evidence: String
        var severity = Severity.critical
        /// A shell script that takes the cause away.
        var fix: String
        /// A second cause that has nothing to do with it; none but on hosts that have two faults by nature.
        var besides: Set<String> = []

        var cause: String { String(fault.prefix { $0 != "=" }) }
        var testDescription: String { "\(fault) \(backend)" }
    }

    private static let masquerade =
        "nft add rule ip lxc postrouting ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 masquerade"
    private static let masqueradeWithIptables =
        "iptables -w -t nat -A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE"
    /// An ordinary uplink again.
    private static let renumbered = """
        ip address flush dev up0; ip address add 203.0.113.2/24 dev up0
        ip route replace default via 203.0.113.1 dev up0
        """

    /// What is for the containers goes to the bridge before anything else is asked.
    private static let toMain = "ip rule add priority 40 to 10.5.0.0/16 lookup main"

    static let routing = [
        Case(
            fault: "policy-route-captures", checks: ["forwarding.policy-routing"],
            evidence: "containers: blackhole (rule 200: from 10.5.0.0/16 lookup 200)",
            fix: "ip rule add priority 80 from 10.5.0.0/16 lookup main"),
        Case(
            fault: "policy-route-captures=untranslated", checks: ["forwarding.policy-routing"],
            evidence: "100: from 10.5.0.0/16 lookup 100", fix: masquerade),
        Case(
            fault: "policy-route-captures=untranslated", backend: "iptables-legacy",
            checks: ["forwarding.policy-routing"], evidence: "by up1", fix: masqueradeWithIptables),
        Case(
            fault: "policy-route-captures=unreachable", checks: ["forwarding.policy-routing"],
            evidence: "containers: unreachable (rule 100: from 10.5.0.0/16 lookup 100)",
            fix: "ip rule add priority 80 from 10.5.0.0/16 lookup main"),
        Case(
            fault: "policy-route-captures=answers", checks: ["forwarding.answers"],
            evidence:
                "answers to 10.5.0.2: by up0 (rule 50: from all to 10.5.0.0/16 lookup 100, default via 203.0.113.1",
            fix: toMain),
        Case(
            fault: "policy-route-captures=wider", checks: ["forwarding.answers"],
            evidence: "by vpn0 (rule 5270: from all lookup 52, 10.0.0.0/8 dev vpn0 table 52)", fix: toMain),
        Case(
            fault: "policy-route-captures=from-uplink", checks: ["forwarding.answers"],
            evidence: "by up0 (rule 50: from all iif up0 lookup 100", fix: toMain),
        Case(
            fault: "policy-route-captures=by-mark", checks: ["forwarding.answers"],
            evidence: "by up0 (rule 50: from all fwmark 0x7/0xffffffff lookup 100", fix: toMain),
        Case(
            fault: "policy-route-captures=by-mark", backend: "iptables-legacy", checks: ["forwarding.answers"],
            evidence: "by up0 (rule 50: from all fwmark 0x7/0xffffffff lookup 100", fix: toMain),
        Case(
            fault: "policy-route-captures=prohibited", checks: ["forwarding.answers"],
            evidence: "prohibit (rule 50: from all to 10.5.0.0/16 prohibit)", fix: toMain),
        Case(
            fault: "policy-route-captures=host", checks: ["forwarding.host-answers"],
            evidence: "from this host to 10.5.0.2: by up0 (rule 50: from 10.5.0.0/16 lookup 100", severity: .warning,
            fix: toMain),
        Case(
            fault: "policy-route-captures=one-of-two",
            checks: ["firewall.containers-forwarded", "forwarding.container-answers"],
            evidence: "prohibit (rule 50: from all to 10.5.", severity: .warning, fix: toMain),
        Case(
            fault: "policy-route-captures=one-sends", checks: ["firewall.containers-forwarded"],
            evidence: "blackhole (rule 50: from 10.5.", severity: .warning,
            fix: "ip rule add priority 40 from 10.5.0.0/16 lookup main"),
        Case(
            fault: "subnet-overlap=blackhole",
            checks: ["firewall.containers-forwarded", "forwarding.container-answers"],
            evidence: "blackhole (rule 32766: from all lookup main, blackhole 10.5.", severity: .warning,
            fix: "ip route flush type blackhole"),
        Case(
            fault: "subnet-overlap=route-gone", checks: ["forwarding.answers"],
            evidence: "by up0 (rule 32766: from all lookup main, default via 203.0.113.1 dev up0)",
            fix: "ip route add 10.5.0.0/16 dev lxcbr1 src 10.5.0.1"),
        Case(
            fault: "no-default-route=prohibited", checks: ["path.uplink"],
            evidence: "the route to 198.51.100.7 is of type prohibit", fix: "ip rule del priority 50"),
        Case(
            fault: "no-default-route=blackhole", checks: ["path.uplink"],
            evidence: "the route to 198.51.100.7 is of type blackhole", fix: "ip route flush type blackhole"),
        Case(
            fault: "policy-route-captures=part", checks: ["forwarding.policy-routing"],
            evidence: "containers of 10.5.7.0/24: blackhole (rule 100: from 10.5.7.0/24 blackhole)", severity: .notice,
            fix: "ip rule del priority 100"),
        Case(
            fault: "rp-filter-drop", checks: ["forwarding.reverse-path"],
            evidence: "rp_filter: the way back to 198.51.100.7 is not by up1",
            fix: "sysctl -q -w net.ipv4.conf.up1.rp_filter=2"),
        Case(
            fault: "rpfilter-rule-drop", checks: ["forwarding.reverse-path"], evidence: "fib saddr . iif",
            fix: "nft flush chain inet antispoof prerouting"),
        Case(
            fault: "rpfilter-rule-drop", backend: "iptables-nft", checks: ["forwarding.reverse-path"],
            evidence: "-m rpfilter --invert -j DROP", fix: "iptables -w -t raw -F PREROUTING"),
        Case(
            fault: "default-route-on-veth", checks: ["forwarding.port-default-route"],
            evidence: "default dev vethstray metric 50",
            fix: "ip route del default dev vethstray; ip address flush dev vethstray"),
        Case(
            fault: "default-route-on-veth=behind", checks: ["forwarding.port-default-route"],
            evidence: "default dev vethstray metric 1050", severity: .warning,
            fix: "ip route del default dev vethstray; ip address flush dev vethstray"),
        Case(
            fault: "networkd-deletes-foreign-routes", checks: ["forwarding.rules-kept"],
            evidence: "90: from all to 10.5.0.0/16 lookup main", severity: .warning,
            fix: """
                mkdir -p /etc/systemd/networkd.conf.d
                printf '[Network]\\nManageForeignRoutingPolicyRules=no\\n' > /etc/systemd/networkd.conf.d/keep.conf
                """),
        Case(
            fault: "multi-uplink-nat", checks: ["nat.every-uplink"],
            evidence: "default via 192.0.2.1 dev up1 metric 200", severity: .warning, fix: masquerade),
        Case(fault: "multi-uplink-nat=both", checks: ["nat.every-uplink"], evidence: "dev up1", fix: masquerade),
        Case(
            fault: "multi-uplink-nat=one-address", checks: ["nat.every-uplink"], evidence: "203.0.113.2",
            severity: .warning, fix: "nft flush chain ip lxc postrouting; \(masquerade)"),
        Case(
            fault: "multi-uplink-nat", backend: "iptables-nft", checks: ["nat.every-uplink"],
            evidence: "-o up0 -j MASQUERADE", severity: .warning, fix: masqueradeWithIptables),
        Case(
            fault: "ipv6-forward-off", checks: ["forwarding.ipv6"], evidence: "all.forwarding 0", severity: .warning,
            fix: "sysctl -q -w net.ipv6.conf.all.forwarding=1"),
    ]

    static let paths = [
        Case(
            fault: "uplink-no-carrier", checks: ["path.uplink-link"], evidence: "NO-CARRIER",
            fix: "ip -n internet link set isp0 up"),
        Case(
            fault: "gateway-unreachable", checks: ["path.gateway-answers"], evidence: "RTM_GETNEIGH 203.0.113.1",
            fix: """
                ip -n internet addr add 203.0.113.1/24 dev isp0
                bash -c 'echo >/dev/udp/198.51.100.7/9'; sleep 1.2
                """),
        Case(
            fault: "ipv6-accept-ra-lost", checks: ["path.ipv6-advertisements"],
            evidence: "up0.forwarding 1, up0.accept_ra 1", severity: .warning,
            fix: "sysctl -q -w net.ipv6.conf.up0.accept_ra=2"),
        Case(
            fault: "mtu-blackhole", checks: ["path.mtu"], evidence: "lxcbr1 mtu 1500, up0 mtu 1400", severity: .warning,
            fix: "iptables -w -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"),
        Case(
            fault: "mtu-blackhole=route", checks: ["path.mtu"], evidence: "its default route mtu 1400",
            severity: .warning,
            fix: "nft 'add table ip clamp; add chain ip clamp f { type filter hook forward priority mangle; };"
                + " add rule ip clamp f tcp flags syn tcp option maxseg size set rt mtu'"),
        Case(
            fault: "mtu-blackhole=silent", checks: ["path.mtu"], evidence: "icmp",
            fix:
                "nft delete table inet quiet; ip link set lxcbr1 mtu 1400"),
        Case(
            fault: "hosting-point-to-point", checks: ["path.gateway", "path.uplink"],
            evidence: "/etc/network/interfaces:7",
            fix: "ip route add default via 203.0.113.1 dev up0 onlink"),
        Case(
            fault: "masq-borrowed-source", checks: ["nat.own-source", "nat.proof", "nat.masquerade"],
            evidence: "up0 has no IPv4 address; 10.5.0.1 is that of lxcbr1", fix: renumbered),
        Case(
            fault: "stale-conntrack", checks: ["nat.flows-current"],
            evidence: "udp 10.5.0.2:", severity: .warning,
            // Without the program conntrack the kernel's own timeout must do, which the fault has set.
            fix: "sleep 16"),
        Case(
            fault: "nat-invalid-leak", checks: ["nat.stray-packets"], evidence: "invalid 150", severity: .notice,
            fix: "nft insert rule inet lxc forward iifname lxcbr1 ct state invalid drop"),
        Case(
            fault: "ipsec-masqueraded", checks: ["nat.ipsec"], evidence: "10.5.0.0/16 to 192.168.50.0/24",
            fix: "nft insert rule ip lxc postrouting ip daddr 192.168.50.0/24 accept"),
        Case(
            fault: "conntrack-zone-needed", checks: ["nat.zones"], evidence: "fwbr100i0 before lxcbr1",
            fix: "iptables -w -t raw -I PREROUTING -i fwbr+ -j CT --zone 1"),
    ]

    static let firewalls = [
        Case(
            fault: "output-drop", checks: ["firewall.host-output"], evidence: "policy drop",
            fix: "nft add rule inet outgoing output oifname lxcbr1 accept"),
        Case(
            fault: "output-drop", backend: "iptables-legacy", checks: ["firewall.host-output"],
            evidence: "-P OUTPUT DROP", fix: "iptables -w -I OUTPUT -o lxcbr1 -j ACCEPT"),
        Case(
            fault: "two-firewalls-active", checks: ["firewall.one-front-end"], evidence: "/etc/ufw/ufw.conf:2",
            severity: .warning, fix: "nft delete table inet firewalld"),
        Case(
            fault: "firewall-reload-flush", backend: "iptables-nft", checks: ["firewall.rules-kept", "nat.masquerade"],
            evidence: "no rule names lxcbr1 or 10.5.0.0/16", fix: "systemctl restart lxc-net"),
        Case(
            fault: "iptables-nft-incompatible-table", checks: ["firewall.iptables-lists"], evidence: "masquerade",
            severity: .notice, fix: "nft delete table ip nat"),
        Case(
            fault: "xtables-lock", checks: ["firewall.xtables-lock"], evidence: "holds /run/xtables.lock",
            severity: .warning, fix: "kill $(pidof flock) $(pidof sleep); sleep 0.2"),
        Case(
            fault: "docker28-raw-drop", checks: ["firewall.docker-direct"],
            evidence: "-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP", severity: .notice,
            fix: "iptables -w -t raw -F PREROUTING"),
    ]

    @Test(arguments: routing + paths + firewalls)
    func isNamedAndGoesAway(item: Case) throws {
        let ended = try Program.lab(
            ["--backend", item.backend, "--fault", item.fault],
            "lxc-doctor --format json; echo SPLIT; { \(item.fix); } >&2; lxc-doctor --format json")
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.messages)")
        let before = try JSONDecoder().decode(Report.self, from: Data(parts[0].utf8))
        #expect(Set(before.causes.map(\.id)) == item.besides.union([item.cause]), "\(before.causes.map(\.id))")
        let cause = try #require(before.causes.first { $0.id == item.cause })
        let seen = cause.evidence.map { "\($0.source) \($0.value)" }
        #expect(seen.contains { $0.contains(item.evidence) }, "\(seen)")
        #expect(cause.evidence.allSatisfy { !$0.command.isEmpty })
        let failed = before.findings.filter { $0.verdict == .fail }
        for check in item.checks {
            #expect(failed.contains { $0.check == check }, "\(check): \(failed.map(\.check))")
        }
        let finding = try #require(failed.first { $0.check == item.checks[0] })
        #expect(finding.severity == item.severity)
        let after = try JSONDecoder().decode(Report.self, from: Data(parts[1].utf8))
        #expect(!after.causes.map(\.id).contains(item.cause), "\(after.causes.map(\.id)) \(ended.messages)")
        #expect(after.findings.first { $0.check == item.checks[0] }?.verdict != .fail)
        TestResults.note(.reproduced, [item.cause])
    }

    /// Where nobody knows why, the commands look at the place where the packet was seen last.
    @Test(arguments: [
        ("time-to-live", #"ip route get 198\.51\.100\.7 from 10\.5\.[0-9.]+ iif lxcbr1"#), ("policy", "ip xfrm policy"),
    ])
    func whatIsNotExplainedIsToBeLookedAtWhereItIsLost(variant: String, command: String) throws {
        let ended = try Program.lab(["--fault", "drop-unexplained=\(variant)"], "lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        let commands = try #require(report.causes.first { $0.id == "drop-unexplained" }?.remedy?.commands)
        let wanted = try Regex(command)
        #expect(commands.contains { $0.wholeMatch(of: wanted) != nil }, "\(commands)")
        #expect(commands.last == "lxc-doctor prove --verbose")
    }

    /// The rule behind an exemption is the one that was meant, whatever address it takes: that shows when it is reached.
    @Test func anExemptionIsNamedBeforeABorrowedAddress() throws {
        let ended = try Program.lab(
            ["--fault", "masq-borrowed-source", "--fault", "masq-shadowed"], "lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.map(\.id) == ["masq-shadowed"], "\(ended.messages)")
    }

    /// In a part of the network that a rule catches a container may live, or one of the proof's addresses lie.
    @Test(arguments: [
        (["--containers", "1"], "from 10.5.92.0/24 blackhole"), ([], "from 10.5.128.0/17 prohibit"),
    ])
    func aRuleForSomeContainersIsNamed(options: [String], rule: String) throws {
        let ended = try Program.lab(options, "ip rule add priority 90 \(rule); lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.map(\.id) == ["policy-route-captures"], "\(ended.messages)")
        #expect(report.causes.first?.severity == .critical)
        #expect(report.causes.first?.evidence.contains { $0.value.contains("rule 90: \(rule)") } == true)
    }

    /// Several at once: each is named, and what follows from one of them is not.
    @Test(arguments: [
        ["mtu-blackhole", "stale-conntrack"], ["output-drop", "masq-missing", "ipv6-forward-off"],
        ["networkd-deletes-foreign-routes", "hosting-point-to-point"],
        ["docker28-raw-drop", "multi-uplink-nat", "iptables-nft-incompatible-table"],
        ["rp-filter-drop", "xtables-lock"],
    ])
    func allAreNamed(faults: [String]) throws {
        let ended = try Program.lab(faults.flatMap { ["--fault", $0] }, "lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(Set(report.causes.map(\.id)) == Set(faults), "\(report.causes.map(\.id)) \(ended.messages)")
    }
}
