/// Links, lxc-net's start, containers and what the machine can do.
extension BrokenHost {
    static let layers = layerTwo + lxcNetStart + guests + packets

    /// A fault of the same id as its cause, which a person repairs.
    static func named(
        _ fault: String, _ check: String, _ evidence: String..., options: [String] = [], byHand: String
    ) -> BrokenHost {
        let id = String(fault.prefix { $0 != "=" })
        return BrokenHost(
            fault, [id], [check], options: options, evidence: evidence, byHand: byHand, isRepaired: false)
    }

    private static let lxcNet = "/usr/libexec/lxc/lxc-net"
    private static let settings = "/etc/default/lxc-net"

    static let layerTwo = [
        named(
            "bridge-stp-delay", "bridge.spanning-tree", "forward delay 15 s",
            byHand: "ip link set lxcbr1 type bridge stp_state 0"),
        named(
            "bridge-mac-unstable", "bridge.own-mac", "/sys/class/net/lxcbr1/addr_assign_type",
            byHand: "ip link set lxcbr1 address $(cat /sys/class/net/lxcbr1/address)"),
        named(
            "mac-policy-persistent", "bridge.mac-kept", "/etc/systemd/network/10-persistent.link:5",
            byHand: "printf '[Match]\\nOriginalName=lxcbr* veth*\\n[Link]\\nMACAddressPolicy=none\\n' "
                + "> /etc/systemd/network/05-lxc.link"),
        named(
            "bridge-mcast-snooping", "bridge.multicast", "querier behind veth-query",
            byHand: "ip link set lxcbr1 type bridge mcast_snooping 0"),
        named(
            "mtu-blackhole=port", "bridge.ports-mtu", "smaller than 1500: veth-narrow 1400",
            byHand: "ip link set veth-narrow mtu 1500; ip link set veth-narrow-in mtu 1500"),
        named(
            "mtu-blackhole=container", "container.mtu", "c1 eth0 10.5.", "mtu 9000 over 1500",
            byHand: "lxc-attach -n c1 -- ip link set dev eth0 mtu 1500"),
        named("veth-host-side-down", "bridge.ports-up", "down: veth-down", byHand: "ip link set veth-down up"),
        named(
            "bridge-port-isolated", "bridge.ports-talk", "isolated: veth-one veth-two",
            byHand: "bridge link set dev veth-one isolated off"),
        named(
            "veth-leftover-port-limit", "bridge.ports-room", "left over: veth-left", byHand: "ip link del veth-left"),
        named(
            "bridge-nf-sysctl-not-applied", "bridge.netfilter-next-boot", "/etc/sysctl.d/90-bridge.conf:1",
            "/etc/modules-load.d",
            byHand: "mkdir -p /etc/modules-load.d; echo br_netfilter > /etc/modules-load.d/br_netfilter.conf"),
        named(
            "netdev-ingress-or-tc-drop", "path.ingress", "netdev guard door, rule 1",
            byHand: "nft delete table netdev guard"),
        named(
            "hairpin-missing", "nat.hairpin", "ip public pre, rule 1",
            byHand: "nft flush chain ip public pre; "
                + "nft add rule ip public pre ip daddr 203.0.113.2 tcp dport 8080 dnat to 10.5.0.2:80; "
                + "nft 'add chain ip public post { type nat hook postrouting priority 90; }'; "
                + "nft add rule ip public post ip saddr 10.5.0.0/16 ip daddr 10.5.0.0/16 ct status dnat masquerade"),
        named(
            "hairpin-missing=answer", "nat.hairpin", "dnat to 10.5.0.2",
            byHand: "nft 'add chain ip public post { type nat hook postrouting priority 90; }'; "
                + "nft add rule ip public post ip saddr 10.5.0.0/16 ip daddr 10.5.0.0/16 ct status dnat masquerade"),
    ]

    private static let iptables = ["--backend", "iptables-nft"]

