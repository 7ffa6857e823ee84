import HostAccess
import HostModel
import Testing

@testable import Probes

private let dpkgStatus = "Package: lxc\nStatus: install ok installed\nVersion: 1:5.0.2-1+deb12u4\n\n"

@Test func installedByDpkg() throws {
    let host = FileTreeHost([
        "/usr/bin/lxc-start": "", "/var/lib/dpkg/info/lxc.list": "", "/var/lib/dpkg/status": dpkgStatus,
    ])
    let found = try facts(LXCInstallationProbe(), on: host)
    #expect(found["installed"] == .boolean(true))
    #expect(found["version"] == .string("5.0.2"))
    #expect(found["manager"] == .string("dpkg"))
    #expect(found["legacyConfig"] == .boolean(true))
}

@Test func installedByHandOrNot() throws {
    let host = FileTreeHost(["/usr/local/bin/lxc-start": ""])
    host.version = "2.0.11"
    let found = try facts(LXCInstallationProbe(), on: host)
    #expect(found["version"] == .string("2.0.11"))
    #expect(found["manager"] == .string(""))
    #expect(found["legacyConfig"] == .boolean(false))
    host.version = nil
    #expect(try facts(LXCInstallationProbe(), on: host)["legacyConfig"] == nil)
    #expect(try facts(LXCInstallationProbe(), on: FileTreeHost([:]))["installed"] == .boolean(false))
    let apk = FileTreeHost(["/usr/bin/lxc-start": "", "/lib/apk/db/installed": "P:lxc\nV:6.0.4-r1\n"])
    #expect(try facts(LXCInstallationProbe(), on: apk)["manager"] == .string("apk"))
}

@Test func containerPath() throws {
    let host = FileTreeHost(["/etc/lxc/lxc.conf": "# c\nlxc.lxcpath = /srv/lxc/\n"])
    host.set("/srv/lxc", .directory(mode: 0o1777, owner: 1000))
    var found = try facts(LXCPathProbe(), ["path": ""], on: host)
    #expect(found["path"] == .string("/srv/lxc"))
    #expect(found["decidedBy"] == .string("/etc/lxc/lxc.conf:2"))
    #expect(found["mode"] == .string("1777"))
    #expect(found["owner"] == .integer(1000))
    #expect(found["writableByOthers"] == .boolean(true))
    host.set("/srv/lxc", .directory(mode: 0o755, owner: 0))
    host.freeInodes = nil
    found = try facts(LXCPathProbe(), ["path": ""], on: host)
    #expect(found["mode"] == .string("0755"))
    #expect(found["writableByOthers"] == .boolean(false))
    #expect(found["traversable"] == .boolean(true))
    #expect(found["freeInodes"] == nil)
    #expect(found["freeBytes"] == .integer(100 << 30))
    found = try facts(LXCPathProbe(), ["path": "/var/lib/lxc"], on: host)
    #expect(found["exists"] == .boolean(false))
    #expect(found["decidedBy"] == .string("profile"))
    host.set("/etc/lxc/lxc.conf", .denied)
    #expect(throws: ObservationFailure.self) { try facts(LXCPathProbe(), ["path": ""], on: host) }
}

private let image = ["path": "", "image": "makina-states-trusty"]

@Test func baseImage() throws {
    let directory = "/var/lib/lxc/makina-states-trusty"
    let host = FileTreeHost([
        "\(directory)/config": "# x\nlxc.network.type = veth\nlxc.utsname = x\n", "\(directory)/rootfs/root/": "",
        "\(directory)/rootfs/sbin/init": "-> /lib/init", "\(directory)/rootfs/lib/init": "",
        "\(directory)/rootfs/etc/": "",
        "\(directory)/rootfs/usr/bin/": "", "\(directory)/rootfs/bin": "-> usr/bin",
        "\(directory)/.makina-states-trusty-lxc-25.tar.xzunpacked": "",
    ])
    var found = try facts(BaseImageProbe(), image, on: host)
    #expect(found["present"] == .boolean(true))
    #expect(found["complete"] == .boolean(true))
    #expect(found["unpackedFlag"] == .boolean(true))
    #expect(found["legacyKeys"] == .strings(["config:2 lxc.network.type", "config:3 lxc.utsname"]))
    // A link that leaves the rootfs is resolved inside of it.
    host.set("/sbin/upstart", "")
    host.set("\(directory)/rootfs/sbin/init", "-> /sbin/upstart")
    host.remove("\(directory)/rootfs/root")
    found = try facts(BaseImageProbe(), image, on: host)
    #expect(found["missing"] == .strings(["rootfs/root", "rootfs/sbin/init"]))
    #expect(found["complete"] == .boolean(false))
    host.remove(directory)
    #expect(try facts(BaseImageProbe(), image, on: host)["present"] == .boolean(false))
    #expect(throws: ObservationFailure.notApplicable("the profile names no base image")) {
        try facts(BaseImageProbe(), ["path": "", "image": ""], on: host)
    }
    #expect(throws: ObservationFailure.self) { try facts(BaseImageProbe(), ["path": "", "image": "../x"], on: host) }
}

