internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Files as they were before a repair changed them: `/var/lib/lxc-doctor/backup/RUN/etc/default/lxc-net`, with
/// owner, mode and extended attributes (access list, SELinux label).
///
/// The first state that a run finds is kept; what the run itself made of a file later is not. Directories are root's
/// alone, so a backup is no more readable than the journal.
struct FileBackups {
    private static let temporary = ".lxc-doctor.new"

    let directory: String

    init(directory: String = "/var/lib/lxc-doctor/backup") {
        self.directory = directory
    }

    /// Keeps a file, durably, unless there is a backup of it by this run already. `original` is open for reading.
    func keep(_ content: FileContent, like original: Int32, path: String, run: String) throws(HostError) {
        let operation = "back up \(path)"
        let (place, name) = try place(of: path, run: run, operation)
        _ = try OwnDirectory.open(directory, mode: 0o700)
        let folder = try OwnDirectory.open(place, mode: 0o700)
        var facts = stat()
        if fstatat(folder.rawValue, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 { return }
        guard errno == ENOENT, unlinkat(folder.rawValue, Self.temporary, 0) == 0 || errno == ENOENT else {
            throw HostError(errno: errno, operation: operation)
        }
        guard let owner = UInt32(exactly: content.owner), let group = UInt32(exactly: content.group) else {
            throw HostError(.malformed, operation: operation, message: "no such owner or group")
        }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = try Descriptor(openat(folder.rawValue, Self.temporary, flags, 0o600).orErrno, operation: operation)
        try file.writeAll(content.bytes.bytes, operation: operation)
        CrashPoint.pass()
        guard fchown(file.rawValue, owner, group) == 0 else { throw HostError(errno: errno, operation: operation) }
        let result = clinux_copy_xattrs(original, file.rawValue)
        // A file system that knows no access lists holds the bytes all the same.
        guard result == 0 || result == -ENOTSUP else {
            throw HostError(errno: -result, operation: "\(operation): extended attributes")
        }
        guard fchmod(file.rawValue, mode_t(truncatingIfNeeded: content.mode & 0o7777)) == 0, fsync(file.rawValue) == 0,
            renameat(folder.rawValue, Self.temporary, folder.rawValue, name) == 0
        else { throw HostError(errno: errno, operation: operation) }
        CrashPoint.pass()
        guard fsync(folder.rawValue) == 0 else { throw HostError(errno: errno, operation: operation) }
    }

    /// The backup of a file by a run, open for reading; nil where there is none.
    func open(path: String, run: String) throws(HostError) -> Descriptor? {
        let operation = "open the backup of \(path)"
        let (place, name) = try place(of: path, run: run, operation)
        let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let number = Glibc.open("\(place)/\(name)", flags)
        guard number >= 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw HostError(errno: errno, operation: operation) }
            return nil
        }
        return Descriptor(owning: number)
    }

    /// Where that backup lies. Only root can put anything there.
    func path(of path: String, run: String) throws(HostError) -> String {
        let (place, name) = try place(of: path, run: run, "find the backup of \(path)")
        return "\(place)/\(name)"
    }

    private func place(
        of path: String, run: String, _ operation: String
    ) throws(HostError) -> (directory: String, name: String) {
        let parts = path.split(separator: "/").map(String.init)
        guard let name = parts.last, !run.isEmpty, !run.contains("/"), run.first != ".",
            parts.allSatisfy({ $0 != "." && $0 != ".." })
        else { throw HostError(.malformed, operation: operation, message: "the path is not absolute and plain") }
        return (([directory, run] + parts.dropLast()).joined(separator: "/"), name)
    }
}