    static let lxcNetStart = [
        named(
            "lxc-net-edited-while-up", "host.lxc-net-current", "--listen-address 10.5.0.1", "/etc/default/lxc-net:",
            byHand: "sed -i 's/10[.]9[.]/10.5./g' \(settings)"),
        named(
            "lxc-net-edited-while-up=leftover", "host.lxc-net-current",
            "-A POSTROUTING -s 10.9.0.0/16 ! -d 10.9.0.0/16 -j MASQUERADE", options: iptables,
            byHand: "iptables -t nat -D POSTROUTING -s 10.9.0.0/16 ! -d 10.9.0.0/16 -j MASQUERADE"),
        named(
            "lxc-net-port53-conflict", "host.dns-port", "/proc/net/udp:", "held by dnsmasq (process ",
            byHand: "kill -9 $(cat /run/other-dnsmasq.pid); sleep 0.2; \(lxcNet) start"),
        // With a container in it lxc-net leaves its bridge, without address and down.
        named(
            "lxc-net-port53-conflict", "host.dns-port", "held by dnsmasq (process ", options: ["--containers", "1"],
            byHand: "kill -9 $(cat /run/other-dnsmasq.pid); sleep 0.2; \(lxcNet) start"),
        named(
            "lxc-net-leasefile-dir", "host.lxc-net-leases", "/var/lib/misc", "not a directory",
            byHand: "rm /var/lib/misc; mkdir -p /var/lib/misc"),
        named(
            "lxc-net-ipv6-nat-syntax", "host.lxc-net-ipv6-nat", "/usr/libexec/lxc/lxc-net:", "/etc/default/lxc-net:",
            byHand: "sed -i 's/postrouting ip saddr ${LXC_IPV6/postrouting ip6 saddr ${LXC_IPV6/' \(lxcNet); "
                // Translated, it leaves the host only where that has a way out for IPv6, which this one was not made with.
                + "\(lxcNet) stop; \(lxcNet) start; ip -6 addr add 2001:db8:ff::2/64 dev up0 nodad; "
                + "ip -6 route add default via 2001:db8:ff::1"),
        named(
            "lxc-net-no-ipv6-kernel", "host.lxc-net-ipv6-kernel", "/usr/libexec/lxc/lxc-net:",
            byHand: "umount /proc/sys/net/ipv6"),
        named(
            "dnsmasq-mac-denied", "host.dnsmasq-confined", "/var/log/kern.log:2",
            "/sys/kernel/security/apparmor/profiles:2", byHand: "\(lxcNet) stop; \(lxcNet) start"),
        named(
            "dhcp-pool-exhausted", "host.dhcp-room", "/var/lib/misc/dnsmasq.lxcbr1.leases", "room for 2",
            byHand: "\(lxcNet) stop; sed -i 's/10.5.0.52/10.5.9.52/' \(settings); sleep 0.2; \(lxcNet) start"),
        named(
            "autostart-before-bridge", "host.autostart", "/var/lib/lxc/stray/config:7",
            byHand: "mkdir -p /etc/systemd/system/lxc.service.d; printf '[Unit]\\nAfter=lxc-net.service\\n' "
                + "> /etc/systemd/system/lxc.service.d/after.conf"),
        named(
            "nested-same-subnet", "host.nesting", "/run/systemd/container", "up0 10.5.7.1/24",
            byHand: "ip addr del 10.5.7.1/24 dev up0"),
    ]

    private static let stray = "/var/lib/lxc/stray/"

    /// Edits the stray container's configuration.
    private static func edit(_ expressions: String...) -> String {
        "sed -i " + expressions.map { "-e '\($0)'" }.joined(separator: " ") + " \(stray)config"
    }

