import ConfigFiles
import HostAccess
import HostModel
import Testing

@testable import Remedies

/// What an operator has evidently decided, and a repair leaves alone.
@Suite("A decision of the operator's")
struct DecisionTests {
    private func plan(_ cause: Cause, _ host: OverlayHost) throws -> Plan {
        let facts = try PlanFacts.read(from: host, profile: Fixture.profile, causes: [cause])
        return Remedies.plan(for: [cause], profile: Fixture.chosen, facts: facts)
    }

    /// Nothing is changed, and no command is offered that would.
    private func leftToPerson(_ cause: Cause, _ host: OverlayHost) throws -> String {
        let made = try plan(cause, host)
        #expect(made.changes.isEmpty, "\(made.steps)")
        let entry = try #require(made.byHand.first)
        #expect(!entry.what.contains { $0.hasPrefix("by-hand") }, "\(entry)")
        return entry.why
    }

    private static func container(_ name: String) -> Cause {
        var cause = Fixture.cause(
            name, remedy: name == "config-address-without-prefix" ? "container-address" : "container-config")
        cause.subject = Subject(kind: .container, name: "old")
        return cause
    }

    // MARK: the bridge that lxc-net makes

    /// lxc-net with its own bridge, stopped.
    private func stock(_ change: (inout HostState) -> Void) -> OverlayHost {
        let host = OverlayHost(Fixture.healthy)
        host.state.paths["/etc/default/lxc-net"] = Fixture.file("USE_LXC_BRIDGE=\"true\"\n")
        host.state.paths[LxcNetFacts.enablement] = .absent
        change(&host.state)
        return host
    }

    @Test func lxcNetKeepsABridgeThatIsOnlyDown() throws {
        let cause = Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure")
        let enabled = stock {
            $0.paths["/etc/default/lxc-net"] = Fixture.file("USE_LXC_BRIDGE=true\nLXC_BRIDGE=br7\n")
            $0.paths[LxcNetFacts.enablement] = .symbolicLink(Fixture.unit)
        }
        #expect(try leftToPerson(cause, enabled).contains("lxc-net makes br7 at every boot"))
        let linked = stock {
            $0.paths["/var/lib/lxc"] = .directory
            $0.paths["/var/lib/lxc/web"] = .directory
            $0.paths["/var/lib/lxc/web/config"] = Fixture.file("lxc.net.0.type = veth\nlxc.net.0.link = lxcbr0\n")
        }
        #expect(try leftToPerson(cause, linked).contains("containers link lxcbr0"))
        let new = stock {
            $0.paths["/etc/lxc"] = .directory
            $0.paths[LxcNetFacts.containerDefaults] = Fixture.file("lxc.net.0.type = veth\nlxc.net.0.link = lxcbr0\n")
        }
        #expect(try leftToPerson(cause, new).contains("/etc/lxc/default.conf"))
        #expect(try plan(cause, stock { _ in }).byHand.isEmpty)
    }

    @Test func aContainerStaysOnLxcNetsOwnBridge() throws {
        let host = stock { $0.run("old", "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr0\n", plugged: false) }
        #expect(try leftToPerson(Self.container("config-links-other-bridge"), host).contains("lxc-net makes lxcbr0"))
    }

