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
        ]),
    Fault(
        "storage-full", "The file system of the containers has no inode left",
        [
            FaultVariant(
                "inodes", "A small one is mounted there",
                [
                    .run([
                        "mount", "-t", "tmpfs", "-o", "size=8g,nr_inodes=100,mode=0755", "none", HealthyHost.lxcPath,
                    ])
                ])
        ]),
    Fault(
        "base-image-missing", "The base image is not there",
        [
            FaultVariant(
                "gone", "The profile requires it, and there is neither directory nor archive", profiles: [.makina],
                [
                    .write(
                        "/etc/lxc-doctor/profile.yaml",
                        """
                        name: with-image
                        networks:
                          - { bridge: {bridge}, address: {address}/{prefix} }
                        image: { name: \(BaseImageFiles.name), wanted: required }

                        """),
                    .run(["rm", "-rf", BaseImageFiles.directory]),
                    .remove("\(HealthyHost.lxcPath)/\(BaseImageFiles.tarball)"),
                ])
        ]),
    Fault(
        "base-image-incomplete", "The base image was not unpacked to its end",
        [
            FaultVariant(
                "init", "There is no init", profiles: [.makina],
                [.remove("\(BaseImageFiles.directory)/rootfs/sbin/init")]),
            FaultVariant(
                "config", "There is no configuration", profiles: [.makina],
                [.remove("\(BaseImageFiles.directory)/config")]),
        ]),
]
