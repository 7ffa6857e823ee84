import Foundation
import HostModel
import TestSupport
import Testing

/// What stays on the host: DHCP and DNS into it, and packets from one container to another.
@Suite("The proof of what stays on the host", .serialized) struct ProofLocalTests {
    private static let bridged = "sysctl -qw net.bridge.bridge-nf-call-iptables=1; "
    /// Two namespaces at ports of the bridge: 10.5.7.1 and 10.5.7.2.
    private static let twoContainers = """
        ip netns add one; ip netns add two
        for n in one two; do
            ip link add $n type veth peer name eth0 netns $n; ip link set $n master lxcbr1 up; ip -n $n link set eth0 up
        done
        ip -n one addr add 10.5.7.1/16 dev eth0; ip -n two addr add 10.5.7.2/16 dev eth0
        for n in one two; do ip -n $n route add default via 10.5.0.1; done
        """

    private func report(_ options: [String], _ script: String = "") throws -> Report {
        let ended = try Program.lab(options, script + "lxc-doctor --format json")
        return try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
    }

    private func arrivals(_ report: Report, _ kind: LocalProbeKind) -> [Arrival] {
        (report.proof?.local ?? []).filter { $0.kind == kind }.map(\.arrival)
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"], [false, true])
    func aHealthyHostLetsThemIn(backend: String, isBridged: Bool) throws {
        let report = try report(["--backend", backend], isBridged ? Self.bridged : "")
        #expect(arrivals(report, .dhcp) == [.arrived])
        #expect(arrivals(report, .dns) == [.arrived, .arrived])
        #expect(arrivals(report, .eastWest) == [.arrived, .arrived, .arrived])
        #expect(report.verdict == .healthy)
        let east = report.proof?.local?.filter { $0.kind == .eastWest } ?? []
        #expect(east.allSatisfy { $0.from.hasPrefix($0.sourceAfter ?? "?") })
    }

    /// The server writes down every request that it sees: a real one, and none of the doctor's.
    @Test func noServerSeesThem() throws {
        let ended = try Program.lab(
            [],
            """
            pkill dnsmasq; while pidof dnsmasq >/dev/null; do sleep 0.01; done
            dnsmasq --no-daemon --conf-file=/dev/null --interface=lxcbr1 --bind-interfaces --log-dhcp --log-queries \
                --dhcp-range=10.5.10.2,10.5.10.99 --dhcp-leasefile=/tmp/leases --no-resolv >/tmp/server 2>&1 &
            while ! ss -lun | grep -q ':67 '; do sleep 0.01; done
            lxc-doctor prove --format json
            lxc-doctor prove --proof wire --quiet
            sleep 0.1
            grep -cE 'available DHCP|query' /tmp/server >&2
            ip link add asks type veth peer name bport
            ip link set bport master lxcbr1 up; ip link set asks up
            timeout 2 busybox udhcpc -n -q -i asks -s /bin/true -t 2 -T 1 >/dev/null 2>&1
            sleep 0.1
            grep -q 'available DHCP' /tmp/server && echo SEEN >&2
            """)
        let proof = try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8))
        #expect(proof.local?.filter { $0.kind != .eastWest }.map(\.arrival) == [.arrived, .arrived, .arrived])
        let lines = ended.messages.split(separator: "\n").map(String.init)
        #expect(lines.first.map { $0.hasSuffix("0") } == true, "\(ended.messages)")
        #expect(lines.last == "SEEN", "the log of the server shows real requests: \(ended.messages)")
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func aFirewallThatDropsThemIsNamed(backend: String) throws {
        let report = try report(["--backend", backend, "--fault", "input-drops-dhcp-dns"])
        #expect(arrivals(report, .dhcp) == [.dropped])
        #expect(arrivals(report, .dns) == [.dropped, .dropped])
        #expect(report.proof?.verdict == .masqueraded)
        #expect(report.causes.map(\.id) == ["input-drops-dhcp-dns"])
        #expect(
            Set(report.findings.filter { $0.verdict == .fail }.map(\.check)) == [
                "firewall.dhcp-dns", "firewall.dhcp-reaches-host", "firewall.dns-reaches-host",
            ])
        let dead = report.proof?.local?.first
        #expect(dead?.path.last?.hook == "input")
        guard backend != "iptables-legacy" else { return }
        #expect(dead?.killer?.hook == "input")
        #expect(dead?.killer?.chain?.lowercased() == "input")
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func aTranslationBetweenContainersIsSeen(backend: String) throws {
        let report = try report(["--backend", backend, "--fault", "masq-hits-east-west"], Self.bridged)
        let probes = report.proof?.local?.filter { $0.kind == .eastWest } ?? []
        #expect(probes.map(\.arrival) == [.altered, .altered, .altered])
        #expect(probes.allSatisfy { $0.sourceAfter == "10.5.0.1" })
        #expect(report.causes.map(\.id) == ["masq-hits-east-west"])
        #expect(report.findings.first { $0.check == "nat.east-west-proof" }?.verdict == .fail)
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func aForwardPolicyBetweenContainersIsNamed(backend: String) throws {
        let report = try report(["--backend", backend, "--fault", "forward-policy-drop"], Self.bridged)
        #expect(arrivals(report, .eastWest) == [.dropped, .dropped, .dropped])
        // The policy that also drops what goes outside explains it.
        #expect(report.causes.map(\.id) == ["forward-policy-drop"])
        let finding = report.findings.first { $0.check == "nat.east-west-proof" }
        #expect(finding?.verdict == .fail && finding?.causes == ["bridge-nf-forward-drop"], "\(finding?.causes ?? [])")
        let dead = report.proof?.local?.first { $0.kind == .eastWest }
        #expect(dead?.reason == "lost in FORWARD")
        guard backend != "iptables-legacy" else { return }
        #expect(dead?.killer?.chain?.lowercased() == "forward")
    }

    /// A bridge has the switch of the sysctl as an option of its own: with it, what a real packet meets is what the rules,
    /// the proof and the checks say.
    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"], [false, true])
    func theBridgesOwnOptionCounts(backend: String, isOn: Bool) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--fault", "bridge-nf-forward-drop"],
            """
            exec 3>&1 >&2; sysctl -qw net.bridge.bridge-nf-call-iptables=0
            ip link set lxcbr1 type bridge nf_call_iptables \(isOn ? 1 : 0)
            \(Self.twoContainers)
            ip netns exec one busybox ping -c 1 -W 1 10.5.7.2 && echo REACHED >&3
            lxc-doctor verify --format json=/tmp/verify; lxc-doctor --format json=/tmp/doctor
            echo SPLIT >&3; cat /tmp/verify >&3; echo SPLIT >&3; cat /tmp/doctor >&3
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 3, "\(ended.output)\(ended.messages)")
        #expect(parts[0] == (isOn ? "" : "REACHED\n"), "\(ended.messages)")
        let verify = try JSONDecoder().decode(VerifyReport.self, from: Data(parts[1].utf8))
        let answer = verify.networks.first?.answers.first { $0.question == "east-west" }
        #expect(answer?.verdict == (isOn ? .counterexample : .proven))
        let report = try JSONDecoder().decode(Report.self, from: Data(parts[2].utf8))
        #expect(arrivals(report, .eastWest) == Array(repeating: isOn ? .dropped : .arrived, count: 3))
        #expect(report.causes.map(\.id) == (isOn ? ["bridge-nf-forward-drop"] : []), "\(report.causes)")
        let values = report.findings.first { $0.check == "firewall.east-west" }?.evidence.map(\.value) ?? []
        #expect(values.contains("nf_call_iptables 1, an option of the bridge itself") == isOn, "\(values)")
        guard isOn else { return }
        #expect(report.proof?.local?.first { $0.kind == .eastWest }?.path.contains { $0.hook == "forward" } == true)
    }

    @Test func aBridgeFilterIsNamed() throws {
        let report = try report(
            [],
            """
            nft -f - <<'END'
            add table bridge guard
            add chain bridge guard forward { type filter hook forward priority 0; }
            add rule bridge guard forward ip protocol { udp, tcp, icmp } drop
            END

            """)
        #expect(arrivals(report, .eastWest) == [.dropped, .dropped, .dropped])
        #expect(report.proof?.local?.last?.killer?.table == "guard")
        #expect(report.causes.map(\.id).contains("bridge-l2-filter-drop"))
        TestResults.note(.reproduced, ["bridge-l2-filter-drop"])
        #expect(arrivals(report, .dhcp) == [.arrived])
    }

    /// Nobody serves: nothing is asked of the host where the profile leaves it open.
    @Test func nothingIsAskedOfNobody() throws {
        // Where lxc-net serves, both are promised.
        let report = try report(
            [],
            "sed -i 's/^USE_LXC_BRIDGE=.*/USE_LXC_BRIDGE=false/' /etc/default/lxc-net; pkill dnsmasq;"
                + " while ss -lun | grep -q ':67 '; do sleep 0.01; done; ")
        #expect(arrivals(report, .dhcp) == [])
        #expect(arrivals(report, .dns) == [])
        for check in ["firewall.dhcp-reaches-host", "firewall.dns-reaches-host"] {
            #expect(report.findings.first { $0.check == check }?.verdict == .notApplicable)
        }
    }

    /// Bridged packets pass the rules of the ip family, and conntrack: none is confirmed there.
    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func whatIsBridgedIsNotTracked(backend: String) throws {
        let list = "grep -E 'src=10\\.5\\.' /proc/net/nf_conntrack | grep -vE 'src=10\\.5\\.0\\.1 '"
        let ended = try Program.lab(
            ["--backend", backend],
            """
            \(Self.bridged) for n in 1 2 3; do lxc-doctor prove --format json >/tmp/proof || echo "status $?"; done
            grep -c '"arrival" : "arrived"' /tmp/proof; \(list)
            \(Self.twoContainers)
            ip netns exec one busybox ping -c 1 10.5.7.2 >/dev/null; \(list) | grep -c 'src=10.5.7.1'
            """)
        // The control: what a container really sends to another is tracked here.
        #expect(ended.output == "6\n1\n", "\(ended.output)\(ended.messages)")
    }

    /// A host that answers a probe learns the container's hardware address; it forgets it again.
    @Test func noNeighbourIsLeft() throws {
        let ended = try Program.lab(
            ["--containers", "1"],
            """
            lxc-info -n c1 -iH >/tmp/c1; neighbours() { ip neigh show dev lxcbr1 | grep -vFf /tmp/c1; }
            iptables-nft -A FORWARD -j REJECT
            lxc-doctor prove --format json | grep -c 'the container was told: port unreachable' >&2; neighbours
            iptables-nft -F FORWARD; lxc-doctor prove --proof wire --quiet || echo "status $?"; neighbours
            """)
        #expect(ended.output == "", "\(ended.output)")
        // The control: it did answer.
        #expect(Int(ended.messages.filter(\.isNumber)) ?? 0 > 0, "\(ended.messages)")
    }

    @Test func nothingIsLeft() throws {
        let state =
            "ip -br link; bridge fdb show | grep -v 33:33:; nft list tables; ip neigh; cat /sys/class/net/lxcbr1/address"
        // With a port that stays: an idle bridge loses its carrier with the last one.
        let ended = try Program.lab(
            ["--containers", "1"],
            "{ \(state); } >/tmp/before; lxc-doctor prove --quiet; sleep 0.2; { \(state); } >/tmp/after;"
                + " diff /tmp/before /tmp/after && echo SAME")
        #expect(ended.output == "SAME\n", "\(ended.output)")
    }
}
