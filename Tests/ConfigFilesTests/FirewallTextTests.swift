import HostModel
import Testing

@testable import ConfigFiles

private let network = IPv4Prefix("10.5.0.0/16")

@Test(arguments: [
    ("-A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE", true),
    ("-A POSTROUTING -s 10.5.0.0/255.255.0.0 -o eth0 -j SNAT --to-source 1.2.3.4", true),
    ("-A POSTROUTING -o eth0 -j MASQUERADE", true), ("-A POSTROUTING -s 10.5.0.0/24 -j MASQUERADE", false),
    ("-A POSTROUTING ! -s 10.5.0.0/16 -j MASQUERADE", false), ("-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE", true),
])
func savedTranslations(line: String, covers: Bool) throws {
    let text = "*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n*nat\n:POSTROUTING ACCEPT [0:0]\n\(line)\nCOMMIT\n"
    let file = IptablesRestoreFile(path: "/r", bytes: Array(text.utf8))
    #expect(file.tables == ["filter", "nat"])
    let rule = try #require(file.translations.first)
    #expect(rule.location.line == 6)
    #expect(rule.covers(try #require(network)) == covers)
}

@Test func otherTablesDoNotTranslate() {
    let text =
        "*mangle\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n*nat\n# -A POSTROUTING -j MASQUERADE\n-A PREROUTING -j DNAT\n"
    #expect(IptablesRestoreFile(path: "/r", bytes: Array(text.utf8)).translations.isEmpty)
}

@Test func nftablesText() throws {
    let text = """
        #!/usr/sbin/nft -f
        flush ruleset # all
        include "/etc/nftables.d/*.nft"
        table ip nat {
            chain pre {
                type nat hook prerouting priority -100;
                ip saddr 10.5.0.0/16 masquerade
            }
            chain post {
                type nat hook postrouting priority 100; policy accept;
                ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade
                ip saddr { 10.6.0.0/16 } masquerade
            }
        }
        # flush ruleset
        """
    let file = NftablesConf(path: "/etc/nftables.conf", bytes: Array(text.utf8))
    #expect(file.flushes.map(\.description) == ["/etc/nftables.conf:2"])
    #expect(file.includes == ["/etc/nftables.d/*.nft"])
    #expect(file.translations.map(\.location.line) == [11, 12])
    #expect(file.translations[0].covers(try #require(network)))
    #expect(!file.translations[1].covers(try #require(network)))
    let oneLine = "table ip n { chain p { type nat hook postrouting priority 100; ip saddr 10.5.0.0/16 masquerade; }; }"
    #expect(NftablesConf(path: "/x", bytes: Array(oneLine.utf8)).translations.count == 1)
    let command = "add rule ip nat post ip saddr 10.5.0.0/16 masquerade\n"
    #expect(NftablesConf(path: "/x", bytes: Array(command.utf8)).translations.count == 1)
}

@Test func dpkgStatus() {
    let text = """
        Package: lxc-templates
        Status: install ok installed
        Version: 3.0.4

        Package: lxc
        Status: install ok installed
        Depends: x,
         y
        Version: 1:5.0.2-1+deb12u4

        Package: ufw
        Status: deinstall ok config-files
        Version: 0.36
        """
    let bytes = Array(text.utf8)
    #expect(PackageDatabase.dpkg("lxc", in: bytes) == "1:5.0.2-1+deb12u4")
    #expect(PackageDatabase.dpkg("ufw", in: bytes) == nil)
    #expect(PackageDatabase.dpkg("xc", in: bytes) == nil)
    #expect(PackageDatabase.upstream("1:5.0.2-1+deb12u4") == "5.0.2")
    #expect(PackageDatabase.major("5.0.0~git2209-g5a7b9ce67-0ubuntu1") == 5)
    #expect(PackageDatabase.major("") == nil)
    #expect(PackageDatabase.apk("lxc", in: Array("C:x\nP:lxc\nV:4.0.12-r4\n\nP:b\nV:1\n".utf8)) == "4.0.12-r4")
    #expect(PackageDatabase.dpkg("lxc", in: []) == nil)
    // Where the line is the first, the last, or part of another.
    #expect(PackageDatabase.apk("lxc", in: Array("\nP:lxc\nV:1".utf8)) == "1")
    #expect(PackageDatabase.apk("lxc", in: Array("V:2\nP:lxc".utf8)) == "2")
    #expect(PackageDatabase.apk("lxc", in: Array("V:3\nXP:lxc\nP:lxcfs\n\nP:lxc\nV:4\n\n\nV:5\n".utf8)) == "4")
}

@Test func upstartJob() {
    let text = """
        env USE_LXC_BRIDGE="True"
        env LXC_MAKINA_ADDR="10.5.0.1"
        pre-start script
            [ "x$USE_LXC_BRIDGE" = "xtrue" ] || { stop; exit 0; }
            # ifconfig in a comment
            brctl addbr ${LXC_MAKINA_BRIDGE} || { echo "Missing bridge support in kernel"; stop; }
            touch ${varrun}/network_up
        end script
        """
    let script = InitScript(path: "/j", bytes: Array(text.utf8))
    #expect(script.variable("USE_LXC_BRIDGE")?.value == "True")
    #expect(script.firstGuard("USE_LXC_BRIDGE")?.wanted == "true")
    #expect(script.firstGuard("USE_LXC_BRIDGE")?.location.line == 4)
    #expect(script.use(of: "brctl")?.line == 6)
    #expect(script.use(of: "ifconfig") == nil)
    #expect(script.mention(of: "network_up")?.line == 7)
}

@Test func shorewallColumns() {
    let file = ColumnFile(path: "/s", bytes: Array("?FORMAT 2\n#a\nMASQUERADE 10.5.0.0/16\tbr0 # x\n\n".utf8))
    #expect(file.rows.map(\.columns) == [["MASQUERADE", "10.5.0.0/16", "br0"]])
    #expect(file.rows.first?.location.line == 3)
}
