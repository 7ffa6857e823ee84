import Foundation
import HostModel
import TestSupport
import Testing

/// Networks that other programs than LXC make: found, looked at, and left to their owners.
@Suite("A network of another program", .serialized) struct OwnerProfileTests {
    private static func bridge(_ name: String, _ address: String) -> String {
        "ip link add \(name) type bridge; ip address add \(address) dev \(name); ip link set \(name) up\n"
    }

    /// As Incus and LXD make them with nftables.
    private static func daemon(_ table: String, _ bridge: String, _ network: String) -> String {
        """
        nft -f - <<'END'
        add table inet \(table)
        add chain inet \(table) pstrt.\(bridge) { type nat hook postrouting priority 100; }
        add rule inet \(table) pstrt.\(bridge) ip saddr \(network) ip daddr != \(network) masquerade
        add chain inet \(table) fwd.\(bridge) { type filter hook forward priority 0; }
        add rule inet \(table) fwd.\(bridge) oifname \(bridge) accept
        add rule inet \(table) fwd.\(bridge) iifname \(bridge) accept
        add chain inet \(table) in.\(bridge) { type filter hook input priority 0; }
        add rule inet \(table) in.\(bridge) iifname \(bridge) udp dport { 53, 67 } accept
        END

        """
    }

    private static let libvirt = """
        \(bridge("virbr0", "192.168.122.1/24"))
        mkdir -p /etc/libvirt/qemu/networks
        printf '%s\\n' '<network>' '  <name>default</name>' "  <forward mode='nat'/>" \
            "  <bridge name='virbr0' stp='on' delay='0'/>" '</network>' > /etc/libvirt/qemu/networks/default.xml
        for rule in '-N LIBVIRT_FWO' '-N LIBVIRT_FWI' '-N LIBVIRT_FWX' '-A FORWARD -j LIBVIRT_FWX' \
            '-A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT' '-A FORWARD -j LIBVIRT_FWI' '-A FORWARD -j LIBVIRT_FWO' \
            '-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT' '-A LIBVIRT_FWO -i virbr0 -j REJECT' \
            '-A LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' \
            '-A LIBVIRT_FWI -o virbr0 -j REJECT' '-t nat -N LIBVIRT_PRT' '-t nat -A POSTROUTING -j LIBVIRT_PRT' \
            '-t nat -A LIBVIRT_PRT -s 192.168.122.0/24 -d 224.0.0.0/24 -j RETURN' \
            '-t nat -A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE'; do
            iptables-nft -w $rule
        done

        """

    private static let docker = """
        \(bridge("docker0", "172.17.0.1/16"))
        for rule in '-N DOCKER' '-N DOCKER-USER' '-N DOCKER-FORWARD' '-A FORWARD -j DOCKER-USER' \
            '-A FORWARD -j DOCKER-FORWARD' \
            '-A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' \
            '-A DOCKER-FORWARD -o docker0 -j DOCKER' '-A DOCKER-FORWARD -i docker0 -j ACCEPT' \
            '-A DOCKER ! -i docker0 -o docker0 -j DROP' \
            '-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE'; do
            iptables-nft -w $rule
        done

        """

    private static let setups = [
        "incus": bridge("incusbr0", "10.77.0.1/24") + daemon("incus", "incusbr0", "10.77.0.0/24"),
        "lxd": bridge("lxdbr0", "10.78.0.1/24") + daemon("lxd", "lxdbr0", "10.78.0.0/24"), "libvirt": libvirt,
        "docker": docker,
    ]

