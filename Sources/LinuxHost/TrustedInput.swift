internal import Glibc
package import HostAccess

/// A file that tells this process what to do as root, such as a saved plan.
package enum TrustedInput {
    /// Reads a regular file that belongs to root and that nobody else can write to. A link at the end of the path is not
    /// followed. The check is of the open file itself, so that no other file can take its place before it is read.
    ///
    /// Throws `notPermitted` where somebody else could have written it, `malformed` where it is no regular file, `limit`
    /// where it is longer than `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(HostError) -> [UInt8] {
        let operation = "read \(path)"
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let file = try Descriptor(open(path, flags).orErrno, operation: operation)
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.isRegular, facts.belongsOnly(to: [0]) else {
            throw HostError(
                facts.isRegular ? .notPermitted : .malformed, operation: operation,
                message: "it is not a file that only root can write")
        }
        return try Descriptor.readToEnd(
            file.rawValue, limit: limit, expected: Int(facts.st_size), operation: operation)
    }
}
