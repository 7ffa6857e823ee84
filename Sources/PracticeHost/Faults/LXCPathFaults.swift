let lxcPathFaults: [Fault] = [
    Fault(
        "lxc-not-installed", "The programs of LXC are not there",
        [
            FaultVariant(
                "binaries", "The programs are gone, the package still counts as installed",
                [.run(["sh", "-c", "rm -f /usr/bin/lxc-*"])]),
            FaultVariant(
                "package", "The package was removed",
                [
                    lxcNetStopped, .attempt(["ip", "link", "del", "{bridge}"]),
                    .run(["dpkg", "--remove", "--force-depends", "lxc"]),
                ]),
        ]),
    Fault(
        "lxcpath-missing", "The directory of containers is not there",
        [
            FaultVariant("moved", "It was moved away", [.run(["mv", HealthyHost.lxcPath, "/var/lib/lxc.old"])]),
            FaultVariant(
                "configured", "lxc.conf names a directory that does not exist",
                [.write("/etc/lxc/lxc.conf", "lxc.lxcpath = /srv/containers\n")]),
        ]),
    Fault(
        "lxcpath-wrong-owner-or-mode", "The directory of containers is not root's, or anybody may write to it",
        [
            FaultVariant("mode", "Anybody may write", [.run(["chmod", "0777", HealthyHost.lxcPath])]),
            FaultVariant("owner", "It belongs to somebody else", [.run(["chown", "1000:1000", HealthyHost.lxcPath])]),
            FaultVariant("closed", "Not even its owner may enter", [.run(["chmod", "0600", HealthyHost.lxcPath])]),
        ]),
    Fault(
        "base-image-missing", "The base image is not there",
        [
            FaultVariant(
                "gone", "Neither directory nor archive", profiles: [.makina],
                [
                    .run(["rm", "-rf", BaseImageFiles.directory]),
                    .remove("\(HealthyHost.lxcPath)/\(BaseImageFiles.tarball)"),
                ])
        ]),
    Fault(
        "base-image-incomplete", "The base image was not unpacked to its end",
        [
            FaultVariant(
                "flag", "The flag of a finished unpacking is missing", profiles: [.makina],
                [.remove("\(BaseImageFiles.directory)/.\(BaseImageFiles.tarball)unpacked")]),
            FaultVariant(
                "init", "There is no init", profiles: [.makina],
                [.remove("\(BaseImageFiles.directory)/rootfs/sbin/init")]),
            FaultVariant(
                "config", "There is no configuration", profiles: [.makina],
                [.remove("\(BaseImageFiles.directory)/config")]),
        ]),
]
