import Foundation
import HostModel
import TestSupport
import Testing

/// IPv6 of a network whose profile asks for it.
@Suite("IPv6", .serialized) struct IPv6Tests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var setup: String
        var causes: Set<String> = []
        /// What the evidence of the cause says; "" where there is none.
        var evidence = ""
        var testDescription: String { name }
    }

    private static let profile = """
        mkdir -p /etc/lxc-doctor
        printf '%s\\n' 'name: own' 'networks:' \
            '  - { bridge: lxcbr1, address: 10.5.0.1/16, ipv6: "fd42:0005:0::1/64" }' > /etc/lxc-doctor/profile.yaml
        ip -6 address add 2001:db8:ff::2/64 dev up0 nodad; ip -6 route add default via 2001:db8:ff::1 dev up0
        sysctl -q -w net.ipv6.conf.all.forwarding=1
        """
    private static let address = "ip -6 address add fd42:5::1/64 dev lxcbr1 nodad"
    private static func rule(_ rule: String, family: String = "ip6") -> String {
        "nft 'add table \(family) six; add chain \(family) six post { type nat hook postrouting priority srcnat; }; "
            + "add rule \(family) six post \(rule)'"
    }

    static let cases = [
        Case(
            name: "translated by a rule of family ip6",
            setup: "\(address)\n\(rule("ip6 saddr fd42:5::/64 ip6 daddr != fd42:5::/64 masquerade"))"),
        Case(
            name: "translated by a rule of family inet",
            setup: "\(address)\n\(rule("oifname \"up0\" masquerade", family: "inet"))"
        ),
        Case(
            name: "translated by ip6tables",
            setup: "\(address)\nip6tables-nft -t nat -A POSTROUTING -s fd42:5::/64 ! -d fd42:5::/64 -j MASQUERADE"),
        Case(
            name: "no address",
            setup: rule("ip6 saddr fd42:5::/64 masquerade"), causes: ["ipv6-address-missing"],
            evidence: "lxcbr1 has no IPv6 address of its own"),
        Case(name: "no rule", setup: address, causes: ["ipv6-nat-missing"], evidence: "no rule translates"),
        Case(
            name: "a rule for another network", setup: "\(address)\n\(rule("ip6 saddr fd99::/64 masquerade"))",
            causes: ["ipv6-nat-missing"], evidence: "no rule translates"),
        Case(
            name: "a rule for IPv4 alone",
            setup: "\(address)\n\(rule("ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 masquerade", family: "inet"))",
            causes: ["ipv6-nat-missing"], evidence: "no rule translates"),
        Case(
            name: "not forwarded",
            setup: """
                \(address)
                \(rule("ip6 saddr fd42:5::/64 masquerade"))
                sysctl -q -w net.ipv6.conf.all.forwarding=0
                """,
            causes: ["ipv6-forward-off"], evidence: "all.forwarding 0"),
    ]

    @Test(arguments: cases)
    func isChecked(item: Case) throws {
        let ended = try Program.lab([], "{ \(Self.profile)\n\(item.setup)\n} >&2; lxc-doctor --format json")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        // The rule for IPv4 stands twice in one case; that is no fault.
        let causes = report.causes.filter { $0.id != "masq-duplicated" }
        #expect(Set(causes.map(\.id)) == item.causes, "\(causes.map(\.id)) \(ended.messages)")
        if item.causes.isEmpty {
            for check in ["bridge.ipv6-address", "nat.ipv6", "forwarding.ipv6", "nat.ipv6-proof"] {
                #expect(report.findings.first { $0.check == check }?.verdict == .pass, "\(check)")
            }
        } else {
            let said = causes.flatMap { $0.evidence.map(\.value) }
            #expect(said.contains { $0.contains(item.evidence) }, "\(said)")
            TestResults.note(.reproduced, item.causes)
        }
    }

    /// Public addresses need no translation: the next router knows the way to them.
    @Test func aRoutedNetworkIsNotTranslated() throws {
        let ended = try Program.lab(
            [],
            """
            { \(Self.profile.replacingOccurrences(of: "fd42:0005:0::1/64", with: "2001:db8:5::1/64"))
            ip -6 address add 2001:db8:5::1/64 dev lxcbr1 nodad; } >&2
            lxc-doctor --format json
            """)
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        #expect(report.causes.isEmpty, "\(report.causes.map(\.id)) \(ended.messages)")
        #expect(report.findings.first { $0.check == "bridge.ipv6-address" }?.verdict == .pass)
        #expect(report.findings.first { $0.check == "nat.ipv6" }?.verdict == .notApplicable)
        #expect(report.findings.first { $0.check == "nat.ipv6-proof" }?.verdict == .pass)
    }

    /// Rules of ip6tables-legacy are read as well, from the tables that the kernel has; looking makes no other.
    @Test(arguments: [
        ("-A POSTROUTING -s fd42:5::/64 ! -d fd42:5::/64 -j MASQUERADE", true),
        ("-A POSTROUTING ! -s fd99::/64 -o up0 -j SNAT --to-source 2001:db8:ff::2", true),
        ("-A POSTROUTING -s fd99::/64 -j MASQUERADE", false),
        ("-A POSTROUTING ! -s fd42::/16 -j MASQUERADE", false),
        ("-A POSTROUTING ! -o up+ -j MASQUERADE", false),
        ("-N UNUSED", false),
    ])
    func tablesOfLegacyAreRead(rule: String, translates: Bool) throws {
        let ended = try Program.lab(
            [],
            """
            { \(Self.profile)
            \(Self.address)
            ip6tables-legacy -t nat \(rule)
            [ '\(rule)' = '-N UNUSED' ] && ip6tables-legacy -t nat -A UNUSED -j MASQUERADE; } >&2
            lxc-doctor --format json; echo SPLIT; cat /proc/net/ip6_tables_names
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        let report = try JSONDecoder().decode(Report.self, from: Data(parts[0].utf8))
        let finding = report.findings.first { $0.check == "nat.ipv6" }
        #expect(finding?.verdict == (translates ? .pass : .fail), "\(finding as Any) \(ended.messages)")
        #expect(report.causes.map(\.id) == (translates ? [] : ["ipv6-nat-missing"]), "\(report.causes.map(\.id))")
        #expect(report.exitCode == (translates ? 0 : 1))
        #expect(!translates || finding?.evidence.contains { $0.value.contains("POSTROUTING, rule 1") } == true)
        #expect(parts.last == "nat\n")
    }

    /// lxc-net's own IPv6 network: what its settings promise, its start keeps, and a flush takes away.
    @Test func lxcNetsOwnNetworkIsCheckedToo() throws {
        let ended = try Program.lab(
            ["--ipv6", "nat66"],
            """
            lxc-doctor --format json; echo SPLIT
            nft delete table ip6 lxc; lxc-doctor --format json
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.messages)")
        let reports = try parts.map { try JSONDecoder().decode(Report.self, from: Data($0.utf8)) }
        #expect(reports[0].profile.networks.first?.ipv6 == "fd42:5::1/64")
        #expect(reports[0].causes.isEmpty, "\(reports[0].causes.map(\.id)) \(ended.messages)")
        #expect(reports[0].findings.first { $0.check == "nat.ipv6" }?.verdict == .pass)
        #expect(reports[1].causes.map(\.id) == ["ipv6-nat-missing"], "\(reports[1].causes.map(\.id))")
    }
}
