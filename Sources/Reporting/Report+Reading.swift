package import HostModel

/// What several formats say of a report in the same way.
extension Report {
    /// Waivers that ran out: every format says so.
    package var expiredWaivers: [WaiverUse] { (waivers ?? []).filter { $0.state == .expired } }

    /// Root causes that speak for a failed finding.
    func causes(of finding: Finding) -> [Cause] {
        causes.filter { cause in
            (finding.causes.contains(cause.id) && Self.fit(cause.subject, finding.subject))
                || cause.consequences.contains(finding.check)
                || (cause.check == finding.check && cause.subject == finding.subject)
        }
    }

    private static func fit(_ left: Subject, _ right: Subject) -> Bool {
        left.kind != right.kind || left.name == right.name
    }

    /// Whether a repair ended so that this run cannot be called good (design, exit codes).
    var repairFailed: Bool { fixes.map { $0.outcome != .applied } ?? false }
}

extension WaiverUse {
    /// One sentence, as every format shows it.
    package var sentence: String {
        switch state {
        case .active: "\(name) is waived until \(expires): \(reason)"
        case .expired: "the waiver of \(name) expired on \(expires), so it counts again: \(reason)"
        case .unused: "the waiver of \(name) (until \(expires)) covers nothing: \(reason)"
        }
    }
}

extension Finding {
    /// How a finding counts for the exit code. The one rule is `Health`; formats that can say pass or fail only must
    /// not say more or less than it does.
    enum Weight {
        /// It makes the run fail.
        case failed
        /// It could not be judged, and that makes the run unknown.
        case unseen
        /// A notice, not applicable, waived: said, but not counted.
        case uncounted
        case passed
    }

    var weight: Weight {
        switch verdict {
        case .pass: .passed
        case .notApplicable, .waived: .uncounted
        case .fail: severity == .notice ? .uncounted : .failed
        case .unknown, .blocked: severity == .notice ? .uncounted : .unseen
        }
    }

    /// `nat.masquerade (network lxcbr1)`.
    var name: String { "\(check) (\(subject))" }

    /// Why it is not simply good or bad, in one line; empty where nothing is to be said.
    var why: String {
        if let reason, !reason.isEmpty { return reason }
        return blockedBy.isEmpty ? "" : "waits for \(blockedBy.joined(separator: ", "))"
    }

    /// `wanted X, found Y`; empty where neither is known.
    var contrast: String {
        [expected.map { "wanted \($0)" }, observed.map { "found \($0)" }].compactMap { $0 }.joined(separator: ", ")
    }
}

extension Verdict {
    /// For people: `not applicable`.
    var word: String { self == .notApplicable ? "not applicable" : rawValue }
}

extension FixOutcome {
    /// For people: `rolled back`.
    var word: String { self == .rolledBack ? "rolled back" : rawValue }
}
