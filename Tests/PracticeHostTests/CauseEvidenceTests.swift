import Foundation
import HostModel
import TestSupport
import Testing

/// A cause shows what it was told from, and nothing that is well beside it.
@Suite("Evidence of causes", .serialized) struct CauseEvidenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        /// Of each piece of evidence, in order, a part of its source or value.
        var shown: [String]
        var testDescription: String { fault }
    }

    static let cases = [
        Case(
            fault: "lxc-net-ipv6-nat-syntax",
            shown: ["an IPv4 match in an IPv6 table", "/etc/default/lxc-net"]),
        Case(fault: "lxc-net-leasefile-dir", shown: ["/var/lib/misc"]),
        Case(fault: "subnet-overlap", shown: ["10.5.7.0/24 dev up0 table main"]),
        Case(fault: "bridge-addr-duplicated=uplink", shown: ["up0 10.5.0.1/32"]),
        Case(fault: "bridge-mac-unstable", shown: ["addr_assign_type"]),
        Case(fault: "bridge-stp-delay", shown: ["stp on, forward delay 15 s"]),
        Case(fault: "forward-rule-drop", shown: [#"iifname "lxcbr1" drop"#]),
        Case(fault: "config-address-without-prefix=running", shown: ["address 10.5.0.2, gateway"]),
        Case(fault: "config-links-other-bridge", shown: ["veth, link lxcbr0"]),
        Case(fault: "image-or-rootfs-missing", shown: ["rootfs: absent"]),
        Case(fault: "lxcpath-wrong-owner-or-mode", shown: ["default of LXC", "0:0 0777"]),
        Case(fault: "arp-filtered=table", shown: ["policy drop"]),
    ]

    @Test(arguments: cases) func showsTheCause(item: Case) throws {
        let ended = try Program.lab(["--fault", item.fault], "lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        let id = String(item.fault.prefix { $0 != "=" })
        let cause = try #require(report.causes.first { $0.id == id }, "\(ended.messages)")
        let seen = cause.evidence.map { "\($0.source) \($0.value)" }
        #expect(seen.count == item.shown.count, "\(seen)")
        for (seen, shown) in zip(seen, item.shown) { #expect(seen.contains(shown)) }
    }

    /// Who lives on a bridge that was made anew stays plugged in: the fault is the bridge's alone.
    @Test func aBorrowedAddressUnplugsNobody() throws {
        let ended = try Program.lab(
            ["--containers", "2", "--fault", "bridge-mac-unstable=borrowed"], "lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.map(\.id) == ["bridge-mac-unstable"], "\(ended.messages)")
    }

    /// What a proof before has left for a moment is no port to borrow an address from.
    @Test func thePortOfAProofLendsNoAddress() throws {
        let ended = try Program.lab(
            [],
            """
            /usr/libexec/lxc/lxc-net stop; ip link add lxcbr1 type bridge
            ip link add lxcdoc012345 type veth peer name other; ip link set lxcdoc012345 master lxcbr1
            ip link set lxcbr1 up; lxc-doctor --only bridge.own-mac --format json
            """)
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        let finding = report.findings.first { $0.check == "bridge.own-mac" }
        #expect(finding?.verdict == .pass, "\(ended.output) \(ended.messages)")
    }

    /// Of a gateway that nobody has asked before, only what was really sent shows that it does not answer.
    @Test func aSilentGatewayIsNamedByWhatWasSent() throws {
        let ended = try Program.lab(
            [], "ip -n internet link set isp0 arp off; ip neigh flush dev up0; lxc-doctor --proof wire --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.map(\.id) == ["gateway-unreachable"], "\(ended.messages)")
        #expect(
            report.causes.first?.evidence.contains { $0.value.contains("for the gateway 203.0.113.1 on up0") } == true)
    }

    /// A container whose address is on a bridge of its own has one.
    @Test func anAddressOnABridgeInsideIsAnAddress() throws {
        let inside = """
            ip link add br0 type bridge; ip link set br0 up; ip addr flush dev eth0; ip link set eth0 master br0
            ip addr add 10.5.92.18/16 dev br0; ip route add default via 10.5.0.1
            """
        let ended = try Program.lab(
            ["--containers", "1"], "lxc-attach -n c1 -- sh -c '\(inside)' >&2; lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(!report.causes.map(\.id).contains("container-no-address"), "\(report.causes.map(\.id))")
        #expect(report.findings.first { $0.check == "container.has-address" }?.verdict == .pass, "\(ended.messages)")
    }
}
