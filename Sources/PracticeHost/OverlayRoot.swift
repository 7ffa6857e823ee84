internal import CLinux
internal import Glibc

/// A copy of the machine's file tree in a private mount namespace: what is written goes to a tmpfs and is gone with the
/// namespace. Only process 1 of a practice host, or of a layer's building, may make one.
struct OverlayRoot: ~Copyable {
    /// A directory that exists on every machine and that the copy has afresh, so that hiding it here hurts nobody.
    static let base = "/run"
    /// What may be written. Larger than the room that checks ask for; a tmpfs takes memory only as it is filled.
    static let writableLimit = "size=7g,nr_inodes=400k,mode=0755"
    static let maximumTreeMounts = 64

    /// Where the copy stands until it becomes the root.
    let path = base + "/root"
    /// What is written to the copy.
    let upper = base + "/upper"

    /// `images` are open squashfs files, topmost first. `hiddenDirectories` show nothing of the machine. A
    /// `workingDirectory` below /tmp is shown although /tmp is fresh: a checkout may well be there.
    init(
        images: [Int32], hiddenDirectories: [String], workingDirectory: String? = nil
    ) throws(PracticeHostError) {
        try mountFilesystem("none", on: "/", type: nil, flags: MS_REC | MS_PRIVATE, refusedAs: "private mounts")
        let table = readFile("/proc/self/mountinfo").map { parseMountTable($0) } ?? []
        let loops = try Self.attach(images)
        defer { for loop in loops { close(loop.descriptor) } }
        try mountFilesystem(
            "practice-host", on: Self.base, type: "tmpfs", flags: MS_NOSUID, options: Self.writableLimit,
            refusedAs: "a tmpfs")
        for directory in ["root", "upper", "work", "layers"] {
            try makeDirectories("\(Self.base)/\(directory)")
        }
        var lower: [String] = []
        for (index, loop) in loops.enumerated() {
            let directory = "\(Self.base)/layers/\(index)"
            try makeDirectories(directory)
            try mountFilesystem(
                loop.path, on: directory, type: "squashfs", flags: MS_RDONLY | MS_NODEV, refusedAs: "squashfs")
            lower.append(directory)
        }
        for directory in hiddenDirectories {
            try makeDirectories(upper + directory)
            guard clinux_lab_set_opaque(upper + directory) == 0 else {
                throw .refused("this machine refuses trusted extended attributes on a tmpfs")
            }
        }
        try Self.overlay(lower + ["/"], upper: upper, work: Self.base + "/work", on: path)
        mountTreeMounts(table, layers: lower)
        try mountKernelFilesystems()
        if let workingDirectory { showTemporary(workingDirectory) }
    }

    /// Overlays a directory below /tmp into the fresh /tmp. Where that cannot be, it stays hidden, and the command
    /// runs in the root directory.
    private func showTemporary(_ directory: String) {
        // Characters that mean something in mount options.
        guard directory.hasPrefix("/tmp/"), !directory.contains(where: { ":,\\".contains($0) }),
            !directory.split(separator: "/").contains(".."), isDirectory(directory)
        else { return }
        let upper = "\(Self.base)/working/upper"
        let work = "\(Self.base)/working/work"
        do {
            for path in [upper, work, path + directory] { try makeDirectories(path) }
            try Self.overlay([directory], upper: upper, work: work, on: path + directory)
        } catch {
            return
        }
    }

    private static func attach(_ images: [Int32]) throws(PracticeHostError) -> [(path: String, descriptor: Int32)] {
        var loops: [(path: String, descriptor: Int32)] = []
        for image in images {
            var name = [CChar](repeating: 0, count: 64)
            let descriptor = clinux_lab_attach_loop(image, &name, name.count)
            guard descriptor >= 0 else {
                throw .refused("this machine refuses a loop device: /dev/loop-control: \(errorText(-descriptor))")
            }
            let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            loops.append((String(decoding: bytes, as: UTF8.self), descriptor))
        }
        return loops
    }

    private static func overlay(
        _ lower: [String], upper: String, work: String, on target: String
    ) throws(PracticeHostError) {
        // Without these the upper directory would hold attributes that mean something only in this very stack.
        let portable = "redirect_dir=off,index=off,metacopy=off"
        try mountFilesystem(
            "practice-host", on: target, type: "overlay", flags: MS_NODEV,
            options: "lowerdir=\(lower.joined(separator: ":")),upperdir=\(upper),workdir=\(work),\(portable)",
            refusedAs: "overlayfs")
    }

