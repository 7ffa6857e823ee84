import HostAccess
import HostModel
import Testing

@testable import Probes

@Test func settingsOfAHealthyHost() throws {
    let found = try facts(LXCNetSettingsProbe(), on: ConfigurationHosts.healthy())
    #expect(found["installed"] == .boolean(true))
    #expect(found["script"] == .string("/usr/libexec/lxc/lxc-net"))
    #expect(found["useBridge"] == .boolean(true))
    #expect(found["bridge"] == .string("lxcbr1"))
    #expect(found["address"] == .string("10.5.0.1/16"))
    #expect(found["network"] == .string("10.5.0.0/16"))
    #expect(found["dhcpMax"] == .integer(65533))
    #expect(found["sourced"] == .boolean(true))
    #expect(found["consistent"] == .boolean(true))
    #expect(found["problems"] == .strings([]))
}

@Test func settingsDefaultsWithoutFiles() throws {
    let found = try facts(LXCNetSettingsProbe(), on: FileTreeHost([:]))
    #expect(found["installed"] == .boolean(false))
    #expect(found["bridge"] == .string("lxcbr0"))
    #expect(found["address"] == .string("10.0.3.1/24"))
    #expect(found["settingsFile"] == .string("/etc/default/lxc-net"))
}

@Test(arguments: [
    ("LXC_NETMASK=255.255.255.0", "is not the network"), ("LXC_DHCP_RANGE=10.6.0.2,10.6.0.9", "outside"),
    ("LXC_DHCP_RANGE=10.5.0.9,10.5.0.2", "before it begins"), ("LXC_ADDR=10.5.0", "no address"),
    ("LXC_NETWORK=10.5.0.1/16", "is not the network"), ("LXC_NETWORK=10.5/16", "no network"),
    ("LXC_NETMASK=255.0.255.0", "no address"),
])
func settingsThatDisagree(line: String, problem: String) throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/default/lxc-net", ConfigurationHosts.makinaValues + line + "\n")
    let found = try facts(LXCNetSettingsProbe(), on: host)
    #expect(found["consistent"] == .boolean(false))
    guard case .strings(let problems)? = found["problems"] else { return }
    #expect(problems.contains { $0.contains(problem) })
}

@Test func settingsThatNobodyReads() throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/default/lxc", "USE_LXC_BRIDGE=\"false\"\n")
    var found = try facts(LXCNetSettingsProbe(), on: host)
    #expect(found["sourced"] == .boolean(false))
    #expect(found["bridge"] == .string("lxcbr0"))
    #expect(found["useBridge"] == .boolean(false))
    host.remove("/etc/default/lxc")
    found = try facts(LXCNetSettingsProbe(), on: host)
    #expect(found["sourced"] == .boolean(false))
    #expect(found["useBridge"] == .boolean(true))
}

@Test(arguments: ["LXC_BRIDGE=$(cat /x)\n", "if [ -d /x ]; then LXC_ADDR=10.0.0.1; fi\n", "USE_LXC_BRIDGE=\"tr\n"])
func settingsOnlyAShellKnows(text: String) {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/default/lxc-net", text)
    #expect(throws: ObservationFailure.self) { try facts(LXCNetSettingsProbe(), on: host) }
}

@Test func refusedSettingsAreUnknown() {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/default/lxc-net", .denied)
    #expect(throws: ObservationFailure.self) { try facts(LXCNetSettingsProbe(), on: host) }
}

@Test func carriageReturnsAreNotTrue() throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/default/lxc-net", "USE_LXC_BRIDGE=true\r\n")
    let found = try facts(LXCNetSettingsProbe(), on: host)
    #expect(found["useBridge"] == .boolean(false))
    guard case .strings(let problems)? = found["problems"] else { return }
    #expect(problems == ["/etc/default/lxc-net:1: the line ends in a carriage return"])
}

private let bridge = ["bridge": "lxcbr1"]

@Test func serviceStates() throws {
    let host = ConfigurationHosts.healthy()
    #expect(try facts(LXCNetServiceProbe(), bridge, on: host)["effective"] == .boolean(true))
    #expect(try facts(LXCNetServiceProbe(), ["bridge": "lxcbr0"], on: host)["effective"] == .boolean(false))
    host.remove("/etc/systemd/system/multi-user.target.wants/lxc-net.service")
    var found = try facts(LXCNetServiceProbe(), bridge, on: host)
    #expect(found["enabled"] == .string("disabled"))
    #expect(found["effective"] == .boolean(false))
    ConfigurationHosts.enable("lxc", unit: "[Unit]\nWants=lxc-net.service\n", on: host)
    found = try facts(LXCNetServiceProbe(), bridge, on: host)
    #expect(found["enabled"] == .string("disabled"))
    #expect(found["pulledBy"] == .string("lxc.service"))
    #expect(found["effective"] == .boolean(true))
    host.set("/etc/systemd/system/lxc-net.service", "-> /dev/null")
    found = try facts(LXCNetServiceProbe(), bridge, on: host)
    #expect(found["enabled"] == .string("masked"))
    #expect(found["effective"] == .boolean(false))
    #expect(try facts(LXCNetServiceProbe(), bridge, on: FileTreeHost([:]))["enabled"] == .string("absent"))
}

