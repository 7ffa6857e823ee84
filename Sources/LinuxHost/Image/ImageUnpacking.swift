internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Unpacks an archive into the staging directory with the host's GNU tar, which can write nowhere else, whatever the
/// archive says: `..`, absolute names, links that lead out, hard links to the host's files. Bounded in bytes, files,
/// room that must stay, and time.
///
/// Device nodes are not kept: LXC makes a container's /dev (lxc.autodev), and a node of the host's disk in a
/// directory of containers would be a way in.
struct ImageUnpacking {
    private static let milliseconds = 4 * 3_600_000
    private static let mostFiles = 4_000_000
    /// What must stay free, in bytes and inodes.
    private static let reserve = (bytes: 16 << 20, inodes: 64)
    /// CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP of linux/capability.h.
    private static let capabilities: UInt64 = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 27 | 1 << 31

    let host: LiveHost
    let order: ImageRestoration

    private var operation: String { "unpack \(order.source.location)" }
    private var place: String { order.staging + "/" + ImageRestoration.unpacked }

    func run(_ archive: borrowing ImageArchive) throws(HostError) {
        try requireGNU()
        guard lseek(archive.file.rawValue, 0, SEEK_SET) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
        let command =
            ["tar", "--extract", "--file=-"] + (archive.packing.map { [$0] } ?? [])
            + [
                "--numeric-owner", "--same-owner", "--preserve-permissions", "--acls", "--xattrs",
                "--xattrs-include=user.*", "--xattrs-include=security.capability", "--warning=no-timestamp",
                "--directory=\(place)",
            ]
        try confined(command, input: archive.file.rawValue, archive.size)
        try confined(
            ["find", place, "-xdev", "(", "-type", "b", "-o", "-type", "c", ")", "-delete"], input: nil, nil)
    }

    /// The directory that holds `config` and `rootfs`, below the staging directory: the archive's top, or the only
    /// directory in it.
    func imageDirectory(in staging: borrowing Descriptor) throws(HostError) -> String {
        var names = [ImageRestoration.unpacked]
        let inside = try host.list("/" + ImageRestoration.unpacked, root: order.staging, limit: 4096)
        if inside.count == 1, let name = inside.first { names.append(ImageRestoration.unpacked + "/" + name) }
        for name in names {
            let config = try host.statusIfPresent("\(name)/config", root: order.staging, followLinks: false)
            let rootfs = try host.statusIfPresent("\(name)/rootfs", root: order.staging, followLinks: false)
            if config?.kind == .file, rootfs?.kind == .directory { return name }
        }
        throw HostError(
            .malformed, operation: operation,
            message: "it holds no container: there is no config beside a directory rootfs")
    }

    private func confined(_ command: [String], input: Int32?, _ size: Int?) throws(HostError) {
        let output = try CollectedOutput(operation)
        let number = output.descriptor.rawValue
        let program = GuardedProgram(
            path: try host.trustedPath(of: command[0], in: LiveHost.programDirectories, operation), command: command,
            input: input, output: number, messages: number,
            confinement: .init(
                writable: place, capabilities: Self.capabilities, fileSize: UInt64(order.maximumBytes)),
            milliseconds: Self.milliseconds)
        let before = try host.space(place)
        let (host, place) = (host, place)
        let status = try program.run { () throws(HostError) in
            if let input, let size {
                host.progress(ChangeProgress(.unpacking, done: Int(lseek(input, 0, SEEK_CUR)), total: size))
            }
            try watch(before, try host.space(place))
        }
        // A fast one may have come to its end between two looks.
        try watch(before, try host.space(place))
        // The program that went beyond RLIMIT_FSIZE gets SIGXFSZ, 25.
        if status == 128 + SIGXFSZ {
            throw HostError(
                .limit, operation: operation,
                message:
                    "a file in it is longer than \(order.maximumBytes) bytes (maximumBytes of the profile's image); "
                    + "nothing of it was kept")
        }
        guard status == 0 else {
            let text = try output.text(limit: 65_536, fails: false, operation)
            throw HostError(
                .malformed, operation: operation,
                message: "\(CollectedOutput.tail(text)) (\(command[0]), status \(status)); nothing of it was kept")
        }
    }

    private func watch(_ before: FileSystemSpace, _ now: FileSystemSpace) throws(HostError) {
        func stop(_ words: String) -> HostError {
            HostError(.limit, operation: operation, message: words + "; nothing of it was kept")
        }
        if before.freeBytes - now.freeBytes > order.maximumBytes {
            throw stop("it unpacks to more than \(order.maximumBytes) bytes (maximumBytes of the profile's image)")
        }
        if now.freeBytes < Self.reserve.bytes { throw stop("there is no room left in \(order.directory)") }
        guard let old = before.freeInodes, let new = now.freeInodes else { return }
        if old - new > Self.mostFiles { throw stop("it holds more than \(Self.mostFiles) files") }
        if new < Self.reserve.inodes { throw stop("there are no inodes left in \(order.directory)") }
    }

    /// Others know no access lists, and believe archives more.
    private func requireGNU() throws(HostError) {
        let version = try host.runToEnd(["tar", "--version"], milliseconds: 10_000, limit: 65_536)
        guard version.contains("GNU tar") else {
            throw HostError(
                .unsupported, operation: operation, message: "it needs GNU tar, and tar here is another one")
        }
    }
}
