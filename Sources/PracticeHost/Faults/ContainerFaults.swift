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

let containerFaults: [Fault] = [
    Fault(
        "config-links-other-bridge", "A container's configuration names another bridge",
        [
            FaultVariant("other", "The bridge of the other recipe", stray(configuration(link: "{otherBridge}"))),
            FaultVariant("libvirt", "libvirt's bridge", stray(configuration(link: "virbr0"))),
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

                    """))
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
