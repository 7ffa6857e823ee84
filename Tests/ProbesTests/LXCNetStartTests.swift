import HostAccess
import HostModel
import Testing

@testable import Probes

@Suite struct LXCNetStartTests {
    private static let bridge = ["bridge": "lxcbr1", "address": "10.5.0.1/16"]
    private static let script = """
        #!/bin/sh -
        distrosysconfdir="/etc/default"
        varlib="/var/lib"
        start_ipv6() {
            echo 0 > /proc/sys/net/ipv6/conf/${LXC_BRIDGE}/autoconf
        }
        start() {
            echo 0 > /proc/sys/net/ipv6/conf/${LXC_BRIDGE}/accept_dad || true
            DNSMASQ_MISC_DIR="$varlib/misc"
            mkdir -p "$DNSMASQ_MISC_DIR"
            add rule ip6 lxc postrouting ip6 saddr ${LXC_IPV6_NETWORK} masquerade
        }

        """
    private static let arguments = [
        "dnsmasq", "--listen-address", "10.5.0.1", "--dhcp-range", "10.5.0.2,10.5.0.4", "--dhcp-lease-max=253",
        "--interface=lxcbr1", "--dhcp-leasefile=/var/lib/misc/dnsmasq.lxcbr1.leases",
    ]

    private static func host(running: Bool = true) -> LayerHost {
        let host = LayerHost([
            "/etc/default/lxc": ConfigurationHosts.debianLXC, "/etc/default/lxc-net": ConfigurationHosts.makinaValues,
            "/usr/libexec/lxc/lxc-net": script, "/var/lib/misc/": "", "/proc/sys/net/ipv6/conf/": "",
            "/proc/net/udp": table([]), "/proc/net/tcp": table([]), "/run/lxc/network_up": "",
        ])
        if running {
            host.files.set("/run/lxc/dnsmasq.pid", "23\n")
            host.files.set("/proc/23/comm", "dnsmasq\n")
            host.files.set("/proc/23/cmdline", arguments.joined(separator: "\0") + "\0")
        }
        host.links = [LayerHost.Wire(index: 3, name: "lxcbr1", kind: "bridge")]
        host.addresses([(3, "10.5.0.1/16")])
        return host
    }

    /// `/proc/net/udp` with sockets: address and port as the kernel writes them, inode.
    private static func table(_ sockets: [(String, Int)]) -> String {
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
            + sockets.enumerated().map { number, socket in
                " \(number): \(socket.0) 00000000:0000 07 00000000:00000000 00:00000000 00000000  0  0 \(socket.1) 2 0 0\n"
            }.joined()
    }

    // MARK: the script

