/// Why the host gave no answer.
package struct HostError: Error, Codable, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Codable, Sendable {
        /// ENOENT, ENODEV: there is no such thing. Often an answer in itself.
        case notFound
        /// EPERM, EACCES: it may be there, but this process may not look.
        case notPermitted
        /// The kernel has no such facility (EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT).
        case unsupported
        /// A bound was reached before the end: bytes, entries, messages or time.
        case limit
        /// The answer cannot be what it should be (truncated netlink, not a file, a link where none is allowed).
        case malformed
        /// The recording holds no answer to this request.
        case notRecorded
        /// The change finds another state than the one it was planned on.
        case stale
        /// Anything else; `errno` says what.
        case other
    }

    package var code: Code
    /// What was tried: `open /etc/lxc/lxc.conf`, `rtnetlink RTM_GETLINK`.
    package var operation: String
    /// What went wrong, in words a person can use.
    package var message: String
    package var errno: Int32?

    package init(_ code: Code, operation: String, message: String, errno: Int32? = nil) {
        self.code = code
        self.operation = operation
        self.message = message
        self.errno = errno
    }

    package var description: String { "\(operation): \(message)" }
}
