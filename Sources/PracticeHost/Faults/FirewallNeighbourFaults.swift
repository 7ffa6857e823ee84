private let iptables: [PracticeBackend] = [.iptablesNft, .iptablesLegacy]

/// Firewalls that get into each other's way, or into the host's own.
let firewallNeighbourFaults: [Fault] = [
    Fault(
        "output-drop", "The host drops what it sends to its containers",
        [
            FaultVariant(
                "policy", "OUTPUT lets out what goes to the uplink, and answers",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table inet outgoing
                                add chain inet outgoing output { type filter hook output priority 10; policy drop; }
                                add rule inet outgoing output oifname { "lo", "{uplink}" } accept
                                add rule inet outgoing output ct state established,related accept
                                """)
                        ]),
                    .only(
                        iptables,
                        [
                            .run(["iptables", "-w", "-A", "OUTPUT", "-o", "lo", "-j", "ACCEPT"]),
                            .run(["iptables", "-w", "-A", "OUTPUT", "-o", "{uplink}", "-j", "ACCEPT"]),
                            .run([
                                "iptables", "-w", "-A", "OUTPUT", "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED",
                                "-j", "ACCEPT",
                            ]), .run(["iptables", "-w", "-P", "OUTPUT", "DROP"]),
                        ]),
                ])
        ]),
    Fault(
        "two-firewalls-active", "ufw and firewalld are on at the same time",
        [
            FaultVariant(
                "chains", "With the chains of both, which let everything pass", backends: [.nft],
                [
                    .write("/etc/ufw/ufw.conf", "# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n"),
                    .run(["iptables", "-w", "-N", "ufw-before-forward"]),
                    .run(["iptables", "-w", "-A", "FORWARD", "-j", "ufw-before-forward"]),
                    .nft(
                        """
                        add table inet firewalld
                        add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy accept; }
                        """),
                ])
        ]),
    Fault(
        "firewall-reload-flush", "A firewall was reloaded, and lxc-net's rules are gone",
        [
            FaultVariant(
                "persistent", "netfilter-persistent emptied all tables", backends: iptables,
                layers: ["iptables-persistent"],
                [
                    .link(
                        "/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service",
                        to: "/lib/systemd/system/netfilter-persistent.service"),
                    .run(["netfilter-persistent", "flush"]),
                ])
        ]),
    Fault(
        "iptables-nft-incompatible-table", "A table of iptables holds what only nft can read",
        [
            FaultVariant(
                "nat", "A chain of one's own in ip nat", backends: [.nft],
                [
                    .nft(
                        """
                        add table ip nat
                        add chain ip nat mine { type nat hook postrouting priority 90; }
                        add rule ip nat mine ip saddr 192.168.77.0/24 masquerade
                        """)
                ])
        ]),
    Fault(
        "xtables-lock", "A process does not let go of the lock of iptables",
        [
            FaultVariant(
                "held", "A hook that hangs", backends: [.nft],
                [
                    .run([
                        "sh", "-c",
                        "setsid flock -x /run/xtables.lock sleep 1000 </dev/null >/dev/null 2>&1 & sleep 3",
                    ])
                ])
        ]),
    Fault(
        "docker28-raw-drop", "Docker keeps others from its containers' own addresses; meant so",
        [
            FaultVariant(
                "raw", "A rule for one container",
                [
                    .run(["ip", "link", "add", "docker0", "type", "bridge"]),
                    .run(["ip", "addr", "add", "172.17.0.1/16", "dev", "docker0"]),
                    .run(["ip", "link", "set", "docker0", "up"]),
                    .run([
                        "iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-d", "172.17.0.2/32", "!", "-i", "docker0",
                        "-j", "DROP",
                    ]),
                ])
        ]),
]
