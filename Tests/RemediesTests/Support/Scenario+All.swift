import HostAccess
import HostModel
import WireFormats

@testable import Remedies

extension Scenario {
    /// Every remedy, with the states of a host in which it does something different.
    static let all: [Scenario] = basic + programs + containers

    private static let basic: [Scenario] = [
        Scenario(
            name: "bridge missing", cause: "bridge-missing", remedy: "bridge-create",
            breakage: { $0.apply(.deleteBridge(name: "lxcbr1")) }, healthy: { bridgeIsWell($0) }),
        Scenario(
            name: "bridge missing, lxc-net down", cause: "bridge-missing", remedy: "bridge-create",
            breakage: { $0.apply(.run(.lxcNetStop(lxcNet))) },
            healthy: { bridgeIsWell($0) && $0.tables["lxc"] == .translation(Fixture.cidr) }),
        Scenario(
            name: "bridge missing, new links do not forward", cause: "bridge-missing", remedy: "bridge-create",
            breakage: {
                $0.apply(.deleteBridge(name: "lxcbr1"))
                $0.sysctls[SysctlName.defaultForwarding] = "0"
            },
            healthy: { bridgeIsWell($0) && $0.sysctls[SysctlName.forwarding(of: "lxcbr1")] == "1" }),
        Scenario(
            name: "bridge down", cause: "bridge-down", remedy: "bridge-up",
            breakage: { $0.apply(.setLinkUp(name: "lxcbr1", up: false)) }, healthy: { bridgeIsWell($0) }),
        Scenario(
            name: "address lost", cause: "bridge-address-lost", remedy: "bridge-address",
            breakage: { $0.addresses["lxcbr1"] = [] }, healthy: { bridgeIsWell($0) }),
        Scenario(
            name: "wrong netmask", cause: "bridge-wrong-address-or-mask", remedy: "bridge-address",
            breakage: { $0.addresses["lxcbr1"] = [Fixture.held("10.5.0.1/24"), Fixture.held("10.0.3.1/24")] },
            healthy: {
                $0.addresses["lxcbr1"]?.sorted { "\($0)" < "\($1)" } == [
                    Fixture.held("10.0.3.1/24"), HeldAddress(Fixture.address),
                ]
            }),
        Scenario(
            name: "wrong address in the same subnet", cause: "bridge-wrong-address-or-mask",
            remedy: "bridge-address",
            breakage: { $0.addresses["lxcbr1"] = [Fixture.oddlyHeld("10.5.0.254/16")] }, healthy: { bridgeIsWell($0) }),
        Scenario(
            name: "forwarding off, one interface on its own", cause: "ip-forward-off", remedy: "forwarding",
            breakage: {
                $0.apply(.setSysctl(key: SysctlName.ipForward, from: "1", to: "0"))
                $0.sysctls[SysctlName.forwarding(of: "eth1")] = "1"
                $0.sysctls[SysctlName.acceptRedirects] = "0"
            },
            healthy: { $0.sysctls[SysctlName.ipForward] == "1" }),
        Scenario(
            name: "forwarding off on bridge and uplink", cause: "per-interface-forwarding-off",
            remedy: "interface-forwarding",
            breakage: {
                $0.sysctls[SysctlName.forwarding(of: "lxcbr1")] = "0"
                $0.sysctls[SysctlName.forwarding(of: "eth0")] = "0"
            },
            healthy: { state in
                ["lxcbr1", "eth0"].allSatisfy { state.sysctls[SysctlName.forwarding(of: $0)] == "1" }
            }),
        Scenario(
            name: "masquerade missing, lxc-net's", cause: "masq-missing", remedy: "masquerade",
            breakage: { $0.tables = [:] }, healthy: { $0.tables["lxc"] == .translation(Fixture.cidr) }),
        Scenario(
            name: "masquerade of a wrong subnet", cause: "masq-wrong-subnet", remedy: "masquerade",
            breakage: { $0.tables = ["lxc": .translation(Fixture.prefix("10.5.0.0/24"))] },
            healthy: { $0.tables["lxc_doctor_lxcbr1"] == .translation(Fixture.cidr) }),
        Scenario(
            name: "lxc-net masked, disabled, set for another network", cause: "bridge-not-persistent",
            remedy: "lxc-net-configure",
            breakage: {
                $0.paths[LxcNetFacts.mask] = .symbolicLink("/dev/null")
                $0.paths[LxcNetFacts.enablement] = .absent
                $0.paths["/etc/default/lxc-net"] = Fixture.file(
                    "# mine\nLXC_BRIDGE=lxcbr0\nexport FOREIGN='a b'\nlast")
            },
            healthy: { lxcNetIsWell($0) }),
        Scenario(
            name: "lxc-net without any settings", cause: "bridge-not-persistent", remedy: "lxc-net-configure",
            breakage: {
                $0.paths["/etc/default/lxc"] = .absent
                $0.paths["/etc/default/lxc-net"] = .absent
            },
            healthy: { lxcNetIsWell($0) }),
        Scenario(
            name: "sourcing line lost", cause: "lxc-net-config-not-sourced", remedy: "lxc-net-configure",
            breakage: { $0.paths["/etc/default/lxc"] = Fixture.file("LXC_AUTO=true\nUSE_LXC_BRIDGE=\"false\"") },
            healthy: { lxcNetIsWell($0) }),
        Scenario(
            name: "forwarding off after the next boot", cause: "ip-forward-reset", remedy: "forwarding-persistent",
            breakage: {
                $0.paths["/etc/sysctl.conf"] = Fixture.file("# top\nnet/ipv4/ip_forward = 0\nvm.swappiness=1")
                $0.paths["/etc/sysctl.d/99_cis.conf"] = Fixture.file("net.ipv4.conf.all.forwarding=0\n")
            },
            healthy: {
                let own = $0.file("/etc/sysctl.d/zz-lxc-doctor.conf")?.bytes.text ?? ""
                let main = $0.file("/etc/sysctl.conf")?.bytes.text ?? ""
                return own.hasSuffix("\nnet.ipv4.ip_forward = 1\nnet.ipv4.conf.all.forwarding = 1\n")
                    && (main.contains("\nnet.ipv4.ip_forward = 1\n") && !main.contains("\nnet/ipv4"))
            }),
        Scenario(
            name: "stale flag", cause: "lxc-net-stale-network-up", remedy: "network-up-flag",
            breakage: { $0.paths[Fixture.unit] = .absent }, healthy: { $0.path(LxcNetFacts.flag) == .absent }),
        Scenario(
            name: "lxc-net runs with a wrong range", cause: "dhcp-range-outside-subnet",
            remedy: "lxc-net-configure",
            breakage: {
                let text = Fixture.settings.replacing("10.5.0.2,10.5.255.254", with: "10.6.0.2,10.6.0.9")
                $0.paths["/etc/default/lxc-net"] = Fixture.file(text)
            }, healthy: { lxcNetIsWell($0) && bridgeIsWell($0) }),
        Scenario(
            name: "lxc-net runs with a part of the network", cause: "bridge-not-persistent",
            remedy: "lxc-net-configure",
            breakage: { astray(&$0) },
            healthy: { lxcNetIsWell($0) && bridgeIsWell($0) && $0.tables["lxc"] == .translation(Fixture.cidr) }),
        Scenario(
            name: "IPv6 is not forwarded, and the uplink lives on advertisements", cause: "ipv6-forward-off",
            remedy: "ipv6-forwarding",
            breakage: {
                advertised(&$0)
                $0.sysctls[SysctlName.ipv6Forwarding(of: "eth1")] = "1"
            },
            healthy: {
                let own = $0.file("/etc/sysctl.d/99-zz-lxc-doctor.conf")?.bytes.text ?? ""
                return $0.sysctls[SysctlName.ipv6Forwarding] == "1"
                    && $0.sysctls[SysctlName.acceptRouterAdvertisements(of: "eth0")] == "2"
                    && $0.sysctls[SysctlName.acceptRouterAdvertisements(of: "eth1")] == "1"
                    && own.hasSuffix(
                        "\nnet.ipv6.conf.eth0.accept_ra = 2\nnet.ipv6.conf.all.forwarding = 1\n")
            }),
        Scenario(
            name: "the uplink hears no advertisements", cause: "ipv6-accept-ra-lost", remedy: "router-advertisements",
            breakage: {
                advertised(&$0)
                $0.apply(.setSysctl(key: SysctlName.ipv6Forwarding, from: "0", to: "1"))
                $0.paths["/etc/sysctl.d/zz-mine.conf"] = Fixture.file("net.ipv6.conf.eth0.accept_ra=1\n")
            },
            healthy: {
                $0.sysctls[SysctlName.acceptRouterAdvertisements(of: "eth0")] == "2"
                    && $0.file("/etc/sysctl.d/zzzz-lxc-doctor.conf")?.bytes.text
                        .hasSuffix("\nnet.ipv6.conf.eth0.accept_ra = 2\n") == true
            }),
        Scenario(
            name: "translation shadowed in iptables", cause: "masq-shadowed", remedy: "masquerade",
            breakage: {
                $0.tables = [:]
                $0.paths["/etc/default/lxc-net"] = Fixture.file(Fixture.settings + "LXC_USE_NFT=false\n")
                $0.paths[FirewallFacts.alternative] = .symbolicLink("/usr/sbin/iptables-nft")
                $0.rules[IptablesTable(.nft, "nat")] = IptablesListing(lines: [
                    "-A POSTROUTING -s 10.5.0.0/16 -d 192.168.7.0/24 -j ACCEPT",
                    "-A POSTROUTING -s 10.5.0.0/16 -j ACCEPT",
                    masquerade,
                ])
            },
            healthy: { $0.rules[IptablesTable(.nft, "nat")]?.lines.firstIndex(of: masquerade) == 1 }),
        Scenario(
            name: "ufw routes nothing", cause: "ufw-forward-drop", remedy: "firewall-accept",
            breakage: {
                $0.paths["/etc/ufw"] = .directory
                $0.paths[FirewallFacts.ufwRules] = Fixture.file("### RULES ###\n\n### END RULES ###\n", mode: 0o640)
                $0.rules[IptablesTable(.legacy, "filter")] = IptablesListing(
                    policies: ["INPUT": "DROP", "FORWARD": "DROP", "ufw-user-forward": "-", "ufw-user-input": "-"])
            },
            healthy: {
                $0.rules[IptablesTable(.legacy, "filter")]?.lines.count == 5
                    && $0.file(FirewallFacts.ufwRules)?.bytes.text.contains("route:allow") == true
            }),
        Scenario(
            name: "Docker's chains", cause: "docker-forward-drop", remedy: "firewall-accept",
            breakage: {
                $0.rules[IptablesTable(.nft, "filter")] = IptablesListing(
                    policies: ["FORWARD": "DROP", "DOCKER-USER": "-"],
                    lines: ["-A FORWARD -j DOCKER-USER", "-A DOCKER-USER -j RETURN"])
            },
            healthy: {
                $0.rules[IptablesTable(.nft, "filter")]?.lines.suffix(2).first == "-A DOCKER-USER -i lxcbr1 -j ACCEPT"
                    && $0.file("/etc/systemd/system/lxc-doctor-docker-lxcbr1.service") != nil
            }),
        Scenario(
            name: "Docker 28 on a host without systemd", cause: "docker-forward-drop", remedy: "firewall-accept",
            versions: [.dockerd: "Docker version 28.5.2+dfsg1, build 297e128"],
            breakage: {
                $0.paths["/run/systemd/system"] = .absent
                $0.paths["/etc/docker"] = .directory
                $0.paths["/etc/docker/daemon.json"] = Fixture.file(
                    "{\n  \"log-driver\": \"local\",\n  \"dns\": [\"192.0.2.1\"]\n}\n", mode: 0o600)
                $0.rules[IptablesTable(.nft, "filter")] = IptablesListing(
                    policies: ["FORWARD": "DROP", "DOCKER-USER": "-"],
                    lines: ["-A FORWARD -j DOCKER-USER", "-A DOCKER-USER -j RETURN"])
            },
            healthy: {
                $0.rules[IptablesTable(.nft, "filter")]?.lines.suffix(2).first == "-A DOCKER-USER -i lxcbr1 -j ACCEPT"
                    && $0.file("/etc/docker/daemon.json")?.bytes.text
                        == "{\n  \"ip-forward-no-drop\": true,\n  \"log-driver\": \"local\",\n  "
                        + "\"dns\": [\"192.0.2.1\"]\n}\n"
            }),
        Scenario(
            name: "keys of old", cause: "config-legacy-keys", remedy: "container-config",
            breakage: {
                $0.paths["/var/lib/lxc"] = .directory
                $0.paths["/var/lib/lxc/old"] = .directory
                $0.paths["/var/lib/lxc/old/config"] = Fixture.file("# old\nlxc.utsname = c1\n")
            },
            healthy: { $0.file("/var/lib/lxc/old/config")?.bytes.text == "# old\nlxc.uts.name = c1\n" }),
    ]

