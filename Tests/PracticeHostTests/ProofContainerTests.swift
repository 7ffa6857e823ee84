import Foundation
import HostModel
import TestSupport
import Testing

/// The proof from inside real containers, and what is seen in them.
@Suite("The proof of real containers", .serialized) struct ProofContainerTests {
    private func report(_ script: String, containers: Int = 2) throws -> Report {
        let ended = try Program.lab(["--containers", "\(containers)"], script + "\nlxc-doctor --format json")
        return try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
    }

    private func proof(_ text: some StringProtocol) throws -> ProofReport {
        try JSONDecoder().decode(ProofReport.self, from: Data(text.utf8))
    }

    @Test func aContainerSendsAsItself() throws {
        let ended = try Program.lab(
            ["--containers", "1"],
            """
            lxc-info -n c1 -iH
            ip netns exec internet tcpdump -s 256 -lni isp0 -w /tmp/far --immediate-mode 2>/tmp/err & pid=$!
            until grep -q listening /tmp/err; do sleep 0.02; done
            lxc-doctor prove --container c1 --format json >/tmp/all; echo "all $?"
            lxc-doctor prove --container c1 --to 203.0.113.1:8080 --protocol tcp --format json >/tmp/one; echo "one $?"
            lxc-doctor prove --to 203.0.113.1 --protocol icmp --format json >/tmp/away; echo "away $?"
            sleep 0.2; kill $pid; wait $pid
            tcpdump -nr /tmp/far ip 2>/dev/null | wc -l
            for f in all one away; do echo SPLIT; cat /tmp/$f; done
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 4, "\(ended.output)\(ended.messages)")
        let lines = parts[0].split(separator: "\n").map(String.init)
        #expect(Array(lines.dropFirst()) == ["all 0", "one 0", "away 0", "0"], "\(lines)")
        let all = try proof(parts[1])
        #expect(all.probes.count == 3)
        #expect(all.probes.allSatisfy { $0.container == "c1" && $0.from.hasPrefix(lines[0]) })
        #expect(all.probes.allSatisfy { $0.verdict == .masqueraded && $0.sourceAfter == "203.0.113.2" })
        #expect(all.probes.allSatisfy { $0.path.first { $0.hook == "port" }?.link?.hasPrefix("veth") == true })
        let one = try proof(parts[2])
        #expect(one.probes.map(\.to) == ["203.0.113.1:8080"])
        #expect(one.probes.map(\.protocol) == [.tcp])
        let away = try proof(parts[3])
        #expect(away.probes.count == 2)
        #expect(away.probes.allSatisfy { $0.container == nil && $0.protocol == .icmp && $0.to == "203.0.113.1" })
    }

    /// Only the real port is filtered: the throw-away container does not notice.
    @Test func aFilterOfARealPortIsSeen() throws {
        let report = try report(
            """
            port=$(ip -br link show master lxcbr1 | cut -d@ -f1 | head -1)
            nft -f - <<END
            add table bridge guard
            add chain bridge guard input { type filter hook prerouting priority 0; }
            add rule bridge guard input iifname "$port" ip protocol { udp, tcp, icmp } drop
            END
            """, containers: 1)
        let finding = report.findings.first { $0.check == "nat.container-proof" }
        #expect(report.findings.first { $0.check == "nat.proof" }?.verdict == .pass)
        #expect(finding?.verdict == .fail)
        let dead = report.proof?.probes.filter { $0.container == "c1" } ?? []
        #expect(dead.map(\.verdict) == [.dropped, .dropped, .dropped])
        #expect(dead.allSatisfy { $0.killer?.table == "guard" }, "\(dead)")
    }

    /// What is done to the containers, the check that fails, its cause, and a word of what is observed.
    static let faults: [(String, String, String, String)] = [
        ("lxc-attach -n c1 -- ip route del default", "container.default-routes", "container-no-default-route", "c1"),
        (
            "lxc-attach -n c1 -- ip route replace default via 10.5.0.77", "container.gateways",
            "container-wrong-gateway", "c1: 10.5.0.77"
        ),
        (
            "lxc-attach -n c1 -- ip addr add 10.5.0.60/8 dev eth0", "container.masks", "config-address-without-prefix",
            "/8"
        ),
        (
            "lxc-attach -n c2 -- ip link set eth0 address 00:16:3e:00:01:01", "container.macs-unique",
            "duplicate-container-mac", "00:16:3e:00:01:01: c1, c2"
        ),
        (
            "lxc-attach -n c2 -- ip addr add $(lxc-info -n c1 -iH)/16 dev eth0", "container.addresses-unique",
            "duplicate-container-ip", "c1, c2"
        ),
        (
            "lxc-attach -n c2 -- ip addr add 10.5.0.1/16 dev eth0", "container.gateway-owner", "gateway-ip-stolen",
            "00:16:3e:00:01:02 (c2)"
        ),
    ]

    @Test(arguments: faults)
    func whatIsWrongInsideIsNamed(script: String, check: String, cause: String, word: String) throws {
        let report = try report(script)
        let finding = try #require(report.findings.first { $0.check == check })
        #expect(finding.verdict == .fail)
        #expect(finding.observed?.contains(word) == true, "\(finding.observed ?? "")")
        #expect(report.causes.contains { $0.id == cause }, "\(report.causes.map(\.id))")
        TestResults.note(.reproduced, [cause])
    }

    /// One container's fault is no consequence of another's, and each shows which it is.
    @Test func twoContainersAreToldApart() throws {
        let report = try report(
            "lxc-attach -n c2 -- ip route del default; lxc-attach -n c3 -- ip link set eth0 down", containers: 3)
        #expect(
            Set(report.causes.map(\.id)) == ["container-no-default-route", "config-flags-not-up"],
            "\(report.causes.map(\.id))")
        let route = report.causes.first { $0.id == "container-no-default-route" }
        #expect(route?.evidence.first?.value.hasPrefix("c2 eth0") == true, "\(route?.evidence as Any)")
        #expect(report.findings.first { $0.check == "container.default-routes" }?.observed?.contains("c3") == false)
    }

    /// The doctor sends from one container; what a rule does to another is told by the ruleset.
    @Test(arguments: [
        ("nft", "nft insert rule inet lxc forward ip saddr $ip drop", "ip saddr 10.5."),
        ("iptables-legacy", "iptables-legacy -I FORWARD -s $ip -j DROP", "-A FORWARD -s 10.5."),
        ("nft", "nft insert rule inet lxc forward ip daddr $ip drop", "ip daddr 10.5."),
        (
            "nft",
            "nft add table ip late; nft 'add chain ip late out { type filter hook postrouting priority 300; }'; "
                + "nft add rule ip late out ip daddr $ip drop", "ip daddr 10.5."
        ),
    ])
    func anotherContainerIsShutOff(backend: String, rule: String, text: String) throws {
        let ended = try Program.lab(
            ["--containers", "2", "--backend", backend], "ip=$(lxc-info -n c2 -iH); \(rule); lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.map(\.id) == ["container-forward-drop"], "\(report.causes.map(\.id)) \(ended.messages)")
        let finding = report.findings.first { $0.check == "firewall.containers-forwarded" }
        #expect(finding?.observed?.contains("c2 (10.5.") == true && finding?.observed?.contains("c1") == false)
        #expect(finding?.evidence.contains { $0.value.contains(text) } == true, "\(finding?.evidence as Any)")
        TestResults.note(.reproduced, ["container-forward-drop"])
    }

    /// The container is named whose packets, or whose answers, the routing policy leads nowhere or elsewhere.
    @Test(arguments: [
        ("ip route add blackhole $ip", "answers to c2 (10.5.", "subnet-overlap"),
        ("ip route add unreachable $ip", "answers to c2 (10.5.", "subnet-overlap"),
        ("ip route add prohibit $ip table 100; ip rule add lookup 100", "answers to c2 (10.5.", "subnet-overlap"),
        ("ip rule add to $ip prohibit", "answers to c2 (10.5.", "policy-route-captures"),
        ("ip rule add iif up0 to $ip unreachable", "answers to c2 (10.5.", "policy-route-captures"),
        ("ip rule add from $ip blackhole", " c2 (10.5.", "policy-route-captures"),
    ])
    func anotherContainerIsRoutedAway(rule: String, title: String, cause: String) throws {
        let report = try report("ip=$(lxc-info -n c2 -iH); \(rule)")
        #expect(report.causes.map(\.id) == [cause], "\(report.causes.map(\.id))")
        let finding = report.findings.first { $0.check == "firewall.containers-forwarded" }
        #expect(finding?.verdict == .fail && finding?.observed?.contains(title) == true, "\(finding as Any)")
        #expect(finding?.observed?.contains("c1") == false)
    }

    private static let cables = """
        ip=$(lxc-info -n c2 -iH); mac=00:16:3e:00:01:02
        port() { ip -o link | awk -F'[ :@]+' -v i=$(lxc-attach -n $1 -- cat /sys/class/net/eth0/iflink) '$1 == i {print $2}'; }

        """

    /// The last step to one container: what somebody has set there, and the kernel will not correct.
    @Test(arguments: [
        (
            "ip neighbour replace $ip lladdr 02:00:00:00:00:99 nud permanent dev lxcbr1", "drop-unexplained",
            "02:00:00:00:00:99"
        ),
        (
            "bridge fdb replace $mac dev $(port c1) master static", "drop-unexplained",
            "00:16:3e:00:01:02 is set to be at veth"
        ),
        ("bridge fdb replace $mac dev $(port c2) master", "drop-unexplained", "is set to be at this host itself"),
        ("bridge link set dev $(port c2) state 0", "veth-host-side-down", "is disabled"),
    ])
    func anotherContainerIsNotReached(step: String, cause: String, words: String) throws {
        let ended = try Program.lab(
            ["--containers", "2"],
            Self.cables + step + """

                lxc-doctor --format json >/tmp/report; cat /tmp/report
                jq -r '.causes[0].remedy.commands[]' /tmp/report | sh >&2
                echo SPLIT; lxc-doctor --format json
                """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.output) \(ended.messages)")
        let reports = try parts.map { try JSONDecoder().decode(Report.self, from: Data($0.utf8)) }
        #expect(reports[0].causes.map(\.id) == [cause], "\(reports[0].causes.map(\.id))")
        let finding = reports[0].findings.first { $0.check == "firewall.containers-forwarded" }
        #expect(finding?.verdict == .fail && finding?.severity == .warning)
        #expect(finding?.observed?.contains("c2 (10.5.") == true && finding?.observed?.contains("c1") == false)
        #expect(finding?.observed?.contains(words) == true, "\(finding?.observed ?? "")")
        // By the commands that are told.
        #expect(reports[1].causes.isEmpty, "\(reports[0].causes.first?.remedy as Any) \(ended.messages)")
    }

    /// Entries that say what is so, and one for an address that nobody has.
    @Test func entriesThatAreRightAreNoFault() throws {
        let report = try report(
            Self.cables
                + """
                ip neighbour replace $ip lladdr $mac nud permanent dev lxcbr1
                ip neighbour replace 10.5.250.9 lladdr 02:00:00:00:00:99 nud permanent dev lxcbr1
                bridge fdb replace $mac dev $(port c2) master static
                bridge fdb add 02:00:00:00:00:98 dev $(port c1) master static
                """)
        #expect(report.verdict == .healthy, "\(report.causes.map(\.id))")
        #expect(report.findings.first { $0.check == "firewall.containers-forwarded" }?.verdict == .pass)
    }

    /// A rule that counts connections hides what becomes of the usual packets; the refusal of a rare one says nothing about
    /// them, and the containers' own settings can be read although nothing may be sent.
    @Test func aCountOfConnectionsIsNoDrop() throws {
        let report = try report(
            """
            iptables -A FORWARD -i lxcbr1 -p tcp --syn -m connlimit --connlimit-above 100 -j REJECT
            iptables -A FORWARD -i lxcbr1 -p tcp --dport 25 -j REJECT
            lxc-attach -n c2 -- ip route del default
            """, containers: 2)
        #expect(report.causes.map(\.id) == ["container-no-default-route"], "\(report.causes.map(\.id))")
        func verdict(_ check: String) -> Verdict? { report.findings.first { $0.check == check }?.verdict }
        #expect(verdict("firewall.forwarded") == .unknown)
        #expect(verdict("container.default-routes") == .fail)
        #expect(verdict("container.gateways") == .pass)
        #expect(verdict("container.gateway-owner") == .unknown)
    }

    /// A drop among the accepts of the network's own chain is no other table's.
    @Test(arguments: ["tcp dport 443", "udp dport 53"])
    func aRuleInTheNetworksOwnChain(match: String) throws {
        let report = try report("nft insert rule inet lxc forward \(match) drop", containers: 1)
        #expect(report.causes.map(\.id) == ["forward-rule-drop"], "\(report.causes.map(\.id))")
    }

    /// What a container sends to a hardware address that nobody has any more is flooded: nothing is sent, and it is said.
    @Test func anOldHardwareAddressOfTheGatewayIsNoDrop() throws {
        let report = try report(
            """
            lxc-attach -n c1 -- ping -c 1 10.5.0.1 >/dev/null
            ip link set lxcbr1 address 02:00:00:00:00:0a
            """, containers: 1)
        let finding = report.findings.first { $0.check == "nat.container-proof" }
        #expect(finding?.verdict == .unknown)
        #expect(finding?.reason?.contains("hardware address of its gateway 10.5.0.1") == true, "\(finding as Any)")
        #expect(report.causes.isEmpty, "\(report.causes.map(\.id))")
    }

    /// Running containers have lost their bridge: its maker makes it again, they are plugged in, and all is well at once.
    @Test func aLostBridgeComesBackUnderItsContainers() throws {
        let ended = try Program.lab(
            ["--containers", "2", "--fault", "lxc-net-stale-network-up=bridge"],
            "lxc-doctor --auto-remediate --yes --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.verdict == .healthy, "\(report.causes.map(\.id)) \(ended.messages)")
        #expect(report.fixes?.outcome == .applied, "\(report.fixes as Any)")
        let commands = report.fixes?.steps.map(\.command) ?? []
        #expect(commands.contains("systemctl restart lxc-net.service") && commands.count == 4, "\(commands)")
    }

    /// The host's other interfaces answer for the bridge's address too, where nobody keeps them from it.
    @Test func theHostDoesNotStealFromItself() throws {
        let report = try report(
            """
            ip link add stray type veth peer name behind
            ip link set stray master lxcbr1 up; ip link set behind up; ip addr add 10.9.9.1/24 dev behind
            """, containers: 1)
        #expect(!report.causes.map(\.id).contains("gateway-ip-stolen"), "\(report.causes.map(\.id))")
    }

    /// Not the doctor lacks a right: the container's own firewall says no.
    @Test func aContainersOwnFirewallIsNamed() throws {
        let report = try report(
            """
            nsenter -t "$(lxc-info -n c1 -pH)" -n nft '
                table inet own { chain o { type filter hook output priority 0; udp dport 33434 drop; }; }'
            """, containers: 1)
        let probes = report.proof?.probes.filter { $0.container == "c1" } ?? []
        #expect(Set(probes.map(\.verdict)) == [.dropped, .masqueraded], "\(probes)")
        let lost = probes.first { $0.verdict == .dropped }
        #expect(lost?.protocol == .udp && lost?.killer?.text == "a rule of c1's own OUTPUT chains does not let it out")
    }

    /// The doctor's own packet before had left the question for the gateway open.
    @Test func aGatewayThatCameBackIsWaitedFor() throws {
        let report = try report(
            "ip addr del 10.5.0.1/16 dev lxcbr1; lxc-doctor >/dev/null; ip addr add 10.5.0.1/16 dev lxcbr1",
            containers: 2)
        #expect(report.verdict == .healthy, "\(report.causes.map(\.id)) \(report.proof?.probes as Any)")
    }

    /// All orders go out together; one that cannot be sent fails alone.
    @Test func aContainerThatCannotSendSpoilsNothing() throws {
        let report = try report("lxc-attach -n c1 -- ip route add unreachable 198.51.100.7", containers: 1)
        #expect(report.findings.first { $0.check == "nat.proof" }?.verdict == .pass)
        let finding = report.findings.first { $0.check == "nat.container-proof" }
        #expect(finding?.verdict == .unknown && finding?.reason?.contains("send a probe") == true, "\(finding as Any)")
        #expect(report.proof?.local?.allSatisfy { $0.arrival == .arrived } == true)
    }

    @Test func whatIsNotOfLXCIsSeenToo() throws {
        let report = try report(
            """
            ip netns add other
            ip link add oport type veth peer name eth0 netns other
            ip link set oport master lxcbr1 up
            ip -n other link set eth0 up; ip -n other addr add 10.5.0.44/16 dev eth0
            """, containers: 1)
        let finding = report.findings.first { $0.check == "container.default-routes" }
        #expect(finding?.verdict == .fail)
        #expect(finding?.observed?.contains("/run/netns/other") == true, "\(finding?.observed ?? "")")
        #expect(report.proof?.probes.contains { $0.container == "c1" } == true)
    }

    @Test func aHealthyHostPasses() throws {
        let report = try report("")
        let checks = report.findings.filter { $0.check == "nat.container-proof" || $0.check.hasPrefix("container.") }
        #expect(checks.count > 7)
        // A privileged container maps no ids.
        let open = checks.filter {
            $0.verdict != .pass && !($0.verdict == .notApplicable && $0.subject.kind == .container)
        }
        #expect(open.isEmpty, "\(open)")
        #expect(report.verdict == .healthy)
    }

    @Test func wrongArgumentsAreRefusedInOneLine() throws {
        let wrong = [
            "--container nobody", "--to 10.5.0.9", "--to example.org", "--to 1.2.3.4:0", "--to 224.0.0.1",
            "--protocol sctp", "--protocol icmp --to 1.2.3.4:5",
        ]
        let script = wrong.map { "lxc-doctor prove \($0); echo \"$?\"" }.joined(separator: "\n")
        let ended = try Program.lab(
            ["--containers", "1"],
            script
                + """

                mkdir /var/lib/lxc/asleep; cp /var/lib/lxc/c1/config /var/lib/lxc/asleep/
                lxc-doctor prove --container asleep >/tmp/asleep; echo "asleep $?"
                grep -c 'no running container asleep' /tmp/asleep
                setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
                    lxc-doctor prove --container c1 --format json | grep -c CAP_SYS_ADMIN
                """)
        let lines = ended.output.split(separator: "\n").map(String.init)
        #expect(Array(lines.prefix(wrong.count)) == wrong.map { _ in "64" }, "\(ended.output)")
        #expect(Array(lines.dropFirst(wrong.count)) == ["asleep 3", "1", "3"], "\(ended.output)")
        #expect(ended.messages.split(separator: "\n").count == wrong.count, "\(ended.messages)")
    }
}
