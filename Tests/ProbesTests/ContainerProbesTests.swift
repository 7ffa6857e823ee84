import HostAccess
import HostModel
import Testing

@testable import Probes

@Suite struct ContainerProbesTests {
    private static let web = ["path": "", "container": "web"]
    private static let config = "/var/lib/lxc/web/config"
    private static let rootfs = "/var/lib/lxc/web/rootfs"
    private static let lines = """
        lxc.uts.name = web
        lxc.rootfs.path = dir:/var/lib/lxc/web/rootfs
        lxc.net.0.type = veth
        lxc.net.0.link = lxcbr1
        lxc.net.0.flags = up

        """

    private static func host(_ more: String = "", base: String = lines) -> LayerHost {
        let host = LayerHost([
            config: base + more, rootfs + "/etc/": "", "/etc/default/lxc": ConfigurationHosts.debianLXC,
            "/etc/default/lxc-net": ConfigurationHosts.makinaValues, "/usr/libexec/lxc/lxc-net": "",
            "/proc/net/udp": "head\n", "/proc/net/ip_tables_names": "",
        ])
        host.links = [LayerHost.Wire(index: 3, name: "lxcbr1", kind: "bridge")]
        host.addresses([(3, "10.5.0.1/16")])
        return host
    }

    // MARK: devices

    @Test func aHealthyConfiguration() throws {
        let found = try facts(
            ContainerDevicesProbe(), Self.web, on: Self.host("lxc.net.0.hwaddr = 00:16:3e:0a:0b:0c\n"))
        for name in ["badAddresses", "notUp", "leased", "inactiveNetworks", "rawForbidden", "ignoredLimits"] {
            #expect(found[name] == .strings([]), "\(name)")
        }
        #expect(found["unconnected"] == .boolean(false))
    }

