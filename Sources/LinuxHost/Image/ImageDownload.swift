internal import Glibc
internal import HostAccess
internal import HostModel

/// Fetches an archive with curl(1), and continues where an earlier attempt was cut short. What was fetched lies in a
/// directory of root's, under the sum that it must have, until the image is there.
struct ImageDownload {
    static let directory = "/var/cache/lxc-doctor/images"
    /// What must stay free on its file system, in bytes.
    private static let reserve = 64 << 20

    let host: LiveHost
    let order: ImageRestoration

    private var operation: String { "fetch \(order.source.location)" }
    private var name: String { "\(order.source.checksum.sum).part" }

    func fetch() throws(HostError) -> ImageArchive {
        let folder = try OwnDirectory.open(Self.directory, mode: 0o700)
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let file = try Descriptor(openat(folder.rawValue, name, flags, 0o600).orErrno, operation: operation)
        // An earlier attempt may have come to its end: then nobody needs to be asked.
        let earlier = try size(file)
        if earlier > 0, let archive = try archive(file) { return archive }
        var status = try curl(file, from: earlier)
        // 33: the server sends all or nothing; 22 with something in hand: it has no more than that, and it is wrong.
        if earlier > 0, status.code == 33 || status.code == 22 {
            try empty(file)
            status = try curl(file, from: 0)
        }
        guard status.code == 0 else {
            throw HostError(.other, operation: operation, message: status.message)
        }
        CrashPoint.pass()
        do throws(HostError) {
            return try ImageArchive.checked(try duplicate(file), order, host, operation)
        } catch {
            guard error.code == .malformed else { throw error }
            try empty(file)
            guard earlier > 0 else { throw error }
        }
        // What it was put together from did not belong together.
        status = try curl(file, from: 0)
        guard status.code == 0 else { throw HostError(.other, operation: operation, message: status.message) }
        do throws(HostError) {
            return try ImageArchive.checked(try duplicate(file), order, host, operation)
        } catch {
            if error.code == .malformed { try empty(file) }
            throw error
        }
    }

    func remove() throws(HostError) {
        let folder = try OwnDirectory.open(Self.directory, mode: 0o700)
        guard unlinkat(folder.rawValue, name, 0) == 0 || errno == ENOENT else {
            throw HostError(errno: errno, operation: operation)
        }
    }

    /// Nil: it is not whole yet.
    private func archive(_ file: borrowing Descriptor) throws(HostError) -> ImageArchive? {
        do throws(HostError) {
            return try ImageArchive.checked(try duplicate(file), order, host, operation)
        } catch {
            guard error.code == .malformed else { throw error }
            return nil
        }
    }

    private func duplicate(_ file: borrowing Descriptor) throws(HostError) -> Descriptor {
        try Descriptor(fcntl(file.rawValue, F_DUPFD_CLOEXEC, 3).orErrno, operation: operation)
    }

    private func size(_ file: borrowing Descriptor) throws(HostError) -> Int {
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.isRegular, facts.st_uid == 0, facts.st_nlink == 1 else {
            throw HostError(.malformed, operation: operation, message: "\(Self.directory)/\(name) is not root's file")
        }
        return Int(facts.st_size)
    }

    private func empty(_ file: borrowing Descriptor) throws(HostError) {
        guard ftruncate(file.rawValue, 0) == 0 else { throw HostError(errno: errno, operation: operation) }
    }

    /// Writes what comes to the end of the file: it needs no right to write anywhere, and has none.
    private func curl(
        _ file: borrowing Descriptor, from offset: Int
    ) throws(HostError) -> (code: Int32, message: String) {
        let number = file.rawValue
        guard lseek(number, off_t(offset), SEEK_SET) == off_t(offset) else {
            throw HostError(errno: errno, operation: operation)
        }
        let secure = order.source.location.hasPrefix("https:")
        var command = [
            "curl", "--disable", "--globoff", "--fail", "--silent", "--show-error", "--location", "--max-redirs", "5",
            "--proto", "=http,https", "--proto-redir", secure ? "=https" : "=http,https", "--connect-timeout", "30",
            "--speed-limit", "1", "--speed-time", "60", "--max-filesize", String(order.maximumBytes), "--output", "-",
        ]
        if offset > 0 { command += ["--continue-at", String(offset)] }
        command += ["--url", order.source.location]
        let messages = try CollectedOutput(operation)
        let program = GuardedProgram(
            path: try host.trustedPath(of: "curl", in: LiveHost.programDirectories, operation), command: command,
            output: number, messages: messages.descriptor.rawValue,
            confinement: .init(keepsNetwork: true, fileSize: UInt64(order.maximumBytes)), milliseconds: 24 * 3_600_000)
        let (host, operation) = (host, operation)
        let status = try program.run { () throws(HostError) in
            host.progress(ChangeProgress(.downloading, done: Int(lseek(number, 0, SEEK_CUR)), total: nil))
            if try host.space(Self.directory).freeBytes < Self.reserve {
                throw HostError(.limit, operation: operation, message: "there is no room left in \(Self.directory)")
            }
        }
        let text = try messages.text(limit: 4096, fails: false, operation)
        return (status, "\(CollectedOutput.tail(text)) (status \(status))")
    }
}
