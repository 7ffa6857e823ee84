/// A pair of veths of which one end is a port of the bridge, as a container's would be. The other end stays here, up, so
/// that it passes for one in use.
private func port(_ name: String, _ settings: [String] = []) -> [FaultStep] {
    [
        .run(["ip", "link", "add", name, "type", "veth", "peer", "name", "\(name)-in"]),
        .run(["ip", "link", "set", name, "master", "{bridge}"]), .run(["ip", "link", "set", "\(name)-in", "up"]),
        .run(["ip", "link", "set", name, "up"]),
    ] + (settings.isEmpty ? [] : [.run(["ip", "link", "set", name, "type", "bridge_slave"] + settings)])
}

/// Waits until the bridge has elected a querier behind a port.
private let querierHeard = FaultStep.run([
    "sh", "-c",
    """
    i=0
    while [ $i -lt 400 ]; do
        bridge -d mdb show dev {bridge} | grep -q '^router ports' && exit
        sleep 0.02
        i=$((i + 1))
    done
    exit 1
    """,
])

let layerTwoFaults: [Fault] = [
    Fault(
        "bridge-mac-unstable", "The bridge has no hardware address of its own",
        [
            FaultVariant(
                "borrowed", "The bridge was made by hand, and has a port",
                [
                    // The containers that run stay plugged in.
                    .run([
                        "sh", "-ec",
                        """
                        ports=$(ls /sys/class/net/"$1"/brif)
                        ip link del "$1"
                        ip link add "$1" type bridge
                        for port in $ports; do ip link set "$port" master "$1"; done
                        """, "sh", "{bridge}",
                    ]),
                    .run(["ip", "addr", "add", "{address}/{prefix}", "broadcast", "+", "dev", "{bridge}"]),
                    .run(["ip", "link", "set", "{bridge}", "up"]),
                ] + port("veth-mac"))
        ]),
    Fault(
        "mac-policy-persistent", "udev gives the bridge another hardware address",
        [
            FaultVariant(
                "link", "A .link file says so, and it was done",
                [
                    .write(
                        "/etc/systemd/network/10-persistent.link",
                        "[Match]\nOriginalName=*\n\n[Link]\nMACAddressPolicy=persistent\n"),
                    .run(["ip", "link", "set", "{bridge}", "address", "52:00:5e:10:00:01"]),
                ])
        ]),
    Fault(
        "bridge-mcast-snooping", "A querier behind a port makes the bridge filter multicast",
        [
            FaultVariant(
                "querier", "A second bridge behind a port asks for members",
                [
                    .run(["ip", "link", "add", "br-query", "type", "bridge", "mcast_querier", "1"]),
                    .run(["ip", "link", "add", "veth-query", "type", "veth", "peer", "name", "query-in"]),
                    .run(["ip", "link", "set", "veth-query", "master", "{bridge}", "up"]),
                    .run(["ip", "link", "set", "query-in", "master", "br-query", "up"]),
                    .run(["ip", "link", "set", "br-query", "up"]), querierHeard,
                ])
        ]),
    Fault(
        "veth-host-side-down", "The host's end of a container's interface is down",
        [
            FaultVariant(
                "down", "ip link set down", port("veth-down") + [.run(["ip", "link", "set", "veth-down", "down"])]),
            FaultVariant(
                "disabled", "The bridge is told not to forward by one of two containers' ports", containers: 2,
                [
                    .run([
                        "sh", "-c",
                        "for port in $(ls /sys/class/net/{bridge}/brif | tail -1); do bridge link set dev $port state 0; done",
                    ])
                ]),
        ]),
    Fault(
        "bridge-port-isolated", "Two ports are isolated from each other",
        [
            FaultVariant(
                "two", "isolated on", port("veth-one", ["isolated", "on"]) + port("veth-two", ["isolated", "on"]))
        ]),
    Fault(
        "veth-leftover-port-limit", "A port is left over from a container that is gone",
        [
            FaultVariant(
                "leftover", "Both ends lie on the host",
                port("veth-left") + [.run(["ip", "link", "set", "veth-left-in", "down"])])
        ]),
    Fault(
        "bridge-nf-sysctl-not-applied", "A setting of bridge netfilter comes too early to take effect",
        [
            FaultVariant(
                "skipped", "The sysctl file says 0, and the module's own 1 counts",
                [
                    .write("/etc/sysctl.d/90-bridge.conf", "net.bridge.bridge-nf-call-iptables = 0\n"),
                    .sysctl("net/bridge/bridge-nf-call-iptables", "1"),
                ])
        ]),
    Fault(
        "netdev-ingress-or-tc-drop", "Packets are dropped below the firewall",
        [
            FaultVariant(
                "netdev", "A rule at the bridge's ingress hook",
                [
                    .nft(
                        """
                        add table netdev guard
                        add chain netdev guard door { type filter hook ingress device {bridge} priority 0; }
                        add rule netdev guard door ip protocol icmp drop
                        """)
                ])
        ]),
    Fault(
        "hairpin-missing", "A forwarded port that containers cannot use",
        [
            FaultVariant(
                "uplink", "The rule is for the uplink alone",
                [
                    .nft(
                        """
                        add table ip public
                        add chain ip public pre { type nat hook prerouting priority -100; }
                        add rule ip public pre iifname {uplink} tcp dport 8080 dnat to {otherAddress}:80
                        """)
                ]),
            FaultVariant(
                "answer", "The answer goes straight back",
                [
                    .nft(
                        """
                        add table ip public
                        add chain ip public pre { type nat hook prerouting priority -100; }
                        add rule ip public pre ip daddr 203.0.113.2 tcp dport 8080 dnat to {otherAddress}:80
                        """)
                ]),
        ]),
]
