/// Faults of lxc-net's next start, and of what its dnsmasq needs.
let lxcNetStartFaults: [Fault] = [
    Fault(
        "lxc-net-edited-while-up", "lxc-net's settings were changed while it was up",
        [
            FaultVariant(
                "address", "The file names another network than the one that runs",
                [
                    .run([
                        "sed", "-i", "-E", "/^LXC_(ADDR|NETWORK|DHCP_RANGE)=/d", "/etc/default/lxc-net",
                    ]),
                    .run([
                        "sh", "-c",
                        "printf '%s\\n' 'LXC_ADDR=\"10.9.0.1\"' 'LXC_NETMASK=\"255.255.0.0\"' "
                            + "'LXC_NETWORK=\"10.9.0.0/16\"' 'LXC_DHCP_RANGE=\"10.9.0.2,10.9.255.254\"' "
                            + ">> /etc/default/lxc-net",
                    ]),
                ]),
            FaultVariant(
                "leftover", "A rule of an old network was left", backends: [.iptablesNft, .iptablesLegacy],
                [
                    .run([
                        "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-s", "10.9.0.0/16", "!", "-d",
                        "10.9.0.0/16", "-j", "MASQUERADE",
                    ])
                ]),
        ]),
    Fault(
        "lxc-net-leasefile-dir", "dnsmasq's directory of leases is no directory",
        [
            FaultVariant(
                "file", "A file is in its place",
                [.run(["rm", "-rf", "/var/lib/misc"]), .write("/var/lib/misc", "not a directory\n")])
        ]),
    Fault(
        "lxc-net-ipv6-nat-syntax", "lxc-net's rule for IPv6 is one that nft refuses",
        [
            FaultVariant(
                "old-script", "The script of LXC 4.0.10",
                [
                    .run([
                        "sed", "-i", "s/ip6 lxc postrouting ip6 saddr/ip6 lxc postrouting ip saddr/",
                        FaultApplication.lxcNet,
                    ]),
                    .run([
                        "sh", "-c",
                        "printf '%s\\n' 'LXC_IPV6_ADDR=\"fd00:5::1\"' 'LXC_IPV6_MASK=\"64\"' "
                            + "'LXC_IPV6_NETWORK=\"fd00:5::/64\"' 'LXC_IPV6_NAT=\"true\"' >> /etc/default/lxc-net",
                    ]),
                ])
        ]),
    Fault(
        "lxc-net-no-ipv6-kernel", "lxc-net writes settings that a kernel without IPv6 does not have",
        [
            FaultVariant(
                "old-script", "The script does not mind, and the tree of settings is gone",
                [
                    .run(["sed", "-i", "s/accept_dad || true/accept_dad/", FaultApplication.lxcNet]),
                    .run(["mount", "-t", "tmpfs", "none", "/proc/sys/net/ipv6"]),
                ])
        ]),
    Fault(
        "dnsmasq-mac-denied", "AppArmor keeps dnsmasq from its leases",
        [
            FaultVariant(
                "apparmor", "An enforced profile, and a denial in the log",
                [
                    .run(["mount", "-t", "tmpfs", "none", "/sys/kernel/security"]),
                    .write(
                        "/sys/kernel/security/apparmor/profiles", "lsb_release (enforce)\n/usr/sbin/dnsmasq (enforce)\n"
                    ),
                    .write(
                        "/var/log/kern.log",
                        """
                        2026-01-02T03:04:05 host kernel: device lxcbr1 entered promiscuous mode
                        2026-01-02T03:04:06 host kernel: audit: type=1400 audit(1:2): apparmor="DENIED" \
                        operation="open" profile="/usr/sbin/dnsmasq" name="/var/lib/misc/dnsmasq.{bridge}.leases"

                        """),
                ] + dnsmasqKilled)
        ]),
    Fault(
        "dhcp-pool-exhausted", "All addresses of the DHCP server are given out",
        [
            FaultVariant(
                "two", "A range of two, with two leases",
                [
                    .run(["sed", "-i", "-E", "/^LXC_DHCP_RANGE=/d", "/etc/default/lxc-net"]),
                    .run([
                        "sh", "-c",
                        "address={address}; net=${address%.*}; "
                            + "echo \"LXC_DHCP_RANGE=\\\"$net.51,$net.52\\\"\" >> /etc/default/lxc-net",
                    ]),
                    lxcNetStopped, .run([FaultApplication.lxcNet, "start"]),
                    .write(
                        "/var/lib/misc/dnsmasq.{bridge}.leases",
                        """
                        4102444800 00:16:3e:00:00:51 10.5.0.51 gone1 *
                        4102444800 00:16:3e:00:00:52 10.5.0.52 gone2 *

                        """),
                ])
        ]),
    Fault(
        "autostart-before-bridge", "Nothing makes containers wait for the bridge at boot",
        [
            FaultVariant(
                "unit", "Both units were copied without their order",
                [
                    .write(
                        "/etc/systemd/system/lxc.service",
                        """
                        [Unit]
                        Description=Containers
                        [Service]
                        Type=oneshot
                        ExecStart=/usr/libexec/lxc/lxc-containers start
                        [Install]
                        WantedBy=multi-user.target

                        """),
                    .write(
                        "/etc/systemd/system/lxc-net.service",
                        """
                        [Unit]
                        After=network-online.target
                        [Service]
                        Type=oneshot
                        ExecStart=/usr/libexec/lxc/lxc-net start
                        [Install]
                        WantedBy=multi-user.target

                        """),
                ] + stray(configuration() + "lxc.start.auto = 1\n"))
        ]),
    Fault(
        "nested-same-subnet", "The host is a container in the very network that it gives out",
        [
            FaultVariant(
                "uplink", "The uplink has an address of it",
                [
                    .write("/run/systemd/container", "lxc\n"),
                    .run(["ip", "addr", "add", "{upperAddress}", "dev", "{uplink}"]),
                ])
        ]),
]
