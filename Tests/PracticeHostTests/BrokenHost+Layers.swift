/// Links, lxc-net's start, containers and what the machine can do.
extension BrokenHost {
    static let layers = layerTwo + lxcNetStart + guests

    /// A fault of the same id as its cause, which no remedy repairs.
    private static func named(
        _ fault: String, _ check: String, _ evidence: String..., options: [String] = []
    ) -> BrokenHost {
        let id = String(fault.prefix { $0 != "=" })
        return BrokenHost(fault, [id], [check], options: options, evidence: evidence, isRepaired: false)
    }

    static let layerTwo = [
        named("bridge-stp-delay", "bridge.spanning-tree", "forward delay 15 s"),
        named("bridge-mac-unstable", "bridge.own-mac", "/sys/class/net/lxcbr1/addr_assign_type"),
        named("mac-policy-persistent", "bridge.mac-kept", "/etc/systemd/network/10-persistent.link:5"),
        named("bridge-mcast-snooping", "bridge.multicast", "querier behind veth-query"),
        named("veth-host-side-down", "bridge.ports-up", "down: veth-down"),
        named("bridge-port-isolated", "bridge.ports-talk", "isolated: veth-one veth-two"),
        named("veth-leftover-port-limit", "bridge.ports-room", "left over: veth-left"),
        named(
            "bridge-nf-sysctl-not-applied", "bridge.netfilter-next-boot", "/etc/sysctl.d/90-bridge.conf:1",
            "/etc/modules-load.d"),
        named("netdev-ingress-or-tc-drop", "path.ingress", "netdev guard door, rule 1"),
        named("hairpin-missing", "nat.hairpin", "ip public pre, rule 1"),
        named("hairpin-missing=answer", "nat.hairpin", "dnat to 10.5.0.2"),
    ]

    private static let iptables = ["--backend", "iptables-nft"]

    static let lxcNetStart = [
        named(
            "lxc-net-edited-while-up", "host.lxc-net-current", "--listen-address 10.5.0.1", "/etc/default/lxc-net:"),
        named(
            "lxc-net-edited-while-up=leftover", "host.lxc-net-current",
            "-A POSTROUTING -s 10.9.0.0/16 ! -d 10.9.0.0/16 -j MASQUERADE", options: iptables),
        named("lxc-net-port53-conflict", "host.dns-port", "/proc/net/udp:", "held by dnsmasq (process "),
        named("lxc-net-leasefile-dir", "host.lxc-net-leases", "/var/lib/misc", "not a directory"),
        named("lxc-net-ipv6-nat-syntax", "host.lxc-net-ipv6-nat", "/usr/libexec/lxc/lxc-net:", "/etc/default/lxc-net:"),
        named("lxc-net-no-ipv6-kernel", "host.lxc-net-ipv6-kernel", "/usr/libexec/lxc/lxc-net:"),
        named(
            "dnsmasq-mac-denied", "host.dnsmasq-confined", "/var/log/kern.log:2",
            "/sys/kernel/security/apparmor/profiles:2"),
        named("dhcp-pool-exhausted", "host.dhcp-room", "/var/lib/misc/dnsmasq.lxcbr1.leases", "room for 2"),
        named("autostart-before-bridge", "host.autostart", "/var/lib/lxc/stray/config:7"),
        named("nested-same-subnet", "host.nesting", "/run/systemd/container", "up0 10.5.7.1/24"),
    ]

    private static let stray = "/var/lib/lxc/stray/"

    static let guests = [
        named("invalid-hwaddr", "container.hwaddr", stray + "config:7"),
        named("config-flags-not-up", "container.flags", stray + "config:6"),
        // Seen in the container itself.
        BrokenHost(
            nil, ["config-flags-not-up"], ["container.links-up"],
            setup: "lxc-attach -n c1 -- ip link set eth0 down", options: ["--containers", "1"],
            evidence: ["c1 eth0"], isRepaired: false),
        named("config-type-empty-or-none", "container.connected", stray + "config:3"),
        named("config-type-empty-or-none=none", "container.connected", "type none"),
        named(
            "container-dhcp-plus-static", "container.one-owner", stray + "config:7",
            "/var/lib/misc/dnsmasq.lxcbr1.leases:1"),
        named("container-dns-broken", "container.names", stray + "rootfs/etc/resolv.conf:1"),
        named("container-dns-broken=link", "container.names", "-> ../run/resolvconf/resolv.conf"),
        named("container-networkd-sandboxed", "container.sandbox", "systemd 257", stray + "config:7"),
        named("container-ping-not-permitted", "container.ping", stray + "config:7"),
        named("dhcp-checksum-not-filled", "container.dhcp-checksum", stray + "rootfs/etc/os-release:3"),
        named(
            "libvirt-network-inactive", "container.libvirt-network", "/etc/libvirt/qemu/networks/default.xml:3",
            stray + "config:4"),
        named("cgroup-hierarchy-mismatch", "container.init", "centos 7", "cgroup2 alone"),
        named("cgroup-hierarchy-mismatch=limits", "container.limits", stray + "config:7"),
        named("idmap-broken", "container.idmap", stray + "config:7", "/etc/subuid"),
        named("rootfs-not-traversable", "container.rootfs-open", "0:0 700, closed to user 100000"),
        named("duplicate-container-ip=config", "container.twins", stray + "config:7", "/var/lib/lxc/stray2/config:7"),
        named("duplicate-container-ip=machine-id", "container.twins", stray + "rootfs/etc/machine-id"),
        named("usernet-quota", "host.user-quota", "/etc/lxc/lxc-usernet:2", "1 allowed, 1 noted"),
        named("usernet-quota=bridge", "host.user-quota", "br-gone does not exist"),
        named(
            "apparmor-userns-restricted", "host.user-namespaces",
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
        named("user-nic-invalid-argument", "host.user-nic", "uid 10001"),
        named("image-download-fails", "host.image-keys", "/usr/share/lxc/templates/lxc-download:2"),
    ]
}
