import Foundation
import HostModel
import TestSupport
import Testing

/// The packet proof of IPv6, beside that of IPv4.
@Suite("Proof of IPv6", .serialized) struct ProofIPv6Tests {
    private typealias Row = ProofFaultTests.Row

    private static func report(_ json: String) throws -> ProofReport {
        try JSONDecoder().decode(ProofReport.self, from: Data(json.utf8))
    }

    @Test(
        "A healthy host is healthy, whoever translates",
        arguments: [
            ("nft", "true"), ("iptables-nft", "true"), ("iptables-legacy", "true"),
            (
                "nft",
                "nft delete table ip6 lxc; nft 'add table inet six';"
                    + " nft 'add chain inet six p { type nat hook postrouting priority 100; }';"
                    + " nft add rule inet six p ip6 saddr fd42:5::/64 oifname up0 masquerade random"
            ),
            (
                "nft",
                "nft delete table ip6 lxc; ip6tables-nft -t nat -A POSTROUTING -s fd42:5::/64 -o up0"
                    + " -j SNAT --to-source 2001:db8:ff::2"
            ),
        ])
    func everyBackend(backend: String, setup: String) throws {
        let ended = try Program.lab(
            ["--ipv6", "nat66", "--backend", backend], "{ \(setup); } >&2; lxc-doctor prove --format json")
        let report = try Self.report(ended.output)
        #expect(report.verdict == .masqueraded && ended.status == 0, "\(ended.output)\(ended.messages)")
        let six = report.probes.filter { $0.family == .ipv6 }
        #expect(six.map(\.protocol) == [.udp, .tcp, .icmp, .udp, .tcp, .icmp] && report.probes.count == 12)
        #expect(six.allSatisfy { $0.sourceAfter == "2001:db8:ff::2" && $0.uplink == "up0" }, "\(six)")
        // From both ends of the prefix.
        #expect(six.filter { $0.from.contains("fd42:5::ffff:ffff:ffff:") }.count == 3)
    }

