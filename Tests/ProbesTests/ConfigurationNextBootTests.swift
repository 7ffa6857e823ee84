import HostAccess
import HostModel
import Testing

@testable import Probes

private let bridge = ["bridge": "lxcbr1", "address": "10.5.0.1/16"]
private let network = ["bridge": "lxcbr1", "network": "10.5.0.0/16"]

private func problems(_ facts: [String: FactValue]) -> String {
    if case .strings(let problems)? = facts["problems"] { return problems.joined(separator: "; ") }
    return ""
}

@Test func lxcNetMakesBoth() throws {
    let host = ConfigurationHosts.healthy()
    let found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(found["creators"] == .strings(["lxc-net"]))
    #expect(found["creator"] == .string("lxc-net"))
    #expect(found["carriesAddress"] == .boolean(true))
    #expect(problems(found) == "")
    let nat = try facts(NATNextBootProbe(), network, on: host)
    #expect(nat["makers"] == .strings(["lxc-net"]))
    #expect(nat["lasting"] == .boolean(true))
    let narrow = try facts(BridgeNextBootProbe(), ["bridge": "lxcbr1", "address": "10.5.0.1/24"], on: host)
    #expect(narrow["carriesAddress"] == .boolean(false))
    let lone = try facts(BridgeNextBootProbe(), ["bridge": "lxcbr1", "address": "10.5.0.1"], on: host)
    #expect(lone["carriesAddress"] == .boolean(true))
}

@Test func nobody() throws {
    let host = FileTreeHost(["/run/systemd/system/": ""])
    #expect(try facts(BridgeNextBootProbe(), bridge, on: host)["count"] == .integer(0))
    let nat = try facts(NATNextBootProbe(), network, on: host)
    #expect(nat["count"] == .integer(0))
    #expect(nat["lasting"] == .boolean(false))
}

@Test func lxcNetSwitchedOff() throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/default/lxc-net", ConfigurationHosts.makinaValues + "USE_LXC_BRIDGE=\"false\"\n")
    var found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(found["count"] == .integer(0))
    #expect(problems(found) == "lxc-net is enabled but USE_LXC_BRIDGE is not true (/etc/default/lxc-net:8)")
    host.set("/etc/default/lxc-net", ConfigurationHosts.makinaValues)
    host.remove("/etc/systemd/system/multi-user.target.wants")
    found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(problems(found) == "lxc-net would make lxcbr1, but it is disabled")
    host.set("/etc/default/lxc", "X=1\n")
    found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(problems(found) == "/etc/default/lxc-net names lxcbr1, but nothing reads it")
}

@Test func theJobWhereItsInitRuns() throws {
    let upstart = ConfigurationHosts.upstart()
    #expect(try facts(BridgeNextBootProbe(), bridge, on: upstart)["creators"] == .strings(["makina-job"]))
    #expect(try facts(NATNextBootProbe(), network, on: upstart)["makers"] == .strings(["makina-job"]))
    upstart.set("/etc/default/lxc", "USE_LXC_BRIDGE=True\n")
    #expect(problems(try facts(BridgeNextBootProbe(), bridge, on: upstart)).contains("not \"true\""))
    let systemd = FileTreeHost(["/run/systemd/system/": "", "/etc/init/lxc-net-makina.conf": ConfigurationHosts.job])
    #expect(problems(try facts(BridgeNextBootProbe(), bridge, on: systemd)).contains("init is systemd"))
    ConfigurationHosts.enable(
        "lxc-net-makina", unit: "[Service]\nExecStart=/usr/bin/lxc-net-makina.sh start\n", on: systemd)
    systemd.set("/usr/bin/lxc-net-makina.sh", "#!/bin/sh\nip link add lxcbr1 type bridge\n")
    let found = try facts(BridgeNextBootProbe(), bridge, on: systemd)
    #expect(found["creators"] == .strings(["makina-job"]))
    #expect(found["carriesAddress"] == .boolean(true))
}

private let stanza = """
    auto lxcbr1
    iface lxcbr1 inet static
        address 10.5.0.1
        netmask 255.255.0.0
        bridge_ports none
        post-up iptables -t nat -A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE

    """

