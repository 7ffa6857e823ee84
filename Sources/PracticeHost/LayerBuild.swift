internal import CLinux
internal import Glibc

/// Process 1 of a layer's building: installs packages into a copy of the machine's files and packs what that changed.
/// The copy has no init, a policy against starting services, a /run of its own, and, while packages are configured, no
/// network: a package's scripts find nothing that they could start or change.
struct LayerBuild {
    /// A container's busybox template asks for a name; it is replaced in every copy.
    static let containerName = "pattern"

    var layer: Layer
    var images: [Int32]
    var output: String

    func run() throws(PracticeHostError) {
        guard fileExists("/usr/bin/apt-get") else {
            throw .refused("layers are made of Debian packages, and this machine has no apt-get")
        }
        guard fileExists("/usr/bin/mksquashfs") else {
            throw .refused("packing a layer needs mksquashfs: install squashfs-tools")
        }
        let nameServers = readFile("/etc/resolv.conf") ?? ""
        let copy = try OverlayRoot(images: images, hiddenDirectories: [])
        let root = copy.path
        let upper = copy.upper
        for image in images { close(image) }
        let result = clinux_lab_drop_capabilities()
        guard result == 0 else { throw .refused("this machine refuses to drop capabilities: \(errorText(-result))") }
        try writeFile(root + "/etc/resolv.conf", nameServers)
        try writeFile(root + "/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode: 0o755)
        try download(into: root)
        try install(into: root)
        if layer.holdsContainer { try createContainer(in: root) }
        try strip(upper)
        _ = unlink(output)
        try runOrFail([
            "mksquashfs", upper, output, "-noappend", "-no-progress", "-quiet", "-noI", "-noD", "-noF", "-noX",
        ])
    }

    private static let apt = [
        "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "apt-get", "-qq",
        "-y",
        "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold", "-o",
        "Dpkg::Options::=--force-unsafe-io", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends",
    ]

    /// Fetches the packages; only apt's own helpers run here.
    private func download(into root: String) throws(PracticeHostError) {
        let fetch = ["chroot", root] + Self.apt + ["--download-only", "install"] + layer.packages
        if try PracticeHost.run(fetch).status == 0 { return }
        // The machine's lists may be older than its archive.
        try runOrFail(["chroot", root] + Self.apt + ["update"])
        try runOrFail(fetch)
    }

    /// Unpacks and configures, without a network.
    private func install(into root: String) throws(PracticeHostError) {
        try runOrFail(
            ["unshare", "--net", "chroot", root] + Self.apt + ["--no-download", "install"] + layer.packages)
    }

    private func createContainer(in root: String) throws(PracticeHostError) {
        let directory = PracticeContainers.pattern.dropLast(Self.containerName.count + 1)
        try makeDirectories(root + directory)
        try runOrFail([
            "unshare", "--net", "chroot", root, "lxc-create", "-n", Self.containerName, "-P", String(directory), "-t",
            "busybox",
        ])
    }

    /// Leaves what packages bring, and nothing of how they came.
    private func strip(_ upper: String) throws(PracticeHostError) {
        let parts = [
            "dev", "proc", "sys", "run", "tmp", "root", "home", "var/tmp", "var/log", "var/lib/apt", "var/cache",
            "var/lib/lxc", "etc/resolv.conf", "usr/sbin/policy-rc.d",
        ]
        try runOrFail(["rm", "-rf", "--"] + parts.map { "\(upper)/\($0)" })
    }
}
