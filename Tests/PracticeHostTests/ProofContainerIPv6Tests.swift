import Foundation
import HostModel
import TestSupport
import Testing

/// The proof of IPv6 from inside real containers: addresses and routers by advertisements of lxc-net's dnsmasq.
@Suite("The proof of IPv6 from real containers", .serialized) struct ProofContainerIPv6Tests {
    /// Until the container has an address of its own and a router, both from an advertisement.
    private static let advertised = """
        for n in $(seq 100); do
            lxc-attach -n c1 -- ip -6 route | grep -q '^default' && lxc-attach -n c1 -- ip -6 addr | grep -qE "fd42:|2001:db8:" && break
            sleep 0.1
        done

        """

    private static func run(
        _ script: String, ipv6: String = "nat66", backend: String = "nft"
    ) throws -> (parts: [String], messages: String) {
        let ended = try Program.lab(
            ["--containers", "1", "--ipv6", ipv6, "--backend", backend], "{ \(advertised)} >&2\n\(script)")
        return (ended.output.components(separatedBy: "SPLIT\n"), ended.messages)
    }

    private static func proof(_ text: String) throws -> ProofReport {
        try JSONDecoder().decode(ProofReport.self, from: Data(text.utf8))
    }

    /// Both families from one container, and no packet of either on the wire or in anybody's list of connections.
    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"]) func aContainerSendsAsItself(backend: String) throws {
        let (parts, messages) = try Self.run(
            """
            # With whole packets the ring of an immediate capture has room for eight.
            ip netns exec internet tcpdump -Z root -s 256 -lni any -Uw /tmp/far --immediate-mode 2>/tmp/err & pid=$!
            until grep -q listening /tmp/err; do sleep 0.02; done
            lxc-doctor prove --container c1 --format json; echo "status $?" >&2; echo SPLIT
            lxc-doctor prove --container c1 --to '[2001:db8:c633:6407::7]:8443' --protocol tcp --format json; echo SPLIT
            lxc-doctor --format json; echo SPLIT
            echo "entries $(grep -cE 'src=(fd42|2001:0?db8:c633)' /proc/net/nf_conntrack)"
            own=$(nsenter -t "$(lxc-info -n c1 -pH)" -n cat /proc/net/nf_conntrack | grep -c c633)
            echo "inside $own"
            far() { tcpdump -Z root -nr /tmp/far 2>/dev/null | grep -c 'c633:6407'; }
            sleep 0.2; echo "far $(far)"
            # The positive control: the same capture and the same list see what is really sent.
            sleep 2; lxc-doctor prove --container c1 --proof wire --quiet
            for _ in $(seq 50); do [ "$(far)" -gt 0 ] && break; sleep 0.1; done
            [ "$(far)" -gt 0 ] && echo 'far seen'
            grep -qE 'src=(fd42|2001:0?db8:c633)' /proc/net/nf_conntrack && echo remembered
            kill $pid; wait $pid 2>/dev/null
            """, backend: backend)
        try #require(parts.count == 4, "\(parts) \(messages)")
        let both = try Self.proof(parts[0])
        #expect(both.probes.count == 6 && both.probes.allSatisfy { $0.container == "c1" }, "\(both.probes)")
        let six = both.probes.filter { $0.family == .ipv6 }
        #expect(six.map(\.protocol) == [.udp, .tcp, .icmp])
        #expect(six.allSatisfy { $0.verdict == .masqueraded && $0.sourceAfter == "2001:db8:ff::2" }, "\(six)")
        #expect(six.allSatisfy { $0.from.contains("fd42:5::216:3eff:fe00:101") }, "\(six)")
        let one = try Self.proof(parts[1])
        #expect(one.probes.map(\.to) == ["[2001:db8:c633:6407::7]:8443"] && one.verdict == .masqueraded, "\(one)")
        let doctor = try JSONDecoder().decode(Report.self, from: Data(parts[2].utf8))
        #expect(doctor.verdict == .healthy && doctor.exitCode == 0, "\(doctor.causes.map(\.id)) \(messages)")
        #expect(doctor.findings.first { $0.check == "nat.ipv6-container-proof" }?.verdict == .pass)
        #expect(parts[3] == "entries 0\ninside 0\nfar 0\nfar seen\nremembered\n")
    }

    @Test func oneWithARoutedPrefixLeavesAsItIsAndOnTheWireItIsAnswered() throws {
        let (parts, messages) = try Self.run(
            """
            lxc-doctor prove --container c1 --format json; echo SPLIT
            sleep 2; lxc-doctor prove --container c1 --proof wire --format json
            """, ipv6: "routed")
        try #require(parts.count == 2, "\(messages)")
        let fenced = try Self.proof(parts[0]).probes.filter { $0.family == .ipv6 }
        #expect(fenced.count == 3 && fenced.allSatisfy { $0.verdict == .routed && $0.container == "c1" }, "\(fenced)")
        let sent = try Self.proof(parts[1]).probes.filter { $0.family == .ipv6 }
        #expect(sent.count == 3 && sent.allSatisfy { $0.verdict == .routed && $0.delivery == .confirmed }, "\(sent)")
    }

    /// A container without IPv6 is no fault of anybody; asked for by name, it says what it lacks.
    @Test func aContainerWithoutIPv6SendsIPv4() throws {
        let (parts, messages) = try Self.run(
            """
            lxc-attach -n c1 -- sh -c 'echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6'
            lxc-doctor prove --container c1 --format json; echo "status $?" >&2; echo SPLIT
            lxc-doctor prove --container c1 --to 2001:db8:c633:6407::7 --format json; echo SPLIT
            lxc-doctor --format json
            """)
        try #require(parts.count == 3, "\(messages)")
        let four = try Self.proof(parts[0])
        #expect(four.probes.count == 3 && four.verdict == .masqueraded && messages.contains("status 0"), "\(four)")
        let six = try Self.proof(parts[1])
        #expect(six.verdict == .unknown && six.probes.allSatisfy { $0.reason == "c1 has no IPv6 address on eth0" })
        let report = try JSONDecoder().decode(Report.self, from: Data(parts[2].utf8))
        #expect(report.verdict == .healthy, "\(report.causes.map(\.id))")
        #expect(report.findings.first { $0.check == "nat.ipv6-container-proof" }?.verdict == .notApplicable)
    }

    struct Death: Sendable, CustomTestStringConvertible {
        var name: String
        var setup: String
        var killer: String
        /// How many of UDP, TCP and ICMP die.
        var dead = 3
        var testDescription: String { name }
    }

    static let deaths = [
        Death(
            name: "a filter of its port alone",
            setup: """
                port=$(ip -br link show master lxcbr1 | cut -d@ -f1 | head -1)
                nft 'add table bridge guard; add chain bridge guard in { type filter hook prerouting priority 0; }'
                nft add rule bridge guard in iifname "$port" ip6 daddr 2001:db8:c633:6407::7 drop
                """, killer: "ip6 daddr 2001:db8:c633:6407::7 drop"),
        Death(
            name: "a rule for its address",
            setup: "ip6tables-nft -A FORWARD -s fd42:5::216:3eff:fe00:101/128 -j DROP",
            killer: "-A FORWARD -s fd42:5::216:3eff:fe00:101/128 -j DROP"),
        Death(
            name: "its own firewall",
            setup: """
                nsenter -t "$(lxc-info -n c1 -pH)" -n nft '
                    table inet own { chain o { type filter hook output priority 0; ip6 daddr 2001:db8::/32 udp dport 33434 drop; }; }'
                """, killer: "a rule of c1's own OUTPUT chains does not let it out", dead: 1),
        Death(
            name: "a router that nobody is",
            setup: """
                lxc-attach -n c1 -- sh -c 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra
                    ip -6 route del default; ip -6 route add default via fd42:5::99 dev eth0'
                """, killer: "nobody answers neighbour discovery for the gateway fd42:5::99 of c1"),
    ]

    /// Only the real container notices: the throw-away one's packets of both families leave.
    @Test(arguments: deaths) func whatKillsItIsNamed(death: Death) throws {
        let (parts, messages) = try Self.run("{ \(death.setup)\n} >&2; lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(parts[0].utf8))
        let own = report.proof?.probes.filter { $0.container == "c1" && $0.family == .ipv6 } ?? []
        let dead = own.filter { $0.verdict == .dropped }
        #expect(own.count == 3 && dead.count == death.dead, "\(own) \(messages)")
        #expect(dead.allSatisfy { $0.killer?.text.contains(death.killer) == true }, "\(dead.map { $0.killer?.text })")
        for check in ["nat.proof", "nat.container-proof", "nat.ipv6-proof"] {
            #expect(report.findings.first { $0.check == check }?.verdict == .pass, "\(check)")
        }
        let finding = report.findings.first { $0.check == "nat.ipv6-container-proof" }
        #expect(finding?.verdict == .fail && finding?.observed?.contains("c1") == true, "\(finding as Any)")
        #expect(report.causes.map(\.id) == ["ipv6-dropped"], "\(report.causes.map(\.id))")
        #expect(report.verdict == .warning)
    }
}