    @Test(arguments: [
        ("11:11:11:11:11:11", true), ("01:00:5e:00:00:01", true), ("00:16:3e", true), ("00:00:00:00:00:00", true),
        ("00:16:3e:xx:xx:xx", false), ("fe:00:00:00:00:01", false),
    ]) func hardwareAddresses(_ text: String, isBad: Bool) throws {
        let (found, sources, _) = try seen(
            ContainerDevicesProbe(), Self.web, on: Self.host("lxc.net.0.hwaddr = \(text)\n"))
        #expect((found["badAddresses"] != .strings([])) == isBad)
        if isBad { #expect(sources == ["\(Self.config):6"]) }
    }

    @Test func addressesOfAnInterfaceThatIsDown() throws {
        let address = "lxc.net.0.ipv4.address = 10.5.0.2/16\n"
        let quiet = Self.lines.replacing("lxc.net.0.flags = up\n", with: "")
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: Self.host(address))["notUp"] == .strings([]))
        // The system inside brings it up when it asks for an address.
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: Self.host(base: quiet))["notUp"] == .strings([]))
        let (found, sources, _) = try seen(ContainerDevicesProbe(), Self.web, on: Self.host(address, base: quiet))
        #expect(found["notUp"] == .strings(["10.5.0.2/16 on a device without flags = up"]))
        #expect(sources == ["\(Self.config):5"])
    }

    /// Includes count, in order: what an earlier file said is taken back.
    @Test func noNetworkOfItsOwn() throws {
        let host = Self.host("lxc.include = /etc/lxc/lonely.conf\n")
        host.files.set("/etc/lxc/lonely.conf", "lxc.net =\nlxc.net.0.type = empty\n")
        let (found, sources, _) = try seen(ContainerDevicesProbe(), Self.web, on: host)
        #expect(found["unconnected"] == .boolean(true))
        #expect(found["types"] == .strings(["empty"]))
        #expect(sources == ["/etc/lxc/lonely.conf:2"])
        host.files.set("/etc/lxc/lonely.conf", "lxc.net.1.type = empty\n")
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: host)["unconnected"] == .boolean(false))
    }

    @Test func aStaticAddressAndALease() throws {
        let text = "lxc.net.0.ipv4.address = 10.5.0.60/16\nlxc.net.0.hwaddr = 00:16:3E:00:00:77\n"
        let host = Self.host(text)
        let file = "/var/lib/misc/dnsmasq.lxcbr1.leases"
        host.files.set(file, "1 00:16:3e:00:00:01 10.5.0.70 other *\n1 00:16:3e:00:00:77 10.5.0.77 web *\n")
        let (found, sources, _) = try seen(ContainerDevicesProbe(), Self.web, on: host)
        #expect(found["leased"] == .strings(["10.5.0.60 in the configuration, 10.5.0.77 by DHCP"]))
        #expect(Set(sources) == ["\(file):2", "\(Self.config):6"])
        // A lease of the same address is a reservation.
        host.files.set(file, "1 00:16:3e:00:00:77 10.5.0.60 web *\n")
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: host)["leased"] == .strings([]))
        // Another container of that name has the lease: this one has an address of its own.
        host.files.set(file, "1 00:16:3e:00:00:78 10.5.0.77 web *\n")
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: host)["leased"] == .strings([]))
    }

    @Test func leasesLieWhereDnsmasqWasToldToKeepThem() throws {
        let host = Self.host("lxc.net.0.ipv4.address = 10.5.0.60/16\nlxc.net.0.hwaddr = 00:16:3e:00:00:77\n")
        host.files.set("/var/lib/misc/dnsmasq.lxcbr1.leases", "")
        host.files.set("/srv/leases", "1 00:16:3e:00:00:77 10.5.0.77 web *\nduid 00\n1 2 fd00::1 web 3\n")
        host.files.set("/run/dnsmasq.pid", "23\n")
        host.files.set("/proc/23/comm", "dnsmasq\n")
        host.files.set("/proc/23/cmdline", "dnsmasq\0-i\0lxcbr1\0--dhcp-leasefile=/srv/leases\0")
        let (found, sources, _) = try seen(ContainerDevicesProbe(), Self.web, on: host)
        #expect(found["leased"] == .strings(["10.5.0.60 in the configuration, 10.5.0.77 by DHCP"]))
        #expect(sources.contains("/srv/leases:1"))
        // Another bridge's server has other leases.
        host.files.set("/proc/23/cmdline", "dnsmasq\0-i\0lxcbr0\0--dhcp-leasefile=/srv/leases\0")
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: host)["leased"] == .strings([]))
    }

    /// A lease outlives its use.
    @Test(arguments: [("10.5.0.77/16", 1), ("10.5.0.60/16", 0)])
    func whatARunningContainerHasCounts(_ address: String, _ count: Int) throws {
        let host = Self.host("lxc.net.0.ipv4.address = 10.5.0.60/16\nlxc.net.0.hwaddr = 00:16:3E:00:00:77\n")
        host.files.set("/var/lib/misc/dnsmasq.lxcbr1.leases", "1 00:16:3e:00:00:77 10.5.0.77 web *\n")
        let resident = Resident(
            name: "web", namespace: "/proc/9/ns/net", port: "veth1", interface: "eth0", interfaceIndex: 2,
            hardwareAddress: nil, isUp: true, addresses: [try #require(IPv4Prefix(address))], gateways: [],
            hasDefaultRoute: true)
        host.residents = BridgeResidents(residents: [resident], unknownPorts: [])
        guard case .strings(let leased)? = try facts(ContainerDevicesProbe(), Self.web, on: host)["leased"] else {
            Issue.record("no fact")
            return
        }
        #expect(leased.count == count)
    }

    @Test func aNetworkOfLibvirts() throws {
        let host = Self.host(base: Self.lines.replacing("lxcbr1", with: "virbr0"))
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: host)["inactiveNetworks"] == .strings([]))
        host.files.set("/etc/libvirt/qemu/networks/default.xml", "<network>\n  <bridge name='virbr0' stp='on'/>\n")
        let (found, sources, _) = try seen(ContainerDevicesProbe(), Self.web, on: host)
        #expect(found["inactiveNetworks"] == .strings(["virbr0 is libvirt's, and not there"]))
        #expect(sources.contains("/etc/libvirt/qemu/networks/default.xml:2"))
        host.links = [LayerHost.Wire(index: 4, name: "virbr0", kind: "bridge")]
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: host)["inactiveNetworks"] == .strings([]))
    }

    @Test(arguments: [
        ("lxc.cap.drop = sys_module net_raw\n", "lxc.cap.drop has net_raw"),
        ("lxc.cap.drop = net_raw\nlxc.cap.drop =\n", nil), ("lxc.cap.keep = chown\n", "lxc.cap.keep has no net_raw"),
        ("lxc.cap.keep = chown net_raw\n", nil),
        ("lxc.cap.drop = net_raw\nlxc.sysctl.net.ipv4.ping_group_range = 0 100\n", nil),
    ]) func rawSockets(_ text: String, problem: String?) throws {
        let found = try facts(ContainerDevicesProbe(), Self.web, on: Self.host(text))
        #expect(found["rawForbidden"] == .strings(problem.map { [$0] } ?? []))
    }

    @Test func limitsOfTheOtherVersion() throws {
        let host = Self.host(
            "lxc.cgroup.memory.limit_in_bytes = 1G\nlxc.cgroup2.memory.max = 1G\nlxc.include = /usr/share/lxc/c\n")
        // The distribution's own includes have both.
        host.files.set("/usr/share/lxc/c", "lxc.cgroup.devices.deny = a\n")
        #expect(try facts(ContainerDevicesProbe(), Self.web, on: host)["ignoredLimits"] == .strings([]))
        host.files.set("/sys/fs/cgroup/cgroup.controllers", "cpu\n")
        let (found, sources, _) = try seen(ContainerDevicesProbe(), Self.web, on: host)
        #expect(found["ignoredLimits"] == .strings(["lxc.cgroup.memory.limit_in_bytes is for cgroup v1"]))
        #expect(sources == ["\(Self.config):6"])
    }

    // MARK: the system inside

    @Test(arguments: [
        ("nameserver 127.0.0.53\n", true), ("nameserver 127.0.0.53\nnameserver 192.0.2.1\n", false),
        ("nameserver 10.5.0.1\n", true), ("nameserver 192.0.2.1\n", false), ("search example.org\n", false),
    ]) func whoIsAskedForNames(_ text: String, isBroken: Bool) throws {
        let host = Self.host()
        host.files.set(Self.rootfs + "/etc/resolv.conf", text)
        let (found, sources, _) = try seen(ContainerGuestProbe(), Self.web, on: host)
        #expect((found["dnsProblems"] != .strings([])) == isBroken)
        if isBroken { #expect(sources == [Self.rootfs + "/etc/resolv.conf:1"]) }
    }

    @Test func namesThatAreAnswered() throws {
        let host = Self.host()
        host.files.set(Self.rootfs + "/etc/resolv.conf", "-> ../run/systemd/resolve/stub-resolv.conf")
        #expect(
            try facts(ContainerGuestProbe(), Self.web, on: host)["dnsProblems"]
                == .strings(["resolv.conf is systemd-resolved's, which is not installed or masked"]))
        host.files.set(Self.rootfs + "/usr/lib/systemd/systemd-resolved", "")
        #expect(try facts(ContainerGuestProbe(), Self.web, on: host)["dnsProblems"] == .strings([]))
        host.files.set(Self.rootfs + "/etc/systemd/system/systemd-resolved.service", "-> /dev/null")
        #expect(try facts(ContainerGuestProbe(), Self.web, on: host)["dnsProblems"] != .strings([]))
        // dnsmasq answers on the bridge.
        host.files.remove(Self.rootfs + "/etc/resolv.conf")
        host.files.set(Self.rootfs + "/etc/resolv.conf", "nameserver 10.5.0.1\n")
        host.files.set(
            "/proc/net/udp", "head\n 1: 0100050A:0035 00000000:0000 07 0:0 00:0 0 0 0 77 2 0 0\n")
        #expect(try facts(ContainerGuestProbe(), Self.web, on: host)["dnsProblems"] == .strings([]))
    }

    /// The rootfs is hostile: a link out of it is resolved inside of it.
    @Test func aLinkOutOfTheRootfs() throws {
        let host = Self.host()
        host.files.set("/etc/resolv.conf", "nameserver 127.0.0.53\n")
        host.files.set(Self.rootfs + "/etc/resolv.conf", "-> /../../../../etc/resolv.conf")
        #expect(
            try facts(ContainerGuestProbe(), Self.web, on: host)["dnsProblems"]
                != .strings(["127.0.0.53 is systemd-resolved's, which is not installed or masked"]))
    }

    @Test func oldSystems() throws {
        let host = Self.host()
        let release = Self.rootfs + "/etc/os-release"
        host.files.set(release, "ID=\"centos\"\nVERSION_ID=\"7\"\n")
        #expect(try facts(ContainerGuestProbe(), Self.web, on: host)["oldInit"] == .boolean(false))
        host.files.set("/sys/fs/cgroup/cgroup.controllers", "cpu\n")
        var (found, sources, _) = try seen(ContainerGuestProbe(), Self.web, on: host)
        #expect(found["oldInit"] == .boolean(true))
        #expect(sources == ["\(release):2", "/sys/fs/cgroup/cgroup.controllers"])
        // Ubuntu 14.04 has no systemd, and an old DHCP client.
        host.files.set(release, "ID=ubuntu\nVERSION_ID=\"14.04\"\n")
        found = try facts(ContainerGuestProbe(), Self.web, on: host)
        #expect(found["oldInit"] == .boolean(false))
        #expect(found["checksumMissing"] == .boolean(true))
        host.files.set(release, "ID=debian\nVERSION_ID=\"12\"\n")
        found = try facts(ContainerGuestProbe(), Self.web, on: host)
        #expect(found["checksumMissing"] == .boolean(false))
    }

    @Test func sandboxesOfSystemd() throws {
        let host = Self.host("lxc.apparmor.profile = generated\n")
        host.files.set(Self.rootfs + "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-255.so", "")
        host.files.set("/usr/bin/lxc-start", "")
        host.files.set("/var/lib/dpkg/info/lxc.list", "")
        host.files.set("/var/lib/dpkg/status", "Package: lxc\nStatus: install ok installed\nVersion: 1:5.0.2-1\n\n")
        func isBlocked() throws -> Bool {
            try facts(ContainerGuestProbe(), Self.web, on: host)["sandboxBlocked"] == .boolean(true)
        }
        #expect(try !isBlocked())
        host.files.set("/sys/module/apparmor/parameters/enabled", "Y\n")
        #expect(try isBlocked())
        host.files.set("/var/lib/dpkg/status", "Package: lxc\nStatus: install ok installed\nVersion: 1:6.0.1-1\n\n")
        #expect(try !isBlocked())
        host.files.set("/var/lib/dpkg/status", "Package: lxc\nStatus: install ok installed\nVersion: 1:5.0.2-1\n\n")
        host.files.set(Self.config, Self.lines + "lxc.apparmor.allow_nesting = 1\n")
        #expect(try !isBlocked())
        host.files.set(Self.config, Self.lines + "lxc.apparmor.profile = unconfined\n")
        #expect(try !isBlocked())
    }

    // MARK: ids

    @Test func idsThatAreNotThere() throws {
        let host = Self.host("lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536\n")
        // Without newuidmap root maps what it likes.
        #expect(try facts(ContainerIdentityProbe(), Self.web, on: host)["uncovered"] == .strings([]))
        host.files.set("/usr/bin/newuidmap", "")
        host.files.set("/etc/subuid", "alice:100000:65536\nroot:100000:65000\n")
        host.files.set("/etc/subgid", "root:100000:65536\n")
        var (found, sources, _) = try seen(ContainerIdentityProbe(), Self.web, on: host)
        #expect(found["uncovered"] == .strings(["u 0 100000 65536: not in /etc/subuid"]))
        #expect(sources.contains("/etc/subuid:2"))
        host.files.set("/etc/subuid", "root:100000:131072\n")
        found = try facts(ContainerIdentityProbe(), Self.web, on: host)
        #expect(found["uncovered"] == .strings([]))
        #expect(throws: ObservationFailure.self) { try facts(ContainerIdentityProbe(), Self.web, on: Self.host()) }
    }

    @Test func theWayToTheRootfs() throws {
        let host = Self.host("lxc.idmap = u 0 100000 65536\n")
        #expect(try facts(ContainerIdentityProbe(), Self.web, on: host)["closed"] == .strings([]))
        host.files.set("/var/lib/lxc/web", .directory(mode: 0o700, owner: 0))
        var (found, sources, _) = try seen(ContainerIdentityProbe(), Self.web, on: host)
        #expect(found["closed"] == .strings(["/var/lib/lxc/web"]))
        #expect(sources.contains("/var/lib/lxc/web"))
        // It is the container's own.
        host.files.set("/var/lib/lxc/web", .directory(mode: 0o700, owner: 100_000))
        #expect(try facts(ContainerIdentityProbe(), Self.web, on: host)["closed"] == .strings([]))
        // An access control list cannot be seen from the mode alone.
        host.files.set("/var/lib/lxc/web", .directory(mode: 0o710, owner: 0))
        found = try facts(ContainerIdentityProbe(), Self.web, on: host)
        #expect(found["closed"] == .strings([]))
        #expect(found["decided"] == .boolean(false))
    }

    @Test func twins() throws {
        let parameters = ["path": "", "bridge": "lxcbr1"]
        let host = Self.host()
        host.files.set("/var/lib/lxc/api/config", Self.lines.replacing("web/", with: "api/"))
        for name in ["web", "api"] {
            host.files.set("/var/lib/lxc/\(name)/rootfs/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        }
        var (found, sources, _) = try seen(ContainerTwinsProbe(), parameters, on: host)
        #expect(found["machineIds"] == .strings(["01234567…: api, web"]))
        #expect(sources.contains(Self.rootfs + "/etc/machine-id"))
        host.files.set("/var/lib/lxc/api/rootfs/etc/machine-id", "")
        let address = "lxc.net.0.ipv4.address = 10.5.0.9/16\n"
        for name in ["web", "api"] {
            host.files.set("/var/lib/lxc/\(name)/config", Self.lines.replacing("web/", with: "\(name)/") + address)
        }
        (found, sources, _) = try seen(ContainerTwinsProbe(), parameters, on: host)
        #expect(found["machineIds"] == .strings([]))
        #expect(found["addresses"] == .strings(["10.5.0.9: api, web"]))
        #expect(found["inRange"] == .strings(["10.5.0.9 of api, web"]))
        #expect(sources.contains("\(Self.config):6"))
        #expect(sources.contains("/etc/default/lxc-net:6"))
    }

    // MARK: users, downloads

    @Test func quotasOfUsers() throws {
        let host = Self.host()
        #expect(throws: ObservationFailure.self) { try facts(UserNetworksProbe(), on: host) }
        host.files.set("/etc/lxc/lxc-usernet", "# all\nalice veth lxcbr1 2\nbob veth lxcbr0 5\n")
        host.files.set("/run/lxc/nics", "alice veth lxcbr1 vethA\nalice veth lxcbr0 vethB\n")
        var (found, sources, _) = try seen(UserNetworksProbe(), on: host)
        #expect(found["exhausted"] == .strings([]))
        #expect(found["strangers"] == .strings(["lxcbr0 of bob does not exist"]))
        #expect(sources == ["/etc/lxc/lxc-usernet:3"])
        host.files.set("/run/lxc/nics", "alice veth lxcbr1 vethA\nalice veth lxcbr1 vethB\n")
        found = try facts(UserNetworksProbe(), on: host)
        #expect(found["exhausted"] == .strings(["alice has 2 of 2 at lxcbr1"]))
    }

    @Test func userNamespacesAreForbidden() throws {
        let host = Self.host()
        host.files.set("/etc/lxc/lxc-usernet", "alice veth lxcbr1 2\n")
        host.files.set("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n")
        host.files.set("/etc/apparmor.d/lxc/lxc-default", "profile lxc-container-default {\n}\n")
        #expect(try facts(UserNetworksProbe(), on: host)["restricted"] == .boolean(true))
        host.files.set("/etc/apparmor.d/lxc-start", "profile lxc-start /usr/bin/lxc-start {\n  userns,\n}\n")
        #expect(try facts(UserNetworksProbe(), on: host)["restricted"] == .boolean(false))
    }

    @Test func idsOfFiveDigits() throws {
        let host = Self.host()
        host.files.set("/etc/lxc/lxc-usernet", "alice veth lxcbr1 2\n")
        host.files.set("/etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:10001:10001::/:/bin/sh\n")
        host.files.set("/usr/bin/lxc-start", "")
        host.files.version = "3.0.3"
        let (found, sources, _) = try seen(UserNetworksProbe(), on: host)
        #expect(found["longNames"] == .strings(["alice"]))
        #expect(sources == ["/etc/passwd:2"])
        host.files.version = "5.0.2"
        #expect(try facts(UserNetworksProbe(), on: host)["longNames"] == .strings([]))
    }

    @Test func aKeyServerThatIsGone() throws {
        let path = "/usr/share/lxc/templates/lxc-download"
        let host = FileTreeHost([path: "#!/bin/sh\nDOWNLOAD_KEYSERVER=\"hkp://pool.sks-keyservers.net\"\n"])
        let (found, sources, _) = try seen(DownloadTemplateProbe(), on: host)
        #expect(found["gone"] == .strings(["hkp://pool.sks-keyservers.net"]))
        #expect(sources == ["\(path):2"])
        host.set(path, "#!/bin/sh\nDOWNLOAD_KEYSERVER=\"hkp://keyserver.ubuntu.com:80\"\n")
        #expect(try facts(DownloadTemplateProbe(), on: host)["gone"] == .strings([]))
    }
}
