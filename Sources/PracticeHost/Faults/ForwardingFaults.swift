let forwardingFaults: [Fault] = [
    Fault(
        "ip-forward-off", "The kernel forwards nothing",
        [FaultVariant("global", "net.ipv4.ip_forward is 0", [.sysctl("net/ipv4/ip_forward", "0")])]),
    Fault(
        "per-interface-forwarding-off", "One interface does not forward though ip_forward is 1",
        [
            FaultVariant("bridge", "The bridge", [.sysctl("net/ipv4/conf/{bridge}/forwarding", "0")]),
            FaultVariant("uplink", "The uplink", [.sysctl("net/ipv4/conf/{uplink}/forwarding", "0")]),
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
            FaultVariant(
                "unset", "Nothing sets it any more", [.remove("/etc/sysctl.d/99_custom.conf")]),
        ]),
    Fault(
        "ipv6-forward-off", "The bridge has IPv6, and the kernel forwards none",
        [
            FaultVariant(
                "global", "net.ipv6.conf.all.forwarding is 0",
                [
                    .run(["ip", "-6", "addr", "add", "fd42:5::1/64", "dev", "{bridge}", "nodad"]),
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