    @Test func aScriptThatWillStart() throws {
        let found = try facts(LXCNetScriptProbe(), on: Self.host())
        for name in ["leaseProblems", "ipv6NatFaults", "ipv6KernelFaults"] { #expect(found[name] == .strings([])) }
        #expect(found["leaseDirectory"] == .string("/var/lib/misc"))
    }

    @Test func leasesHaveNoDirectory() throws {
        let host = Self.host()
        host.files.set("/var/lib/misc", "a file")
        #expect(try facts(LXCNetScriptProbe(), on: host)["leaseProblems"] == .strings(["not a directory"]))
        host.files.set("/var/lib/misc", .link("/mnt/gone"))
        #expect(try facts(LXCNetScriptProbe(), on: host)["leaseProblems"] == .strings(["a link to nothing"]))
        // The script makes it.
        host.files.remove("/var/lib/misc")
        #expect(try facts(LXCNetScriptProbe(), on: host)["leaseProblems"] == .strings([]))
        host.files.set("/usr/libexec/lxc/lxc-net", "varlib=\"/var/lib\"\n")
        let (found, sources, _) = try seen(LXCNetScriptProbe(), on: host)
        #expect(found["leaseProblems"] == .strings(["absent, and lxc-net does not make it"]))
        #expect(sources.contains("/var/lib/misc"))
    }

    @Test func theRuleForIPv6IsOneForIPv4() throws {
        let host = Self.host()
        let old = Self.script.replacing("postrouting ip6 saddr", with: "postrouting ip saddr")
        host.files.set("/usr/libexec/lxc/lxc-net", old)
        #expect(try facts(LXCNetScriptProbe(), on: host)["ipv6NatFaults"] == .strings([]))
        let ipv6 = "LXC_IPV6_ADDR=fd00::1\nLXC_IPV6_MASK=64\nLXC_IPV6_NETWORK=fd00::/64\nLXC_IPV6_NAT=true\n"
        host.files.set("/etc/default/lxc-net", ConfigurationHosts.makinaValues + ipv6)
        let (found, sources, _) = try seen(LXCNetScriptProbe(), on: host)
        #expect(found["ipv6NatFaults"] == .strings(["/usr/libexec/lxc/lxc-net:11"]))
        #expect(sources.contains("/etc/default/lxc-net:11"))
        host.files.set("/etc/default/lxc-net", ConfigurationHosts.makinaValues + ipv6 + "LXC_USE_NFT=false\n")
        #expect(try facts(LXCNetScriptProbe(), on: host)["ipv6NatFaults"] == .strings([]))
    }

    @Test func aKernelWithoutIPv6() throws {
        let host = Self.host()
        host.files.remove("/proc/sys/net/ipv6")
        // Each write is guarded, or in a function that is not called.
        #expect(try facts(LXCNetScriptProbe(), on: host)["ipv6KernelFaults"] == .strings([]))
        host.files.set("/usr/libexec/lxc/lxc-net", Self.script.replacing("accept_dad || true", with: "accept_dad"))
        let (found, sources, _) = try seen(LXCNetScriptProbe(), on: host)
        #expect(found["ipv6KernelFaults"] == .strings(["/usr/libexec/lxc/lxc-net:8"]))
        #expect(sources.contains("/usr/libexec/lxc/lxc-net:8"))
    }

    // MARK: what runs

    @Test func settingsThatWereEdited() throws {
        let host = Self.host()
        #expect(try facts(LXCNetRunningProbe(), on: host)["edited"] == .strings([]))
        host.files.set(
            "/etc/default/lxc-net", ConfigurationHosts.makinaValues.replacing("10.5.0.1", with: "10.9.0.1"))
        let (found, sources, _) = try seen(LXCNetRunningProbe(), on: host)
        #expect(found["edited"] == .strings(["LXC_ADDR is 10.9.0.1, running with 10.5.0.1"]))
        #expect(sources == ["/etc/default/lxc-net:3", "/proc/23/cmdline"])
        // It was stopped first.
        host.files.remove("/run/lxc/network_up")
        #expect(try facts(LXCNetRunningProbe(), on: host)["edited"] == .strings([]))
    }

    @Test func leases() throws {
        let host = Self.host()
        let file = "/var/lib/misc/dnsmasq.lxcbr1.leases"
        let lease = "4102444800 00:16:3e:00:00:01 10.5.0.2 c1 *\n"
        host.files.set(file, lease + lease + "duid 00:01\n" + lease)
        var (found, sources, _) = try seen(DHCPLeasesProbe(), Self.bridge, on: host)
        #expect(found["leases"] == .integer(2))
        #expect(found["capacity"] == .integer(3))
        #expect(found["free"] == .integer(1))
        #expect(sources.first == file)
        host.files.set(file, lease + lease + lease)
        found = try facts(DHCPLeasesProbe(), Self.bridge, on: host)
        #expect(found["free"] == .integer(0))
        #expect(throws: ObservationFailure.self) {
            try facts(DHCPLeasesProbe(), Self.bridge, on: Self.host(running: false))
        }
    }

    // MARK: port 53

    @Test func somebodyElseHasPort53() throws {
        let host = Self.host(running: false)
        host.files.set("/proc/net/udp", Self.table([("3500007F:0035", 7), ("00000000:0035", 8)]))
        host.files.set("/proc/712/comm", "named\n")
        host.files.set("/proc/712/fd/5", .link("socket:[8]"))
        let (found, sources, values) = try seen(DNSPortProbe(), Self.bridge, on: host)
        #expect(found["conflict"] == .boolean(true))
        #expect(found["holder"] == .string("named (process 712)"))
        #expect(sources == ["/proc/net/udp:3"])
        #expect(values == ["every address, port 53, held by named (process 712)"])
    }

    @Test(arguments: [
        // systemd-resolved's stub; a dnsmasq of the system that serves DHCP too.
        [("3500007F:0035", 7)], [("00000000:0035", 8), ("00000000:0043", 9)],
    ]) func nobodyIsInTheWay(_ sockets: [(String, Int)]) throws {
        let host = Self.host(running: false)
        host.files.set("/proc/net/udp", Self.table(sockets))
        #expect(try facts(DNSPortProbe(), Self.bridge, on: host)["conflict"] == .boolean(false))
    }