    private func report(_ text: String) throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    }

    @Test(arguments: [("incus", "incusbr0"), ("lxd", "lxdbr0"), ("libvirt", "virbr0"), ("docker", "docker0")])
    func isFoundAndHealthy(profile: String, bridge: String) throws {
        let setup = try #require(Self.setups[profile])
        let ended = try Program.lab(
            [], "{ \(setup) } >&2; lxc-doctor --profile \(profile) --format json; echo $? >&2")
        let report = try report(ended.output)
        let open = report.findings.filter { [.fail, .unknown, .blocked].contains($0.verdict) }
        #expect(open.isEmpty, "\(open.map { "\($0.check): \($0.verdict) \($0.observed ?? $0.reason ?? "")" })")
        #expect(report.verdict == .healthy && report.causes.isEmpty)
        #expect(report.profile.networks.map(\.bridge) == [bridge], "\(report.profile)")
        #expect(report.proof?.verdict == .masqueraded)
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        var profile: String
        var fault: String
        var cause: String
        var advice: String
        var testDescription: String { "\(profile) \(cause)" }
    }

    static let broken = [
        Broken(
            profile: "incus", fault: "nft flush chain inet incus pstrt.incusbr0", cause: "masq-missing",
            advice: "incus network set incusbr0 ipv4.nat true"),
        Broken(
            profile: "lxd", fault: "nft flush chain inet lxd pstrt.lxdbr0", cause: "masq-missing",
            advice: "lxc network set lxdbr0 ipv4.nat true"),
        Broken(
            profile: "libvirt", fault: "iptables-nft -w -t nat -F LIBVIRT_PRT", cause: "masq-missing",
            advice: "virsh net-destroy $n; virsh net-start $n"),
        Broken(
            profile: "docker", fault: "iptables-nft -w -t nat -F POSTROUTING", cause: "masq-missing",
            advice: "systemctl restart docker"),
        Broken(
            profile: "incus", fault: "ip link set up0 mtu 1400", cause: "mtu-blackhole",
            advice: "incus network set incusbr0 bridge.mtu 1400"),
    ]

    @Test(arguments: broken)
    func isLeftToItsOwner(item: Broken) throws {
        let setup = try #require(Self.setups[item.profile])
        let ended = try Program.lab(
            [],
            """
            { \(setup)
              \(item.fault); nft list ruleset > /tmp/before; } >&2
            lxc-doctor --profile \(item.profile) --format json; echo SPLIT
            lxc-doctor --profile \(item.profile) --auto-remediate --yes --format json 2>/dev/null
            nft list ruleset | sed -E 's/counter packets [0-9]+ bytes [0-9]+/counter/' > /tmp/after
            sed -E 's/counter packets [0-9]+ bytes [0-9]+/counter/' /tmp/before | diff - /tmp/after >&2 && echo UNTOUCHED >&2
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.messages)")
        let causes = try report(parts[0]).causes
        #expect(causes.map(\.id) == [item.cause])
        let remedy = try #require(causes.first?.remedy)
        #expect(!remedy.automatic && remedy.id == "by-hand")
        #expect(remedy.commands.contains { $0.contains(item.advice) }, "\(remedy.commands)")
        #expect(ended.messages.hasSuffix("UNTOUCHED\n"), "\(ended.messages)")
    }

    /// With `ipv4.nat=false` Incus makes every chain but that of translation: such a network is routed.
    @Test func aRoutedNetworkIsNotTranslatedOnPurpose() throws {
        let setup = try #require(Self.setups["incus"])
        let ended = try Program.lab(
            [],
            "{ \(setup)\nnft delete chain inet incus pstrt.incusbr0; } >&2; lxc-doctor --profile incus --format json")
        let report = try report(ended.output)
        #expect(report.causes.isEmpty, "\(report.causes.map(\.id))")
        #expect(report.findings.first { $0.check == "nat.masquerade" }?.verdict == .notApplicable)
    }

    @Test func autoFindsEveryTranslatedBridge() throws {
        let setup = Self.setups.sorted { $0.key < $1.key }.map(\.value).joined(separator: "\n")
        let ended = try Program.lab(
            [],
            """
            { \(setup)
            \(Self.bridge("br-plain", "10.99.0.1/24")) } >&2
            lxc-doctor --profile auto --format json; echo SPLIT
            nft delete table ip lxc; lxc-doctor --profile auto --format json
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.messages)")
        let healthy = try report(parts[0])
        #expect(Set(healthy.profile.networks.map(\.bridge)) == ["lxcbr1", "docker0", "incusbr0", "lxdbr0", "virbr0"])
        #expect(healthy.verdict == .healthy, "\(healthy.causes.map(\.id)) \(ended.messages)")
        // Only LXC's own network has lost its rule, and only that can be repaired here.
        let broken = try report(parts[1])
        #expect(broken.causes.map(\.id) == ["masq-missing"])
        #expect(broken.causes.first?.subject.name == "lxcbr1" && broken.causes.first?.remedy?.automatic == true)
    }

    @Test func aHostWithoutThemSaysSo() throws {
        let ended = try Program.lab([], "lxc-doctor --profile docker; echo $? >&2")
        #expect(ended.messages.contains("no bridge of docker was found on this host"))
        #expect(ended.messages.hasSuffix("65\n"))
    }
}
