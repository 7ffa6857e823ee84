internal import Glibc
package import HostAccess

/// The directory that a user names for evidence. What is written there may be read by its owner only: captures and
/// rulesets tell more of a host than its users should know.
package struct EvidenceDirectory: ~Copyable {
    private let descriptor: Descriptor
    private let path: String

    /// Makes the directory with mode 0700, or takes one that is there and belongs to this user alone.
    ///
    /// Throws `malformed` where the path is a link or no directory, `notPermitted` where it belongs to somebody else or
    /// others may write to it.
    package init(_ path: String) throws(HostError) {
        let operation = "write evidence to \(path)"
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw HostError(errno: errno, operation: operation) }
        let result = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard result >= 0 else {
            guard errno == ELOOP || errno == ENOTDIR else { throw HostError(errno: errno, operation: operation) }
            throw HostError(.malformed, operation: operation, message: "it is a symbolic link or no directory")
        }
        let descriptor = Descriptor(owning: result)
        var facts = stat()
        guard fstat(descriptor.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.belongsOnlyToThisUser else {
            throw HostError(
                .notPermitted, operation: operation,
                message: "the directory belongs to somebody else, or others may write to it")
        }
        self.descriptor = descriptor
        self.path = path
    }

    /// Writes a file of mode 0600, replacing one of an earlier run.
    package borrowing func write(_ bytes: [UInt8], to name: String) throws(HostError) {
        guard !name.contains("/") else {
            throw HostError(.malformed, operation: "write \(name)", message: "not a plain file name")
        }
        try OutputFile.write(bytes, to: name, in: descriptor.rawValue, shown: "\(path)/\(name)")
    }
}