    /// Chains of nftables, shorewall, and the files of network programs.
    private static let programs: [Scenario] = [
        Scenario(
            name: "nftables.conf drops", cause: "forward-policy-drop", remedy: "firewall-accept",
            evidence: "inet filter forward",
            breakage: {
                $0.chains[NftChainPlace(.inet, "filter", "forward")] = NftChainListing([.end])
                $0.paths["/etc/systemd/system/sysinit.target.wants/nftables.service"] = .symbolicLink("x")
                $0.paths["/etc/nftables.conf"] = Fixture.file(
                    "table inet filter {\n chain forward {\n  type filter hook forward priority 0;\n  drop\n }\n}\n")
            },
            healthy: {
                $0.chains[NftChainPlace(.inet, "filter", "forward")]?.reach == 2
                    && $0.file("/etc/nftables.conf")?.bytes.text.contains("iifname \"lxcbr1\" accept\n") == true
            }),
        Scenario(
            name: "nftables.conf flushes", cause: "nftables-flush-ruleset", remedy: "masquerade-persistent",
            breakage: {
                $0.paths["/etc/systemd/system/sysinit.target.wants/nftables.service"] = .symbolicLink("x")
                $0.paths["/etc/nftables.conf"] = Fixture.file("flush ruleset\n")
            },
            healthy: { $0.file("/etc/nftables.conf")?.bytes.text.contains("delete table ip lxc_doctor_lxcbr1") == true }
        ),
        Scenario(
            name: "shorewall knows no such bridge", cause: "shorewall-misconfig", remedy: "shorewall-zone",
            breakage: {
                $0.rules[IptablesTable(.nft, "filter")] = IptablesListing(
                    policies: ["INPUT": "DROP", "FORWARD": "DROP", "shorewall": "-"])
                $0.paths["/usr/share/shorewall"] = .directory
                $0.paths["/usr/share/shorewall/coreversion"] = Fixture.file("5.2.8\n")
                $0.paths["/etc/shorewall"] = .directory
                for (name, text) in [
                    ("zones", "fw firewall\nnet ipv4\n"), ("interfaces", "net eth0 -\n"),
                    ("policy", "all all REJECT\n"), ("rules", "?SECTION NEW\n"),
                ] { $0.paths["/etc/shorewall/\(name)"] = Fixture.file(text, mode: 0o640) }
            },
            healthy: {
                !$0.openings.isEmpty
                    && $0.file("/etc/shorewall/interfaces")?.bytes.text
                        == "net eth0 -\nlxc\tlxcbr1\t-\tdhcp,bridge,routeback,tcpflags,nosmurfs\n"
                    && $0.file("/etc/shorewall/policy")?.bytes.text
                        == "lxc\tnet\tACCEPT\n$FW\tlxc\tACCEPT\nall all REJECT\n"
                    && $0.file("/etc/shorewall/rules")?.bytes.text == "?SECTION NEW\nDNS(ACCEPT)\tlxc\t$FW\n"
            }),
        Scenario(
            name: "networkd makes the bridge with another netmask", cause: "bridge-not-persistent",
            remedy: "bridge-persistent",
            breakage: {
                networkd(&$0)
                $0.paths["/etc/systemd/network/b.network"] = Fixture.file(
                    "[Match]\nName=lxcbr1\n[Network]\nAddress=10.5.0.1/24\nConfigureWithoutCarrier=yes\n")
            },
            healthy: {
                $0.file("/etc/systemd/network/b.network")?.bytes.text
                    == "[Match]\nName=lxcbr1\n[Network]\nAddress=10.5.0.1/16\nConfigureWithoutCarrier=yes\n"
            }),
        Scenario(
            name: "networkd makes the bridge without an address", cause: "bridge-not-persistent",
            remedy: "bridge-persistent", breakage: { networkd(&$0) },
            healthy: {
                $0.file("/etc/systemd/network/10-lxc-doctor-lxcbr1.network")?.bytes.text
                    .contains("Address=10.5.0.1/16\n") == true
            }),
        Scenario(
            name: "NetworkManager makes the bridge with another netmask", cause: "bridge-not-persistent",
            remedy: "bridge-persistent", versions: [.nmcli: "nmcli tool, version 1.42.4"],
            breakage: {
                $0.paths["/etc/default/lxc-net"] = Fixture.file("USE_LXC_BRIDGE=false\n")
                $0.paths["/etc/NetworkManager/system-connections"] = .directory
                $0.paths["/etc/NetworkManager/system-connections/lxcbr1.nmconnection"] = Fixture.file(
                    "[connection]\ntype=bridge\ninterface-name=lxcbr1\n[ipv4]\nmethod=manual\naddress1=10.5.0.1/24\n",
                    mode: 0o600)
                $0.paths["/lib/systemd/system"] = .directory
                $0.paths["/lib/systemd/system/NetworkManager.service"] = Fixture.file("[Unit]\n")
                $0.paths["/etc/systemd/system/multi-user.target.wants/NetworkManager.service"] = .symbolicLink("x")
            },
            healthy: {
                $0.file("/etc/NetworkManager/system-connections/lxcbr1.nmconnection")?.bytes.text
                    .hasSuffix("\nmethod=manual\naddress1=10.5.0.1/16\n") == true
            }),
        Scenario(
            name: "nobody translates networkd's bridge after the next boot", cause: "masq-not-persistent",
            remedy: "masquerade-persistent", breakage: { networkd(&$0) },
            healthy: {
                $0.path("/etc/systemd/system/multi-user.target.wants/lxc-doctor-nat-lxcbr1.service")
                    == .symbolicLink("/etc/systemd/system/lxc-doctor-nat-lxcbr1.service")
                    && $0.file("/etc/lxc-doctor-nat-lxcbr1.nft")?.bytes.text.contains("10.5.0.0/16") == true
            }),
        Scenario(
            name: "the job's guard compares True with true", cause: "makina-job-guard", remedy: "makina-job",
            breakage: {
                $0.paths["/etc/default/lxc"] = .absent
                $0.paths["/etc/default/lxc-net"] = .absent
                $0.paths["/etc/init"] = .directory
                $0.paths["/etc/init/lxc-net-makina.conf"] = Fixture.file(
                    "env USE_LXC_BRIDGE=\"True\"\n  [ \"x$USE_LXC_BRIDGE\" = \"xtrue\" ] || { stop; exit 0; }\n")
            },
            healthy: {
                $0.file("/etc/init/lxc-net-makina.conf")?.bytes.text
                    == "env USE_LXC_BRIDGE=\"true\"\n  [ \"x$USE_LXC_BRIDGE\" = \"xtrue\" ] || { stop; exit 0; }\n"
            }),
    ]

