/// A container that never runs, so that a fault in its configuration touches no other.
private let directory = "\(HealthyHost.lxcPath)/stray"

func stray(_ config: String, rootfs: Bool = true) -> [FaultStep] {
    [.run(["mkdir", "-p", rootfs ? "\(directory)/rootfs/sbin" : directory]), .write("\(directory)/config", config)]
}

func configuration(link: String = "{bridge}", rootfs: String = "\(directory)/rootfs") -> String {
    """
    lxc.uts.name = stray
    lxc.rootfs.path = dir:\(rootfs)
    lxc.net.0.type = veth
    lxc.net.0.link = \(link)
    lxc.net.0.flags = up
    lxc.apparmor.profile = unconfined

    """
}

/// Edits the configuration of a running container (sed(1)) and starts it anew; nothing in it asks for an address.
private func restarted(_ name: String, _ edit: String, then: String = "true") -> FaultStep {
    let config = "\(HealthyHost.lxcPath)/\(name)/config"
    let rootfs = "\(HealthyHost.lxcPath)/\(name)/rootfs"
    return .run([
        "sh", "-ec",
        "lxc-stop -k -n \(name); sed -i /udhcpc/d \(rootfs)/etc/init.d/rcS; sed -i '\(edit)' \(config); "
            + "lxc-start -n \(name); \(then)",
    ])
}

private let gateway = "\\nlxc.net.0.ipv4.gateway = {address}"
private let fixedAddress = "$a lxc.net.0.ipv4.address = {otherAddress}/{prefix}" + gateway
private let prefixlessAddress = "$a lxc.net.0.ipv4.address = {otherAddress}" + gateway

/// A connection for any wired interface, which somebody's script or applet started on the wrong one.
private let takenByNetworkManager: [FaultStep] = [
    .write(
        "/etc/NetworkManager/system-connections/office.nmconnection",
        """
        # Kept by the operator.
        [connection]
        id=office
        uuid=6f2b1a52-3a5c-4a6c-9d0a-000000000002
        type=ethernet
        autoconnect=false

        [ipv4]
        method=disabled

        [ipv6]
        method=link-local

        """),
    .run(["chmod", "600", "/etc/NetworkManager/system-connections/office.nmconnection"]),
    .link(
        "/etc/systemd/system/multi-user.target.wants/NetworkManager.service",
        to: "/lib/systemd/system/NetworkManager.service"),
    .run([
        "sh", "-ec",
        // Where /sys is read-only it sees a container, and does not wait for a udev that is not there.
        "mount -o remount,ro,bind /sys; mkdir -p /run/dbus; dbus-daemon --system --fork; systemctl start NetworkManager;"
            + " i=0; until nmcli general >/dev/null 2>&1 || [ $i -eq 100 ]; do sleep 0.1; i=$((i + 1)); done;"
            + " set -- /sys/class/net/{bridge}/brif/*;"
            + " nmcli --wait 10 connection up office ifname \"$(basename \"$1\")\"",
    ]),
]

let containerFaults: [Fault] = [
    Fault(
        "config-links-other-bridge", "A container's configuration names another bridge",
        [
            FaultVariant("other", "The bridge of the other recipe", stray(configuration(link: "{otherBridge}"))),
            FaultVariant("libvirt", "libvirt's bridge", stray(configuration(link: "virbr0"))),
            FaultVariant(
                "running", "The bridge that a running container is in was removed", containers: 1,
                [
                    .run(["ip", "link", "add", "virbr9", "type", "bridge"]),
                    restarted(
                        "c1", "s/^lxc.net.0.link.*/lxc.net.0.link = virbr9/; \(fixedAddress)",
                        then: "ip link del virbr9"),
                ]),
        ]),
    Fault(
        "config-no-link", "A container's veth is tied to no bridge",
        [
            FaultVariant(
                "absent", "There is no link line",
                stray(
                    """
                    lxc.uts.name = stray
                    lxc.rootfs.path = dir:\(directory)/rootfs
                    lxc.net.0.type = veth
                    lxc.net.0.flags = up

                    """)),
            FaultVariant(
                "running", "A running container's veth is tied to no bridge", containers: 1,
                [restarted("c1", "/^lxc.net.0.link/d; \(fixedAddress)")]),
        ]),
    Fault(
        "veth-not-in-bridge", "A running container's veth was pulled out of the bridge",
        [
            FaultVariant(
                "pulled", "By hand, or by a network manager", containers: 1,
                [
                    .run([
                        "sh", "-ec",
                        "set -- /sys/class/net/{bridge}/brif/*; ip link set \"$(basename \"$1\")\" nomaster",
                    ])
                ]),
            FaultVariant(
                "networkmanager", "NetworkManager started a connection of its own on it", layers: ["network-manager"],
                containers: 1, takenByNetworkManager),
        ]),
    Fault(
        "config-address-without-prefix", "A container's address has no prefix length",
        [
            FaultVariant(
                "running", "A running container has the mask of its address's class", containers: 1,
                [restarted("c1", prefixlessAddress)]),
            FaultVariant(
                "stray", "A container that does not run",
                stray(configuration() + "lxc.net.0.ipv4.address = {otherAddress}\n")),
        ]),
    Fault(
        "duplicate-container-mac", "Two containers have one hardware address",
        [
            FaultVariant(
                "running", "Both run", containers: 2,
                [
                    restarted(
                        "c2", "s/^lxc.net.0.hwaddr.*/lxc.net.0.hwaddr = 00:16:3e:00:01:01/; \(fixedAddress)")
                ]),
            FaultVariant(
                "copied", "A copy that does not run kept its model's", containers: 1,
                stray(configuration() + "lxc.net.0.hwaddr = 00:16:3E:00:01:01\n")),
        ]),
    Fault(
        "config-legacy-keys", "A container's configuration has keys that LXC 3 gave up",
        [
            FaultVariant(
                "network", "All of it is in the old spelling",
                stray(
                    """
                    lxc.utsname = stray
                    lxc.rootfs = \(directory)/rootfs
                    lxc.network.type = veth
                    lxc.network.link = {bridge}
                    lxc.network.flags = up

                    """))
        ]),
    Fault(
        "image-or-rootfs-missing", "A container's files are gone",
        [
            FaultVariant("rootfs", "The rootfs is gone", stray(configuration(), rootfs: false)),
            FaultVariant(
                "elsewhere", "The rootfs lies on a disk that is not mounted",
                stray(configuration(rootfs: "/mnt/containers/stray/rootfs"), rootfs: false)),
        ]),
]
