import Foundation
import HostModel
import TestSupport
import Testing

/// Faults that look alike from the outside, each told from the others.
@Suite("Told apart", .serialized) struct TellApartTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var options: [String]
        var setup = ":"
        var causes: Set<String>
        /// Checks that fail, and checks that pass all the same: what tells it from its neighbours.
        var fails: [String]
        var passes: [String]
        /// What must be said somewhere in the evidence of the causes.
        var evidence: String

        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "a flow that predates the repair", options: ["--fault", "stale-conntrack"],
            causes: ["stale-conntrack"], fails: ["nat.flows-current"], passes: ["nat.masquerade", "nat.proof"],
            evidence: "udp 10.5.0.2:"),
        Case(
            name: "stray resets that leave untranslated", options: ["--fault", "nat-invalid-leak"],
            causes: ["nat-invalid-leak"], fails: ["nat.stray-packets"],
            passes: ["nat.masquerade", "nat.proof", "nat.flows-current"], evidence: "invalid 150"),
        Case(
            name: "IPv6 that hides an outage of IPv4", options: ["--fault", "masq-missing"],
            setup: """
                ip -6 address add fd42:5::1/64 dev lxcbr1 nodad
                sysctl -q -w net.ipv6.conf.all.forwarding=1
                """,
            causes: ["masq-missing"], fails: ["nat.masquerade", "nat.proof"], passes: ["forwarding.ipv6"],
            evidence: "no rule translates"),
        Case(
            name: "one of two containers", options: ["--containers", "2"],
            setup: "lxc-attach -n c2 -- ip route del default", causes: ["container-no-default-route"],
            fails: ["container.default-routes"], passes: ["nat.proof", "nat.masquerade", "firewall.forwarded"],
            evidence: "c2"),
        Case(
            name: "only the upper half of the network, by a rule", options: ["--fault", "masq-wrong-subnet=half"],
            causes: ["masq-wrong-subnet"], fails: ["nat.masquerade", "nat.proof"],
            passes: ["bridge.address", "firewall.forwarded"], evidence: "ip saddr 10.5.0.0/24"),
        Case(
            name: "only the upper half of the network, by the bridge's mask",
            options: ["--fault", "bridge-wrong-address-or-mask=mask"], causes: ["bridge-wrong-address-or-mask"],
            fails: ["bridge.address"], passes: ["nat.masquerade"], evidence: "10.5.0.1/24"),
        Case(
            name: "only from container to container", options: [],
            setup: """
                nft 'add table bridge guard; add chain bridge guard forward { type filter hook forward priority 0; policy drop; }'
                """,
            causes: ["bridge-l2-filter-drop"], fails: ["nat.east-west-proof"],
            passes: ["nat.proof", "nat.masquerade", "firewall.forwarded"], evidence: "guard"),
        Case(
            name: "only large packets", options: ["--fault", "mtu-blackhole"], causes: ["mtu-blackhole"],
            fails: ["path.mtu"], passes: ["nat.proof", "nat.masquerade", "firewall.forwarded"],
            evidence: "up0 mtu 1400"),
    ]

    @Test(arguments: cases)
    func isToldApart(item: Case) throws {
        let ended = try Program.lab(item.options, "{ \(item.setup)\n} >&2; lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(Set(report.causes.map(\.id)) == item.causes, "\(report.causes.map(\.id)) \(ended.messages)")
        for check in item.fails {
            #expect(report.findings.contains { $0.check == check && $0.verdict == .fail }, "\(check)")
        }
        for check in item.passes {
            let finding = report.findings.first { $0.check == check }
            #expect(finding?.verdict == .pass, "\(check): \(String(describing: finding?.verdict))")
        }
        let said = report.causes.flatMap { $0.evidence.map { "\($0.source) \($0.value)" } }
        #expect(said.contains { $0.contains(item.evidence) }, "\(said)")
    }
}
