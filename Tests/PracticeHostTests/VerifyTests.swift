import Foundation
import HostModel
import TestSupport
import Testing

/// `verify`, and the causes that the firewall checks name, on practice hosts.
@Suite(.serialized) struct VerifyTests {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    private func validate(_ json: String) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        try Data(json.utf8).write(to: file)
        defer {
            do { try FileManager.default.removeItem(at: file) } catch { Issue.record(error) }
        }
        let schema = Self.tests.deletingLastPathComponent().appendingPathComponent(
            "reports/schema/verify.v1.schema.json")
        let ended = try Program.run(
            Self.tests.appendingPathComponent("Tools/validate-schema").path, ["--closed", schema.path, file.path])
        #expect(ended.status == 0, "\(ended.output)\(ended.messages)")
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func aHealthyHostIsProven(backend: String) throws {
        let ended = try Program.lab(["--backend", backend], "lxc-doctor verify --format json; echo $? >&2")
        let report = try JSONDecoder().decode(VerifyReport.self, from: Data(ended.output.utf8))
        #expect(report.verdict == .proven, "\(report)")
        #expect(report.networks.first?.answers.count == 7)
        #expect(ended.messages.hasSuffix("0\n"))
        try validate(ended.output)
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func aLeakIsShownWithBothRules(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--fault", "masq-shadowed"],
            "lxc-doctor verify; echo $? >&2; lxc-doctor verify --format json=/tmp/v; echo SPLIT; cat /tmp/v")
        #expect(ended.messages.hasPrefix("2\n"))
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2)
        for words in ["udp 10.5.0.2:40000 > 198.51.100.7:53 iif lxcbr1", "let out by", "meant for it"] {
            #expect(parts[0].contains(words), "\(parts[0])")
        }
        let answer = try #require(
            try JSONDecoder().decode(VerifyReport.self, from: Data(parts[1].utf8)).networks.first?.answers.first)
        #expect(answer.decidedBy?.text.lowercased().contains("accept") == true)
        #expect(answer.shouldHaveCaught?.text.lowercased().contains("masquerade") == true)
        try validate(parts[1])
    }

    /// The kernel sends the answer where the counterexample says, and the rule is the one that people find.
    @Test(arguments: [
        ("answers", "it leaves by up0, not by lxcbr1", "rule 50: from all to 10.5.0.0/16 lookup 100"),
        ("wider", "it leaves by vpn0, not by lxcbr1", "rule 5270: from all lookup 52, 10.0.0.0/8 dev vpn0 table 52"),
        ("from-uplink", "it leaves by up0, not by lxcbr1", "rule 50: from all iif up0 lookup 100"),
        ("by-mark", "it leaves by up0, not by lxcbr1", "rule 50: from all fwmark 0x7/0xffffffff lookup 100"),
        ("prohibited", "it is dropped", "rule 50: from all to 10.5.0.0/16 prohibit"),
        ("one-of-two", "it is dropped", "rule 50: from all to 10.5."),
    ])
    func anAnswerThatIsRoutedAwayIsShown(variant: String, reason: String, rule: String) throws {
        let ended = try Program.lab(
            ["--fault", "policy-route-captures=\(variant)"], "lxc-doctor verify --format json; echo $? >&2")
        #expect(ended.messages.hasSuffix("2\n"), "\(ended.messages)")
        let report = try JSONDecoder().decode(VerifyReport.self, from: Data(ended.output.utf8))
        let answer = try #require(report.networks.first?.answers.first { $0.question == "answered" })
        #expect(answer.verdict == .counterexample && answer.reason == reason, "\(answer)")
        #expect(answer.packet?.contains(" iif up0 ct established direction reply mapped-destination 10.5.") == true)
        #expect(answer.decidedBy?.hook == "routing")
        #expect(answer.decidedBy?.text.hasPrefix(rule) == true, "\(answer)")
        try validate(ended.output)
    }

    /// Firewalls drop port 0 on purpose, and nobody uses it: that is no counterexample.
    @Test(arguments: ["iptables-nft", "iptables-legacy"]) func portZeroIsNoQuestion(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--containers", "0"],
            """
            for chain in INPUT FORWARD; do for protocol in tcp udp; do
                \(backend) -I $chain -p $protocol --sport 0 -j DROP; \(backend) -I $chain -p $protocol --dport 0 -j DROP
            done; done
            lxc-doctor verify --format json; echo $? >&2
            \(backend) -I FORWARD -p tcp --sport 1 -j DROP; lxc-doctor verify >/tmp/v; echo $? >&2
            """)
        let report = try JSONDecoder().decode(VerifyReport.self, from: Data(ended.output.utf8))
        #expect(report.verdict == .proven, "\(report)")
        #expect(ended.messages.hasSuffix("0\n2\n"), "\(ended.messages)")
    }

    /// A set of the family of devices has its elements too.
    @Test(arguments: ["netdev", "inet"]) func aSetOfADeviceIsNotEmpty(family: String) throws {
        let ended = try Program.lab(
            ["--containers", "0"],
            """
            nft -f - <<'END'
            add table \(family) guard
            add set \(family) guard blocked { type ipv4_addr; flags interval; elements = { 10.5.0.0/28 }; }
            add chain \(family) guard in { type filter hook ingress device "up0" priority 0; }
            add rule \(family) guard in ip saddr @blocked drop
            END
            for source in 10.5.0.9 10.5.0.99; do
                lxc-doctor verify --packet "udp $source:40000 > 203.0.113.2:53 iif up0" | grep -oE '^(DROPPED|ACCEPTED)'
            done
            """)
        #expect(ended.output == "DROPPED\nACCEPTED\n", "\(ended.output)\(ended.messages)")
    }

    /// Programs that neither rtnetlink nor nf_tables tells of, and filters of a discipline that shapes: with those that only
    /// choose a class, and with a place for filters that has none, everything is proven.
    @Test func programsAndFiltersOfClassesAreNamed() throws {
        let ended = try Program.lab(
            ["--containers", "0"],
            """
            { \(ProofHazardTests.attach); } >&2
            say() { lxc-doctor verify >/tmp/v; echo "$? $(tr -s '\\n ' ' ' </tmp/v | sed -n 's/.*\\(acts on packets: .* up0\\).*/\\1/p')"; }
            attach tcx up0 >&2; say; release; say
            tc qdisc add dev up0 root handle 1: htb default 10; tc class add dev up0 parent 1: classid 1:10 htb rate 1gbit
            tc filter add dev up0 parent 1: protocol ip u32 match ip dport 25 0xffff flowid 1:10; say
            tc qdisc add dev lxcbr1 clsact; say
            tc filter add dev up0 parent 1:10 protocol ip bpf da bytecode '1,6 0 0 2'; say
            """)
        #expect(
            ended.output == """
                3 acts on packets: a BPF program of tcx ingress on up0
                0 \n0 \n0 \n3 acts on packets: tc filter on up0\n
                """, "\(ended.output)\(ended.messages)")
    }

    /// libvirt's rules stay when its bridge is down or gone; nobody of that network comes in by the uplink then. A rule for all
    /// who come by the containers' bridge is found, with a packet that somebody can send.
    @Test(arguments: ["iptables-nft", "iptables-legacy"]) func anotherNetworksRuleIsNoHarm(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--containers", "0"],
            """
            say() { lxc-doctor verify >/tmp/v; echo "$? $(grep -o 'packet .*' /tmp/v | tr -s ' ')"; }
            iptables -t nat -A POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE; say
            ip link add virbr0 type bridge; ip addr add 192.168.122.1/24 dev virbr0; say
            ip link add p0 type veth peer name p1; ip link set p0 master virbr0; ip link set p1 up; ip link set p0 up
            ip link set virbr0 up; say
            ip route add 172.20.0.0/16 via 203.0.113.1
            iptables -t nat -A POSTROUTING -s 172.20.0.0/16 -j MASQUERADE; say
            iptables -t nat -D POSTROUTING -s 172.20.0.0/16 -j MASQUERADE
            iptables -t nat -A POSTROUTING -o lxcbr1 ! -s 10.5.0.0/16 -j MASQUERADE; say
            """)
        #expect(
            ended.output == """
                0 \n0 \n0 \n2 packet udp 172.20.0.1:40000 > 10.5.0.2:53 iif up0
                2 packet udp 1.0.0.1:40000 > 10.5.0.2:53 iif up0\n
                """, "\(ended.output)\(ended.messages)")
    }

    /// The addresses of a known flow are conntrack's to say.
    @Test func aPacketOfAFlowLeavesAsItsFlowWasTranslated() throws {
        let ended = try Program.lab(
            ["--containers", "0"],
            """
            lxc-doctor verify --packet 'udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1 ct established'
            lxc-doctor verify --packet 'udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1'
            """)
        let lines = ended.output.split(separator: "\n").filter { $0.hasPrefix("ACCEPTED") }.map(String.init)
        try #require(lines.count == 2, "\(ended.output)")
        #expect(lines[0].contains("leaves by up0, with the addresses that its flow was given"))
        #expect(lines[1].hasSuffix("leaves by up0 as 203.0.113.2"))
        #expect(ended.output.hasPrefix("udp 10.5.0.9"))
    }

    /// The packet that verify shows is the packet that leaves, and it leaves as verify says.
    @Test func aCounterexampleIsHandedToTheProof() throws {
        let ended = try Program.lab(
            ["--fault", "masq-shadowed", "--containers", "0"],
            "lxc-doctor verify --prove --format json; echo $? >&2; lxc-doctor verify")
        #expect(ended.messages.contains("2\n"))
        let parts = ended.output.components(separatedBy: "\n10.5.0.0/16 behind")
        let report = try JSONDecoder().decode(VerifyReport.self, from: Data(parts[0].utf8))
        let answer = try #require(report.networks.first?.answers.first { $0.verdict == .counterexample })
        #expect(answer.command == "lxc-doctor prove --packet '\(try #require(answer.packet))'")
        let probes = try #require(report.proof?.probes)
        #expect(probes.count == 1, "\(probes)")
        #expect(probes.first?.verdict == .leaked)
        #expect(probes.first?.protocol == .udp)
        #expect(probes.first.map { "udp \($0.from) > \($0.to) iif lxcbr1" } == answer.packet)
        #expect(parts.last?.contains("prove --packet") == true)
        try validate(parts[0])
    }

    @Test func onePacketIsProvedFromItsOwnPort() throws {
        let packet = "tcp 10.5.0.9:41234 > 198.51.100.7:8443 iif lxcbr1"
        let ended = try Program.lab(
            ["--containers", "0"], "lxc-doctor prove --packet '\(packet)' --format json; echo $? >&2")
        #expect(ended.messages.hasSuffix("0\n"), "\(ended.messages)")
        for words in ["\"10.5.0.9:41234\"", "\"198.51.100.7:8443\"", "masqueraded"] {
            #expect(ended.output.contains(words), "\(ended.output)")
        }
    }

    /// Where a container has the address, it sends: nobody else could.
    @Test func aPacketOfAContainerIsSentByThatContainer() throws {
        let ended = try Program.lab(
            ["--containers", "1"],
            "a=$(lxc-info -n c1 -iH | head -n 1); echo $a >&2;"
                + " lxc-doctor prove --packet \"udp $a:40001 > 198.51.100.7:5353 iif lxcbr1\" --format json")
        let address = try #require(ended.messages.split(separator: "\n").first)
        for words in ["\"\(address):40001\"", "\"198.51.100.7:5353\"", "\"c1\"", "masqueraded"] {
            #expect(ended.output.contains(words), "\(ended.output)\(ended.messages)")
        }
    }

    @Test(
        arguments: [
            ("udp 192.0.2.1:1 > 198.51.100.7:53", "no network of the profile"),
            ("udp 10.5.0.9:1 > 198.51.100.7:53 iif up0", "not by up0"),
            ("udp 10.5.0.9:1 > 10.5.0.10:53", "to the outside"), ("udp 10.5.0.9:1 > 198.51.100.7:53 mark 7", "a mark"),
            ("47 10.5.0.9 > 198.51.100.7", "only udp"), ("udp 10.5.0.9:0 > 198.51.100.7:53", "ports"),
        ])
    func whatNoContainerCanSendIs64(packet: String, words: String) throws {
        let ended = try Program.run(["prove", "--profile", "makina", "--packet", packet])
        #expect(ended.status == 64)
        #expect(ended.messages.contains(words), "\(ended.messages)")
    }

    @Test func onePacketIsFollowedAndTheKernelAgrees() throws {
        let packet = "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"
        let ended = try Program.lab(
            ["--fault", "forward-rule-drop"],
            "lxc-doctor verify --packet '\(packet)' --format json; echo $? >&2;"
                + " lxc-doctor verify --packet '\(packet) mark 7 [ct new]' --record /tmp/r -q;"
                + " lxc-doctor verify --packet '\(packet)' --replay /tmp/r -q; echo $? >&2")
        let report = try JSONDecoder().decode(PacketReport.self, from: Data(ended.output.utf8))
        #expect(report.verdict == .dropped)
        #expect(report.killer?.text == "iifname \"lxcbr1\" drop")
        #expect(report.path.contains { $0.hook == "forward" && $0.table == "filter" })
        #expect(ended.messages == "2\n2\n")
        try validate(ended.output)
    }

    /// The same answer from the host and from its recording.
    @Test func anAcceptedPacketShowsItsSourceAndItsWay() throws {
        let packet = "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"
        let ended = try Program.lab(
            [],
            "lxc-doctor verify --packet '\(packet)' --format json --record /tmp/r; echo SPLIT;"
                + " lxc-doctor verify --packet '\(packet) [mark 0] [ct new]' --format json --replay /tmp/r; echo $? >&2"
        )
        #expect(ended.messages.hasSuffix("0\n"), "\(ended.messages)")
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2)
        #expect(parts[0] == parts[1])
        let report = try JSONDecoder().decode(PacketReport.self, from: Data(parts[0].utf8))
        #expect(report.verdict == .accepted)
        #expect(report.sourceAfter == "203.0.113.2")
        #expect(report.uplink == "up0")
        #expect(report.killer == nil)
        #expect(report.path.map(\.hook).contains("routing"))
        #expect(report.path.last?.link == "up0")
        #expect(parts[0].contains("\"verdict\" : \"accepted\"") || parts[0].contains("\"verdict\":\"accepted\""))
    }

    /// Whatever is cut off the answers in a recording: nothing is proven, and nothing is said to be wrong.
    @Test(arguments: [4, 40, 100]) func aRecordingThatIsCutProvesNothing(length: Int) throws {
        func cut(_ value: Any) -> Any {
            if let list = value as? [Any] { return list.map(cut) }
            guard var fields = value as? [String: Any] else { return value }
            if let text = fields["base64"] as? String { fields["base64"] = String(text.prefix(length)) }
            return fields.mapValues(cut)
        }
        let ended = try Program.lab([], "lxc-doctor verify -q --record /tmp/r; cat /tmp/r")
        let whole = try JSONSerialization.jsonObject(with: Data(ended.output.utf8))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        try JSONSerialization.data(withJSONObject: cut(whole)).write(to: file)
        defer {
            do { try FileManager.default.removeItem(at: file) } catch { Issue.record(error) }
        }
        let replayed = try Program.run(["verify", "--profile", "makina", "--replay", file.path])
        #expect(replayed.status == 3, "\(replayed.output)\(replayed.messages)")
        #expect(replayed.output.contains("UNDECIDED"))
        #expect(!replayed.output.contains("PROVEN") && !replayed.output.contains("COUNTEREXAMPLE"))
    }

    /// The members of a set of ipset decide, for either flavour of iptables, and people see its name.
    @Test(arguments: ["iptables-nft", "iptables-legacy"]) func setsOfIPSetAreLookedInto(program: String) throws {
        let ended = try Program.lab(
            ["--containers", "0"],
            "ipset create away hash:net; ipset add away 198.51.100.0/24; ipset add away 198.51.100.0/28 nomatch;"
                + " \(program) -I FORWARD -i lxcbr1 -m set --match-set away dst -j DROP;"
                + " for target in 198.51.100.7 198.51.100.77; do"
                + " lxc-doctor verify --packet \"udp 10.5.0.9:40000 > $target:53 iif lxcbr1\"; echo $? >&2; done")
        #expect(ended.messages == "0\n2\n")
        #expect(ended.output.contains("-m set --match-set away dst -j DROP"), "\(ended.output)")
    }

    /// Marks that nat PREROUTING gives and nat POSTROUTING asks for.
    @Test func aHostWithKubeProxyIsProven() throws {
        let rules = Self.tests.appendingPathComponent("Bench/kube-rules").path
        let ended = try Program.lab(
            ["--containers", "0"], "\(rules) 800 | iptables-nft-restore; lxc-doctor verify; echo $? >&2")
        #expect(ended.messages.hasSuffix("0\n"), "\(ended.output)")
    }

    @Test(arguments: [("udp 10.5.0.9:1 to 1.1.1.1:1", "column 16"), ("xyz", "column 1")])
    func aPacketThatIsNoneIs64(packet: String, words: String) throws {
        let ended = try Program.run(["verify", "--packet", packet])
        #expect(ended.status == 64)
        #expect(ended.messages.contains(words), "\(ended.messages)")
    }

    @Test func whatActsBesideTheRulesIsNamed() throws {
        let ended = try Program.lab(
            [],
            "nft add table netdev t; nft 'add chain netdev t c { type filter hook ingress device up0 priority 0; }';"
                + " lxc-doctor verify; echo $? >&2")
        #expect(ended.messages.hasSuffix("3\n"))
        let words = ended.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("netdev chain t c on up0"), "\(ended.output)")
    }

    @Test(
        arguments: [
            "docker-forward-drop", "ufw-forward-drop", "firewalld-zone", "vpn-killswitch", "iptables-legacy-nft-split",
            "nft-other-table-drop", "forward-policy-drop", "forward-rule-drop", "forward-return-missing",
            "input-drops-dhcp-dns", "bridge-nf-forward-drop", "masq-duplicated",
        ], ["nft", "iptables-nft", "iptables-legacy"])
    func theFaultIsTheCause(fault: String, backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--fault", fault], "lxc-doctor --proof off --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.map(\.id) == [fault])
        TestResults.note(.reproduced, [fault])
    }

    /// Legacy tables beside nft, a closed policy whose accepts suffice, an accept in another nat chain.
    @Test func harmlessLookAlikesAreSilent() throws {
        let ended = try Program.lab(
            [],
            "iptables-legacy -A FORWARD -s 192.0.2.0/24 -j DROP; nft '"
                + "add table inet filter;"
                + "add chain inet filter forward { type filter hook forward priority 10; policy drop; };"
                + "add rule inet filter forward ct state established,related accept;"
                + "add rule inet filter forward iifname lxcbr1 accept;"
                + "add table ip other;"
                + "add chain ip other post { type nat hook postrouting priority 50; };"
                + "add rule ip other post accept';"
                + " ip route add 192.0.2.0/25 dev up0; lxc-doctor --proof off --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.isEmpty, "\(report.causes.map(\.id))")
        let asked = ["forwarded", "answered", "dhcp-dns", "east-west", "duplicated"].map { "firewall.\($0)" }
        let firewall = report.findings.filter { asked.contains($0.check) }
        #expect(firewall.allSatisfy { $0.verdict == .pass }, "\(firewall.map { ($0.check, $0.verdict) })")
    }
}
