/// The link by which lxc-net is enabled.
let lxcNetWanted = "/etc/systemd/system/multi-user.target.wants/lxc-net.service"
private let wants = "/etc/systemd/system/multi-user.target.wants"

let persistenceFaults: [Fault] = [
    Fault(
        "bridge-not-persistent", "The bridge is there, and nobody makes it at the next boot",
        [
            FaultVariant(
                "by-hand", "lxc-net makes another bridge; saved rules keep the translation", profiles: [.makina],
                [
                    .write("/etc/default/lxc-net", "USE_LXC_BRIDGE=\"true\"\n"),
                    // What was made by hand has no flag of lxc-net's.
                    .remove("/run/lxc/network_up"),
                ] + rulesByNftables)
        ]),
    Fault(
        "masq-not-persistent", "The translation is there, and nobody makes it at the next boot",
        [
            FaultVariant(
                "networkd", "systemd-networkd makes the bridge, and nothing but that", profiles: [.makina],
                bridgeByNetworkd)
        ]),
    Fault(
        "firewall-boot-order", "A firewall that starts after lxc-net takes its rules away",
        [
            FaultVariant(
                "local-script", "/etc/rc.local loads a ruleset that begins with a flush",
                [
                    .write("/etc/rc.local", "#!/bin/sh\n# The firewall of this host.\nnft -f /etc/firewall.nft\n"),
                    .write(
                        "/etc/firewall.nft", "flush ruleset\ntable inet filter {\n    chain input {\n    }\n}\n"),
                ]),
            FaultVariant(
                "saved-rules", "A unit restores saved rules after lxc-net", backends: [.iptablesNft, .iptablesLegacy],
                [
                    .write(
                        "/etc/iptables/rules.v4",
                        "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"),
                    .write(
                        "/etc/systemd/system/netfilter-persistent.service",
                        """
                        [Unit]
                        Description=saved rules
                        After=lxc-net.service

                        [Service]
                        Type=oneshot
                        RemainAfterExit=yes
                        ExecStart=/usr/sbin/iptables-restore /etc/iptables/rules.v4

                        [Install]
                        WantedBy=multi-user.target

                        """),
                    .link(
                        "\(wants)/netfilter-persistent.service",
                        to: "/etc/systemd/system/netfilter-persistent.service"),
                ]),
        ]),
    Fault(
        "nftables-flush-ruleset", "nftables.conf flushes every ruleset, lxc-net's too",
        [
            FaultVariant(
                "boot", "nftables.service runs after lxc-net at the next boot", backends: [.nft, .iptablesNft],
                flushingService),
            FaultVariant(
                "now", "It has just been reloaded", backends: [.nft, .iptablesNft],
                flushingService + [.run(["nft", "-f", "/etc/nftables.conf"])]),
        ]),
]

/// networkd makes the bridge with its address, and lxc-net makes none.
let bridgeByNetworkd: [FaultStep] = [
    .write("/etc/default/lxc-net", "USE_LXC_BRIDGE=\"false\"\n"), .remove(lxcNetWanted),
    .write("/etc/systemd/network/10-{bridge}.netdev", "[NetDev]\nName={bridge}\nKind=bridge\n"),
    .write(
        "/etc/systemd/network/10-{bridge}.network",
        """
        [Match]
        Name={bridge}

        [Network]
        Address={address}/{prefix}
        ConfigureWithoutCarrier=yes
        LinkLocalAddressing=no

        """),
    .link("\(wants)/systemd-networkd.service", to: "/lib/systemd/system/systemd-networkd.service"),
]

/// nftables.service loads the translation, and flushes nothing of others.
let rulesByNftables: [FaultStep] = [
    .write(
        "/etc/nftables.conf",
        """
        #!/usr/sbin/nft -f
        table ip containers {
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr {network} ip daddr != {network} counter masquerade
            }
        }

        """),
    .link(
        "/etc/systemd/system/sysinit.target.wants/nftables.service", to: "/lib/systemd/system/nftables.service"),
]

private let flushingService: [FaultStep] =
    [
        .write(
            "/etc/nftables.conf",
            """
            #!/usr/sbin/nft -f
            flush ruleset

            table inet filter {
                chain input {
                    type filter hook input priority filter; policy accept;
                }
                chain forward {
                    type filter hook forward priority filter; policy accept;
                }
            }

            """)
    ] + nftablesAfterLxcNet

/// nftables.service, which is started behind lxc-net at boot.
let nftablesAfterLxcNet: [FaultStep] = [
    .write(
        "/etc/systemd/system/nftables.service",
        """
        [Unit]
        Description=nftables
        After=lxc-net.service

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/sbin/nft -f /etc/nftables.conf
        ExecReload=/usr/sbin/nft -f /etc/nftables.conf

        [Install]
        WantedBy=multi-user.target

        """),
    .link("\(wants)/nftables.service", to: "/etc/systemd/system/nftables.service"),
]
