internal import Glibc
package import HostAccess

/// A file that others read while it is replaced: they see the old one or the new one, never half of one.
package enum AtomicFile {
    /// Writes beside the file under a name that no collector reads, and puts it in its place. Readable for everybody.
    /// The name is a new one each time and no link at it is followed. Throws what the system said.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(HostError) {
        let operation = "write \(path)"
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        guard !name.isEmpty, name != ".", name != ".." else {
            throw HostError(.malformed, operation: operation, message: "the path names no file")
        }
        let folder = try Descriptor(
            open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC).orErrno, operation: operation)
        let temporary = ".\(name).\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let file = try Descriptor(
            openat(folder.rawValue, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600).orErrno,
            operation: operation)
        var isPlaced = false
        defer { if !isPlaced { unlinkat(folder.rawValue, temporary, 0) } }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw HostError(errno: errno, operation: operation) }
            rest = rest.dropFirst(written)
        }
        guard fchmod(file.rawValue, 0o644) == 0, renameat(folder.rawValue, temporary, folder.rawValue, name) == 0
        else { throw HostError(errno: errno, operation: operation) }
        isPlaced = true
    }

    /// Removes the file; that there is none is all right.
    package static func remove(_ path: String) { unlink(path) }
}
