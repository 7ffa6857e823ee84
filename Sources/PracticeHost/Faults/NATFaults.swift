private let iptables: [PracticeBackend] = [.iptablesNft, .iptablesLegacy]

/// Takes away the rule that lxc-net made, and nothing else.
let withoutRule: [FaultStep] = [
    .only([.nft], [.nft("flush chain ip lxc postrouting")]),
    .only(
        iptables,
        [
            .run([
                "iptables", "-w", "-t", "nat", "-D", "POSTROUTING", "-s", "{network}", "!", "-d", "{network}", "-j",
                "MASQUERADE",
            ])
        ]),
]

/// Puts another rule where lxc-net's was: the same in both languages.
func insteadOfRule(nft: String, iptables arguments: String) -> [FaultStep] {
    withoutRule + [
        .only([.nft], [.nft("add rule ip lxc postrouting " + nft)]),
        .only(
            iptables,
            [
                .run(
                    ["iptables", "-w", "-t", "nat", "-A", "POSTROUTING"]
                        + arguments.split(separator: " ").map(String.init))
            ]),
    ]
}

/// Two sites know the way back to the containers; the accept between them lets everything else out as well.
private let shadowedExemptions = [
    "ip saddr {network} ip daddr 192.168.77.0/24 accept", "ip saddr {network} accept",
    "ip daddr 192.168.78.0/24 return", "ip saddr {network} ip daddr != {network} counter masquerade",
]

let natFaults: [Fault] = [
    Fault(
        "masq-missing", "Nothing translates what containers send to the outside",
        [
            FaultVariant(
                "table", "The rule is gone",
                [.only([.nft], [.nft("delete table ip lxc")]), .only(iptables, Array(withoutRule.dropFirst()))]),
            FaultVariant(
                "flushed", "The ruleset was flushed behind the back of lxc-net",
                [
                    .only([.nft], [.nft("flush ruleset")]),
                    .only(
                        iptables,
                        [
                            .run(["iptables", "-w", "-t", "nat", "-F"]),
                            .run(["iptables", "-w", "-t", "mangle", "-F"]),
                            .run(["iptables", "-w", "-F"]),
                        ]),
                ]),
        ]),
    Fault(
        "masq-wrong-subnet", "Only a part of the network is translated",
        [
            FaultVariant(
                "half", "The rule's mask is too long",
                insteadOfRule(
                    nft: "ip saddr {lower} ip daddr != {network} counter masquerade",
                    iptables: "-s {lower} ! -d {network} -j MASQUERADE")),
            FaultVariant(
                "other", "The rule is for another network",
                insteadOfRule(
                    nft: "ip saddr 10.99.0.0/16 ip daddr != 10.99.0.0/16 counter masquerade",
                    iptables: "-s 10.99.0.0/16 ! -d 10.99.0.0/16 -j MASQUERADE")),
            FaultVariant(
                "settings", "lxc-net's own settings name a part of the network", profiles: [.makina],
                [lxcNetRestarted("NETWORK=10.5.0.0/24")]),
        ]),
    Fault(
        "masq-shadowed", "An earlier rule ends the nat chain before the packet is translated",
        [
            FaultVariant(
                "accept", "An accept for the network stands first in the chain",
                [
                    .only([.nft], [.nft("insert rule ip lxc postrouting ip saddr {network} accept")]),
                    .only(
                        iptables,
                        [.run(["iptables", "-w", "-t", "nat", "-I", "POSTROUTING", "-s", "{network}", "-j", "ACCEPT"])]),
                ]),
            FaultVariant(
                "exempt", "An accept for everything stands between deliberate exemptions", backends: [.nft],
                [
                    .nft(
                        "flush chain ip lxc postrouting\n"
                            + shadowedExemptions.map { "add rule ip lxc postrouting \($0)\n" }.joined())
                ]),
            FaultVariant(
                "exempt-conf", "The same in nftables.conf, which replaces lxc-net's table", backends: [.nft],
                [
                    .write(
                        "/etc/nftables.conf",
                        """
                        #!/usr/sbin/nft -f
                        flush ruleset

                        # Kept by the operator.
                        table ip site {
                            chain postrouting {
                                type nat hook postrouting priority srcnat; policy accept;
                        \(shadowedExemptions.map { "        \($0)" }.joined(separator: "\n"))
                            }
                        }

                        """)
                ] + nftablesAfterLxcNet + [.run(["nft", "-f", "/etc/nftables.conf"])]),
            FaultVariant(
                "return", "A return for the uplink stands first in the chain",
                [
                    .only([.nft], [.nft("insert rule ip lxc postrouting oifname \"{uplink}\" return")]),
                    .only(
                        iptables,
                        [.run(["iptables", "-w", "-t", "nat", "-I", "POSTROUTING", "-o", "{uplink}", "-j", "RETURN"])]),
                ]),
        ]),
    Fault(
        "masq-wrong-oif", "The rule names an interface that is not the uplink",
        [
            FaultVariant(
                "renamed", "The uplink had another name once",
                insteadOfRule(
                    nft: "ip saddr {network} oifname \"eth9\" counter masquerade",
                    iptables: "-s {network} -o eth9 -j MASQUERADE"))
        ]),
    Fault(
        "masq-hits-east-west", "Packets between containers are translated too",
        [
            FaultVariant(
                "no-destination", "The rule does not leave the network itself out",
                insteadOfRule(
                    nft: "ip saddr {network} counter masquerade", iptables: "-s {network} -j MASQUERADE"))
        ]),
    Fault(
        "snat-dead-source", "The network is translated to an address that the host does not have",
        [
            FaultVariant(
                "gone", "SNAT to an address of an earlier day",
                insteadOfRule(
                    nft: "ip saddr {network} ip daddr != {network} counter snat to 203.0.113.77",
                    iptables: "-s {network} ! -d {network} -j SNAT --to-source 203.0.113.77"))
        ]),
    Fault(
        "nat-notrack", "Connection tracking is off for the containers, and NAT with it",
        [
            FaultVariant(
                "raw", "notrack before everything else",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table ip untracked
                                add chain ip untracked prerouting { type filter hook prerouting priority raw; }
                                add rule ip untracked prerouting iifname "{bridge}" notrack
                                """)
                        ]),
                    .only(
                        iptables,
                        [
                            .run([
                                "iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-i", "{bridge}", "-j", "CT",
                                "--notrack",
                            ])
                        ]),
                ])
        ]),
    Fault(
        "masq-duplicated", "The same translation stands twice; harmless",
        [
            FaultVariant(
                "twice", "A second rule like the first",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                "add rule ip lxc postrouting ip saddr {network} ip daddr != {network} counter masquerade"
                            )
                        ]),
                    .only(
                        iptables,
                        [
                            .run([
                                "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-s", "{network}", "!", "-d",
                                "{network}", "-j", "MASQUERADE",
                            ])
                        ]),
                ])
        ]),
]
