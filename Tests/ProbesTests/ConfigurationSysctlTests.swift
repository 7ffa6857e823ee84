import HostAccess
import HostModel
import Testing

@testable import Probes

private let key = ["key": "net.ipv4.ip_forward"]

private func observe(_ files: [String: String]) throws -> [String: FactValue] {
    try facts(SysctlNextBootProbe(), key, on: FileTreeHost(files.merging(["/run/systemd/system/": ""]) { $1 }))
}

@Test func theSeedsFileAgainstAnOldMainFile() throws {
    let files = [
        "/etc/sysctl.conf": "net.ipv4.ip_forward=0\n", "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
        "/etc/sysctl.d/99_custom.conf": "net.ipv4.ip_forward = 1\n",
    ]
    let systemd = try observe(files)
    #expect(systemd["value"] == .string("1"))
    #expect(systemd["systemd"] == .string("1"))
    #expect(systemd["procps"] == .string("0"))
    #expect(systemd["agrees"] == .boolean(false))
    #expect(systemd["decidedBy"] == .string("/etc/sysctl.d/99_custom.conf:1"))
    #expect(systemd["overridden"] == .strings(["/etc/sysctl.d/99-sysctl.conf:1=0"]))
    let sysv = try facts(SysctlNextBootProbe(), key, on: FileTreeHost(files))
    #expect(sysv["init"] == .string("sysv"))
    #expect(sysv["value"] == .string("0"))
}

@Test func masksAndAbsence() throws {
    let masked = try observe([
        "/etc/sysctl.d/50-x.conf": "-> /dev/null", "/dev/null": "",
        "/usr/lib/sysctl.d/50-x.conf": "net.ipv4.ip_forward=0",
    ])
    #expect(masked["value"] == .string(""))
    #expect(masked["effective"] == .string(""))
    #expect(masked["agrees"] == .boolean(true))
}

@Test func aRefusedFileIsUnknown() {
    let host = FileTreeHost(["/run/systemd/system/": ""])
    host.set("/etc/sysctl.d/a.conf", .denied)
    #expect(throws: ObservationFailure.self) { try facts(SysctlNextBootProbe(), key, on: host) }
}

@Test func settersComeAfterTheFiles() throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/sysctl.d/50-cis.conf", "net.ipv4.conf.all.forwarding = 0\n")
    var found = try facts(SysctlNextBootProbe(), key, on: host)
    #expect(found["value"] == .string("0"))
    #expect(found["setters"] == .strings(["lxc-net"]))
    #expect(found["effective"] == .string("1"))

    ConfigurationHosts.enable("ufw", unit: "[Unit]\n", on: host)
    host.set("/etc/ufw/ufw.conf", "ENABLED=yes\n")
    host.set("/etc/default/ufw", "IPT_SYSCTL=/etc/ufw/sysctl.conf\n")
    host.set("/etc/ufw/sysctl.conf", "net/ipv4/ip_forward=0\n")
    host.set("/etc/default/lxc-net", "USE_LXC_BRIDGE=false\n")
    found = try facts(SysctlNextBootProbe(), key, on: host)
    #expect(found["setters"] == .strings(["ufw"]))
    #expect(found["effective"] == .string("0"))

    ConfigurationHosts.enable("systemd-networkd", unit: "[Unit]\n", on: host)
    host.set("/etc/systemd/network/a.network", "[Match]\nName=lxcbr1\n[Network]\nIPMasquerade=ipv4\n")
    found = try facts(SysctlNextBootProbe(), key, on: host)
    #expect(found["setters"] == .strings(["ufw", "systemd-networkd"]))
    #expect(found["effective"] == .string("1"))
}

@Test(arguments: [("On", "1"), ("Off", "0"), ("Keep", "")])
func shorewallForwarding(word: String, effective: String) throws {
    let host = FileTreeHost([
        "/run/systemd/system/": "", "/etc/shorewall/shorewall.conf": "STARTUP_ENABLED=Yes\nIP_FORWARDING=\(word)\n",
    ])
    ConfigurationHosts.enable("shorewall", unit: "[Unit]\nAfter=network-online.target\n", on: host)
    #expect(try facts(SysctlNextBootProbe(), key, on: host)["effective"] == .string(effective))
}

@Test func anUnorderedOffMayComeLast() throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/shorewall/shorewall.conf", "STARTUP_ENABLED=Yes\nIP_FORWARDING=Off\n")
    ConfigurationHosts.enable("shorewall", unit: "[Unit]\nAfter=network-online.target\n", on: host)
    #expect(try facts(SysctlNextBootProbe(), key, on: host)["effective"] == .string("0"))
    ConfigurationHosts.enable("shorewall", unit: "[Unit]\nBefore=network.target\n", on: host)
    #expect(try facts(SysctlNextBootProbe(), key, on: host)["effective"] == .string("1"))
}

@Test(arguments: [
    (["/run/systemd/system/": ""], "systemd"), (["/run/openrc/": ""], "openrc"),
    (["/sbin/init": "-> /lib/systemd/systemd"], "systemd"),
    (["/sbin/upstart": "", "/etc/init/rc.conf": ""], "upstart"), (["/sbin/upstart": ""], "sysv"),
    (["/sbin/upstart": "", "/sbin/initctl": "", "/etc/init/rc.conf": ""], "upstart"),
    (["/sbin/initctl": "-> /bin/true", "/bin/true": "", "/etc/init/rc.conf": ""], "sysv"),
    (["/etc/inittab": "", "/sbin/init": ""], "sysv"), ([:], "sysv"),
    (["/etc/runlevels/default/x": "", "/sbin/openrc": ""], "openrc"), (["/lib/systemd/systemd": ""], "systemd"),
])
func initSystems(files: [String: String], wanted: String) throws {
    #expect(try InitSystem.detect(ConfigurationReader(host: FileTreeHost(files))).rawValue == wanted)
}
