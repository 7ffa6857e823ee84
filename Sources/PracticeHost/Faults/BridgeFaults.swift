/// The DHCP server of the bridge, gone without a word to lxc-net.
let dnsmasqKilled: [FaultStep] = [
    // A killed process is there until the kernel has closed what it had open; then it is a zombie, or gone.
    .run([
        "sh", "-c",
        """
        pid=$(cat /run/lxc/dnsmasq.pid) && kill -9 "$pid" || exit
        for _ in $(seq 500); do
            grep -q '^State:.[^ZX]' /proc/"$pid"/status 2>/dev/null || exit 0
            sleep 0.01
        done
        exit 1
        """,
    ])
]

/// lxc-net started anew with some of its settings changed: `NETMASK=255.255.255.0`.
func lxcNetRestarted(_ settings: String...) -> FaultStep {
    let script = #"""
        for setting; do
            sed -i "s|^LXC_${setting%%=*}=.*|LXC_${setting%%=*}=\"${setting#*=}\"|" /etc/default/lxc-net
        done
        systemctl restart lxc-net
        """#
    return .run(["sh", "-ec", script, "sh"] + settings)
}

let bridgeFaults: [Fault] = [
    Fault(
        "bridge-missing", "Nobody has made the bridge",
        [
            FaultVariant(
                "stopped", "lxc-net is stopped: no bridge, no rules, no DHCP",
                [
                    lxcNetStopped, .attempt(["ip", "link", "del", "{bridge}"]),
                    .remove("\(SystemctlStandIn.active)/lxc-net.service"),
                ]),
            FaultVariant(
                "removed", "The bridge alone is gone; rules stay",
                dnsmasqKilled + [
                    .run(["ip", "link", "del", "{bridge}"]), .remove("/run/lxc/dnsmasq.pid"),
                    .remove("/run/lxc/network_up"), .remove("\(SystemctlStandIn.active)/lxc-net.service"),
                ]),
        ]),
    Fault(
        "bridge-down", "The bridge is administratively down",
        [FaultVariant("down", "ip link set down", [.run(["ip", "link", "set", "{bridge}", "down"])])]),
    Fault(
        "bridge-wrong-address-or-mask", "The bridge carries another address or netmask than it should",
        [
            FaultVariant(
                "mask", "The netmask is too long",
                [
                    .run(["ip", "addr", "del", "{address}/{prefix}", "dev", "{bridge}"]),
                    .run(["ip", "addr", "add", "{address}/{lowerLength}", "broadcast", "+", "dev", "{bridge}"]),
                ]),
            FaultVariant(
                "address", "The address is another one of the network",
                [
                    .run(["ip", "addr", "del", "{address}/{prefix}", "dev", "{bridge}"]),
                    .run(["ip", "addr", "add", "{otherAddress}/{prefix}", "broadcast", "+", "dev", "{bridge}"]),
                ]),
            FaultVariant(
                "settings", "lxc-net runs with a netmask and a network that are too small", profiles: [.makina],
                [lxcNetRestarted("NETMASK=255.255.255.0", "NETWORK=10.5.0.0/24")]),
            FaultVariant(
                "settings-address", "lxc-net runs with another address of the network", profiles: [.makina],
                [lxcNetRestarted("ADDR={otherAddress}")]),
        ]),
    Fault(
        "bridge-address-lost", "The bridge has no IPv4 address",
        [
            FaultVariant(
                "deleted", "Somebody took it away",
                [.run(["ip", "addr", "del", "{address}/{prefix}", "dev", "{bridge}"])])
        ]),
    Fault(
        "bridge-addr-duplicated", "The bridge's address is on a second link",
        [
            FaultVariant(
                "bridge", "A second bridge carries the same address",
                [
                    .run(["ip", "link", "add", "br-copy", "type", "bridge"]),
                    .run(["ip", "addr", "add", "{address}/{prefix}", "dev", "br-copy"]),
                    .run(["ip", "link", "set", "br-copy", "up"]),
                ]),
            FaultVariant(
                "uplink", "The uplink carries the same address",
                [.run(["ip", "addr", "add", "{address}/32", "dev", "{uplink}"])]),
            FaultVariant(
                "part", "Another bridge carries a part of the network",
                [
                    .run(["ip", "link", "add", "br-part", "type", "bridge"]),
                    .run(["ip", "addr", "add", "{upperAddress}", "dev", "br-part"]),
                    .run(["ip", "link", "set", "br-part", "up"]),
                ]),
        ]),
    Fault(
        "subnet-overlap", "A part of the network is routed elsewhere",
        [
            FaultVariant(
                "route", "A more specific route by the uplink",
                [.run(["ip", "route", "add", "{upper}", "via", "{gateway}", "dev", "{uplink}"])]),
            FaultVariant(
                "table", "A route in a table of its own, as VPNs do",
                [
                    .run(["ip", "route", "add", "{upper}", "via", "{gateway}", "dev", "{uplink}", "table", "100"]),
                    .run(["ip", "rule", "add", "priority", "100", "lookup", "100"]),
                ]),
        ]),
    Fault(
        "bridge-vlan-filtering", "The bridge filters VLANs, and frames without a tag have none",
        [
            FaultVariant(
                "no-pvid", "Filtering is on, without a VLAN for untagged frames; not every kernel can",
                [
                    .run(["ip", "link", "set", "{bridge}", "type", "bridge", "vlan_default_pvid", "0"]),
                    .run(["ip", "link", "set", "{bridge}", "type", "bridge", "vlan_filtering", "1"]),
                ])
        ]),
    Fault(
        "bridge-stp-delay", "Spanning tree holds every new port back for 30 s",
        [
            FaultVariant(
                "on", "STP on with the default delay",
                [.run(["ip", "link", "set", "{bridge}", "type", "bridge", "stp_state", "1", "forward_delay", "1500"])])
        ]),
]
