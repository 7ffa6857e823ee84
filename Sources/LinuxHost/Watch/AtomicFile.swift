internal import Glibc
package import HostAccess

/// A file that others read while it is replaced: they see the old one or the new one, never half of one.
package enum AtomicFile {
    /// Writes a file of mode 0644 beside the old one, under a random hidden name that no collector reads, and renames it over
    /// the old one. No link is followed. Throws what the system said.
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
        try file.writeAll(bytes, operation: operation)
        guard fchmod(file.rawValue, 0o644) == 0, renameat(folder.rawValue, temporary, folder.rawValue, name) == 0
        else { throw HostError(errno: errno, operation: operation) }
        isPlaced = true
    }

    /// Removes the file, if there is one.
    package static func remove(_ path: String) { unlink(path) }
}