@Test func ifupdownNeedsItsParts() throws {
    let host = FileTreeHost([
        "/run/systemd/system/": "", "/etc/network/interfaces": "source /etc/network/interfaces.d/*\n",
        "/etc/network/interfaces.d/lxc": stanza, "/sbin/ifup": "", "/etc/network/if-pre-up.d/bridge": "",
    ])
    #expect(problems(try facts(BridgeNextBootProbe(), bridge, on: host)).contains("does not run at boot"))
    ConfigurationHosts.enable(
        "networking", unit: "[Unit]\nDefaultDependencies=no\nAfter=network-pre.target\n", on: host)
    var found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(found["creators"] == .strings(["ifupdown"]))
    #expect(found["carriesAddress"] == .boolean(true))
    #expect(try facts(NATNextBootProbe(), network, on: host)["makers"] == .strings(["ifupdown"]))
    host.remove("/etc/network/if-pre-up.d")
    found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(problems(found).contains("needs bridge-utils"))
    host.set("/etc/network/interfaces", "source /etc/network/interfaces\n")
    #expect(throws: ObservationFailure.self) { try facts(BridgeNextBootProbe(), bridge, on: host) }
}

@Test func otherCreators() throws {
    let host = FileTreeHost([
        "/run/systemd/system/": "", "/etc/systemd/network/a.netdev": "[NetDev]\nName=lxcbr1\nKind=bridge\n",
        "/etc/systemd/network/a.network":
            "[Match]\nName=lxcbr1\n[Network]\nAddress=10.5.0.1/16\nIPMasquerade=both\n",
        "/etc/netplan/01.yaml": "network:\n  bridges:\n    lxcbr1:\n      addresses: [10.5.0.1/16]\n",
        "/etc/NetworkManager/system-connections/b.nmconnection":
            "[connection]\ntype=bridge\ninterface-name=lxcbr1\n[ipv4]\nmethod=shared\naddress1=10.5.0.1/16\n",
        "/usr/lib/systemd/system/NetworkManager.service": "[Unit]\n",
    ])
    var found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(found["count"] == .integer(0))
    #expect(problems(found).split(separator: ";").count == 3)
    ConfigurationHosts.enable("systemd-networkd", unit: "[Unit]\n", on: host)
    ConfigurationHosts.enable("NetworkManager", unit: "[Unit]\n", on: host)
    host.set("/usr/lib/systemd/system-generators/netplan", "")
    found = try facts(BridgeNextBootProbe(), bridge, on: host)
    #expect(found["creators"] == .strings(["systemd-networkd", "netplan", "networkmanager"]))
    #expect(
        try facts(NATNextBootProbe(), network, on: host)["makers"] == .strings(["systemd-networkd", "networkmanager"]))
    host.set("/etc/netplan/01.yaml", "network: {bridges: {lxcbr1: {}}}\n")
    #expect(throws: ObservationFailure.self) { try facts(BridgeNextBootProbe(), bridge, on: host) }
}

@Test func flushAtBootComesFirst() throws {
    let host = ConfigurationHosts.healthy()
    ConfigurationHosts.enable("nftables", unit: ConfigurationHosts.nftablesUnit, on: host)
    host.set("/etc/nftables.conf", "#!/usr/sbin/nft -f\n\nflush ruleset\n")
    var found = try facts(NATNextBootProbe(), network, on: host)
    #expect(found["flushedBy"] == .strings([]))
    #expect(found["lasting"] == .boolean(true))

    host.set("/etc/systemd/system/nftables.service.d/late.conf", "[Unit]\nAfter=lxc-net.service\n")
    found = try facts(NATNextBootProbe(), network, on: host)
    #expect(
        found["flushedBy"]
            == .strings(["nftables.service may run /etc/nftables.conf:3 'flush ruleset' after lxc-net"]))

    host.set("/etc/systemd/system/nftables.service", "[Unit]\nAfter=lxc-net.service\n")
    found = try facts(NATNextBootProbe(), network, on: host)
    #expect(
        found["flushedBy"]
            == .strings(["nftables.service runs /etc/nftables.conf:3 'flush ruleset' after lxc-net"]))
    #expect(found["lasting"] == .boolean(false))

    host.set(
        "/etc/nftables.conf",
        "flush ruleset\ntable ip n {\nchain p {\ntype nat hook postrouting priority 100;\nip saddr 10.5.0.0/16 masquerade\n}\n}\n"
    )
    found = try facts(NATNextBootProbe(), network, on: host)
    #expect(found["makers"] == .strings(["lxc-net", "nftables"]))
    #expect(found["lasting"] == .boolean(true))
}