@Test(arguments: [("/etc/rc2.d/S20lxc-net", "enabled"), ("/etc/rc2.d/K20lxc-net", "disabled")])
func sysvService(link: String, state: String) throws {
    let host = FileTreeHost(["/etc/inittab": "", "/etc/init.d/lxc-net": "", link: "-> ../init.d/lxc-net"])
    #expect(try facts(LXCNetServiceProbe(), bridge, on: host)["enabled"] == .string(state))
}

private let devices = "Inter-| Receive\n face |bytes\n    lo: 1 2\nlxcbr1: 3 4\n"

@Test func staleFlags() throws {
    let host = ConfigurationHosts.healthy()
    host.set("/proc/net/dev", devices)
    host.set("/run/lxc/network_up", "")
    host.set("/run/lxc/dnsmasq.pid", "77\n")
    host.set("/proc/77/comm", "dnsmasq\n")
    #expect(try facts(LXCNetServiceProbe(), bridge, on: host)["stale"] == .boolean(false))
    host.set("/proc/77/comm", "sshd\n")
    #expect(
        try facts(LXCNetServiceProbe(), bridge, on: host)["staleBecause"] == .string("process 77 is sshd, not dnsmasq"))
    host.set("/proc/77/comm", "dnsmasq\n")
    // A zombie, and one that the kernel is ending (PF_EXITING).
    for stat in ["Z 1 77 77 0 -1 4227072 0", "D 1 77 77 0 -1 4227076 0"] {
        host.set("/proc/77/stat", "77 (dnsmasq) \(stat)\n")
        #expect(
            try facts(LXCNetServiceProbe(), bridge, on: host)["staleBecause"]
                == .string("process 77 is gone, not dnsmasq"), "\(stat)")
    }
    host.set("/proc/77/stat", "77 (dnsmasq) S 1 77 77 0 -1 4227072 0\n")
    #expect(try facts(LXCNetServiceProbe(), bridge, on: host)["stale"] == .boolean(false))
    host.remove("/proc/77")
    var found = try facts(LXCNetServiceProbe(), bridge, on: host)
    #expect(found["stale"] == .boolean(true))
    #expect(found["lost"] == .string("server"))
    host.set("/proc/net/dev", "    lo: 1\n")
    found = try facts(LXCNetServiceProbe(), bridge, on: host)
    #expect(found["staleBecause"] == .string("lxcbr1 does not exist"))
    #expect(found["lost"] == .string("bridge"))
    host.remove("/run/lxc/network_up")
    found = try facts(LXCNetServiceProbe(), bridge, on: host)
    #expect(found["flag"] == .boolean(false))
    #expect(found["stale"] == .boolean(false))
    host.set("/run/lxc/network_up", "")
    host.remove("/proc/net")
    #expect(throws: ObservationFailure.self) { try facts(LXCNetServiceProbe(), bridge, on: host) }
}

@Test func theSeedsJob() throws {
    let host = ConfigurationHosts.upstart()
    var found = try facts(MakinaJobProbe(), bridge, on: host)
    #expect(found["present"] == .boolean(true))
    #expect(found["kinds"] == .strings(["upstart"]))
    #expect(found["guardBroken"] == .boolean(false))
    #expect(found["inert"] == .boolean(false))
    #expect(found["missingTools"] == .strings([]))
    #expect(found["sharesFlag"] == .boolean(false))
    host.remove("/etc/default/lxc")
    host.remove("/sbin/brctl")
    found = try facts(MakinaJobProbe(), bridge, on: host)
    #expect(found["guardBroken"] == .boolean(true))
    #expect(found["guardValue"] == .string("True"))
    #expect(found["missingTools"] == .strings(["brctl"]))
    #expect(try facts(MakinaJobProbe(), ["bridge": "lxcbr9"], on: host)["present"] == .boolean(false))
}

@Test func theSeedsJobOnSystemd() throws {
    let host = ConfigurationHosts.healthy()
    host.set("/etc/init/lxc-net-makina.conf", ConfigurationHosts.job)
    let found = try facts(MakinaJobProbe(), bridge, on: host)
    #expect(found["inert"] == .boolean(true))
    // What never runs shares nothing.
    #expect(found["sharesFlag"] == .boolean(false))
    #expect(try facts(MakinaJobProbe(), bridge, on: FileTreeHost([:]))["inert"] == .boolean(false))
}