    static let guests = [
        named(
            "invalid-hwaddr", "container.hwaddr", stray + "config:7",
            byHand: edit("s/11:11:11:11:11:11/00:16:3e:11:11:11/")),
        named(
            "config-flags-not-up", "container.flags", stray + "config:6",
            byHand: "echo 'lxc.net.0.flags = up' >> \(stray)config"),
        // Seen in the container itself.
        BrokenHost(
            nil, ["config-flags-not-up"], ["container.links-up"],
            setup: "lxc-attach -n c1 -- ip link set eth0 down", options: ["--containers", "1"],
            evidence: ["c1 eth0"],
            byHand: "lxc-attach -n c1 -- ip link set eth0 up; "
                + "lxc-attach -n c1 -- ip route add default via 10.5.0.1 dev eth0",
            isRepaired: false),
        named(
            "config-type-empty-or-none", "container.connected", stray + "config:3",
            byHand: edit("s/= empty/= veth/") + "; echo 'lxc.net.0.link = lxcbr1' >> \(stray)config"),
        named(
            "config-type-empty-or-none=none", "container.connected", "type none",
            byHand: edit("s/= none/= veth/") + "; echo 'lxc.net.0.link = lxcbr1' >> \(stray)config"),
        named(
            "container-dhcp-plus-static", "container.one-owner", stray + "config:7",
            "/var/lib/misc/dnsmasq.lxcbr1.leases:1", byHand: edit("/ipv4/d")),
        named(
            "container-dns-broken", "container.names", stray + "rootfs/etc/resolv.conf:1",
            byHand: "echo nameserver 10.5.0.1 > \(stray)rootfs/etc/resolv.conf"),
        named(
            "container-dns-broken=link", "container.names", "-> ../run/resolvconf/resolv.conf",
            byHand: "rm \(stray)rootfs/etc/resolv.conf; echo nameserver 10.5.0.1 > \(stray)rootfs/etc/resolv.conf"),
        named(
            "container-networkd-sandboxed", "container.sandbox", "systemd 257", stray + "config:7",
            byHand: "echo 'lxc.apparmor.allow_nesting = 1' >> \(stray)config"),
        named(
            "container-ping-not-permitted", "container.ping", stray + "config:7",
            byHand: "echo 'lxc.sysctl.net.ipv4.ping_group_range = 0 2147483647' >> \(stray)config"),
        named(
            "dhcp-checksum-not-filled", "container.dhcp-checksum", stray + "rootfs/etc/os-release:3",
            byHand: "iptables-nft -t mangle -A POSTROUTING -p udp --dport 68 -j CHECKSUM --checksum-fill"),
        named(
            "libvirt-network-inactive", "container.libvirt-network", "/etc/libvirt/qemu/networks/default.xml:3",
            stray + "config:4", byHand: edit("s/virbr0/lxcbr1/")),
        named(
            "cgroup-hierarchy-mismatch", "container.init", "centos 7", "cgroup2 alone",
            byHand: "sed -i 's/\"7\"/\"9\"/' \(stray)rootfs/etc/os-release"),
        named(
            "cgroup-hierarchy-mismatch=limits", "container.limits", stray + "config:7",
            byHand: edit("s/lxc.cgroup.memory.limit_in_bytes/lxc.cgroup2.memory.max/")),
        named(
            "idmap-broken", "container.idmap", stray + "config:7", "/etc/subuid",
            byHand: "echo root:100000:65536 | tee -a /etc/subuid >> /etc/subgid"),
        named(
            "rootfs-not-traversable", "container.rootfs-open", "0:0 700, closed to user 100000",
            byHand: "chmod o+x \(stray)"),
        named(
            "duplicate-container-ip=config", "container.twins", stray + "config:7", "/var/lib/lxc/stray2/config:7",
            byHand: edit("s/10.5.0.2/10.5.0.3/")),
        named(
            "duplicate-container-ip=machine-id", "container.twins", stray + "rootfs/etc/machine-id",
            byHand: ": > \(stray)rootfs/etc/machine-id"),
        named(
            "usernet-quota", "host.user-quota", "/etc/lxc/lxc-usernet:2", "1 allowed, 1 noted",
            byHand: "sed -i 's/ 1$/ 10/' /etc/lxc/lxc-usernet"),
        named(
            "usernet-quota=bridge", "host.user-quota", "br-gone does not exist",
            byHand: "sed -i 's/br-gone/lxcbr1/' /etc/lxc/lxc-usernet"),
        named(
            "apparmor-userns-restricted", "host.user-namespaces",
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            byHand: "mkdir -p /etc/apparmor.d; "
                + "printf 'profile lxc-start /usr/bin/lxc-start {\\n  userns,\\n}\\n' > /etc/apparmor.d/lxc-start"),
        named(
            "user-nic-invalid-argument", "host.user-nic", "uid 10001",
            byHand: "sed -i 's/^Version: 1:3.0.3-8/Version: 1:5.0.2-1/' /var/lib/dpkg/status"),
        named(
            "image-download-fails", "host.image-keys", "/usr/share/lxc/templates/lxc-download:2",
            byHand: "sed -i 's/pool.sks-keyservers.net/keyserver.ubuntu.com/' /usr/share/lxc/templates/lxc-download"),
    ]
}
