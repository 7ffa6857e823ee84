package import HostAccess
internal import Glibc

/// Files that a user names for output: reports, recordings, captures.
package enum OutputFile {
    /// Writes a new file or replaces the content of one, mode 0600, following no link at the last component.
    ///
    /// Throws `notPermitted`, `notFound` or `other` with what the system said; `malformed` where the path is a link
    /// or no regular file.
    package static func write(_ bytes: [UInt8], to path: String) throws(HostError) {
        try write(bytes, to: path, in: AT_FDCWD, shown: path)
    }

    /// The same, by a name in an open directory; `path` is for messages.
    static func write(_ bytes: [UInt8], to name: String, in directory: Int32, shown path: String) throws(HostError) {
        let descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HostError(.malformed, operation: "write \(path)", message: "not a regular file")
        }
        guard status.st_nlink == 1 else {
            throw HostError(.malformed, operation: "write \(path)", message: "the file has several names (hard links)")
        }
        guard fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 else { throw failure(path, errno) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                throw failure(path, errno)
            }
            rest = rest.dropFirst(written)
        }
    }

    private static func failure(_ path: String, _ number: Int32) -> HostError {
        let code: HostError.Code =
            switch number {
            case EACCES, EPERM, EROFS: .notPermitted
            case ENOENT, ENOTDIR: .notFound
            case ELOOP: .malformed
            default: .other
            }
        let message = number == ELOOP ? "is a symbolic link" : String(cString: strerror(number))
        return HostError(code, operation: "write \(path)", message: message, errno: number)
    }
}
