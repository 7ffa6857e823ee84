/// Stops lxc-net and waits for its dnsmasq, which is killed, to let go of its ports.
let lxcNetStopped = FaultStep.run([
    "sh", "-c",
    """
    pid=$(cat /run/lxc/dnsmasq.pid)
    "$0" stop || exit
    i=0
    while [ $i -lt 200 ] && [ -d /proc/$pid ] && ! grep -q '^State:.[ZX]' /proc/$pid/status; do
        sleep 0.01
        i=$((i + 1))
    done
    """, FaultApplication.lxcNet,
])

/// lxc-net's settings in full, with a range of the caller's.
private func settings(range: String) -> String {
    """
    USE_LXC_BRIDGE="true"
    LXC_BRIDGE="{bridge}"
    LXC_ADDR="{address}"
    LXC_NETMASK="{netmask}"
    LXC_NETWORK="{network}"
    LXC_DHCP_RANGE="\(range)"
    LXC_DHCP_MAX="{max}"
    LXC_DHCP_PING="false"

    """
}

private let iptables: [PracticeBackend] = [.iptablesNft, .iptablesLegacy]

private let restarted: [FaultStep] = [
    .only(iptables, [.run(["sh", "-c", "echo 'LXC_USE_NFT=\"false\"' >> /etc/default/lxc-net"])]),
    lxcNetStopped,
    .run([FaultApplication.lxcNet, "start"]),
]

let lxcNetFaults: [Fault] = [
    Fault(
        "lxc-net-not-enabled", "lxc-net does not start at the next boot",
        [
            FaultVariant(
                "disabled", "The unit is disabled, and lxc.service, which would start it, as well",
                [.remove(lxcNetWanted), .remove("/etc/systemd/system/multi-user.target.wants/lxc.service")]),
            FaultVariant(
                "masked", "The unit is masked", [.link("/etc/systemd/system/lxc-net.service", to: "/dev/null")]),
            FaultVariant(
                "switched-off", "USE_LXC_BRIDGE is false",
                [.run(["sed", "-i", "s/^USE_LXC_BRIDGE=.*/USE_LXC_BRIDGE=\"false\"/", "/etc/default/lxc-net"])]),
        ]),
    Fault(
        "lxc-net-config-not-sourced", "/etc/default/lxc does not read /etc/default/lxc-net",
        [
            FaultVariant(
                "line-gone", "The line is gone",
                [.write("/etc/default/lxc", "LXC_AUTO=\"true\"\nUSE_LXC_BRIDGE=\"false\"  # overridden in lxc-net\n")])
        ]),
    Fault(
        "lxc-net-stale-network-up", "lxc-net believes that it is up, and is not",
        [
            FaultVariant(
                "bridge", "The bridge was deleted behind its back",
                dnsmasqKilled + [.run(["ip", "link", "del", "{bridge}"])])
        ]),
    Fault(
        "dnsmasq-not-running", "No DHCP and DNS server on the bridge",
        [FaultVariant("killed", "It was killed", dnsmasqKilled)]),
    Fault(
        "dhcp-range-outside-subnet", "The range of DHCP addresses is not the bridge's",
        [
            FaultVariant(
                "running", "lxc-net was started with such a range",
                [.write("/etc/default/lxc-net", settings(range: "{foreignRange}"))] + restarted),
            FaultVariant(
                "next-start", "The settings name such a range; the running server does not yet",
                [
                    .write("/etc/default/lxc-net", settings(range: "{foreignRange}")),
                    .only(iptables, [.run(["sh", "-c", "echo 'LXC_USE_NFT=\"false\"' >> /etc/default/lxc-net"])]),
                ]),
        ]),
    Fault(
        "lxc-net-port53-conflict", "Another DNS server holds the bridge's port 53",
        [
            FaultVariant(
                "wildcard", "A server on every address, started before lxc-net",
                [
                    lxcNetStopped,
                    .run(["dnsmasq", "--conf-file=/dev/null", "--pid-file=/run/other-dnsmasq.pid", "--no-resolv"]),
                    .attempt([FaultApplication.lxcNet, "start"]),
                    .remove("\(SystemctlStandIn.active)/lxc-net.service"),
                ])
        ]),
]
