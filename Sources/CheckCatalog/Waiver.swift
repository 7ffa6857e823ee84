/// What the operator has decided to live with, and until when. Shape: one entry of `/etc/lxc-doctor/waivers.yaml`.
package struct Waiver: Sendable, Hashable {
    /// The id of a cause or of a check.
    package var id: String
    /// The name of the one network, container or host that it is about; nil: all.
    package var subject: String?
    package var reason: String
    /// The last day on which it holds, `YYYY-MM-DD`, UTC. Texts of this shape compare as the days do.
    package var expires: String
    /// Where the id stands, for messages.
    package var line: Int
    package var column: Int

    package init(id: String, subject: String? = nil, reason: String, expires: String, line: Int = 0, column: Int = 0) {
        self.id = id
        self.subject = subject
        self.reason = reason
        self.expires = expires
        self.line = line
        self.column = column
    }
}
