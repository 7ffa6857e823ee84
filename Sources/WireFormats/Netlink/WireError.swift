/// Bytes that cannot be what they should be.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The bytes end before the value does.
        case truncated
        /// A length or a value that the format does not allow.
        case malformed
    }

    package let code: Code
    /// What was being read: `IFLA_IFNAME`, `nlmsghdr`.
    package let subject: String

    package init(_ code: Code, _ subject: String) {
        self.code = code
        self.subject = subject
    }

    package var description: String {
        switch code {
        case .truncated: "\(subject): the bytes end too early"
        case .malformed: "\(subject): the bytes are not of the form that is defined for it"
        }
    }
}
