/// A waiver of the operator, and what it does in this run.
package struct WaiverUse: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable, CaseIterable {
        /// Something is waived by it.
        case active
        /// It ran out: what it covered counts again.
        case expired
        /// There is nothing that it covers.
        case unused
    }

    /// The id of a cause or of a check.
    package var id: String
    /// The name of the one subject that it is about; nil: every subject.
    package var subject: String?
    package var reason: String
    /// The last day on which it holds: `2026-12-31`, UTC.
    package var expires: String
    package var state: State
    /// The checks whose findings it waives, or waived until it expired.
    package var findings: [String]

    package init(
        id: String, subject: String? = nil, reason: String, expires: String, state: State, findings: [String] = []
    ) {
        self.id = id
        self.subject = subject
        self.reason = reason
        self.expires = expires
        self.state = state
        self.findings = findings
    }

    /// For people: `masq-missing (lxcbr1)`.
    package var name: String { subject.map { "\(id) (\($0))" } ?? id }
}