@Test(arguments: [
    ("#!/bin/sh\nnft flush ruleset\n", false), ("#!/bin/sh\n# nft flush ruleset\nexit 0\n", true),
    ("/usr/sbin/nft -f /etc/nftables.conf\n", false), ("iptables -t nat -F\n", true),
    ("iptables -t nat -F MINE\n", true),
])
func localScripts(text: String, lasting: Bool) throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/nftables.conf", "flush ruleset\n")
    host.set("/etc/rc.local", .file(text, mode: 0o755, owner: 0))
    #expect(try facts(NATNextBootProbe(), network, on: host)["lasting"] == .boolean(lasting))
    host.set("/etc/rc.local", .file(text, mode: 0o644, owner: 0))
    #expect(try facts(NATNextBootProbe(), network, on: host)["lasting"] == .boolean(true))
}

@Test func iptablesRulesAreReplacedByTheirTools() throws {
    let host = ConfigurationHosts.healthy()
    host.remove("/usr/sbin/nft")
    host.set("/etc/rc.local", .file("iptables -t nat -F\n", mode: 0o755, owner: 0))
    let found = try facts(NATNextBootProbe(), network, on: host)
    #expect(found["flushedBy"] == .strings(["rc.local runs /etc/rc.local:1 'iptables -t nat -F' after lxc-net"]))
}

@Test(arguments: [
    ("-A POSTROUTING -s 10.5.0.0/16 -j MASQUERADE", true), ("-A POSTROUTING -s 10.5.1.0/24 -j MASQUERADE", false),
])
func savedRules(rule: String, makes: Bool) throws {
    let host = FileTreeHost(["/run/systemd/system/": "", "/etc/iptables/rules.v4": "*nat\n\(rule)\nCOMMIT\n"])
    #expect(try facts(NATNextBootProbe(), network, on: host)["count"] == .integer(0))
    ConfigurationHosts.enable("netfilter-persistent", unit: "[Unit]\n", on: host)
    let found = try facts(NATNextBootProbe(), network, on: host)
    #expect(found["makers"] == .strings(makes ? ["netfilter-persistent"] : []))
    #expect(problems(found).isEmpty == makes)
}

@Test func firewallsThatTranslate() throws {
    let host = FileTreeHost([
        "/run/systemd/system/": "", "/etc/ufw/ufw.conf": "ENABLED=yes\n",
        "/etc/ufw/before.rules": "*nat\n-A POSTROUTING -s 10.5.0.0/16 -o eth0 -j MASQUERADE\nCOMMIT\n",
        "/etc/shorewall/shorewall.conf": "STARTUP_ENABLED=Yes\n", "/etc/shorewall/masq": "br0 lxcbr1 - - - - -\n",
        "/etc/firewalld/zones/public.xml": "<zone>\n  <masquerade/>\n</zone>\n",
    ])
    #expect(try facts(NATNextBootProbe(), network, on: host)["count"] == .integer(0))
    for name in ["ufw", "shorewall", "firewalld"] { ConfigurationHosts.enable(name, unit: "[Unit]\n", on: host) }
    #expect(
        try facts(NATNextBootProbe(), network, on: host)["makers"] == .strings(["ufw", "firewalld", "shorewall"]))
    host.set("/etc/ufw/ufw.conf", "ENABLED=no\n")
    host.set("/etc/shorewall/shorewall.conf", "STARTUP_ENABLED=No\n")
    host.set("/etc/firewalld/zones/public.xml", "<zone>\n<!-- <masquerade/> -->\n</zone>\n")
    #expect(try facts(NATNextBootProbe(), network, on: host)["count"] == .integer(0))
}
