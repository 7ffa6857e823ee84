/// Faults of containers' configurations and of the systems in them, on a container that never runs, and of what users
/// without privilege need.
private let directory = "\(HealthyHost.lxcPath)/stray"
private let address = "lxc.net.0.ipv4.address = {otherAddress}/{prefix}\nlxc.net.0.ipv4.gateway = {address}\n"
private let mapped = "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536\n"

/// Another container's configuration beside the stray one.
private func second(_ config: String) -> [FaultStep] {
    let directory = "\(HealthyHost.lxcPath)/stray2"
    return [
        .run(["mkdir", "-p", "\(directory)/rootfs/sbin"]),
        .write("\(directory)/config", config.replacing("stray/", "stray2/").replacing("= stray\n", "= stray2\n")),
    ]
}

extension String {
    fileprivate func replacing(_ part: String, _ other: String) -> String {
        var result = ""
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(part) {
                result += other
                rest = rest.dropFirst(part.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}

private func inside(_ path: String, _ text: String) -> FaultStep { .write("\(directory)/rootfs/\(path)", text) }

let guestFaults: [Fault] = [
    Fault(
        "invalid-hwaddr", "A container's hardware address is a group's",
        [
            FaultVariant(
                "multicast", "Its first byte is odd", stray(configuration() + "lxc.net.0.hwaddr = 11:11:11:11:11:11\n"))
        ]),
    Fault(
        "config-flags-not-up", "LXC gives an address to an interface that it does not bring up",
        [
            FaultVariant(
                "absent", "There is no flags line",
                stray(configuration().replacing("lxc.net.0.flags = up\n", "") + address))
        ]),
    Fault(
        "config-type-empty-or-none", "A container has no network of its own",
        [
            FaultVariant(
                "empty", "Type empty",
                stray("lxc.uts.name = stray\nlxc.rootfs.path = dir:\(directory)/rootfs\nlxc.net.0.type = empty\n")),
            FaultVariant(
                "none", "Type none",
                stray("lxc.uts.name = stray\nlxc.rootfs.path = dir:\(directory)/rootfs\nlxc.net.0.type = none\n")),
        ]),
    Fault(
        "container-dhcp-plus-static", "A container has a static address and a lease",
        [
            FaultVariant(
                "lease", "The lease is for its hardware address",
                stray(configuration() + address + "lxc.net.0.hwaddr = 00:16:3e:00:00:77\n") + [
                    .write(
                        "/var/lib/misc/dnsmasq.{bridge}.leases",
                        "4102444800 00:16:3e:00:00:77 10.5.0.77 stray *\n")
                ])
        ]),
    Fault(
        "container-dns-broken", "A container has nobody to ask for names",
        [
            FaultVariant(
                "stub", "It asks systemd-resolved, which is not installed",
                stray(configuration()) + [inside("etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0\n")]),
            FaultVariant(
                "link", "resolv.conf is a link that resolvconf left",
                stray(configuration()) + [
                    .link("\(directory)/rootfs/etc/resolv.conf", to: "../run/resolvconf/resolv.conf")
                ]),
        ]),
    Fault(
        "container-networkd-sandboxed", "AppArmor keeps a new systemd's services from starting",
        [
            FaultVariant(
                "nesting", "Nesting is not allowed",
                [
                    .run(["mount", "-t", "tmpfs", "none", "/sys/module"]),
                    .write("/sys/module/apparmor/parameters/enabled", "Y\n"),
                ] + stray(configuration() + "lxc.apparmor.profile = generated\n") + [
                    inside("usr/lib/systemd/libsystemd-shared-257.so", "")
                ])
        ]),
    Fault(
        "container-ping-not-permitted", "A container may not use raw sockets",
        [FaultVariant("drop", "lxc.cap.drop", stray(configuration() + "lxc.cap.drop = mac_admin net_raw\n"))]),
    Fault(
        "dhcp-checksum-not-filled", "Nobody completes checksums for an old DHCP client",
        [
            FaultVariant(
                "trusty", "Ubuntu 14.04, and lxc-net's nft rules", backends: [.nft],
                stray(configuration()) + [
                    inside("etc/os-release", "NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"14.04\"\n")
                ])
        ]),
    Fault(
        "libvirt-network-inactive", "A container links a network of libvirt's that is not started",
        [
            FaultVariant(
                "default", "libvirt's default network",
                stray(configuration(link: "virbr0")) + [
                    .write(
                        "/etc/libvirt/qemu/networks/default.xml",
                        "<network>\n  <name>default</name>\n  <bridge name='virbr0' stp='on' delay='0'/>\n</network>\n")
                ])
        ]),
    Fault(
        "cgroup-hierarchy-mismatch", "A container and this host's control groups do not fit",
        [
            FaultVariant(
                "init", "A systemd that does not know cgroup2",
                [.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"])] + stray(configuration()) + [
                    inside("etc/os-release", "ID=\"centos\"\nVERSION_ID=\"7\"\n")
                ]),
            FaultVariant(
                "limits", "A limit in a key of version 1",
                [.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"])]
                    + stray(configuration() + "lxc.cgroup.memory.limit_in_bytes = 512M\n")),
        ]),
    Fault(
        "idmap-broken", "A container maps ids that root does not have",
        [
            FaultVariant(
                "subuid", "newuidmap is there, and no line for root",
                [
                    .write("/usr/bin/newuidmap", "#!/bin/sh\nexit 1\n"),
                    .write("/etc/subuid", "alice:100000:65536\n"), .write("/etc/subgid", "alice:100000:65536\n"),
                ] + stray(configuration() + mapped))
        ]),
    Fault(
        "rootfs-not-traversable", "Root of an unprivileged container cannot reach its rootfs",
        [
            FaultVariant(
                "mode", "The container's directory is root's alone",
                stray(configuration() + mapped) + [.run(["chmod", "700", directory])])
        ]),
    Fault(
        "duplicate-container-ip", "Two containers have one address",
        [
            FaultVariant(
                "config", "Both configurations say so",
                stray(configuration() + address) + second(configuration() + address)),
            FaultVariant(
                "machine-id", "Both are copies of one machine",
                stray(configuration()) + second(configuration()) + [
                    inside("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
                    .write(
                        "\(HealthyHost.lxcPath)/stray2/rootfs/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
                ]),
        ]),
    Fault(
        "usernet-quota", "A user may plug in no more interfaces",
        [
            FaultVariant(
                "used-up", "All of the quota is noted as used",
                [
                    .write("/etc/lxc/lxc-usernet", "# USER TYPE BRIDGE COUNT\nalice veth {bridge} 1\n"),
                    .write("/run/lxc/nics", "alice veth {bridge} vethA1B2C3\n"),
                ]),
            FaultVariant(
                "bridge", "The entry is for a bridge that does not exist",
                [.write("/etc/lxc/lxc-usernet", "alice veth br-gone 10\n")]),
        ]),
    Fault(
        "apparmor-userns-restricted", "AppArmor forbids user namespaces",
        [
            FaultVariant(
                "switch", "The switch is on, and LXC has no profile",
                [
                    .write("/etc/lxc/lxc-usernet", "alice veth {bridge} 10\n"),
                    .run(["mount", "-t", "tmpfs", "none", "/proc/sys/kernel"]),
                    .write("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),
                ])
        ]),
    Fault(
        "user-nic-invalid-argument", "lxc-user-nic makes names that are too long",
        [
            FaultVariant(
                "uid", "A user of a directory service, and LXC 3",
                [
                    .write("/etc/lxc/lxc-usernet", "alice veth {bridge} 10\n"),
                    .run(["sh", "-c", "echo 'alice:x:10001:10001::/home/alice:/bin/sh' >> /etc/passwd"]),
                    .run([
                        "sed", "-i", "/^Package: lxc$/,/^$/s/^Version: .*/Version: 1:3.0.3-8/", "/var/lib/dpkg/status",
                    ]),
                ])
        ]),
    Fault(
        "image-download-fails", "The template for downloads asks a key server that is gone",
        [
            FaultVariant(
                "sks", "The template of LXC 3",
                [
                    .write(
                        "/usr/share/lxc/templates/lxc-download",
                        "#!/bin/sh\n[ -n \"$DOWNLOAD_KEYSERVER\" ] || DOWNLOAD_KEYSERVER=\"hkp://pool.sks-keyservers.net\"\n"
                    )
                ])
        ]),
]