    @Test func itsOwnServerIsNotInTheWay() throws {
        let host = Self.host()
        host.files.set("/proc/net/udp", Self.table([("0100050A:0035", 8)]))
        #expect(try facts(DNSPortProbe(), Self.bridge, on: host)["conflict"] == .boolean(false))
    }

    // MARK: confinement

    @Test func deniedByAppArmor() throws {
        let host = Self.host(running: false)
        #expect(throws: ObservationFailure.self) { try facts(DnsmasqConfinementProbe(), on: host) }
        host.files.set("/sys/kernel/security/apparmor/profiles", "man (enforce)\n/usr/sbin/dnsmasq (enforce)\n")
        var (found, sources, _) = try seen(DnsmasqConfinementProbe(), on: host)
        #expect(found["denials"] == .strings([]))
        host.files.set(
            "/var/log/kern.log",
            "one\naudit: apparmor=\"DENIED\" profile=\"/usr/sbin/dnsmasq\" name=\"/x\"\napparmor=\"DENIED\" profile=\"man\"\n"
        )
        (found, sources, _) = try seen(DnsmasqConfinementProbe(), on: host)
        #expect(found["place"] == .string("/var/log/kern.log:2"))
        #expect(sources == ["/sys/kernel/security/apparmor/profiles:2", "/var/log/kern.log:2"])
    }

    @Test func deniedBySELinux() throws {
        let host = Self.host(running: false)
        host.files.set("/sys/fs/selinux/enforce", "1")
        host.files.set(
            "/var/log/audit/audit.log", "type=AVC msg=audit(1:2): avc:  denied  { write } for pid=1 comm=\"dnsmasq\"\n")
        let found = try facts(DnsmasqConfinementProbe(), on: host)
        #expect(found["confinedBy"] == .string("SELinux"))
        #expect(found["place"] == .string("/var/log/audit/audit.log:1"))
    }

    // MARK: boot, nesting, kernel

    @Test func containersThatDoNotWait() throws {
        let host = ConfigurationHosts.healthy()
        let parameters = ["path": "", "bridge": "lxcbr1", "address": "10.5.0.1/16"]
        ConfigurationHosts.enable("lxc", unit: "[Unit]\nAfter=network.target lxc-net.service\n", on: host)
        let config = "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\nlxc.start.auto = "
        host.set("/var/lib/lxc/web/config", config + "0\n")
        #expect(throws: ObservationFailure.self) { try facts(AutostartProbe(), parameters, on: host) }
        host.set("/var/lib/lxc/web/config", config + "1\n")
        #expect(try facts(AutostartProbe(), parameters, on: host)["ordered"] == .boolean(true))
        host.set("/usr/lib/systemd/system/lxc.service", "[Unit]\nDescription=x\n")
        host.set("/usr/lib/systemd/system/lxc-net.service", "[Unit]\nAfter=network-online.target\n")
        let (found, sources, _) = try seen(AutostartProbe(), parameters, on: host)
        #expect(found["ordered"] == .boolean(false))
        #expect(found["makers"] == .strings(["lxc-net"]))
        #expect(sources.contains("/var/lib/lxc/web/config:3"))
    }

    @Test func aContainerInItsOwnNetwork() throws {
        let parameters = ["network": "10.5.0.0/16", "bridge": "lxcbr1"]
        let host = LayerHost(["/run/systemd/container": "lxc\n"])
        host.links = [
            LayerHost.Wire(index: 2, name: "eth0", kind: "veth", peer: 9, isApart: true),
            LayerHost.Wire(index: 3, name: "lxcbr1", kind: "bridge"),
        ]
        host.addresses([(2, "10.0.3.7/24"), (3, "10.5.0.1/16")])
        #expect(try facts(NestingProbe(), parameters, on: host)["overlaps"] == .strings([]))
        host.addresses([(2, "10.5.3.7/16"), (3, "10.5.0.1/16")])
        let (found, sources, _) = try seen(NestingProbe(), parameters, on: host)
        #expect(found["overlaps"] == .strings(["eth0 10.5.3.7/16"]))
        #expect(sources.first == "/run/systemd/container")
        host.files.remove("/run/systemd/container")
        #expect(throws: ObservationFailure.self) { try facts(NestingProbe(), parameters, on: host) }
    }
}