private func container(_ config: String) -> FileTreeHost {
    FileTreeHost([
        "/var/lib/lxc/c1/config": config, "/var/lib/lxc/c1/rootfs/": "", "/var/lib/lxc/.hidden/config": "",
        "/var/lib/lxc/empty/": "", "/var/lib/lxc/file": "", "/usr/share/lxc/config/common.conf": "lxc.pty.max = 1024\n",
        "/usr/share/lxc/config/common.conf.d/": "", "/d/a.conf": "lxc.net.0.link = lxcbr9\n", "/d/README": "lxc.bad\n",
    ])
}

private let c1 = ["path": "", "container": "c1"]

@Test func containerNames() throws {
    let found = try facts(ContainersProbe(), ["path": ""], on: container(""))
    #expect(found["names"] == .strings(["c1"]))
    #expect(try facts(ContainersProbe(), ["path": "/none"], on: container(""))["count"] == .integer(0))
    let denied = FileTreeHost([:])
    denied.set("/var/lib/lxc", .denied)
    #expect(throws: ObservationFailure.self) { try facts(ContainersProbe(), ["path": ""], on: denied) }
}

@Test func containerConfigs() throws {
    let text = """
        lxc.include = /usr/share/lxc/config/common.conf
        lxc.include = /usr/share/lxc/config/common.conf.d/
        lxc.net.0.type = veth
        lxc.net.0.link = lxcbr1
        lxc.net.1.type = veth
        lxc.net.2.type = empty
        lxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs
        """
    var found = try facts(ContainerConfigProbe(), c1, on: container(text))
    #expect(found["links"] == .strings(["lxcbr1"]))
    #expect(found["noLink"] == .boolean(true))
    #expect(found["types"] == .strings(["veth", "veth", "empty"]))
    #expect(found["rootfsExists"] == .boolean(true))
    #expect(found["loadable"] == .boolean(true))
    found = try facts(ContainerConfigProbe(), c1, on: container("lxc.net.0.link = a\nlxc.include = /d\n"))
    #expect(found["links"] == .strings([]))
    #expect(found["rootfsExists"] == .boolean(false))
    found = try facts(
        ContainerConfigProbe(), c1, on: container("lxc.net.0.type = veth\nlxc.net.0.link = a\nlxc.include = /d\n"))
    #expect(found["links"] == .strings(["lxcbr9"]))
    found = try facts(ContainerConfigProbe(), c1, on: container("lxc.network.type = veth\n"))
    #expect(found["loadable"] == .boolean(false))
    #expect(found["legacyKeys"] == .strings(["config:1 lxc.network.type"]))
    let host = container("lxc.include = /secret\n")
    host.set("/secret", .denied)
    #expect(throws: ObservationFailure.self) { try facts(ContainerConfigProbe(), c1, on: host) }
    #expect(throws: ObservationFailure.self) {
        try facts(ContainerConfigProbe(), ["path": "", "container": "x/../c1"], on: host)
    }
}

@Test(arguments: [
    ("/a", ["/a"]), ("dir:/a", ["/a"]), ("overlay:/l:/u", ["/l", "/u"]), ("zfs:tank/c1", ["/c/rootfs"]),
    ("loop:/f", ["/f"]), ("/odd:name", ["/odd:name"]),
])
func rootfsPaths(text: String, paths: [String]) {
    #expect(ContainerConfigProbe.hostPaths(text, directory: "/c") == paths)
}

private let header = "  sl  local_address rem_address   st\n"
private let served =
    "dnsmasq\0--listen-address\u{0}10.5.0.1\0--dhcp-range\u{0}10.5.0.2,10.5.255.254\0--interface=lxcbr1\0"
private let dhcp = ["bridge": "lxcbr1", "address": "10.5.0.1/16"]

