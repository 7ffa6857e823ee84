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
                        "/etc/systemd/system/sysinit.target.wants/nftables.service",
                        to: "/lib/systemd/system/nftables.service"),
                ])
        ]),
    Fault(
        "masq-not-persistent", "The translation is there, and nobody makes it at the next boot",
        [
            FaultVariant(
                "networkd", "systemd-networkd makes the bridge, and nothing but that", profiles: [.makina],
                [
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
                ])
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

private let flushingService: [FaultStep] = [
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

        """),
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