    /// Overlays what is mounted below the root: the layers' part of it lies over the machine's, and what is written goes
    /// to the same place as if it were no mount. What overlayfs will not take stays hidden.
    private func mountTreeMounts(_ table: [MountEntry], layers: [String]) {
        for (index, entry) in treeMounts(table).prefix(Self.maximumTreeMounts).enumerated() {
            let target = path + entry.mountPoint
            var status = stat()
            guard isDirectory(entry.mountPoint), lstat(target, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
                // Has overlayfs copy the directory, and those above it, to the upper layer as they are.
                chmod(target, status.st_mode & 0o7777) == 0
            else { continue }
            let work = "\(Self.base)/mounts/\(index)"
            let lower = layers.map { $0 + entry.mountPoint }.filter { isDirectory($0) } + [entry.mountPoint]
            do {
                try makeDirectories(work)
                try Self.overlay(lower, upper: upper + entry.mountPoint, work: work, on: target)
            } catch {
                continue
            }
        }
    }

    /// proc, sys, dev, run and tmp of the copy's own. What belongs to the whole machine cannot be written.
    private func mountKernelFilesystems() throws(PracticeHostError) {
        let quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC
        try mountFilesystem("proc", on: path + "/proc", type: "proc", flags: quiet, refusedAs: "a fresh proc")
        try mountFilesystem(
            path + "/proc/sys", on: path + "/proc/sys", type: nil, flags: MS_BIND, refusedAs: "bind mounts")
        try mountFilesystem(
            "none", on: path + "/proc/sys", type: nil, flags: MS_REMOUNT | MS_BIND | MS_RDONLY | quiet,
            refusedAs: "read-only bind mounts")
        try mountFilesystem(
            path + "/proc/sys/net", on: path + "/proc/sys/net", type: nil, flags: MS_BIND, refusedAs: "bind mounts")
        try mountFilesystem(
            "none", on: path + "/proc/sys/net", type: nil, flags: MS_REMOUNT | MS_BIND | quiet,
            refusedAs: "bind mounts")
        for name in ["sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "mtrr"]
        where fileExists(path + "/proc/" + name) {
            try bindReadOnly(path + "/proc/" + name, refusedAs: "read-only bind mounts")
        }
        try mountFilesystem("sysfs", on: path + "/sys", type: "sysfs", flags: quiet, refusedAs: "a fresh sysfs")
        let links = path + "/sys/devices/virtual/net"
        try mountFilesystem(links, on: links, type: nil, flags: MS_BIND, refusedAs: "bind mounts")
        try mountFilesystem(
            "none", on: path + "/sys", type: nil, flags: MS_REMOUNT | MS_BIND | MS_RDONLY | quiet,
            refusedAs: "a read-only sysfs")
        try mountDevices()
        try mountFilesystem(
            "tmpfs", on: path + "/run", type: "tmpfs", flags: MS_NOSUID | MS_NODEV, options: "size=64m,mode=0755",
            refusedAs: "a tmpfs")
        try mountFilesystem(
            "tmpfs", on: path + "/tmp", type: "tmpfs", flags: MS_NOSUID | MS_NODEV, options: "size=1g,mode=1777",
            refusedAs: "a tmpfs")
        try makeDirectories(path + "/run/lock", mode: 0o1777)
    }

    private func mountDevices() throws(PracticeHostError) {
        let devices = path + "/dev"
        try mountFilesystem(
            "tmpfs", on: devices, type: "tmpfs", flags: MS_NOSUID | MS_NOEXEC, options: "size=1m,mode=0755",
            refusedAs: "a tmpfs")
        let nodes: [(name: String, major: dev_t, minor: dev_t)] = [
            ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
        ]
        let old = umask(0)
        defer { umask(old) }
        for node in nodes {
            guard mknod("\(devices)/\(node.name)", S_IFCHR | 0o666, node.major << 8 | node.minor) == 0 else {
                throw .refused("this machine refuses device nodes: mknod \(node.name): \(lastError())")
            }
        }
        for directory in ["pts", "shm", "mqueue"] {
            try makeDirectories("\(devices)/\(directory)")
        }
        for (name, target) in [
            ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            guard symlink(target, "\(devices)/\(name)") == 0 else {
                throw .failed("symlink \(devices)/\(name): \(lastError())")
            }
        }
        try mountFilesystem(
            "devpts", on: devices + "/pts", type: "devpts", flags: MS_NOSUID | MS_NOEXEC,
            options: "newinstance,ptmxmode=0666,mode=0620,gid=5", refusedAs: "devpts")
        try mountFilesystem(
            "tmpfs", on: devices + "/shm", type: "tmpfs", flags: MS_NOSUID | MS_NODEV, options: "size=64m,mode=1777",
            refusedAs: "a tmpfs")
    }

    /// Makes the copy the root of this process. The machine's tree is out of reach from then on.
    consuming func enter() throws(PracticeHostError) {
        let result = clinux_lab_enter_root(path)
        guard result == 0 else { throw .refused("this machine refuses pivot_root: \(errorText(-result))") }
    }
}
