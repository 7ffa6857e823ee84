internal import Glibc

/// A base image in the layout that makina-states unpacks, as small as it can be: everything by which one tells that it
/// is complete, and nothing to run.
enum BaseImageFiles {
    static let name = "makina-states-trusty"
    static let tarball = "makina-states-trusty-lxc-25.tar.xz"
    static var directory: String { "\(HealthyHost.lxcPath)/\(name)" }

    static func write(bridge: String) throws(PracticeHostError) {
        for part in ["etc", "root", "bin", "sbin", "usr", "var"] {
            try makeDirectories("\(directory)/rootfs/\(part)")
        }
        try writeFile("\(directory)/rootfs/sbin/init", "#!/bin/sh\nexec sleep 1000000\n", mode: 0o755)
        try writeFile("\(directory)/rootfs/etc/hostname", name + "\n")
        try writeFile("\(directory)/fstab", "")
        try writeFile("\(directory)/acls.txt", "# file: rootfs\n# owner: root\n# group: root\n")
        try writeFile("\(HealthyHost.lxcPath)/\(tarball)", "")
        try writeFile("\(directory)/.\(tarball)unpacked", "")
        try writeFile("\(directory)/.\(tarball)\(HealthyHost.hostname)aclsdone", "")
        try writeFile(
            "\(directory)/config",
            """
            lxc.uts.name = \(name)
            lxc.rootfs.path = dir:\(directory)/rootfs
            lxc.mount.fstab = \(directory)/fstab
            lxc.net.0.type = veth
            lxc.net.0.link = \(bridge)
            lxc.net.0.flags = up
            lxc.apparmor.profile = unconfined

            """)
    }
}
