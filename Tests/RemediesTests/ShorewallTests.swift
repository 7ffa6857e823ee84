import HostAccess
import HostModel
import Testing

@testable import Remedies

/// shorewall's files of translation, by its version.
@Suite struct ShorewallTests {
    private func plan(version: String, files: [String: String]) throws -> Plan {
        let scenario = try #require(Scenario.all.first { $0.remedy == "shorewall-zone" })
        let host = scenario.host
        host.state.paths["/usr/share/shorewall/coreversion"] = Fixture.file("\(version)\n")
        for (name, text) in files { host.state.paths["/etc/shorewall/\(name)"] = Fixture.file(text, mode: 0o600) }
        // Nobody else translates.
        host.state.tables = [:]
        return Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
    }

    /// The file as the plan leaves it; nil: it is taken away.
    private func file(_ name: String, _ plan: Plan) throws -> FileContent? {
        for planned in plan.changes {
            if case .file("/etc/shorewall/\(name)", _, let after) = planned.change { return after }
        }
        throw LeftToPerson(why: "\(name) is not changed: \(plan.steps.map(\.target)) \(plan.byHand)", what: [])
    }

    @Test func beforeSnatWasKnownItIsMasq() throws {
        let made = try plan(version: "5.0.4", files: ["masq": "# mine\neth0 10.9.0.0/16\n"])
        #expect(try file("masq", made)?.bytes.text == "# mine\neth0 10.9.0.0/16\neth0\t10.5.0.0/16\n")
        #expect(!made.steps.contains { $0.target.contains("snat") })
        let first = try plan(version: "4.6.4", files: [:])
        #expect(try file("masq", first)?.bytes.text == "eth0\t10.5.0.0/16\n")
    }

    @Test func sinceThenItIsSnat() throws {
        let made = try plan(version: "5.0.14", files: ["snat": "# mine\n"])
        #expect(try file("snat", made)?.bytes.text == "# mine\nMASQUERADE\t10.5.0.0/16\teth0\n")
    }

    @Test func whatShorewallWouldConvertIsConvertedInTheOpen() throws {
        let masq = "# mine\neth0 10.9.0.0/16\neth0\tlxcbr1\t-\t-\t- # the recipe's\n"
        let made = try plan(version: "5.2.8", files: ["masq": masq])
        #expect(
            try file("snat", made)?.bytes.text
                == "MASQUERADE\t10.9.0.0/16\teth0\nMASQUERADE\t10.5.0.0/16\teth0\n")
        let kept = try file("masq.bak", made)
        #expect(kept?.bytes.text == masq && kept?.mode == 0o600)
        #expect(try file("masq", made) == nil)
    }

    /// Of the policies that come first, the ones about this zone are decisions; others are passed by.
    @Test(arguments: ["lxc net REJECT info # none for containers", "lxc all DROP", "$FW lxc,net REJECT"])
    func aPolicyAboutTheZoneStays(row: String) throws {
        let zone = ["zones": "fw firewall\nnet ipv4\nlxc ipv4\n", "interfaces": "net eth0 -\nlxc lxcbr1 - dhcp\n"]
        let made = try plan(version: "5.2.8", files: zone.merging(["policy": "\(row)\nall all REJECT\n"]) { $1 })
        #expect(made.changes == [])
        let left = try #require(made.byHand.first)
        #expect(
            left.why.contains("/etc/shorewall/policy:1 (\(row.split(separator: " ").prefix(3).joined(separator: " "))"),
            "\(left.why)")
        #expect(!left.what.contains { $0.hasPrefix("by-hand ") }, "\(left.what)")
        let others = try plan(
            version: "5.2.8", files: zone.merging(["policy": "net all DROP\nall all REJECT\n"]) { $1 })
        #expect(
            try file("policy", others)?.bytes.text
                == "lxc\tnet\tACCEPT\n$FW\tlxc\tACCEPT\nnet all DROP\nall all REJECT\n")
    }

    /// A rule about this zone, that drops everything or what containers ask this host for, is a decision.
    @Test(arguments: [
        ("REJECT lxc $FW tcp,udp 53 # they ask others", true), ("DNS(DROP) lxc $FW", true),
        ("REJECT:info lxc net", true),
        ("DROP lxc $FW", true), ("REJECT lxc net tcp 25", false), ("SSH(REJECT) lxc $FW", false),
        ("REJECT net $FW tcp 53", false),
    ])
    func aRuleAboutTheZoneStays(row: String, isMeant: Bool) throws {
        let made = try plan(
            version: "5.2.8",
            files: [
                "zones": "fw firewall\nnet ipv4\nlxc ipv4\n", "interfaces": "net eth0 -\nlxc lxcbr1 - dhcp\n",
                "policy": "all all REJECT\n", "rules": "?SECTION NEW\n\(row)\n",
            ])
        #expect(made.changes.isEmpty == isMeant)
        #expect(made.byHand.contains { $0.why.contains("/etc/shorewall/rules:2") } == isMeant)
    }

    @Test func aBridgeIsNoSource() throws {
        let made = try plan(version: "5.2.8", files: ["snat": "MASQUERADE lxcbr1 eth0 # old\n"])
        #expect(try file("snat", made)?.bytes.text == "MASQUERADE\t10.5.0.0/16\teth0\n")
    }

    @Test(arguments: [
        "eth0 10.9.0.0/16 192.0.2.1", "eth0:192.0.2.0/24 10.9.0.0/16", "eth0 10.9.0.0/16!10.9.1.0/24", "eth0",
    ])
    func whatMeansMoreIsLeftToAPerson(row: String) throws {
        let made = try plan(version: "5.2.8", files: ["masq": "\(row)\n"])
        #expect(made.changes == [])
        #expect(
            made.byHand.first?.why.hasPrefix("/etc/shorewall/masq:1 is of the format before shorewall 5.0.14") == true)
    }
}