    /// The terminal draws both families, and says how the routed one leaves; a prefix that is routed here needs no rule.
    @Test func aRoutedPrefixLeavesAsItIs() throws {
        let ended = try Program.lab(
            ["--ipv6", "routed"],
            """
            lxc-doctor prove --format json; echo SPLIT; lxc-doctor prove; echo "status $?"
            echo SPLIT; lxc-doctor prove --to '[2001:db8:c633:6407::7]:8443' --protocol tcp --format json
            echo SPLIT; lxc-doctor --format json
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 4, "\(ended.messages)")
        let report = try Self.report(parts[0])
        #expect(report.verdict == .masqueraded)
        let six = report.probes.filter { $0.family == .ipv6 }
        #expect(six.count == 6 && six.allSatisfy { $0.verdict == .routed && $0.uplink == "up0" }, "\(six)")
        #expect(six.allSatisfy { $0.sourceAfter == IPAddress.text(ofEndpoint: $0.from) })
        #expect(parts[1].contains("not translated, as it should be") && parts[1].hasSuffix("status 0\n"), "\(parts[1])")
        let aimed = try Self.report(parts[2])
        #expect(aimed.verdict == .routed && aimed.probes.count == 2)
        #expect(aimed.probes.allSatisfy { $0.to == "[2001:db8:c633:6407::7]:8443" }, "\(aimed)")
        let doctor = try JSONDecoder().decode(Report.self, from: Data(parts[3].utf8))
        #expect(doctor.causes.isEmpty && doctor.verdict == .healthy, "\(doctor.causes.map(\.id))")
        #expect(doctor.findings.first { $0.check == "nat.ipv6-proof" }?.verdict == .pass)
    }

    @Test func nothingIsOnTheWireAndNothingIsRemembered() throws {
        let count = "ip netns exec internet tcpdump -Z root -nr /tmp/far 2>/dev/null | grep -c '2001:db8:c633:6407::7'"
        let known = "grep -c 'dst=2001:0db8:c633:6407:0000:0000:0000:0007' /proc/net/nf_conntrack"
        // What the container's end of the bridge hears of the probes' port: nothing but the question for an address.
        let ended = try Program.lab(
            ["--ipv6", "nat66"],
            """
            ip link add other type veth peer name other2; ip link set other master lxcbr1 up; ip link set other2 up; sleep 2.5
            tcpdump -Z root --immediate-mode -s 256 -Uni other2 -w /tmp/near ip6 2>/tmp/near.up & near=$!
            ip netns exec internet tcpdump -Z root --immediate-mode -s 256 -Uni any -w /tmp/far 2>/tmp/listening & capture=$!
            until grep -q listening /tmp/listening && grep -q listening /tmp/near.up; do sleep 0.05; done
            for n in 1 2 3; do lxc-doctor prove --quiet || echo "status $?"; done
            lxc-doctor --quiet; sleep 0.3
            echo "entries $(\(known)) neighbours $(ip -6 neigh show dev lxcbr1 | grep -c fd42:5::)"
            echo "fence $(\(count))"
            echo "noise $(tcpdump -Z root -nr /tmp/near 2>/dev/null \\
                | grep -v 'neighbor solicitation, who has fd42:5::' | grep -vc 'fe80::.*> ff02::[12]')"
            tcpdump -Z root -nr /tmp/near >&2
            lxc-doctor prove --proof wire --quiet; sleep 0.3
            kill $capture $near; wait $capture $near
            [ "$(\(count))" -gt 0 ] && echo 'wire seen'
            [ "$(\(known))" -gt 0 ] && echo 'wire remembered'
            """)
        // The positive control: the same capture and the same list see what wire mode does.
        #expect(
            ended.output == "entries 0 neighbours 0\nfence 0\nnoise 0\nwire seen\nwire remembered\n",
            "\(ended.messages)")
    }

    /// Really sent, the first router answers through the translation.
    @Test func onTheWireItIsAnswered() throws {
        // The uplink's link-local address, by which it asks for its router, is not to be used in its first second.
        let ended = try Program.lab(["--ipv6", "nat66"], "sleep 2; lxc-doctor prove --proof wire --format json")
        let six = try Self.report(ended.output).probes.filter { $0.family == .ipv6 }
        #expect(six.count == 6 && six.allSatisfy { $0.verdict == .masqueraded && $0.delivery == .confirmed }, "\(six)")
    }

    private static let state =
        "{ ip -o link | sed 's/^[0-9]*: //; s/ group .*//'; ip addr | grep inet; ip -6 route show table all; ip -6 rule;"
        + " nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'; ip -6 neigh show dev lxcbr1 | grep fd42:5::;"
        + " sysctl -a --pattern '^net' 2>/dev/null"
        + " | grep -vE 'nf_conntrack_(count|buckets)|random|usage|uuid|lxcdoc'; cat /proc/net/ip6_tables_names; }"

    @Test(
        "A run that is killed leaves nothing",
        arguments: [("nft", "true", 0.1), ("iptables-legacy", "ip6tables-legacy -I FORWARD -j DROP", 0.4)])
    func killed(backend: String, setup: String, longest: Double) throws {
        let ended = try Program.lab(
            ["--ipv6", "nat66", "--backend", backend],
            """
            { \(setup)
            lxc-doctor prove --quiet; sleep 2; } >&2
            \(Self.state) >/tmp/before
            cat >/root/kill.py <<'END'
            import random, subprocess, time
            for n in range(40):
                child = subprocess.Popen(["lxc-doctor", "prove", "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(random.uniform(0.002, \(longest) if n % 2 else 0.08))
                child.kill()
                child.wait()
            END
            python3 /root/kill.py
            grep -E 'src=fd42' /proc/net/nf_conntrack
            for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
                \(Self.state) >/tmp/after
                diff /tmp/before /tmp/after >/tmp/difference && break
                sleep 0.25
            done
            cat /tmp/difference; pgrep -l lxc-doctor; echo END
            """)
        #expect(ended.output == "END\n", "\(ended.output)\(ended.messages)")
    }

    // MARK: Faults

    private static let forward =
        "nft 'add table ip6 fw'; nft 'add chain ip6 fw f { type filter hook forward priority 10; }'"

    private static let rows: [Row] = [
        Row(
            name: "no masquerading", setup: "nft delete table ip6 lxc", verdict: .leaked,
            reason: "leaves up0 untranslated, as fd42:5::"),
        Row(
            name: "an uplink with a link-local address alone",
            setup: "ip -6 addr del 2001:db8:ff::2/64 dev up0; ip -6 addr del fd42:5::1/64 dev lxcbr1;"
                + " ip -6 route replace default via fe80::1 dev up0",
            undo: "ip -6 addr add 2001:db8:ff::2/64 dev up0 nodad; ip -6 addr add fd42:5::1/64 dev lxcbr1 nodad;"
                + " ip -6 route del default; ip -6 route add default via 2001:db8:ff::1",
            verdict: .wrongSource, reason: "link-local address"),
        Row(
            name: "translated to an address of nobody",
            setup: "nft flush chain ip6 lxc postrouting;"
                + " nft add rule ip6 lxc postrouting ip6 saddr fd42:5::/64 snat to 2001:db8:77::9",
            verdict: .wrongSource, reason: "2001:db8:77::9, which is no address of this host"),
        Row(
            name: "forwarding off", setup: "sysctl -qw net.ipv6.conf.all.forwarding=0",
            undo: "sysctl -qw net.ipv6.conf.all.forwarding=1; ip -6 route replace default via 2001:db8:ff::1 dev up0",
            verdict: .dropped, hook: "routing", text: "forwarding is off (net.ipv6.conf.all.forwarding = 0)"),
        Row(
            name: "no route", setup: "ip -6 route del default",
            undo: "ip -6 route add default via 2001:db8:ff::1", verdict: .dropped, hook: "routing",
            text: "there is no route"),
        Row(
            name: "a route that refuses", setup: "ip -6 route add prohibit 2001:db8:c633::/48",
            undo: "ip -6 route del prohibit 2001:db8:c633::/48", verdict: .dropped, hook: "routing",
            text: "prohibit 2001:db8:c633::/48 table main"),
        Row(
            name: "a rule of nft", setup: "\(forward); nft add rule ip6 fw f ip6 saddr fd42:5::/64 counter drop",
            verdict: .dropped, hook: "forward", place: "ip6 fw f", backend: "nft",
            text: "ip6 saddr fd42:5::/64 counter drop"),
        Row(
            name: "a policy of family inet",
            setup: "nft 'add table inet fw';"
                + " nft 'add chain inet fw f { type filter hook forward priority 10; policy drop; }';"
                + " nft add rule inet fw f meta nfproto ipv4 accept",
            verdict: .dropped, hook: "forward", place: "inet fw f", text: "policy drop"),
        Row(
            name: "a rule of ip6tables-nft",
            setup:
                "ip6tables-nft -A FORWARD -p 123 -j ACCEPT; ip6tables-nft -A FORWARD -i lxcbr1 -s fd42:5::/64 -j DROP",
            verdict: .dropped, hook: "forward", place: "ip6 filter FORWARD", backend: "iptables-nft",
            text: "-A FORWARD -s fd42:5::/64 -i lxcbr1 -j DROP"),
        Row(
            name: "a rule that rejects", setup: "ip6tables-nft -A FORWARD -i lxcbr1 -j REJECT", verdict: .dropped,
            hook: "forward", place: "ip6 filter FORWARD", text: "-A FORWARD -i lxcbr1 -j REJECT"),
        Row(
            name: "a rule of the bridge",
            setup: "nft 'add table bridge b';"
                + " nft 'add chain bridge b p { type filter hook prerouting priority 0; }';"
                + " nft add rule bridge b p meta protocol ip6 drop",
            verdict: .dropped, hook: "bridge", place: "bridge b p"),
        Row(
            name: "redirected",
            setup: "nft 'add table ip6 r'; nft 'add chain ip6 r p { type nat hook prerouting priority -100; }';"
                + " nft add rule ip6 r p iifname lxcbr1 meta l4proto { tcp, udp } redirect",
            verdict: .redirected, place: "ip6 r p", reason: "delivered to this host"),
        Row(
            name: "IPv6 off on the bridge", setup: "sysctl -qw net.ipv6.conf.lxcbr1.disable_ipv6=1",
            undo: "sysctl -qw net.ipv6.conf.lxcbr1.disable_ipv6=0; ip -6 addr replace fd42:5::1/64 dev lxcbr1 nodad",
            verdict: .dropped, text: "IPv6 is off on lxcbr1"),
        Row(
            name: "a rule that would remember an address",
            setup: "nft 'add table ip6 k'; nft 'add set ip6 k s { type ipv6_addr; flags dynamic; }';"
                + " nft 'add chain ip6 k f { type filter hook forward priority 0; }';"
                + " nft 'add rule ip6 k f update @s { ip6 saddr }'",
            verdict: .unknown, reason: "would remember the address of a probe"),
    ]

    @Test func everyFaultIsNamedAndIPv4IsNotBlamed() throws {
        try ProofFaultTests.check(Self.rows, lab: ["--ipv6", "nat66"], family: .ipv6)
    }

    @Test func ip6tablesLegacyIsNamedToo() throws {
        try ProofFaultTests.check(
            [
                Row(
                    name: "a rule of ip6tables-legacy",
                    setup:
                        "ip6tables-legacy -A FORWARD -p 123 -j ACCEPT; ip6tables-legacy -A FORWARD -i lxcbr1 -j DROP",
                    undo: "ip6tables-legacy -F FORWARD", verdict: .dropped, hook: "forward",
                    place: "ip6 filter FORWARD", backend: "iptables-legacy",
                    text: "ip6tables-legacy filter FORWARD: rule 2"),
                Row(
                    name: "one that would remember an address",
                    setup: "ip6tables-legacy -A FORWARD -m recent --set --name x -j ACCEPT",
                    undo: "ip6tables-legacy -F FORWARD", verdict: .unknown, reason: "(recent)"),
            ], backend: "iptables-legacy", lab: ["--ipv6", "nat66"], family: .ipv6)
    }

    // MARK: Other ways out

    private static let secondUplink = """
        ip link add up1 type veth peer name far1; ip link set up1 up; ip link set far1 up
        ip -6 addr add 2001:db8:77::2/64 dev up1 nodad; ip -6 route add default via 2001:db8:77::1 dev up1 table 50
        nft flush chain ip6 lxc postrouting; nft add rule ip6 lxc postrouting oifname up0 masquerade

        """

    /// A policy that sends a part of the world another way is tried as well; a more specific route, as a VPN makes it, was
    /// made on purpose and is not.
    @Test func aSecondWayOutIsTried() throws {
        let ended = try Program.lab(
            ["--ipv6", "nat66"],
            """
            { \(Self.secondUplink)
            ip -6 rule add to 2a00::/12 lookup 50; } >&2
            lxc-doctor prove --format json; echo SPLIT
            nft add rule ip6 lxc postrouting oifname up1 masquerade
            lxc-doctor prove --format json; echo SPLIT
            ip -6 rule del to 2a00::/12 lookup 50; ip -6 route add default via 2001:db8:77::1 dev up1 metric 5000
            ip -6 rule add fwmark 0x51 lookup 50
            lxc-doctor prove --format json; echo SPLIT
            ip -6 rule del fwmark 0x51 lookup 50; ip -6 route del default via 2001:db8:77::1 dev up1 metric 5000
            ip -6 route add 2a00::/12 via 2001:db8:77::1 dev up1
            lxc-doctor prove --format json
            """)
        let reports = try ended.output.components(separatedBy: "SPLIT\n").map { try Self.report($0) }
        try #require(reports.count == 4, "\(ended.messages)")
        func second(_ report: ProofReport) -> [ProofProbe] { report.probes.filter { $0.uplink == "up1" } }
        #expect(second(reports[0]).map(\.verdict) == [.leaked] && reports[0].verdict == .leaked, "\(reports[0])")
        #expect(second(reports[0]).first?.reason?.contains("leaves up1 untranslated") == true)
        #expect(second(reports[0]).allSatisfy { $0.to.hasPrefix("[2a00:") }, "\(second(reports[0]))")
        #expect(second(reports[1]).map(\.sourceAfter) == ["2001:db8:77::2"], "\(second(reports[1]))")
        // The kernel uses neither a worse default route nor what is for marked packets.
        #expect(reports[1...].allSatisfy { $0.verdict == .masqueraded }, "\(reports)")
        #expect(second(reports[2]).isEmpty && second(reports[3]).isEmpty, "\(reports[2...])")
    }

    // MARK: One family hides the other

    @Test func anOutageOfOneFamilyIsNotTakenForOneOfTheOther() throws {
        let ended = try Program.lab(
            ["--ipv6", "nat66"],
            """
            { nft add table ip fw; nft 'add chain ip fw f { type filter hook forward priority 10; policy drop; }'; } >&2
            lxc-doctor --format json; echo SPLIT
            { nft delete table ip fw; ip6tables-nft -A FORWARD -s fd42:5::/64 -j DROP; } >&2
            lxc-doctor --format json; echo "status $?" >&2; echo SPLIT
            { ip6tables-nft -F FORWARD; nft flush chain ip lxc postrouting; } >&2
            lxc-doctor --format json
            """)
        let reports = try ended.output.components(separatedBy: "SPLIT\n").map {
            try JSONDecoder().decode(Report.self, from: Data($0.utf8))
        }
        try #require(reports.count == 3, "\(ended.messages)")
        func verdicts(_ report: Report) -> [Verdict?] {
            ["nat.proof", "nat.ipv6-proof"].map { name in report.findings.first { $0.check == name }?.verdict }
        }
        // IPv4 is dead, and IPv6 hides it.
        #expect(verdicts(reports[0]) == [.fail, .pass] && reports[0].verdict == .critical)
        #expect(reports[0].causes.map(\.id) == ["nft-other-table-drop"], "\(reports[0].causes.map(\.id))")
        // IPv6 is dead, and IPv4 hides it.
        #expect(verdicts(reports[1]) == [.pass, .fail] && reports[1].verdict == .warning)
        #expect(reports[1].causes.map(\.id) == ["ipv6-dropped"], "\(reports[1].causes.map(\.id))")
        let evidence = reports[1].causes.flatMap { $0.evidence.map(\.value) }
        #expect(evidence.contains { $0.contains("-A FORWARD -s fd42:5::/64 -j DROP") }, "\(evidence)")
        #expect(verdicts(reports[2]) == [.fail, .pass], "\(reports[2].causes.map(\.id))")
        #expect(reports[2].causes.map(\.id) == ["masq-missing"], "\(reports[2].causes.map(\.id))")
        TestResults.note(.reproduced, ["ipv6-dropped"])
    }

    struct Cause: Sendable {
        var name: String
        var setup: String
        var root: String
        var consequences: Set<String>
    }

    static let causes = [
        Cause(
            name: "no masquerading", setup: "nft delete table ip6 lxc", root: "ipv6-nat-missing",
            consequences: ["nat.ipv6-proof"]),
        Cause(
            name: "forwarding off",
            setup: "sysctl -qw net.ipv6.conf.all.forwarding=0; ip -6 route replace default via 2001:db8:ff::1 dev up0",
            root: "ipv6-forward-off", consequences: ["nat.ipv6-proof"]),
        Cause(
            name: "advertisements are no longer heard",
            setup: "ip -6 route del default; sysctl -qw net.ipv6.conf.up0.accept_ra=1", root: "ipv6-accept-ra-lost",
            consequences: ["nat.ipv6-proof"]),
        Cause(
            name: "no route, and none to be learnt",
            setup: "ip -6 route del default; sysctl -qw net.ipv6.conf.up0.accept_ra=2", root: "ipv6-no-route",
            consequences: []),
        Cause(
            name: "the address of another host",
            setup: "nft flush chain ip6 lxc postrouting;"
                + " nft add rule ip6 lxc postrouting ip6 saddr fd42:5::/64 snat to 2001:db8:77::9",
            root: "ipv6-wrong-source", consequences: []),
    ]

    @Test(arguments: causes) func theProofIsAConsequenceOfItsCause(item: Cause) throws {
        let ended = try Program.lab(["--ipv6", "nat66"], "{ \(item.setup); } >&2; lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        try #require(report.causes.map(\.id) == [item.root], "\(report.causes.map(\.id)) \(ended.messages)")
        #expect(Set(report.causes[0].consequences).isSuperset(of: item.consequences), "\(report.causes[0])")
        #expect(report.findings.first { $0.check == "nat.proof" }?.verdict == .pass)
        #expect(report.verdict == (item.root == "ipv6-no-route" ? .healthy : .warning))
        TestResults.note(.reproduced, [item.root])
    }
}