    static func networkd(_ state: inout HostState) {
        state.paths["/etc/default/lxc-net"] = Fixture.file("USE_LXC_BRIDGE=false\n")
        state.paths["/etc/systemd/network"] = .directory
        state.paths["/etc/systemd/network/b.netdev"] = Fixture.file("[NetDev]\nName=lxcbr1\nKind=bridge\n")
        state.paths["/lib/systemd/system"] = .directory
        state.paths["/lib/systemd/system/systemd-networkd.service"] = Fixture.file("[Unit]\n")
        state.paths["/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"] = .symbolicLink("x")
    }

    /// lxc-net as it runs with a netmask and a network that are too small.
    static func astray(_ state: inout HostState) {
        let text = Fixture.settings.replacing("255.255.0.0", with: "255.255.255.0")
            .replacing("10.5.0.0/16", with: "10.5.0.0/24")
        state.paths["/etc/default/lxc-net"] = Fixture.file(text, mode: 0o640)
        state.addresses["lxcbr1"] = [Fixture.held("10.5.0.1/24")]
        state.tables["lxc"] = .translation(Fixture.prefix("10.5.0.0/24"))
    }

    /// Its address is of a router advertisement, and its default route.
    private static func advertised(_ state: inout HostState) {
        for link in ["all", "default", "lo", "eth0", "eth1", "lxcbr1"] {
            state.sysctls[SysctlName.ipv6Forwarding(of: link)] = "0"
            state.sysctls[SysctlName.acceptRouterAdvertisements(of: link)] = "1"
        }
        let nothing = String(repeating: "0", count: 32)
        state.paths["/proc/net/if_inet6"] = Fixture.file(
            "20010db800ff00000000000000000002 02 40 00 00     eth0\n")
        state.paths["/proc/net/ipv6_route"] = Fixture.file(
            "\(nothing) 00 \(nothing) 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n"
        )
    }

    private static let lxcNet = LxcNetOutcome(bridge: "lxcbr1", address: Fixture.address, makesTable: true)
    private static let masquerade = "-A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE"

    private static func bridgeIsWell(_ state: HostState) -> Bool {
        state.link("lxcbr1") == .present(kind: "bridge", up: true, ports: 0)
            && state.addresses["lxcbr1"] == [HeldAddress(Fixture.address)]
    }

    private static func lxcNetIsWell(_ state: HostState) -> Bool {
        let settings = LxcNetSettings(
            main: state.file("/etc/default/lxc"), settings: state.file("/etc/default/lxc-net"), files: LxcNetFacts())
        return settings.translates(Fixture.network) && settings["LXC_NETMASK"] == "255.255.0.0"
            && settings["LXC_ADDR"] == "10.5.0.1" && settings["LXC_DHCP_RANGE"] == "10.5.0.2,10.5.255.254"
            && state.path(LxcNetFacts.mask) == .absent
            && state.path(LxcNetFacts.enablement) == .symbolicLink(Fixture.unit)
    }
}
