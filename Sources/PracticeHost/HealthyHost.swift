internal import Glibc
internal import HostAccess

/// The files and the start of a host that every check passes: what the distribution's packages and a careful operator
/// leave behind.
struct HealthyHost: Sendable {
    static let lxcPath = "/var/lib/lxc"
    static let hostname = "practice-host"

    var profile: PracticeProfile
    var backend: PracticeBackend
    var ipv6: PracticeIPv6?

    private var network: PracticeNetwork { PracticeNetwork(profile) }

    func start() throws(PracticeHostError) {
        guard sethostname(Self.hostname, Self.hostname.utf8.count) == 0 else {
            throw .failed("sethostname: \(lastError())")
        }
        try clearOperatorsFiles()
        try writeFiles()
        try KernelSettings.apply(KernelSettings.values)
        try StubInternet.connect(ipv6)
        try KernelSettings.apply(KernelSettings.boot)
        try chooseFlavour()
        try Self.startLxcNet()
    }

    /// What this machine's operator has set, and that would make this host another one than it is meant to be.
    private func clearOperatorsFiles() throws(PracticeHostError) {
        for directory in ["/etc/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"] {
            for name in directoryEntries(directory) where name.hasSuffix(".conf") {
                try withoutForwarding("\(directory)/\(name)")
            }
        }
        try withoutForwarding("/etc/sysctl.conf")
        let services = [
            "nftables", "ufw", "firewalld", "shorewall", "netfilter-persistent", "docker", "libvirtd", "incus",
        ]
        for target in directoryEntries("/etc/systemd/system") where target.hasSuffix(".wants") {
            for service in services {
                _ = unlink("/etc/systemd/system/\(target)/\(service).service")
            }
        }
    }

    /// Takes every assignment of a forwarding switch out of a file of sysctl.d(5).
    private func withoutForwarding(_ path: String) throws(PracticeHostError) {
        let lines = (readFile(path) ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        let kept = lines.filter { line in
            let text = line.drop(while: \.isWhitespace)
            return text.hasPrefix("#") || text.hasPrefix(";") || !text.contains("forward")
        }
        if kept.count < lines.count { try writeFile(path, kept.joined(separator: "\n")) }
    }

    private func writeFiles() throws(PracticeHostError) {
        // What an init that is systemd leaves for everyone to see; sd_booted(3).
        try makeDirectories("/run/systemd/system")
        try writeFile(
            HostIdentity.practiceHostMark, "A practice host of lxc-doctor: nothing here reaches the machine.\n",
            mode: 0o444)
        try writeFile("/etc/hostname", Self.hostname + "\n")
        try writeFile("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 \(Self.hostname)\n::1 localhost ip6-localhost\n")
        try writeFile("/etc/resolv.conf", "nameserver \(StubInternet.target)\n")
        try writeFile("/etc/sysctl.d/99_custom.conf", "net.ipv4.ip_forward = 1\n")
        try writeFile("/etc/default/lxc", Self.lxcDefaults)
        try writeFile("/etc/default/lxc-net", lxcNetDefaults)
        try writeFile(
            "/etc/lxc/default.conf",
            """
            lxc.net.0.type = veth
            lxc.net.0.link = \(network.bridge)
            lxc.net.0.flags = up
            lxc.apparmor.profile = unconfined

            """)
        _ = unlink("/etc/lxc/lxc.conf")
        try makeDirectories(Self.lxcPath)
        guard chmod(Self.lxcPath, 0o755) == 0 else { throw .failed("chmod \(Self.lxcPath): \(lastError())") }
        if profile == .makina { try BaseImageFiles.write(bridge: network.bridge) }
        try SystemctlStandIn.install()
    }

    private static let lxcDefaults = """
        LXC_AUTO="true"
        BOOTGROUPS="onboot,"
        SHUTDOWNDELAY=5
        OPTIONS=
        STOPOPTS="-a -A -s"

        USE_LXC_BRIDGE="false"  # overridden in lxc-net

        [ ! -f /etc/default/lxc-net ] || . /etc/default/lxc-net

        """

    /// Stock values stay unsaid, as the package leaves them.
    private var lxcNetDefaults: String {
        // Without the three seconds in which dnsmasq asks whether an address is free before it offers it.
        var text = "USE_LXC_BRIDGE=\"true\"\nLXC_DHCP_PING=\"false\"\n"
        if profile == .makina {
            text += """
                LXC_BRIDGE="\(network.bridge)"
                LXC_ADDR="\(network.address)"
                LXC_NETMASK="\(network.netmask)"
                LXC_NETWORK="\(network.network)"
                LXC_DHCP_RANGE="\(network.dhcpRange)"
                LXC_DHCP_MAX="\(network.dhcpMaximum)"

                """
        }
        if let ipv6 {
            text += """
                LXC_IPV6_ADDR="\(ipv6.address)"
                LXC_IPV6_MASK="64"
                LXC_IPV6_NETWORK="\(ipv6.network)"
                LXC_IPV6_NAT="\(ipv6 == .nat66)"

                """
        }
        if backend != .nft { text += "LXC_USE_NFT=\"false\"\n" }
        return text
    }

    /// The `iptables` that scripts find is the flavour asked for; Debian's own choice is the nft one.
    private func chooseFlavour() throws(PracticeHostError) {
        let flavour = backend == .iptablesLegacy ? "legacy" : "nft"
        for name in ["iptables", "ip6tables"] {
            let program = "/usr/sbin/\(name)-\(flavour)"
            guard fileExists(program) else {
                if backend == .nft { continue }
                throw .refused("the layer `lxc` holds no \(program); rebuild it with `lxc-doctor lab layers`")
            }
            try runOrFail(["update-alternatives", "--quiet", "--set", name, program])
        }
    }

    /// The script that the unit lxc-net.service starts.
    static func lxcNetScript() throws(PracticeHostError) -> String {
        for unit in ["/lib/systemd/system/lxc-net.service", "/usr/lib/systemd/system/lxc-net.service"] {
            for line in (readFile(unit) ?? "").split(separator: "\n") where line.hasPrefix("ExecStart=") {
                let words = line.dropFirst("ExecStart=".count).split(separator: " ")
                if let script = words.first { return String(script) }
            }
        }
        throw .refused("the layer `lxc` holds no lxc-net.service; rebuild it with `lxc-doctor lab layers`")
    }

    static func startLxcNet() throws(PracticeHostError) {
        try runOrFail([try lxcNetScript(), "start"])
    }
}
