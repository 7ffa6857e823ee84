/// Hosts whose bridge is another program's than lxc-net's, as an operator wrote its files, with a mistake in them.

private let wants = "/etc/systemd/system/multi-user.target.wants"

/// lxc-net is not used; what it made is there until the next boot.
private let withoutLxcNet: [FaultStep] = [
    .write("/etc/default/lxc-net", "USE_LXC_BRIDGE=\"false\"\n"), .remove(lxcNetWanted),
]

private func networkd(address: String) -> [FaultStep] {
    withoutLxcNet + [
        .write("/etc/systemd/network/10-{bridge}.netdev", "[NetDev]\nName={bridge}\nKind=bridge\n"),
        .write(
            "/etc/systemd/network/10-{bridge}.network",
            """
            # Kept by the operator.
            [Match]
            Name={bridge}

            [Network]
            Address=\(address)
            LinkLocalAddressing=no

            """),
        .link("\(wants)/systemd-networkd.service", to: "/lib/systemd/system/systemd-networkd.service"),
    ]
}

let networkOwnerFaults: [Fault] = [
    Fault(
        "bridge-not-persistent", "The bridge's own file makes it with another address, or not at boot",
        [
            FaultVariant(
                "networkd-mask", "systemd-networkd gives it another netmask", profiles: [.makina],
                networkd(address: "{address}/24")),
            FaultVariant(
                "netplan-mask", "netplan gives it another netmask", profiles: [.makina], layers: ["netplan"],
                withoutLxcNet + [
                    .write(
                        "/etc/netplan/50-containers.yaml",
                        """
                        # Kept by the operator.
                        network:
                          version: 2
                          renderer: networkd
                          bridges:
                            {bridge}:
                              addresses: [{address}/24] # the containers
                              optional: true

                        """),
                    .run(["chmod", "600", "/etc/netplan/50-containers.yaml"]),
                    .link("\(wants)/systemd-networkd.service", to: "/lib/systemd/system/systemd-networkd.service"),
                ]),
            FaultVariant(
                "ifupdown-not-auto", "ifupdown does not bring it up at boot, and gives it another netmask",
                profiles: [.makina], layers: ["ifupdown"],
                withoutLxcNet + [
                    .write(
                        "/etc/network/interfaces",
                        """
                        # Kept by the operator.
                        auto lo
                        iface lo inet loopback

                        iface {bridge} inet static
                            address {address}
                            netmask 255.255.255.0
                            bridge_ports none
                            bridge_fd 0

                        """),
                    .link("\(wants)/networking.service", to: "/lib/systemd/system/networking.service"),
                ]),
            FaultVariant(
                "networkmanager-mask", "NetworkManager gives it another netmask", profiles: [.makina],
                layers: ["network-manager"],
                withoutLxcNet + [
                    .write(
                        "/etc/NetworkManager/system-connections/containers.nmconnection",
                        """
                        # Kept by the operator.
                        [connection]
                        id=containers
                        uuid=6f2b1a52-3a5c-4a6c-9d0a-000000000001
                        type=bridge
                        interface-name={bridge}

                        [bridge]
                        stp=false

                        [ipv4]
                        address1={address}/24
                        method=manual

                        [ipv6]
                        method=disabled

                        """),
                    .run(["chmod", "600", "/etc/NetworkManager/system-connections/containers.nmconnection"]),
                    .link("\(wants)/NetworkManager.service", to: "/lib/systemd/system/NetworkManager.service"),
                ]),
        ]),
    Fault(
        "masq-not-persistent", "ifupdown makes the bridge, and the saved rules do not translate it",
        [
            FaultVariant(
                "saved-rules", "netfilter-persistent loads a nat table without it", profiles: [.makina],
                backends: [.iptablesNft, .iptablesLegacy], layers: ["ifupdown", "iptables-persistent"],
                withoutLxcNet + [
                    .write(
                        "/etc/network/interfaces",
                        """
                        auto lo {bridge}
                        iface lo inet loopback
                        iface {bridge} inet static
                            address {address}/{prefix}
                            bridge_ports none

                        """),
                    .link("\(wants)/networking.service", to: "/lib/systemd/system/networking.service"),
                    .write(
                        "/etc/iptables/rules.v4",
                        """
                        # Kept by the operator.
                        *nat
                        :PREROUTING ACCEPT [0:0]
                        :INPUT ACCEPT [0:0]
                        :OUTPUT ACCEPT [0:0]
                        :POSTROUTING ACCEPT [0:0]
                        # The other site knows the way back.
                        -A POSTROUTING -s {network} -d 192.168.77.0/24 -j ACCEPT
                        COMMIT

                        """),
                    .link(
                        "\(wants)/netfilter-persistent.service", to: "/lib/systemd/system/netfilter-persistent.service"),
                ])
        ]),
]
