package import HostAccess
internal import Glibc

/// Files that a user names for output: reports, recordings, captures.
package enum OutputFile {
    /// Writes a new file or replaces the content of one, mode 0600, following no link at the last component.
    ///
    /// Throws `malformed` where the path is a link or no regular file, else what the system said.
    package static func write(_ bytes: [UInt8], to path: String) throws(HostError) {
        try write(bytes, to: path, in: AT_FDCWD, shown: path)
    }

    /// The same, by a name in an open directory; `path` is for messages.
    static func write(_ bytes: [UInt8], to name: String, in directory: Int32, shown path: String) throws(HostError) {
        let operation = "write \(path)"
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let file = try Descriptor(openat(directory, name, flags, 0o600).orErrno, operation: operation)
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.isRegular else {
            throw HostError(.malformed, operation: operation, message: "not a regular file")
        }
        guard facts.st_nlink == 1 else {
            throw HostError(.malformed, operation: operation, message: "the file has several names (hard links)")
        }
        guard fchmod(file.rawValue, 0o600) == 0, ftruncate(file.rawValue, 0) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
        try file.writeAll(bytes, operation: operation)
        try file.close(operation: operation)
    }
}
