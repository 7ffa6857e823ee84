internal import Glibc
internal import HostAccess

/// A directory that belongs to this user alone, made where it is missing.
enum OwnDirectory {
    /// Opens the directory; missing ones on the way are made with mode 0755, the last one with `mode`, each of them
    /// synced into its parent. Error of code `malformed` where others could write to it.
    static func open(_ path: String, mode: mode_t) throws(HostError) -> Descriptor {
        let operation = "open directory \(path)"
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let parts = path.split(separator: "/").map(String.init)
        var current = try Descriptor(Glibc.open("/", flags).orErrno, operation: operation)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            if mkdirat(current.rawValue, part, isLast ? mode : 0o755) == 0 {
                guard fsync(current.rawValue) == 0 else { throw HostError(errno: errno, operation: operation) }
            } else if errno != EEXIST {
                throw HostError(errno: errno, operation: operation)
            }
            current = try Descriptor(
                openat(current.rawValue, part, flags | (isLast ? O_NOFOLLOW : 0)).orErrno, operation: operation)
        }
        var facts = stat()
        guard fstat(current.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.belongsOnlyToThisUser else {
            throw HostError(.malformed, operation: operation, message: "it does not belong to root alone")
        }
        return current
    }
}
