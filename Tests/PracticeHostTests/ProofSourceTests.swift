import Foundation
import HostModel
import TestSupport
import Testing

/// Which source address is the right one, and where there is none to try with.
@Suite("The source of a probe", .serialized) struct ProofSourceTests {
    private func prove(_ setup: String, _ options: String = "") throws -> ProofReport {
        let ended = try Program.lab([], "{ \(setup); } >&2; lxc-doctor prove --format json \(options)")
        return try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8))
    }

    /// The uplink has no address; the host's own is on the loopback, and the route says which of them is preferred.
    @Test(arguments: [
        ("192.0.2.50", ProofVerdict.masqueraded, ""), ("192.0.2.60", .wrongSource, "its route prefers 192.0.2.60"),
    ])
    func anUnnumberedUplink(preferred: String, verdict: ProofVerdict, reason: String) throws {
        let report = try prove(
            """
            ip addr del 203.0.113.2/24 dev up0; ip addr add 192.0.2.50/32 dev lo; ip addr add 192.0.2.60/32 dev lo
            ip route replace default dev up0 src \(preferred)
            """)
        let worst = try #require(report.probes.min { $0.verdict < $1.verdict })
        #expect(worst.verdict == verdict && worst.sourceAfter == "192.0.2.50", "\(worst)")
        if !reason.isEmpty { #expect(worst.reason?.contains(reason) == true, "\(worst)") }
    }

    /// Addresses that are routed to this host and that it does not have.
    @Test(arguments: [
        ("198.18.0.7", ProofVerdict.masqueraded), ("198.18.0.8", .wrongSource), ("203.0.113.2", .wrongSource),
    ])
    func aRoutedPool(source: String, verdict: ProofVerdict) throws {
        let report = try prove(
            """
            cat >/root/pool.yaml <<'END'
            name: pool
            networks:
              - { name: lxcbr1, bridge: lxcbr1, address: 10.5.0.1/16, nat: snat, snat: [198.18.0.7] }
            END
            nft flush chain ip lxc postrouting
            nft add rule ip lxc postrouting ip saddr 10.5.0.0/16 oifname up0 snat to \(source)
            """, "--profile /root/pool.yaml")
        let worst = try #require(report.probes.min { $0.verdict < $1.verdict })
        #expect(worst.verdict == verdict && worst.sourceAfter == source, "\(worst)")
    }

    /// The only addresses that are left belong to somebody who never spoke: the question by ARP finds that out.
    @Test(arguments: [("10.9.0.2/29", ProofVerdict.masqueraded), ("10.9.0.2/30", .unknown)])
    func anAddressThatSomebodyHas(address: String, verdict: ProofVerdict) throws {
        let length = address.split(separator: "/")[1]
        let report = try prove(
            """
            cat >/root/small.yaml <<'END'
            name: small
            networks:
              - { name: small0, bridge: small0, address: 10.9.0.1/\(length), nat: masquerade }
            END
            ip link add small0 type bridge; ip link set small0 address 02:00:00:00:09:01 up
            ip addr add 10.9.0.1/\(length) dev small0
            ip netns add silent; ip link add sport type veth peer name eth0 netns silent
            ip link set sport master small0 up; ip -n silent addr add \(address) dev eth0; ip -n silent link set eth0 up
            nft add rule ip lxc postrouting ip saddr 10.9.0.0/24 oifname up0 masquerade; sleep 0.2
            """, "--profile /root/small.yaml")
        #expect(report.verdict == verdict, "\(report.probes)")
        #expect(
            report.probes.allSatisfy { !$0.from.hasPrefix("10.9.0.2:") && $0.from != "10.9.0.2" || verdict == .unknown }
        )
        if verdict == .unknown {
            #expect(
                report.probes[0].reason?.contains("there is no free address in 10.9.0.0/30") == true, "\(report.probes)"
            )
        }
    }

    /// Each capability alone: never a pass, and the one that is missing is named.
    @Test(arguments: ["net_admin", "net_raw", "sys_admin"])
    func aMissingCapabilityIsNamed(name: String) throws {
        let ended = try Program.lab(
            [],
            """
            setpriv --bounding-set=-\(name) --inh-caps=-\(name) lxc-doctor prove --format json; echo "status $?" >&2
            """)
        let report = try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8))
        #expect(report.verdict == .unknown)
        #expect(report.probes.allSatisfy { $0.reason?.hasSuffix("needs CAP_\(name.uppercased())") == true })
        #expect(ended.messages == "status 3\n")
    }

    @Test func withoutTheCaptureLibraryNothingIsClaimed() throws {
        let ended = try Program.lab(
            [], "rm -f /usr/lib/*/libpcap.so* /usr/lib/libpcap.so*; ldconfig; lxc-doctor prove --format json")
        let report = try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8))
        #expect(report.verdict == .unknown && ended.status == 3)
        #expect(
            report.probes.allSatisfy { $0.reason?.contains("libpcap is not installed") == true }, "\(report.probes)")
    }

    /// Who listens at another port of the bridge hears one question by ARP that claims nothing, and no probe.
    @Test func otherPortsHearNothing() throws {
        let ended = try Program.lab(
            [],
            """
            ip netns add ear; ip link add eport type veth peer name eth0 netns ear
            ip link set eport master lxcbr1 up; ip -n ear link set eth0 up
            for _ in $(seq 200); do bridge link show dev eport | grep -q 'state forwarding' && break; sleep 0.05; done
            ip netns exec ear tcpdump -Z root --immediate-mode -s 256 -Uni eth0 -w /tmp/ear 2>/tmp/listening & capture=$!
            until grep -q listening /tmp/listening; do sleep 0.05; done
            for n in 1 2 3; do lxc-doctor prove --quiet || echo "status $?"; done; sleep 0.3
            for _ in $(seq 100); do tcpdump -Z root -nr /tmp/ear arp 2>/dev/null | grep -q . && break; sleep 0.1; done
            kill $capture; wait $capture
            tcpdump -Z root -nr /tmp/ear 'not ip6 and not igmp' 2>/dev/null \\
                | grep -vE 'ARP, Request who-has 10\\.5\\.[0-9.]+ (\\([^)]*\\) )?tell 0\\.0\\.0\\.0'
            tcpdump -Z root -nr /tmp/ear arp 2>/dev/null | wc -l >&2
            """)
        #expect(ended.output == "", "\(ended.output)")
        #expect((Int(ended.messages.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 0, "it hears at all")
    }
}
