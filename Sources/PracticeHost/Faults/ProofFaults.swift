/// Faults that only a packet shows: the rules look right, and it goes elsewhere or nowhere.
let proofFaults: [Fault] = [
    Fault(
        "drop-unexplained", "A packet dies, and no rule and no setting drops it",
        [
            FaultVariant(
                "time-to-live", "A rule that mangles the time to live leaves it at 1",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table ip mangling
                                add chain ip mangling pre { type filter hook prerouting priority mangle; }
                                add rule ip mangling pre iifname "{bridge}" ip ttl set 1
                                """)
                        ]),
                    .only(
                        [.iptablesNft, .iptablesLegacy],
                        [
                            .run([
                                "iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-i", "{bridge}", "-j", "TTL",
                                "--ttl-set", "1",
                            ])
                        ]),
                ]),
            FaultVariant(
                "policy", "A policy of IPsec blocks what is forwarded",
                [
                    .run([
                        "ip", "xfrm", "policy", "add", "src", "{network}", "dst", "0.0.0.0/0", "dir", "fwd", "action",
                        "block",
                    ])
                ]),
        ]),
    Fault(
        "probe-redirected", "What containers send to the outside is delivered to this host",
        [
            FaultVariant(
                "proxy", "A rule for a transparent proxy catches the containers as well",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table ip proxy
                                add chain ip proxy pre { type nat hook prerouting priority dstnat; }
                                add rule ip proxy pre tcp dport { 80, 443 } redirect to :3128
                                """)
                        ]),
                    .only(
                        [.iptablesNft, .iptablesLegacy],
                        [
                            .run([
                                "iptables", "-w", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "-m", "multiport",
                                "--dports", "80,443", "-j", "REDIRECT", "--to-ports", "3128",
                            ])
                        ]),
                ]),
            FaultVariant(
                "everything", "A rule without a port catches all of UDP",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table ip trap
                                add chain ip trap pre { type nat hook prerouting priority dstnat; }
                                add rule ip trap pre iifname "{bridge}" udp dport != { 53, 67 } redirect to :53
                                """)
                        ]),
                    .only(
                        [.iptablesNft, .iptablesLegacy],
                        [
                            .run([
                                "iptables", "-w", "-t", "nat", "-A", "PREROUTING", "-i", "{bridge}", "-p", "udp", "-m",
                                "multiport", "!", "--dports", "53,67", "-j", "REDIRECT", "--to-ports", "53",
                            ])
                        ]),
                ]),
        ]),
    Fault(
        "bridge-l2-filter-drop", "A filter of the bridge's own family drops what goes between containers",
        [
            FaultVariant(
                "table", "A table of family bridge with a closed policy",
                [
                    .nft(
                        """
                        add table bridge guard
                        add chain bridge guard forward { type filter hook forward priority 0; policy drop; }
                        """)
                ]),
            FaultVariant(
                "rule", "A rule against IPv4 between ports, of ebtables' making",
                [.run(["ebtables-nft", "-A", "FORWARD", "-p", "IPv4", "-j", "DROP"])]),
        ]),
]

/// A command inside a running container.
private func inside(_ container: String, _ command: String...) -> [FaultStep] {
    [.run(["lxc-attach", "-n", container, "--"] + command)]
}

/// What only a running container can have.
let runningContainerFaults: [Fault] = [
    Fault(
        "arp-filtered", "Containers and their gateway do not find each other by ARP",
        [
            FaultVariant(
                "flag", "ARP is off on the bridge", [.run(["ip", "link", "set", "{bridge}", "arp", "off"])]),
            FaultVariant(
                "table", "A closed chain of the arp family",
                [
                    .nft(
                        """
                        add table arp guard
                        add chain arp guard in { type filter hook input priority 0; policy drop; }
                        """)
                ]),
            FaultVariant(
                "rule", "A rule against questions for the gateway, which only a running container asks", containers: 1,
                [
                    .nft(
                        """
                        add table arp guard
                        add chain arp guard in { type filter hook input priority 0; policy accept; }
                        add rule arp guard in arp operation request arp daddr ip {address} drop
                        """)
                ]),
            FaultVariant(
                "ignore", "The host answers nobody",
                [.sysctl("net/ipv4/conf/all/arp_ignore", "8")]),
            FaultVariant(
                "container", "ARP is off inside a container", containers: 1,
                inside("c1", "ip", "link", "set", "eth0", "arp", "off")),
        ]),
    Fault(
        "container-no-address", "A container runs without an address",
        [
            FaultVariant(
                "flushed", "It was flushed inside", containers: 1,
                inside("c1", "ip", "-4", "addr", "flush", "dev", "eth0")),
            FaultVariant(
                "one-of-two", "It was flushed in one of two containers", containers: 2,
                inside("c2", "ip", "-4", "addr", "flush", "dev", "eth0")),
        ]),
    Fault(
        "container-no-default-route", "A container has no default route",
        [
            FaultVariant(
                "deleted", "It was deleted inside", containers: 1,
                inside("c1", "ip", "route", "del", "default")),
            FaultVariant(
                "one-of-two", "It was deleted in one of two containers", containers: 2,
                inside("c2", "ip", "route", "del", "default")),
        ]),
    Fault(
        "container-forward-drop", "A rule names the address of one of two containers, and drops what it sends",
        [
            FaultVariant(
                "one-of-two", "The second one is shut off", containers: 2,
                [
                    .only(
                        [.nft],
                        [
                            .run([
                                "sh", "-c",
                                "nft insert rule inet lxc forward ip saddr $(lxc-info -n c2 -iH) drop",
                            ])
                        ]),
                    .only(
                        [.iptablesNft, .iptablesLegacy],
                        [.run(["sh", "-c", "iptables -w -I FORWARD -s $(lxc-info -n c2 -iH) -j DROP"])]),
                ])
        ]),
    Fault(
        "container-wrong-gateway", "A container's gateway is an address that nobody has",
        [
            FaultVariant(
                "nobody", "The default route leads to it", containers: 1,
                [.run(["lxc-attach", "-n", "c1", "--", "ip", "route", "replace", "default", "via", "{nobody}"])])
        ]),
    Fault(
        "gateway-ip-stolen", "A container carries the address of the gateway",
        [
            FaultVariant(
                "second", "It was added to the second of two containers", containers: 2,
                [
                    .run([
                        "lxc-attach", "-n", "c2", "--", "ip", "addr", "add", "{address}/{prefix}", "dev", "eth0",
                    ])
                ])
        ]),
]