@Test func dhcpServer() throws {
    let host = FileTreeHost([
        "/proc/net/udp": header + "  1: 00000000:0043 00000000:0000 07\n  2: 0100050A:0035 00000000:0000 07\n",
        "/run/lxc/dnsmasq.pid": "42\n", "/proc/42/comm": "dnsmasq\n", "/proc/42/cmdline": served,
        "/proc/7/comm": "dnsmasq\n", "/proc/7/cmdline": "dnsmasq\0--interface=virbr0\0",
    ])
    var found = try facts(DHCPServerProbe(), dhcp, on: host)
    #expect(found["running"] == .boolean(true))
    #expect(found["pid"] == .integer(42))
    #expect(found["listening"] == .boolean(true))
    #expect(found["rangeInSubnet"] == .boolean(true))
    #expect(found["source"] == .string("/run/lxc/dnsmasq.pid"))
    host.remove("/run/lxc/dnsmasq.pid")
    found = try facts(DHCPServerProbe(), dhcp, on: host)
    #expect(found["source"] == .string("/proc/42/cmdline"))
    found = try facts(DHCPServerProbe(), ["bridge": "lxcbr1", "address": "10.5.0.1/24"], on: host)
    #expect(found["rangeInSubnet"] == .boolean(false))
    found = try facts(DHCPServerProbe(), ["bridge": "lxcbr1", "address": "10.5.0.1"], on: host)
    #expect(found["rangeInSubnet"] == nil)
    host.set("/etc/default/lxc", "LXC_ADDR=10.5.0.1\nLXC_NETMASK=255.255.0.0\n")
    found = try facts(DHCPServerProbe(), ["bridge": "lxcbr1", "address": "10.5.0.1"], on: host)
    #expect(found["rangeInSubnet"] == .boolean(true))
    host.remove("/proc/42")
    found = try facts(DHCPServerProbe(), dhcp, on: host)
    #expect(found["running"] == .boolean(false))
    #expect(found["pid"] == nil)
    host.set("/proc/net/udp", header + "  1: 00000000:0035 00000000:0000 07\n")
    found = try facts(DHCPServerProbe(), dhcp, on: host)
    #expect(found["listening"] == .boolean(false))
    #expect(found["port53Wildcard"] == .boolean(true))
    host.set("/proc/net/udp", .denied)
    #expect(throws: ObservationFailure.self) { try facts(DHCPServerProbe(), dhcp, on: host) }
}

@Test(arguments: ["", "x", "-1", "99999999999999999999", "1 2"])
func oddPids(text: String) {
    #expect(DnsmasqProcess.process(Array(text.utf8)) == (text == "1 2" ? 1 : nil))
}

@Test func everyProbeHasItsOwnName() {
    let names = configurationProbes.map(\.specification.name)
    #expect(Set(names).count == names.count)
    #expect(names.count >= 12)
}

@Test(arguments: [("/etc/x-1.conf", "/etc/x-1.conf"), ("a b", "'a b'"), ("`x`'y", "'`x`'\\''y'"), ("", "''")])
func wordsToPaste(word: String, quoted: String) {
    #expect(Evidence.quoted(word) == quoted)
}

@Test func oldInstallationsTakeLegacyKeys() throws {
    let host = container("lxc.network.type = veth\nlxc.network.link = lxcbr1\nlxc.rootfs = /var/lib/lxc/c1/rootfs\n")
    host.set("/usr/local/bin/lxc-start", "")
    host.version = "1.1.5"
    let found = try facts(ContainerConfigProbe(), c1, on: host)
    #expect(found["loadable"] == .boolean(true))
    #expect(found["links"] == .strings(["lxcbr1"]))
    #expect(found["rootfsExists"] == .boolean(true))
    #expect(
        found["legacyKeys"]
            == .strings(["config:1 lxc.network.type", "config:2 lxc.network.link", "config:3 lxc.rootfs"]))
}

@Test(arguments: [
    ("lxc.net.0.script.up = /etc/lxc/ovsup", true), ("lxc.net.0.veth.mode = router", true),
    ("lxc.net.0.l2proxy = 1", true),
    ("lxc.net.0.l2proxy = 0", false), ("lxc.net.0.veth.mode = bridge", false),
    ("lxc.net.0.script.down = /bin/x", false),
]) func aVethThatSomethingElseConnectsLacksNoBridge(_ line: String, _ isConnected: Bool) throws {
    let found = try facts(ContainerConfigProbe(), c1, on: container("lxc.net.0.type = veth\n\(line)\n"))
    #expect(found["connectedOtherwise"] == .boolean(isConnected))
    #expect(found["noLink"] == .boolean(!isConnected))
}
