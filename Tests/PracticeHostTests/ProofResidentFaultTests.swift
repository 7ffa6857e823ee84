import Foundation
import HostModel
import TestSupport
import Testing

/// Faults that only a real container and its real port can have: what the proof from inside it says.
@Suite("Faults of a real container's way", .serialized) struct ProofResidentFaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        /// `$port` is the host's end of the container's veth; `inside` runs a program in the container.
        var setup: String
        var verdict: ProofVerdict
        var hook: String?
        /// A part of the killer's text.
        var text: String?
        /// A part of the reason.
        var reason: String?
        var testDescription: String { name }
    }

    static let faults = [
        Fault(
            name: "an address outside the subnet",
            setup: "inside ip addr flush dev eth0; inside ip addr add 192.168.77.5/24 dev eth0;"
                + " inside ip route add default via 10.5.0.1 dev eth0 onlink;"
                + " ip route add 192.168.77.0/24 dev lxcbr1",
            verdict: .leaked, reason: "as 192.168.77.5"),
        Fault(
            name: "an address of this host",
            setup: "inside ip addr flush dev eth0; inside ip addr add 203.0.113.2/32 dev eth0;"
                + " inside ip route add default via 10.5.0.1 dev eth0 onlink",
            verdict: .dropped, hook: "container", text: "its source is an address of this host"),
        Fault(
            name: "an address of 127.0.0.0/8",
            setup: "inside ip addr flush dev eth0; inside ip addr add 127.9.9.9/32 dev eth0;"
                + " inside ip route add default via 10.5.0.1 dev eth0 onlink",
            verdict: .dropped, hook: "container", text: "127.0.0.0/8"),
        Fault(
            name: "a filter at the port's ingress",
            setup: "nft add table netdev nd;"
                + " nft \"add chain netdev nd c { type filter hook ingress device $port priority 0; }\";"
                + " nft add rule netdev nd c ip saddr 10.5.0.0/16 drop",
            verdict: .dropped, text: "ip saddr 10.5.0.0/16 drop"),
        Fault(
            name: "traffic control at the port",
            setup: "tc qdisc add dev $port clsact;"
                + " tc filter add dev $port ingress protocol ip u32 match u32 0 0 action drop 2>/dev/null"
                + " || tc filter add dev $port ingress protocol ip bpf da bytecode '1,6 0 0 2'",
            verdict: .dropped, hook: "ingress", text: "tc filter show dev"),
        Fault(
            name: "a port with a smaller MTU",
            setup: "ip link set lxcbr1 mtu 1400; ip link set lxcbr1 mtu 1500; ip link set $port mtu 1400",
            verdict: .masqueraded, reason: "does not even come through veth"),
        Fault(
            name: "a port that does not forward", setup: "bridge link set dev $port state 0",
            verdict: .dropped, hook: "port", text: "the port does not forward"),
        Fault(
            name: "a port that is down", setup: "ip link set $port down", verdict: .dropped, hook: "port",
            text: "is down"),
        Fault(
            name: "no default route", setup: "inside ip route del default", verdict: .unknown,
            reason: "has no default route"),
        Fault(
            name: "a gateway that is nobody", setup: "inside ip route replace default via 10.5.0.77", verdict: .dropped,
            hook: "container", text: "nobody answers ARP for the gateway 10.5.0.77 of c1"),
    ]

    @Test(arguments: faults)
    func isNamed(fault: Fault) throws {
        // What the fence may not send into, and what only a long packet shows.
        let wire = ["traffic control at the port", "a port with a smaller MTU"]
        let options = wire.contains(fault.name) ? "--proof wire" : ""
        let ended = try Program.lab(
            ["--containers", "1"],
            """
            port=$(ip -br link show master lxcbr1 | cut -d@ -f1); inside() { lxc-attach -n c1 -- "$@"; }
            { \(fault.setup); } >&2
            lxc-doctor prove --container c1 \(options) --format json
            """)
        let report = try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8))
        let failed = report.probes.first { $0.verdict == .masqueraded && $0.delivery == .failed }
        let worst = try #require(failed ?? report.probes.min { $0.verdict < $1.verdict })
        let seen: Comment = "\(worst)\n\(ended.messages)"
        #expect(worst.verdict == fault.verdict, seen)
        if let hook = fault.hook { #expect(worst.killer?.hook == hook, seen) }
        if let text = fault.text { #expect(worst.killer?.text.contains(text) == true, seen) }
        if let reason = fault.reason { #expect(worst.reason?.contains(reason) == true, seen) }
    }
}
