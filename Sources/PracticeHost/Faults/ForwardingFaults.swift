let forwardingFaults: [Fault] = [
    Fault(
        "ip-forward-off", "The kernel forwards nothing",
        [FaultVariant("global", "net.ipv4.ip_forward is 0", [.sysctl("net/ipv4/ip_forward", "0")])]),
    Fault(
        "per-interface-forwarding-off", "One interface does not forward though ip_forward is 1",
        [
            FaultVariant("bridge", "The bridge", [.sysctl("net/ipv4/conf/{bridge}/forwarding", "0")]),
            FaultVariant("uplink", "The uplink", [.sysctl("net/ipv4/conf/{uplink}/forwarding", "0")]),
            FaultVariant(
                "hardened", "Files switch it off at every boot, the uplink by name and the bridge by a wildcard",
                [
                    .write("/etc/sysctl.d/99_hardening.conf", "net.ipv4.conf.{uplink}.forwarding = 0\n"),
                    .write("/etc/sysctl.conf", "net.ipv4.conf.{uplink}.forwarding=0\n"),
                    .write("/run/sysctl.d/98-bridges.conf", "net.ipv4.conf.lxcbr*.forwarding = 0\n"),
                    .sysctl("net/ipv4/conf/{uplink}/forwarding", "0"),
                ]),
        ]),
    Fault(
        "ip-forward-reset", "Forwarding is on now and off after the next boot",
        [
            FaultVariant(
                "other-spelling", "A later file sets the same switch to 0 by its other name",
                [.write("/etc/sysctl.d/99_hardening.conf", "net.ipv4.conf.all.forwarding = 0\n")]),
            FaultVariant(
                "same-key", "A later file sets ip_forward to 0",
                [.write("/etc/sysctl.d/99_hardening.conf", "net/ipv4/ip_forward=0\n")]),
            FaultVariant(
                "sysctl-conf", "/etc/sysctl.conf says 0: the last word under procps, not under systemd",
                [.write("/etc/sysctl.conf", "net.ipv4.ip_forward=0\n")]),
        ]),
    Fault(
        "ipv6-forward-off", "The bridge has IPv6, and the kernel forwards none",
        [
            FaultVariant(
                "global", "net.ipv6.conf.all.forwarding is 0",
                [
                    // It is there already on a host whose containers have IPv6.
                    .attempt(["ip", "-6", "addr", "add", "fd42:5::1/64", "dev", "{bridge}", "nodad"]),
                    .sysctl("net/ipv6/conf/all/forwarding", "0"),
                ])
        ]),
    Fault(
        "no-default-route", "The host has no way to the outside",
        [FaultVariant("deleted", "The default route is gone", [.run(["ip", "route", "del", "default"])])]),
    Fault(
        "uplink-no-carrier", "The uplink's cable is pulled",
        [
            FaultVariant(
                "far-end", "The far end is down",
                [.run(["ip", "-n", StubInternet.namespace, "link", "set", StubInternet.farEnd, "down"])])
        ]),
    Fault(
        "gateway-unreachable", "Nobody has the gateway's address",
        [
            FaultVariant(
                "gone", "The gateway has another address now",
                [
                    .run([
                        "ip", "-n", StubInternet.namespace, "addr", "del", "\(StubInternet.gateway)/24", "dev",
                        StubInternet.farEnd,
                    ]),
                    .run(["ip", "neigh", "flush", "dev", "{uplink}"]),
                    // The host asks for it, and waits in vain.
                    .run(["bash", "-c", "echo >/dev/udp/\(StubInternet.target)/9; sleep 1.5"]),
                ])
        ]),
    Fault(
        "policy-route-captures", "A routing rule sends the containers' packets nowhere",
        [
            FaultVariant(
                "blackhole", "A rule for the network leads to a blackhole",
                [
                    .run(["ip", "route", "add", "blackhole", "default", "table", "200"]),
                    .run(["ip", "rule", "add", "priority", "200", "from", "{network}", "lookup", "200"]),
                ])
        ]),
]

/// An operator's own profile that wants IPv6 on the bridge, and a host that forwards it and has a way out for it.
private let wantsIPv6: [FaultStep] = [
    .write(
        "/etc/lxc-doctor/profile.yaml",
        """
        name: dual-stack
        networks:
          - { bridge: {bridge}, address: {address}/{prefix}, ipv6: "fd42:5::1/64" }

        """),
    .sysctl("net/ipv6/conf/all/forwarding", "1"), .sysctl("net/ipv6/conf/{uplink}/accept_ra", "2"),
    .run(["ip", "-6", "addr", "add", "2001:db8:ff::2/64", "dev", "{uplink}", "nodad"]),
    .run(["ip", "-6", "route", "replace", "default", "via", "2001:db8:ff::1", "dev", "{uplink}"]),
]

private let hasIPv6 = FaultStep.run(["ip", "-6", "addr", "add", "fd42:5::1/64", "dev", "{bridge}", "nodad"])

private func translatesIPv6(_ action: String = "masquerade") -> FaultStep {
    .nft(
        """
        add table ip6 six
        add chain ip6 six post { type nat hook postrouting priority srcnat; }
        add rule ip6 six post ip6 saddr fd42:5::/64 ip6 daddr != fd42:5::/64 \(action)
        """)
}

let ipv6Faults: [Fault] = [
    Fault(
        "ipv6-address-missing", "The profile wants IPv6, and the bridge has no address of it",
        [FaultVariant("absent", "Forwarding and translation are there", wantsIPv6 + [translatesIPv6()])]),
    Fault(
        "ipv6-nat-missing", "Nothing translates the private IPv6 addresses of the containers",
        [FaultVariant("no-rule", "Address and forwarding are there", wantsIPv6 + [hasIPv6])]),
    Fault(
        "ipv6-no-route", "The host has no way to the outside by IPv6",
        [
            FaultVariant(
                "deleted", "The default route is gone, and no router tells of one",
                wantsIPv6 + [hasIPv6, translatesIPv6(), .run(["ip", "-6", "route", "del", "default"])])
        ]),
    Fault(
        "ipv6-wrong-source", "IPv6 is translated to an address that the host does not have",
        [
            FaultVariant(
                "gone", "SNAT to an address of an earlier day",
                wantsIPv6 + [hasIPv6, translatesIPv6("snat to 2001:db8:77::9")])
        ]),
    Fault(
        "ipv6-dropped", "The host forwards IPv4, and drops IPv6",
        [
            FaultVariant(
                "policy", "A closed table of family ip6 that knows nothing of the bridge",
                wantsIPv6 + [
                    hasIPv6, translatesIPv6(),
                    .nft(
                        """
                        add table ip6 fence
                        add chain ip6 fence forward { type filter hook forward priority 10; policy drop; }
                        """),
                ])
        ]),
]
