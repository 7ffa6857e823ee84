/// The verdict on one check. "Could not look" is never pass and never fail.
package enum Verdict: String, Codable, Sendable, CaseIterable {
    case pass, fail, unknown, blocked, notApplicable, waived
}

/// A check with its verdict; one row of the report.
package struct Finding: Codable, Sendable, Hashable {
    package var check: String
    package var subject: Subject
    package var title: String
    package var area: Area
    package var severity: Severity
    package var verdict: Verdict
    /// Why, for unknown, blocked, notApplicable and waived.
    package var reason: String?
    package var expected: String?
    package var observed: String?
    package var evidence: [Evidence]
    /// The checks that must hold before this one can be judged.
    package var blockedBy: [String]
    /// Ids of the causes that this finding speaks for.
    package var causes: [String]
    package var durationMilliseconds: Double

    package init(
        check: String, subject: Subject, title: String, area: Area, severity: Severity, verdict: Verdict,
        reason: String? = nil, expected: String? = nil, observed: String? = nil, evidence: [Evidence] = [],
        blockedBy: [String] = [], causes: [String] = [], durationMilliseconds: Double = 0
    ) {
        self.check = check
        self.subject = subject
        self.title = title
        self.area = area
        self.severity = severity
        self.verdict = verdict
        self.reason = reason
        self.expected = expected
        self.observed = observed
        self.evidence = evidence
        self.blockedBy = blockedBy
        self.causes = causes
        self.durationMilliseconds = durationMilliseconds
    }
}

/// The state of the whole host, and the exit code that says it.
///
/// Source: monitoring-plugins guidelines (0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN).
package enum Health: String, Codable, Sendable {
    case healthy, warning, critical, unknown

    /// The one rule from findings to health: a critical check failed, else a warning one failed, else anything is
    /// unknown or blocked, else healthy. Notices and waived findings do not count. A waiver that has expired counts as a
    /// failed warning: what nobody looks at again is not waived but forgotten.
    package init(of findings: [Finding], waivers: [WaiverUse] = []) {
        let failed = findings.filter { $0.verdict == .fail }.map(\.severity).max()
        if failed == .critical {
            self = .critical
        } else if failed == .warning || waivers.contains(where: { $0.state == .expired }) {
            self = .warning
        } else if findings.contains(where: {
            ($0.verdict == .unknown || $0.verdict == .blocked) && $0.severity != .notice
        }) {
            self = .unknown
        } else {
            self = .healthy
        }
    }

    package var exitCode: Int32 {
        switch self {
        case .healthy: 0
        case .warning: 1
        case .critical: 2
        case .unknown: 3
        }
    }
}