    @Test func aContainerStaysOnABridgeThatTheHostMakes() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.run("old", "lxc.net.0.type = veth\nlxc.net.0.link = br-dmz\n", plugged: false)
        host.state.paths["/etc/systemd/network"] = .directory
        host.state.paths["/etc/systemd/network/br-dmz.netdev"] = Fixture.file("[NetDev]\nName=br-dmz\nKind=bridge\n")
        host.state.paths["/lib/systemd/system"] = .directory
        host.state.paths["/lib/systemd/system/systemd-networkd.service"] = Fixture.file("[Unit]\n")
        host.state.paths["/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"] = .symbolicLink("x")
        let why = try leftToPerson(Self.container("config-links-other-bridge"), host)
        #expect(why.contains("/etc/systemd/network/br-dmz.netdev makes br-dmz"))
    }

    private func linked(_ link: String, also lines: String = "") -> OverlayHost {
        let host = OverlayHost(Fixture.healthy)
        host.state.run("old", "lxc.net.0.type = veth\nlxc.net.0.link = \(link)\n\(lines)", plugged: false)
        return host
    }

    private func write(_ path: String, _ text: String, _ host: OverlayHost) {
        var directory = HostState.directory(of: path)
        while directory != "/" {
            host.state.paths[directory] = .directory
            directory = HostState.directory(of: directory)
        }
        host.state.paths[path] = Fixture.file(text)
    }

    /// The bridge is absent now; whoever names it may make it.
    @Test(arguments: [
        "/etc/systemd/system/net.service", "/etc/systemd/system/net.service.d/own.conf", "/etc/rc.local",
        "/etc/crontab", "/etc/cron.d/net", "/var/spool/cron/crontabs/root", "/etc/network/interfaces",
        "/etc/network/if-up.d/net", "/etc/init.d/net", "/etc/openvswitch/conf.db", "/usr/local/sbin/net",
    ])
    func aContainerStaysOnABridgeThatIsNamed(_ path: String) throws {
        let cause = Self.container("config-links-other-bridge")
        let host = linked("lxcbr0")
        write(path, "# boot\nip link add lxcbr01 type bridge\n", host)
        #expect(try plan(cause, host).byHand.isEmpty)
        write(path, "# boot\nip link add name 'lxcbr0' type bridge\n", host)
        #expect(try leftToPerson(cause, host).contains("\(path):2 names lxcbr0"))
    }

    @Test func aDatabaseThatIsNotReadSaysNothing() throws {
        let host = linked("lxcbr0")
        write("/etc/openvswitch/conf.db", String(repeating: " ", count: (16 << 20) + 1), host)
        let why = try leftToPerson(Self.container("config-links-other-bridge"), host)
        #expect(why.contains("not known: /etc/openvswitch/conf.db is longer"))
    }

    @Test(
        arguments: [
            ("lxc.hook.pre-start = /root/mk", "config:3, lxc.hook.pre-start"),
            ("lxc.net.0.script.up = /root/mk", "config:3, lxc.net.0.script.up"),
            ("lxc.include = /etc/lxc/own.conf", "/etc/lxc/own.conf:1, lxc.hook.pre-mount"),
            ("lxc.hook.version = 1\nlxc.hook.mount = /usr/share/lxcfs/lxc.mount.hook", nil),
        ] as [(String, String?)])
    func aContainerStaysOnABridgeThatItsHookMayMake(_ line: String, _ place: String?) throws {
        let cause = Self.container("config-links-other-bridge")
        let host = linked("lxcbr0", also: line + "\n")
        write("/etc/lxc/own.conf", "lxc.hook.pre-mount = /root/mk\n", host)
        if let place {
            #expect(try leftToPerson(cause, host).contains("(") && leftToPerson(cause, host).contains(place))
        } else {
            #expect(try plan(cause, host).byHand.isEmpty)
        }
    }

    /// That a bridge is absent is no reason: its name must show that nobody here wants it.
    @Test func aContainerIsMovedOnlyForAReason() throws {
        let cause = Self.container("config-links-other-bridge")
        let unexplained = "nothing shows that lxcbr1 was meant"
        #expect(try leftToPerson(cause, linked("br7")).contains(unexplained))
        for link in ["lxcbr0", "virbr0"] { #expect(try plan(cause, linked(link)).byHand.isEmpty) }
        let libvirt = linked("virbr0")
        libvirt.state.paths["/etc/libvirt"] = .directory
        #expect(try leftToPerson(cause, libvirt).contains("libvirt is on this host"))

        let renamed = linked("br7")
        renamed.state.paths["/etc/default/lxc-net"] = Fixture.file(
            "# LXC_BRIDGE=\"br7\" # until May\n" + Fixture.settings)
        #expect(try plan(cause, renamed).byHand.isEmpty)
        let elsewhere = linked("br7")
        elsewhere.state.paths["/etc/default/lxc-net"] = Fixture.file("#LXC_BRIDGE=br7\nUSE_LXC_BRIDGE=false\n")
        #expect(try leftToPerson(cause, elsewhere).contains(unexplained))

        let begun = linked("br7")
        write(LxcNetFacts.containerDefaults, "#lxc.net.0.link = br7\nlxc.net.0.link = lxcbr1\n", begun)
        #expect(try plan(cause, begun).byHand.isEmpty)
        write(LxcNetFacts.containerDefaults, "lxc.net.0.link = br7\n", begun)
        #expect(try leftToPerson(cause, begun).contains(unexplained))
    }

    // MARK: a network that agrees with itself

    private static let causesOfANetwork = [
        ("bridge-wrong-address-or-mask", "bridge-address"), ("bridge-missing", "bridge-create"),
        ("masq-missing", "masquerade"), ("masq-not-persistent", "masquerade-persistent"),
        ("bridge-not-persistent", "bridge-persistent"), ("ip-forward-off", "forwarding"),
    ]

    /// The bridge's file and the bridge agree on another network than the profile's: nothing is made for that one.
    @Test(arguments: ["192.168.44.1/24", "10.5.0.1/24"])
    func aNetworkThatItsMakerMadeStays(_ address: String) throws {
        let host = OverlayHost(Fixture.healthy)
        Scenario.networkd(&host.state)
        host.state.tables = [:]
        host.state.sysctls[SysctlName.ipForward] = "0"
        write(
            "/etc/systemd/network/b.network", "[Match]\nName=lxcbr1\n[Network]\nAddress=\(address)\n", host)
        host.state.addresses["lxcbr1"] = [Fixture.held(address)]
        for (name, remedy) in Self.causesOfANetwork {
            let why = try leftToPerson(Fixture.cause(name, remedy: remedy), host)
            #expect(why.contains("b.network gives lxcbr1 the address \(address), which it carries"), "\(why)")
        }
        #expect(
            try plan(Fixture.cause("bridge-down", remedy: "bridge-up"), host).byHand.first?.why.contains("gives")
                != true)
        // What the bridge carries is another thing than what its file says: one of the two is a mistake.
        host.state.addresses["lxcbr1"] = [Fixture.held("10.5.0.2/20")]
        let made = try plan(Fixture.cause("bridge-wrong-address-or-mask", remedy: "bridge-address"), host)
        #expect(made.byHand.isEmpty && !made.changes.isEmpty)
    }

    /// A file alone decides where it works, and where a netmask that is wrong would not explain it.
    @Test func aFileDecidesForABridgeWithoutAnAddress() throws {
        let host = OverlayHost(Fixture.healthy)
        Scenario.networkd(&host.state)
        host.state.addresses["lxcbr1"] = []
        let cause = Fixture.cause("bridge-address-lost", remedy: "bridge-address")
        let file = "/etc/systemd/network/b.network"
        write(file, "[Match]\nName=lxcbr1\n[Network]\nAddress=10.5.0.1/24\n", host)
        #expect(try plan(cause, host).byHand.isEmpty)
        write(file, "[Match]\nName=lxcbr1\n[Network]\nAddress=192.168.44.1/24\n", host)
        #expect(try leftToPerson(cause, host).contains("which has nothing in common with 10.5.0.0/16"))
        host.state.paths["/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"] = .absent
        #expect(try plan(cause, host).byHand.isEmpty)
    }

    /// Of lxc-net's making, or of nobody's that is known.
    @Test func aBridgeOfAnotherNetworkGetsNoSecondOne() throws {
        let host = OverlayHost(Fixture.healthy)
        let text = Fixture.settings.replacing("10.5.0", with: "10.9.0").replacing("10.5.255", with: "10.9.255")
        host.state.paths["/etc/default/lxc-net"] = Fixture.file(text)
        host.state.addresses["lxcbr1"] = [Fixture.held("10.9.0.1/16")]
        let cause = Fixture.cause("bridge-wrong-address-or-mask", remedy: "bridge-address")
        #expect(try leftToPerson(cause, host).contains("lxc-net makes lxcbr1 the network 10.9.0.0/16"))
        host.state.paths["/etc/default/lxc-net"] = Fixture.file("USE_LXC_BRIDGE=false\n")
        #expect(try leftToPerson(cause, host).contains("nothing on this host gives it an address of 10.5.0.0/16"))
        // lxc-net was to make the profile's network; somebody put another one in its place.
        host.state.paths["/etc/default/lxc-net"] = Fixture.file(Fixture.settings)
        #expect(try plan(cause, host).byHand.isEmpty)
        host.state.paths["/etc/default/lxc-net"] = Fixture.file("USE_LXC_BRIDGE=false\n")
        host.state.addresses["lxcbr1"] = [Fixture.held("169.254.7.7/16")]
        #expect(try plan(cause, host).byHand.isEmpty)
    }

    @Test(arguments: [("192.168.50.1", "192.168.50.0/24", "192.168.50.2,"), ("10.5.0.1", "10.5.0.0/24", "10.5.0.2,")])
    func settingsThatAgreeInAnotherNetworkStay(_ address: String, _ network: String, _ first: String) throws {
        let host = OverlayHost(Fixture.healthy)
        Scenario.astray(&host.state)
        let last = address.dropLast() + "254"
        host.state.paths["/etc/default/lxc-net"] = Fixture.file(
            "USE_LXC_BRIDGE=true\nLXC_BRIDGE=lxcbr1\nLXC_ADDR=\(address)\nLXC_NETMASK=255.255.255.0\nLXC_NETWORK=\(network)\n"
                + "LXC_DHCP_RANGE=\(first)\(last)\n")
        let cause = Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure")
        #expect(try leftToPerson(cause, host).contains("\(network) in every setting"))
        guard address == "10.5.0.1" else { return }
        let why = try leftToPerson(Fixture.cause("masq-wrong-subnet", remedy: "masquerade"), host)
        #expect(why.contains("\(network) in every setting"))
    }

    @Test func aNetworkDoesNotGrowOverAnother() throws {
        let host = OverlayHost(Fixture.healthy)
        Scenario.astray(&host.state)
        host.state.links["site"] = .present(kind: "bridge", up: true, ports: 0)
        host.state.addresses["site"] = [Fixture.held("10.5.7.1/24")]
        let why = try leftToPerson(Fixture.cause("masq-wrong-subnet", remedy: "masquerade"), host)
        #expect(why.contains("site carries 10.5.7.1/24"))
    }

    // MARK: lxc-net's own server

    /// Without its answer lxc-net would be stopped, and might not start again.
    @Test(arguments: ["masq-wrong-subnet", "lxc-net-stale-network-up"])
    func dnsmasqIsAskedBeforeLxcNetIsTouched(_ name: String) throws {
        let host = OverlayHost(Fixture.healthy)
        if name == "masq-wrong-subnet" { Scenario.astray(&host.state) } else { host.state.links["lxcbr1"] = nil }
        let own = host.state.file("/etc/default/lxc-net")?.bytes.text ?? ""
        host.state.paths["/etc/default/lxc-net"] = Fixture.file(own + "LXC_DHCP_CONFILE=/etc/lxc/dnsmasq.conf\n")
        let cause = Fixture.cause(
            name, remedy: name == "masq-wrong-subnet" ? "masquerade" : "network-up-flag")
        let programs = try plan(cause, host).changes.compactMap { change -> OwnedProgram? in
            if case .run(let program) = change.change { program } else { nil }
        }
        #expect(
            programs.first == .checkDnsmasq(path: "/etc/lxc/dnsmasq.conf", range: "10.5.0.2,10.5.255.254"),
            "\(programs)")
        #expect(programs.contains { if case .lxcNetStart = $0 { true } else { false } })
    }

    // MARK: containers

    @Test(arguments: [
        "lxc.net.0.script.up = /etc/lxc/ovsup", "lxc.net.0.veth.mode = router", "lxc.net.0.l2proxy = 1",
    ]) func aVethThatSomethingElseConnectsIsNotLinked(_ line: String) throws {
        let own = "lxc.net.0.type = veth\n\(line)\n"
        #expect(LXCConfig.linkingLooseDevices(to: "lxcbr1", in: Array(own.utf8)) == Array(own.utf8))
        let mixed = own + "lxc.net.1.type = veth\n"
        #expect(
            LXCConfig.linkingLooseDevices(to: "lxcbr1", in: Array(mixed.utf8))
                == Array((mixed + "lxc.net.1.link = lxcbr1\n").utf8))
        let host = OverlayHost(Fixture.healthy)
        host.state.run("old", mixed, plugged: false)
        let made = try plan(Self.container("config-no-link"), host)
        #expect(!made.changes.contains { if case .setMaster = $0.change { true } else { false } }, "\(made.steps)")
    }

    @Test(arguments: ["10.5.200.7/32", "10.5.200.7/24", "10.5.200.8/31"])
    func anAddressKeepsAPrefixLengthThatSomebodyGaveIt(_ address: String) throws {
        #expect(ContainerAddress.corrected(address, [Fixture.network]) == nil)
        let host = OverlayHost(Fixture.healthy)
        host.state.run("old", "lxc.net.0.type = veth\n", addresses: ["10.5.0.60/16", address])
        let why = try leftToPerson(
            Fixture.cause("config-address-without-prefix", remedy: "container-address"), host)
        #expect(why.contains("eth0 in old has \(address)"))
    }

    // MARK: forwarding

    @Test func whatAFileKeepsClosedIsClosedAgain() throws {
        let host = OverlayHost(Fixture.healthy)
        for link in ["mgmt", "side"] {
            host.state.links[link] = .present(kind: "bridge", up: true, ports: 0)
            host.state.sysctls[SysctlName.forwarding(of: link)] = "1"
        }
        // Of the bridge and the uplink, too: these are needed.
        host.state.paths["/etc/sysctl.d/99-mine.conf"] = Fixture.file(
            ["mgmt", "lxcbr1", "eth0"].map { "net.ipv4.conf.\($0).forwarding = 0\n" }.joined())
        host.state.apply(.setSysctl(key: SysctlName.ipForward, from: "1", to: "0"))
        let before = host.state
        let made = try plan(Fixture.cause("ip-forward-off", remedy: "forwarding"), host)
        for change in made.changes { try host.apply(change.change) }
        let closed = host.state.sysctls.filter { $0.key.hasSuffix(".forwarding") && $0.value == "0" }.keys
        #expect(Array(closed) == [SysctlName.forwarding(of: "mgmt")])
        #expect(made.steps.last?.risk.contains("/etc/sysctl.d/99-mine.conf") == true)
        for change in made.changes.reversed().flatMap(\.undo) { try host.apply(change) }
        #expect(host.state.sysctls == before.sysctls)
    }

    /// By ours after it, by a file of the operator's own, or by whoever switches forwarding on at boot after the files.
    @Test(arguments: [
        ["ip-forward-off"], ["ip-forward-reset"], ["ip-forward-off", "ip-forward-reset"],
        ["ip-forward-off", "lxc-net"],
    ]) func whatAFileKeepsClosedIsClosedAfterABoot(_ faults: [String]) throws {
        let host = OverlayHost(Fixture.healthy)
        for link in ["mgmt", "side", "bond0", "veth1"] {
            host.state.links[link] = .present(kind: link == "veth1" ? "veth" : "bridge", up: true, ports: 0)
            host.state.sysctls[SysctlName.forwarding(of: link)] = "1"
        }
        host.state.paths["/etc/sysctl.d/20-mgmt.conf"] = Fixture.file(
            "net/ipv4/conf/mgmt/forwarding=0\nnet.ipv4.conf.wg0.forwarding = 0\nnet.ipv4.conf.[bv]*.forwarding = 0\n")
        if faults.contains("lxc-net") { host.state.paths["/etc/sysctl.d/30-forward.conf"] = .absent }
        if faults.contains("ip-forward-off") {
            host.state.apply(.setSysctl(key: SysctlName.ipForward, from: "1", to: "0"))
        }
        if faults.contains("ip-forward-reset") {
            host.state.paths["/etc/sysctl.d/99_cis.conf"] = Fixture.file("net.ipv4.conf.all.forwarding=0\n")
        }
        let before = host.state
        let causes = faults.filter { $0 != "lxc-net" }.map {
            Fixture.cause($0, remedy: $0 == "ip-forward-off" ? "forwarding" : "forwarding-persistent")
        }
        func plan() throws -> Plan {
            Remedies.plan(for: causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
        }
        func boot(_ link: String, _ tool: SysctlReplay.Tool) throws -> SysctlReplay.Outcome {
            let key = try #require(SysctlKey.ipv4(interface: link, "forwarding"))
            return SysctlReplay(texts: try Fixture.facts(host).sysctlFiles)
                .forwarding(of: key, under: .ipForward, tool: tool)
        }
        let made = try plan()
        #expect(made.byHand.isEmpty && made.causes.count == causes.count, "\(made.byHand)")
        for change in made.changes { try host.apply(change.change) }
        let written = ForwardingPersistent.paths.compactMap { host.state.file($0)?.bytes.text }
        let text = try #require(written.first)
        #expect(written.count == 1, "\(written)")
        for tool in SysctlReplay.Tool.allCases {
            for link in ["mgmt", "wg0", "bond0"] { #expect(try boot(link, tool).isZero, "\(tool) \(text)") }
            for link in ["lxcbr1", "eth0", "side"] { #expect(try !boot(link, tool).isZero, "\(link) \(text)") }
        }
        // Its file says who wants it; what is there only for now is not written down.
        #expect(text.contains("# /etc/sysctl.d/20-mgmt.conf keeps mgmt closed") && !text.contains("veth1"), "\(text)")
        #expect(made.steps.last?.risk.contains("mgmt: /etc/sysctl.d/20-mgmt.conf keeps it closed") == true)
        #expect(try plan().changes.isEmpty)
        for change in made.changes.reversed().flatMap(\.undo) { try host.apply(change) }
        #expect(host.state.sysctls == before.sysctls)
        #expect(host.state.paths.filter { $0.value != .absent } == before.paths.filter { $0.value != .absent })
    }

    /// A key that our own file has set already moves to the end only with another spelling of its value.
    @Test func whatOursKeptClosedStaysSoBehindALaterName() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.paths["/etc/sysctl.d/20-mgmt.conf"] = Fixture.file("net.ipv4.conf.mgmt.forwarding = 0\n")
        host.state.paths["/etc/sysctl.d/99-zz-lxc-doctor.conf"] = Fixture.file(
            "net.ipv4.ip_forward = 1\nnet.ipv4.conf.mgmt.forwarding = 00\n")
        host.state.paths["/etc/sysctl.d/99-zzz.conf"] = Fixture.file("net.ipv4.ip_forward = 0\n")
        let made = try plan(Fixture.cause("ip-forward-reset", remedy: "forwarding-persistent"), host)
        for change in made.changes { try host.apply(change.change) }
        let key = try #require(SysctlKey.ipv4(interface: "mgmt", "forwarding"))
        let replay = SysctlReplay(texts: try Fixture.facts(host).sysctlFiles)
        for tool in SysctlReplay.Tool.allCases {
            #expect(replay.outcome(.ipForward, tool: tool).value == "1")
            #expect(replay.forwarding(of: key, under: .ipForward, tool: tool).isZero, "\(made.steps)")
        }
    }

    /// procps reads /etc/sysctl.conf last, whose line opens every interface to IPv6 once more: that is the operator's own.
    @Test func ofTwoToolsOneMayKeepClosed() throws {
        let scenario = try #require(Scenario.all.first { $0.cause == "ipv6-forward-off" })
        let host = scenario.host
        host.state.sysctls[SysctlName.ipv6Forwarding(of: "eth1")] = "0"
        host.state.paths["/etc/sysctl.d/20-mgmt.conf"] = Fixture.file("net.ipv6.conf.eth1.forwarding = 0\n")
        host.state.paths["/etc/sysctl.conf"] = Fixture.file("net.ipv6.conf.all.forwarding = 1\n")
        host.state.paths["/etc/sysctl.d/99-sysctl.conf"] = .absent
        let made = try plan(scenario.causes[0], host)
        for change in made.changes { try host.apply(change.change) }
        let key = try #require(SysctlKey.ipv6(interface: "eth1", "forwarding"))
        let replay = SysctlReplay(texts: try Fixture.facts(host).sysctlFiles)
        #expect(replay.forwarding(of: key, under: .ipv6Forwarding, tool: .systemd).isZero, "\(made.steps)")
        #expect(!replay.forwarding(of: key, under: .ipv6Forwarding, tool: .procps).isZero)
    }

    @Test(arguments: ["/etc/sysctl.d/20-six.conf", "/etc/sysctl.conf"])
    func whatAFileKeepsClosedToIPv6StaysSo(_ path: String) throws {
        let scenario = try #require(Scenario.all.first { $0.cause == "ipv6-forward-off" })
        let host = scenario.host
        host.state.sysctls[SysctlName.ipv6Forwarding(of: "eth1")] = "0"
        host.state.paths["/etc/sysctl.d/20-mgmt.conf"] = Fixture.file("net.ipv6.conf.eth1.forwarding = 0\n")
        host.state.paths[path] = Fixture.file("net.ipv6.conf.all.forwarding = 0\n")
        let before = host.state
        let made = try plan(scenario.causes[0], host)
        for change in made.changes { try host.apply(change.change) }
        #expect(host.state.sysctls[SysctlName.ipv6Forwarding] == "1")
        #expect(host.state.sysctls[SysctlName.ipv6Forwarding(of: "eth1")] == "0")
        let key = try #require(SysctlKey.ipv6(interface: "eth1", "forwarding"))
        let replay = SysctlReplay(texts: try Fixture.facts(host).sysctlFiles)
        for tool in SysctlReplay.Tool.allCases {
            #expect(replay.outcome(.ipv6Forwarding, tool: tool).value == "1")
            #expect(replay.forwarding(of: key, under: .ipv6Forwarding, tool: tool).isZero, "\(tool) \(made.changes)")
        }
        #expect(try plan(scenario.causes[0], host).changes.isEmpty)
        for change in made.changes.reversed().flatMap(\.undo) { try host.apply(change) }
        #expect(host.state.sysctls == before.sysctls)
        #expect(host.state.paths.filter { $0.value != .absent } == before.paths.filter { $0.value != .absent })
    }

    // MARK: what is exported

    @Test func noCopyLiesWhereAProgramReadsIt() throws {
        let scenario = try #require(Scenario.all.first { $0.remedy == "forwarding-persistent" })
        let host = scenario.host
        let made = Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
        #expect(shellScript(made).contains("backup=/var/lib/lxc-doctor/backup/$1$2"))
        let playbook = ansiblePlaybook(made)
        #expect(!playbook.contains("backup: true") && !shellScript(made).contains(".lxc-doctor.$run"))
        #expect(playbook.contains("Keep a copy of /etc/sysctl"))
    }

    @Test func aCheckOfAContainerNamesItsFile() throws {
        let scenario = try #require(Scenario.all.first { $0.remedy == "container-config" })
        let made = Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(scenario.host))
        #expect(made.steps.last?.target == "/var/lib/lxc/old/config")
    }
}
