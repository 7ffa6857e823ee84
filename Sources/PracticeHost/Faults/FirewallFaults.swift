private let iptables: [PracticeBackend] = [.iptablesNft, .iptablesLegacy]

/// lxc-net's own rules in FORWARD, gone.
private let withoutForwardRules: [FaultStep] = [
    .run(["iptables", "-w", "-D", "FORWARD", "-i", "{bridge}", "-j", "ACCEPT"]),
    .run(["iptables", "-w", "-D", "FORWARD", "-o", "{bridge}", "-j", "ACCEPT"]),
]

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
                            .run(["iptables", "-w", "-I", "INPUT", "-i", "{bridge}", "-p", "udp", "-j", "DROP"]),
                            .run(["iptables", "-w", "-I", "INPUT", "-i", "{bridge}", "-p", "tcp", "-j", "DROP"]),
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
            FaultVariant("started", "By a unit that does so at every boot", backends: [.nft], dockerStarted),
        ]),
]
