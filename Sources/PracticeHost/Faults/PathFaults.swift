private let iptables: [PracticeBackend] = [.iptablesNft, .iptablesLegacy]

/// A second line to the stub internet: `up1`, 192.0.2.2/24, whose router is 192.0.2.1.
let secondUplink: [FaultStep] = [
    .run(["ip", "link", "add", "up1", "type", "veth", "peer", "name", "isp1", "netns", StubInternet.namespace]),
    .run(["ip", "addr", "add", "192.0.2.2/24", "dev", "up1"]), .run(["ip", "link", "set", "up1", "up"]),
    .run(["ip", "-n", StubInternet.namespace, "addr", "add", "192.0.2.1/24", "dev", "isp1"]),
    .run(["ip", "-n", StubInternet.namespace, "link", "set", "isp1", "up"]),
]

/// What containers send to the outside is looked up in table 100; what goes to them is not.
private let ownTable: [FaultStep] = [
    .run(["ip", "rule", "add", "priority", "90", "to", "{network}", "lookup", "main"]),
    .run(["ip", "rule", "add", "priority", "100", "from", "{network}", "lookup", "100"]),
]

private let bySecondUplink =
    secondUplink + [.run(["ip", "route", "add", "default", "via", "192.0.2.1", "dev", "up1", "table", "100"])]
    + ownTable

/// Table 100 has nothing but the way out.
private let outOnly = FaultStep.run([
    "ip", "route", "add", "default", "via", "{gateway}", "dev", "{uplink}", "table", "100",
])

/// A rule of the routing policy before all others but that of the local table.
private func rule(_ words: String...) -> FaultStep { .run(["ip", "rule", "add", "priority", "50"] + words) }

/// A rule, or a route, for the address that a container has.
private func forContainer(_ name: String, _ command: String) -> FaultStep {
    .run(["sh", "-c", "address=$(lxc-info -n \(name) -iH) && [ -n \"$address\" ] && \(command)"])
}

/// Answers come, and are not routed to the bridge.
private let answersAstray = [
    FaultVariant(
        "answers", "A rule for what goes to the network, and a table that leads out",
        [outOnly, rule("to", "{network}", "lookup", "100")]),
    FaultVariant(
        "wider", "A VPN's table has a wider private range, as Tailscale's may",
        [
            .run(["ip", "link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1"]),
            .run(["ip", "addr", "add", "100.64.0.9/32", "dev", "vpn0"]),
            .run(["ip", "link", "set", "vpn0", "up"]), .run(["ip", "link", "set", "vpn1", "up"]),
            .run(["ip", "route", "add", "10.0.0.0/8", "dev", "vpn0", "table", "52"]),
            .run(["ip", "rule", "add", "priority", "5270", "lookup", "52"]),
        ]),
    FaultVariant(
        "from-uplink", "A rule for all that comes in by the uplink",
        [outOnly, rule("iif", "{uplink}", "lookup", "100")]),
    FaultVariant(
        "by-mark", "Rules mark what comes in by the uplink, and a routing rule knows the mark",
        [
            outOnly, rule("fwmark", "7", "lookup", "100"),
            .only(
                [.nft],
                [
                    .nft(
                        """
                        add table ip lines
                        add chain ip lines prerouting { type filter hook prerouting priority mangle; }
                        add rule ip lines prerouting iifname "{uplink}" meta mark set 7
                        """)
                ]),
            .only(
                iptables,
                [
                    .run([
                        "iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-i", "{uplink}", "-j", "MARK",
                        "--set-mark", "7",
                    ])
                ]),
        ]),
    FaultVariant("prohibited", "A rule prohibits what goes to the network", [rule("to", "{network}", "prohibit")]),
    FaultVariant(
        "host", "A rule for what comes from the network catches the host's own address there",
        [outOnly, rule("from", "{network}", "lookup", "100")]),
    FaultVariant(
        "one-of-two", "A rule prohibits what goes to one of two containers", containers: 2,
        [forContainer("c2", "ip rule add priority 50 to $address prohibit")]),
    FaultVariant(
        "one-sends", "A rule leads what one of two containers sends into nothing", containers: 2,
        [forContainer("c2", "ip rule add priority 50 from $address blackhole")]),
]

