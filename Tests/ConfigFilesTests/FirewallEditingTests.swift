import Testing

@testable import ConfigFiles

/// Files of firewalls and containers, edited without losing a line.
@Suite struct FirewallEditingTests {
    static let saved =
        "# mine\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o wg0 -j ACCEPT\nCOMMIT\n*filter\nCOMMIT\n"

    private func adding(_ rule: String, _ table: String, _ place: IptablesRestoreFile.Place) -> String? {
        IptablesRestoreFile(path: "rules.v4", bytes: Array(Self.saved.utf8))
            .adding(rule, chain: "POSTROUTING", table: table, at: place)?.lines.text
    }

    @Test func aRuleGoesIntoItsTable() {
        let rule = "-A POSTROUTING -j MASQUERADE"
        let old = "-A POSTROUTING -o wg0 -j ACCEPT"
        #expect(
            adding(rule, "nat", .last) == Self.saved.replacing("\nCOMMIT\n*filter", with: "\n\(rule)\nCOMMIT\n*filter"))
        #expect(adding(rule, "nat", .first) == Self.saved.replacing(old, with: "\(rule)\n\(old)"))
        #expect(adding(rule, "nat", .before(old)) == adding(rule, "nat", .first))
        #expect(adding(rule, "nat", .before("-A POSTROUTING -j LOG")) == nil)
        #expect(adding(old, "nat", .last) == Self.saved)
        #expect(adding(rule, "mangle", .last) == nil)
    }

    @Test func ufwKeepsItsTuples() {
        let file = UFWRulesFile(bytes: Array("*filter\n### RULES ###\n\n### END RULES ###\nCOMMIT\n".utf8))
        let edited = file.adding(tuple: "allow udp 67 a any b in_x", rules: ["-A ufw-user-input -i x -j ACCEPT"])
        let text = edited.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(
            text == "*filter\n### RULES ###\n\n### tuple ### allow udp 67 a any b in_x\n"
                + "-A ufw-user-input -i x -j ACCEPT\n\n### END RULES ###\nCOMMIT\n")
        #expect(edited?.adding(tuple: "allow udp 67 a any b in_x", rules: ["other"]) == edited)
        #expect(UFWRulesFile(bytes: []).adding(tuple: "a", rules: []) == nil)
    }

    @Test func aZoneTakesAnInterface() {
        let file = FirewalldZoneFile(bytes: Array("<zone target=\"ACCEPT\">\n  <forward/>\n</zone>\n".utf8))
        let edited = file.adding(interface: "lxcbr1")
        #expect(
            edited.map { String(decoding: $0.bytes, as: UTF8.self) }
                == "<zone target=\"ACCEPT\">\n  <forward/>\n  <interface name=\"lxcbr1\"/>\n</zone>\n")
        #expect(edited?.adding(interface: "lxcbr1") == edited)
        #expect(file.adding(interface: "a\"/><x") == nil)
        #expect(FirewalldZoneFile(bytes: Array("<zone/>".utf8)).adding(interface: "lxcbr1") == nil)
    }

    @Test func keysOfOldGetTheirNamesOfToday() throws {
        let old = """
            # lxc.utsname stays in comments
            lxc.utsname = c1
            lxc.rootfs = /var/lib/lxc/c1/rootfs
            lxc.network.type = veth
              lxc.network.link=lxcbr1
            lxc.network.ipv4 = 10.5.0.9/16
            lxc.network.ipv4.gateway = 10.5.0.1
            lxc.network.type = empty
            lxc.network.name = eth1
            lxc.kmsg = 0
            lxc.limit.nofile = 10

            """
        let new = """
            # lxc.utsname stays in comments
            lxc.uts.name = c1
            lxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs
            lxc.net.0.type = veth
              lxc.net.0.link=lxcbr1
            lxc.net.0.ipv4.address = 10.5.0.9/16
            lxc.net.0.ipv4.gateway = 10.5.0.1
            lxc.net.1.type = empty
            lxc.net.1.name = eth1
            lxc.prlimit.nofile = 10

            """
        let updated = try LXCConfig.updatingKeys(in: Array(old.utf8))
        #expect(String(decoding: updated, as: UTF8.self) == new)
        #expect(try LXCConfig.updatingKeys(in: updated) == updated)
        #expect(throws: ConfigEditError.self) { try LXCConfig.updatingKeys(in: Array("lxc.network.link = x\n".utf8)) }
    }
}
