private let iptables: [PracticeBackend] = [.iptablesNft, .iptablesLegacy]

/// lxc-net's own rules in FORWARD, gone.
private let withoutForwardRules: [FaultStep] = [
    .run(["iptables", "-w", "-D", "FORWARD", "-i", "{bridge}", "-j", "ACCEPT"]),
    .run(["iptables", "-w", "-D", "FORWARD", "-o", "{bridge}", "-j", "ACCEPT"]),
]

/// A chain of the host's own, closed but for what containers may do, each other's packets and answers.
private func closedButFor(_ openings: [String]) -> [FaultStep] {
    let openings = openings.map { "add rule inet mine forward iifname \"{bridge}\" \($0)" }
    return [
        .nft(
            """
            add table inet mine
            add chain inet mine forward { type filter hook forward priority 10; policy drop; }
            add rule inet mine forward ct state established,related accept
            add rule inet mine forward iifname "{bridge}" oifname "{bridge}" accept
            """ + openings.map { "\n" + $0 }.joined())
    ]
}

let firewallFaults: [Fault] = [
    Fault(
        "forward-policy-drop", "The host drops what it should forward",
        [
            FaultVariant(
                "policy", "The policy is drop, and nothing accepts the containers",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table inet filter
                                add chain inet filter forward { type filter hook forward priority 10; policy drop; }
                                """)
                        ]),
                    .only(iptables, withoutForwardRules + [.run(["iptables", "-w", "-P", "FORWARD", "DROP"])]),
                ])
        ]),
    Fault(
        "forward-rule-drop", "A rule drops what the host should forward",
        [
            FaultVariant(
                "bridge", "A rule against the bridge",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table inet filter
                                add chain inet filter forward { type filter hook forward priority 10; policy accept; }
                                add rule inet filter forward iifname "{bridge}" drop
                                """)
                        ]),
                    .only(iptables, [.run(["iptables", "-w", "-I", "FORWARD", "-i", "{bridge}", "-j", "DROP"])]),
                ])
        ]),
    Fault(
        "egress-filtered", "The host lets out HTTPS and DNS, and little else",
        [
            FaultVariant(
                "list", "A closed chain with a list of what containers may do",
                closedButFor(["tcp dport { 53, 443 } accept", "udp dport 53 accept"])),
            FaultVariant(
                "ping", "A rule against pings",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table inet filter
                                add chain inet filter forward { type filter hook forward priority 10; policy accept; }
                                add rule inet filter forward oifname "{uplink}" meta l4proto icmp drop
                                """)
                        ]),
                    .only(
                        iptables,
                        [.run(["iptables", "-w", "-I", "FORWARD", "-o", "{uplink}", "-p", "icmp", "-j", "DROP"])]),
                ]),
        ]),
    Fault(
        "egress-allow-list", "The host lets out only what a short list names",
        [
            FaultVariant(
                "destination", "One network outside, and nothing else", closedButFor(["ip daddr 192.0.2.0/24 accept"])),
            FaultVariant(
                "without-dns", "HTTPS alone", closedButFor(["tcp dport 443 accept"])),
        ]),
    Fault(
        "forward-return-missing", "Packets go out, and their answers are dropped",
        [
            FaultVariant(
                "one-way", "Only the way out is accepted",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table inet filter
                                add chain inet filter forward { type filter hook forward priority 10; policy drop; }
                                add rule inet filter forward iifname "{bridge}" accept
                                """)
                        ]),
                    .only(
                        iptables,
                        [
                            .run(["iptables", "-w", "-D", "FORWARD", "-o", "{bridge}", "-j", "ACCEPT"]),
                            .run(["iptables", "-w", "-P", "FORWARD", "DROP"]),
                        ]),
                ])
        ]),
    Fault(
        "input-drops-dhcp-dns", "The host drops the containers' DHCP and DNS",
        [
            FaultVariant(
                "policy", "INPUT accepts only answers and the loopback",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                """
                                add table inet filter
                                add chain inet filter input { type filter hook input priority 10; policy drop; }
                                add rule inet filter input iifname "lo" accept
                                add rule inet filter input ct state established,related accept
                                """)
                        ]),
                    .only(
                        iptables,
                        [
                            .run(["iptables", "-w", "-F", "INPUT"]),
                            .run(["iptables", "-w", "-A", "INPUT", "-i", "lo", "-j", "ACCEPT"]),
                            .run([
                                "iptables", "-w", "-A", "INPUT", "-m", "conntrack", "--ctstate",
                                "RELATED,ESTABLISHED", "-j", "ACCEPT",
                            ]),
                            .run(["iptables", "-w", "-P", "INPUT", "DROP"]),
                        ]),
                ])
        ]),
    Fault(
        "iptables-legacy-nft-split", "A forgotten ruleset of the other flavour drops too",
        [
            FaultVariant(
                "legacy", "iptables-legacy has FORWARD DROP", backends: [.nft, .iptablesNft],
                [.run(["iptables-legacy", "-w", "-P", "FORWARD", "DROP"])]),
            FaultVariant(
                "nft", "iptables-nft has FORWARD DROP", backends: [.iptablesLegacy],
                [.run(["iptables-nft", "-w", "-P", "FORWARD", "DROP"])]),
        ]),
    Fault(
        "docker-forward-drop", "Docker's rules drop what is not Docker's",
        [
            FaultVariant(
                "chains", "FORWARD DROP with Docker's chains",
                [
                    .only(iptables, withoutForwardRules),
                    .run(["iptables", "-w", "-N", "DOCKER-USER"]), .run(["iptables", "-w", "-N", "DOCKER"]),
                    .run(["iptables", "-w", "-A", "FORWARD", "-j", "DOCKER-USER"]),
                    .run(["iptables", "-w", "-A", "FORWARD", "-o", "docker0", "-j", "DOCKER"]),
                    .run(["iptables", "-w", "-A", "DOCKER-USER", "-j", "RETURN"]),
                    .run(["iptables", "-w", "-P", "FORWARD", "DROP"]),
                ]),
            FaultVariant(
                "operators-drops", "The operator keeps some packets in DOCKER-USER", backends: [.nft],
                dockerStarted + [
                    .run(["iptables", "-w", "-I", "DOCKER-USER", "-s", "10.5.0.66", "-j", "DROP"]),
                    .run([
                        "iptables", "-w", "-I", "DOCKER-USER", "2", "-i", "{bridge}", "-p", "tcp", "--dport", "25",
                        "-j",
                        "REJECT",
                    ]),
                ]),
            FaultVariant("started", "By a unit that does so at every boot", backends: [.nft], dockerStarted),
        ]),
    Fault(
        "nft-other-table-drop", "A table of its own drops what the containers' rules accept",
        [
            FaultVariant(
                "forward", "A chain behind all others",
                [
                    .nft(
                        """
                        add table inet hardening
                        add chain inet hardening forward { type filter hook forward priority 50; policy drop; }
                        add rule inet hardening forward ct state invalid drop
                        add rule inet hardening forward iifname "docker0" accept
                        """)
                ])
        ]),
    Fault(
        "ufw-forward-drop", "ufw denies what is routed",
        [
            FaultVariant(
                "chains", "FORWARD DROP with ufw's chains",
                [
                    .only(iptables, withoutForwardRules),
                    .run(["iptables", "-w", "-N", "ufw-before-forward"]),
                    .run(["iptables", "-w", "-N", "ufw-user-forward"]),
                    .run([
                        "iptables", "-w", "-A", "ufw-before-forward", "-m", "conntrack", "--ctstate",
                        "RELATED,ESTABLISHED", "-j", "ACCEPT",
                    ]),
                    .run(["iptables", "-w", "-A", "ufw-before-forward", "-j", "ufw-user-forward"]),
                    .run(["iptables", "-w", "-A", "FORWARD", "-j", "ufw-before-forward"]),
                    .run(["iptables", "-w", "-P", "FORWARD", "DROP"]),
                ])
        ]),
    Fault(
        "firewalld-zone", "firewalld rejects what the bridge's zone does not forward",
        [
            FaultVariant(
                "default-zone", "The bridge is in the default zone",
                [
                    .nft(
                        """
                        add table inet firewalld
                        add chain inet firewalld filter_FWD_public { }
                        add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy accept; }
                        add rule inet firewalld filter_FORWARD ct state established,related accept
                        add rule inet firewalld filter_FORWARD iifname "lo" accept
                        add rule inet firewalld filter_FORWARD jump filter_FWD_public
                        add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited
                        """)
                ])
        ]),
    Fault(
        "vpn-killswitch", "A VPN client lets packets out by its tunnel alone",
        [
            FaultVariant(
                "tunnel", "Only wg0 is open",
                [
                    .nft(
                        """
                        add table inet guard
                        add chain inet guard forward { type filter hook forward priority -5; policy drop; }
                        add rule inet guard forward ct state established,related accept
                        add rule inet guard forward oifname "wg0" accept
                        """)
                ])
        ]),
    Fault(
        "bridge-nf-forward-drop", "FORWARD drops what the bridge carries from port to port",
        [
            FaultVariant(
                "policy", "The ways out and back are open, from bridge to bridge none is",
                [
                    .nft(
                        """
                        add table inet filter
                        add chain inet filter forward { type filter hook forward priority 10; policy drop; }
                        add rule inet filter forward iifname "{bridge}" oifname != "{bridge}" accept
                        add rule inet filter forward iifname != "{bridge}" oifname "{bridge}" accept
                        """)
                ])
        ]),
    Fault(
        "masq-duplicated", "The translation is there twice",
        [
            FaultVariant(
                "rule", "The rule once more",
                [
                    .only(
                        [.nft],
                        [
                            .nft(
                                "add rule ip lxc postrouting ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade"
                            )
                        ]),
                    .only(
                        iptables,
                        [
                            .run([
                                "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-s", "10.5.0.0/16", "!", "-d",
                                "10.5.0.0/16", "-j", "MASQUERADE",
                            ])
                        ]),
                ])
        ]),
]
