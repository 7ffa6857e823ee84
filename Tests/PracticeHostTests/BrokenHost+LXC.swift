extension BrokenHost {
    static let lxc = [
        BrokenHost(
            nil, ["lxc-not-installed"], ["host.lxc-installed"],
            setup: InstallLab.functions + "repack; programs"),
        BrokenHost("lxc-net-not-enabled=masked", ["lxc-net-not-enabled"], ["bridge.persistent", "nat.persistent"]),
        BrokenHost("lxc-net-not-enabled=disabled", ["lxc-net-not-enabled"], ["bridge.persistent"]),
        BrokenHost(
            "lxc-net-not-enabled=masked", ["lxc-net-not-enabled"], ["host.lxc-net-enabled"],
            options: ["--profile", "lxc-net"]),
        BrokenHost("lxc-net-config-not-sourced", ["lxc-net-config-not-sourced"], ["host.lxc-net-sourced"]),
        BrokenHost(
            "lxc-net-stale-network-up=bridge", ["lxc-net-stale-network-up"], ["bridge.exists", "host.lxc-net-flag"]),
        BrokenHost(
            "dnsmasq-not-running", ["dnsmasq-not-running"], ["host.dhcp-server", "host.lxc-net-flag"]),
        BrokenHost(
            "dhcp-range-outside-subnet", ["dhcp-range-outside-subnet"], ["host.dhcp-range", "host.lxc-net-settings"]),
        BrokenHost(
            "makina-job-guard", ["makina-job-guard"], ["host.makina-job-guard"], left: ["makina-job-guard"]),
        BrokenHost(
            "makina-job-inert", ["makina-job-inert"], ["host.makina-job-runs"], left: ["makina-job-inert"]),
        BrokenHost(
            "makina-job-tools-missing", ["makina-job-tools-missing"], ["host.makina-job-tools"],
            left: ["makina-job-tools-missing"]),
        BrokenHost("makina-shares-network-up", ["makina-shares-network-up"], ["host.makina-job-flag"]),
    ]

    /// A profile of the operator's own, as `/etc/lxc-doctor/profile.yaml`.
    private static func profile(_ lines: String...) -> String {
        let text = ["name: own", "networks:", "  - { bridge: lxcbr1, address: 10.5.0.1/16 }"] + lines
        let quoted = text.map { "'\($0)'" }.joined(separator: " ")
        return "mkdir -p /etc/lxc-doctor; printf '%s\\n' \(quoted) > /etc/lxc-doctor/profile.yaml"
    }

    static let images = [
        BrokenHost("lxcpath-missing", ["lxcpath-missing"], ["host.lxc-path"], isRepaired: false),
        BrokenHost(
            "lxcpath-wrong-owner-or-mode", ["lxcpath-wrong-owner-or-mode"], ["host.lxc-path-rights"],
            isRepaired: false),
        BrokenHost(
            nil, ["storage-full"], ["host.lxc-path-room"], setup: profile("minimumFreeBytes: 1000000000000000"),
            isRepaired: false),
        BrokenHost(
            nil, ["storage-full"], ["host.lxc-path-inodes"],
            setup: "mount -t tmpfs -o size=8g,nr_inodes=100,mode=0755 none /var/lib/lxc", isRepaired: false),
        BrokenHost(
            nil, ["base-image-missing"], ["host.base-image"],
            setup: profile("image: { name: makina-states-xenial, wanted: required }"), isRepaired: false),
        BrokenHost(
            "base-image-incomplete=init", ["base-image-incomplete"], ["host.base-image-complete"], isRepaired: false),
        BrokenHost(
            nil, ["config-legacy-keys"], ["host.base-image-keys", "container.config-keys"],
            setup: "sed -i 's/^lxc.net.0/lxc.network/' /var/lib/lxc/makina-states-trusty/config"),
    ]

    static let containers = [
        BrokenHost("config-links-other-bridge", ["config-links-other-bridge"], ["container.bridge"]),
        BrokenHost("config-no-link", ["config-no-link"], ["container.link"]),
        BrokenHost("veth-not-in-bridge", ["veth-not-in-bridge"], ["container.plugged"]),
        BrokenHost(
            "config-address-without-prefix=stray", ["config-address-without-prefix"], ["container.address-prefix"]),
        BrokenHost("duplicate-container-mac=copied", ["duplicate-container-mac"], ["container.hardware-addresses"]),
        BrokenHost("config-legacy-keys", ["config-legacy-keys"], ["container.config-keys"]),
        BrokenHost(
            "image-or-rootfs-missing", ["image-or-rootfs-missing"], ["container.rootfs"], isRepaired: false),
        BrokenHost(
            "ip-forward-reset=sysctl-conf", ["ip-forward-reset"], ["forwarding.next-boot-agreed"]),
        BrokenHost("docker-forward-drop", ["docker-forward-drop"], ["firewall.forward"]),
        BrokenHost(
            "forward-policy-drop", ["forward-policy-drop"],
            ["firewall.forward", "firewall.forwarded", "nat.east-west-proof"],
            options: ["--backend", "iptables-nft"]),
        BrokenHost(
            "forward-return-missing", ["forward-return-missing"], ["firewall.answered"]),
        BrokenHost("input-drops-dhcp-dns", ["input-drops-dhcp-dns"], ["firewall.dhcp-dns"]),
    ]
}
