internal import CLinux
internal import Glibc
internal import HostAccess

/// The directory of a file that is to be changed, held open, and the file's name in it.
///
/// Nobody but root can put anything else in the way: every directory above belongs to root and is not writable by
/// others (or is sticky, as `/tmp` is, where only root can rename root's directories); the last one is not writable by
/// others at all. Links on the way are resolved before the walk, and no link is followed in it.
struct TrustedDirectory: ~Copyable {
    let descriptor: Descriptor
    let name: String
    let operation: String

    init(of path: String, operation: String) throws(HostError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].isEmpty, let last = parts.last, !path.utf8.contains(0),
            parts.dropFirst().allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else {
            throw HostError(.malformed, operation: operation, message: "the path is not absolute and plain")
        }
        let parent = parts.count == 2 ? "/" : parts.dropLast().joined(separator: "/")
        guard let resolved = realpath(parent, nil) else { throw HostError(errno: errno, operation: operation) }
        defer { free(resolved) }
        let real = String(cString: resolved)
        let walked = try TrustedDirectory.walk(real, operation)
        // The same directory again, to be read and synchronised: an O_PATH descriptor cannot be.
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let descriptor = try Descriptor(openat(walked.rawValue, ".", flags).orErrno, operation: operation)
        self.descriptor = descriptor
        name = String(last)
        self.operation = operation
    }

    private static func walk(_ real: String, _ operation: String) throws(HostError) -> Descriptor {
        let flags = clinux_o_path | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var directory = try Descriptor(Glibc.open("/", flags).orErrno, operation: operation)
        let parts = real.split(separator: "/")
        try check(directory, "/", isLast: parts.isEmpty, operation)
        for (position, part) in parts.enumerated() {
            directory = try Descriptor(
                openat(directory.rawValue, String(part), flags).orErrno, operation: operation)
            let path = "/" + parts[...position].joined(separator: "/")
            try check(directory, path, isLast: position == parts.count - 1, operation)
        }
        return directory
    }

    private static func check(
        _ directory: borrowing Descriptor, _ path: String, isLast: Bool, _ operation: String
    ) throws(HostError) {
        var facts = stat()
        guard fstat(directory.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        let writable = SoleOwner.othersMayWrite(mode: Int(facts.st_mode), group: Int(facts.st_gid))
        let isSticky = facts.st_mode & 0o1000 != 0
        guard facts.st_uid == 0, !writable || (isSticky && !isLast) else {
            throw HostError(
                .notPermitted, operation: operation, message: "its directory \(path) can be written by others than root"
            )
        }
    }

    /// What stands at the name, itself; nil where nothing does.
    borrowing func facts() throws(HostError) -> stat? {
        var facts = stat()
        if fstatat(descriptor.rawValue, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 { return facts }
        guard errno == ENOENT else { throw HostError(errno: errno, operation: operation) }
        return nil
    }

    borrowing func remove() throws(HostError) {
        guard unlinkat(descriptor.rawValue, name, 0) == 0 else { throw HostError(errno: errno, operation: operation) }
        CrashPoint.pass()
        try synchronise()
    }

    /// Makes the names in the directory durable.
    borrowing func synchronise() throws(HostError) {
        guard fsync(descriptor.rawValue) == 0 else { throw HostError(errno: errno, operation: operation) }
    }
}