/// Only what leaves by the first uplink is translated.
private let firstUplinkOnly = insteadOfRule(
    nft: "ip saddr {network} oifname \"{uplink}\" counter masquerade",
    iptables: "-s {network} -o {uplink} -j MASQUERADE")

/// A port of the bridge that a network manager takes for a network card, with a default route of this metric.
private func managedPort(metric: String) -> [FaultStep] {
    [
        .run(["ip", "link", "add", "vethstray", "type", "veth", "peer", "name", "inside"]),
        .run(["ip", "link", "set", "vethstray", "master", "{bridge}", "up"]),
        .run(["ip", "link", "set", "inside", "up"]),
        .run(["ip", "addr", "add", "169.254.10.1/16", "scope", "link", "dev", "vethstray"]),
        .run(["ip", "route", "del", "default"]),
        .run(["ip", "route", "add", "default", "via", "{gateway}", "dev", "{uplink}", "metric", "100"]),
        .run(["ip", "route", "add", "default", "dev", "vethstray", "metric", metric]),
    ]
}

let pathFaults: [Fault] = [
    Fault(
        "policy-route-captures", "A routing rule sends the containers' packets where they cannot get out",
        [
            FaultVariant(
                "untranslated", "By a second line on which nothing translates", bySecondUplink + firstUplinkOnly),
            FaultVariant(
                "unreachable", "Into a table that leads nowhere",
                [.run(["ip", "route", "add", "unreachable", "default", "table", "100"])] + ownTable),
            FaultVariant(
                "part", "A rule against a part of the network",
                [.run(["ip", "rule", "add", "priority", "100", "from", "{upper}", "blackhole"])]),
        ] + answersAstray),
    Fault(
        "subnet-overlap", "A route has the place of the bridge's own",
        [
            FaultVariant(
                "blackhole", "One of two containers has a route into nothing", containers: 2,
                [forContainer("c2", "ip route add blackhole $address")]),
            FaultVariant(
                "route-gone", "The bridge's own route is gone",
                [.run(["ip", "route", "del", "{network}", "dev", "{bridge}"])]),
        ]),
    Fault(
        "no-default-route", "The host may not use its way to the outside",
        [
            FaultVariant(
                "prohibited", "A rule prohibits it", [rule("to", "\(StubInternet.target)", "prohibit")]),
            FaultVariant(
                "blackhole", "A route leads it into nothing",
                [.run(["ip", "route", "add", "blackhole", "\(StubInternet.target)"])]),
        ]),
    Fault(
        "rp-filter-drop", "Answers come back by a line that strict filtering does not expect them on",
        [
            FaultVariant(
                "second-line", "Marked packets leave by a second line; its rp_filter is 1",
                bySecondUplink.dropLast(2) + [
                    .run(["ip", "rule", "add", "priority", "100", "fwmark", "7", "lookup", "100"]),
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table ip lines
                                add chain ip lines prerouting { type filter hook prerouting priority mangle; }
                                add rule ip lines prerouting iifname "{bridge}" ip daddr != {network} meta mark set 7
                                """)
                        ]),
                    .only(
                        iptables,
                        [
                            .run([
                                "iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-i", "{bridge}", "!", "-d",
                                "{network}", "-j", "MARK", "--set-mark", "7",
                            ])
                        ]), .sysctl("net/ipv4/conf/up1/rp_filter", "1"),
                ])
        ]),
    Fault(
        "rpfilter-rule-drop", "A rule drops answers that come by another line than the main table's",
        [
            FaultVariant(
                "raw", "Before connection tracking",
                bySecondUplink + [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table inet antispoof
                                add chain inet antispoof prerouting { type filter hook prerouting priority raw; }
                                add rule inet antispoof prerouting iifname "up1" fib saddr . iif oif missing drop
                                """)
                        ]),
                    .only(
                        iptables,
                        [
                            .run([
                                "iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-i", "up1", "-m", "rpfilter",
                                "--invert", "-j", "DROP",
                            ])
                        ]),
                ])
        ]),
    Fault(
        "default-route-on-veth", "A network manager of the host runs on a container's port",
        [
            FaultVariant("ahead", "Its default route is the best one", managedPort(metric: "50")),
            FaultVariant("behind", "Its default route is the second one", managedPort(metric: "1050")),
        ]),
    Fault(
        "networkd-deletes-foreign-routes", "systemd-networkd runs, and somebody else made a routing rule",
        [
            FaultVariant(
                "rule", "A rule for the containers",
                [
                    .write("/run/systemd/netif/state", "OPER_STATE=routable\n"),
                    .run(["ip", "rule", "add", "priority", "90", "to", "{network}", "lookup", "main"]),
                ])
        ]),
    Fault(
        "multi-uplink-nat", "There are two ways out, and a translation for one",
        [
            FaultVariant(
                "spare", "The second is for the day when the first fails",
                secondUplink + firstUplinkOnly + [
                    .run(["ip", "route", "add", "default", "via", "192.0.2.1", "dev", "up1", "metric", "200"])
                ]),
            FaultVariant(
                "both", "Both are in use",
                secondUplink + firstUplinkOnly + [
                    .run([
                        "ip", "route", "replace", "default", "nexthop", "via", "{gateway}", "dev", "{uplink}",
                        "nexthop",
                        "via", "192.0.2.1", "dev", "up1",
                    ])
                ]),
            FaultVariant(
                "one-address", "Every packet gets the first uplink's address",
                secondUplink
                    + insteadOfRule(
                        nft: "ip saddr {network} ip daddr != {network} counter snat to \(StubInternet.address)",
                        iptables: "-s {network} ! -d {network} -j SNAT --to-source \(StubInternet.address)") + [
                        .run(["ip", "route", "add", "default", "via", "192.0.2.1", "dev", "up1", "metric", "200"])
                    ]),
        ]),
    Fault(
        "ipv6-accept-ra-lost", "The host forwards IPv6 and has become deaf to its router",
        [
            FaultVariant(
                "uplink", "accept_ra is 1 where the default route comes from advertisements",
                [
                    .run(["ip", "-6", "addr", "add", "2001:db8:1::2/64", "dev", "{uplink}", "nodad"]),
                    .sysctl("net/ipv6/conf/{uplink}/accept_ra", "1"), .sysctl("net/ipv6/conf/all/forwarding", "1"),
                ])
        ]),
    Fault(
        "mtu-blackhole", "The way out takes smaller packets than the bridge",
        [
            FaultVariant(
                "uplink", "The uplink's MTU is 1400", [.run(["ip", "link", "set", "{uplink}", "mtu", "1400"])]),
            FaultVariant(
                "route", "The default route's MTU is 1400",
                [.run(["ip", "route", "replace", "default", "via", "{gateway}", "dev", "{uplink}", "mtu", "1400"])]),
            FaultVariant(
                "silent", "And the host's own rules drop the message about it",
                [
                    .run(["ip", "link", "set", "{uplink}", "mtu", "1400"]),
                    .nft(
                        """
                        add table inet quiet
                        add chain inet quiet output { type filter hook output priority 0; }
                        add rule inet quiet output oifname "{bridge}" icmp type destination-unreachable drop
                        """),
                ]),
            FaultVariant(
                "port", "A port of the bridge takes less than the bridge, whose MTU somebody has set",
                [
                    .run(["ip", "link", "add", "veth-narrow", "type", "veth", "peer", "name", "veth-narrow-in"]),
                    .run(["ip", "link", "set", "veth-narrow", "mtu", "1400", "master", "{bridge}", "up"]),
                    .run(["ip", "link", "set", "veth-narrow-in", "mtu", "1400", "up"]),
                    .run(["ip", "link", "set", "{bridge}", "mtu", "1500"]),
                ]),
            FaultVariant(
                "container", "A container sends larger packets than its cable takes", containers: 1,
                [.run(["lxc-attach", "-n", "c1", "--", "ip", "link", "set", "dev", "eth0", "mtu", "9000"])]),
        ]),
    Fault(
        "hosting-point-to-point", "A lone address, and a gateway that the kernel refused",
        [
            FaultVariant(
                "ifupdown", "ifupdown's stanza does not say that the gateway is on the link",
                [
                    .run(["ip", "addr", "flush", "dev", "{uplink}"]),
                    .run(["ip", "addr", "add", "\(StubInternet.address)/32", "dev", "{uplink}"]),
                    .write(
                        "/etc/network/interfaces",
                        """
                        auto lo
                        iface lo inet loopback

                        auto {uplink}
                        iface {uplink} inet static
                            address \(StubInternet.address)/32
                            gateway {gateway}

                        """),
                ])
        ]),
]
