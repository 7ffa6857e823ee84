package import HostModel

/// What became of a host between two reports. The contract is `reports/schema/diff.v1.schema.json`.
package struct ReportDiff: Encodable, Sendable, Hashable {
    package static let schemaName = "lxc-doctor/diff/1"

    /// One side, as far as it must be known to read the difference.
    package struct Side: Codable, Sendable, Hashable {
        package var hostname: String
        package var profile: String
        package var startedAt: String
        package var verdict: Health
        package var exitCode: Int32

        init(_ report: Report) {
            hostname = report.host.hostname
            profile = report.profile.name
            startedAt = report.startedAt
            verdict = report.verdict
            exitCode = report.exitCode
        }
    }

    /// A finding that is not as it was. `before` is absent where there was none, `after` where there is none any more.
    package struct Change: Codable, Sendable, Hashable {
        package var check: String
        package var subject: Subject
        package var title: String
        package var severity: Severity
        package var before: Verdict?
        package var after: Verdict?
        /// What was seen, or why nothing was.
        package var beforeDetail: String?
        package var afterDetail: String?
    }

    package struct CauseChange: Codable, Sendable, Hashable {
        package var id: String
        package var subject: Subject
        package var title: String
    }

    package struct ProofChange: Codable, Sendable, Hashable {
        package var before: ProofVerdict?
        package var after: ProofVerdict?
    }

    package var schema: String
    /// Whether the new one is worse: something that counts broke, or the exit code says so.
    package var worse: Bool
    package var old: Side
    package var new: Side
    /// Was not bad, and is; most severe first.
    package var broke: [Change]
    /// Was bad, and is not.
    package var healed: [Change]
    /// Otherwise not as it was: also what is looked at no more.
    package var changed: [Change]
    package var appeared: [CauseChange]
    package var gone: [CauseChange]
    /// Absent where the proof says the same.
    package var proof: ProofChange?

    /// Pure. Findings are the same one where check and subject are.
    package init(old: Report, new: Report) {
        schema = Self.schemaName
        self.old = Side(old)
        self.new = Side(new)
        (broke, healed, changed) = ([], [], [])
        appeared = Self.causes(of: new, notIn: old)
        gone = Self.causes(of: old, notIn: new)
        worse = false
        var before = Dictionary(old.findings.map { (Key($0), $0) }) { first, _ in first }
        for finding in new.findings { sort(before.removeValue(forKey: Key(finding)), finding) }
        for finding in old.findings where before[Key(finding)] != nil { sort(finding, nil) }
        broke = broke.enumerated().sorted {
            $0.element.severity != $1.element.severity
                ? $0.element.severity > $1.element.severity : $0.offset < $1.offset
        }.map(\.element)
        if old.proof?.verdict != new.proof?.verdict {
            proof = ProofChange(before: old.proof?.verdict, after: new.proof?.verdict)
        }
        worse =
            broke.contains { $0.severity != .notice } || old.verdict.badness < new.verdict.badness
            || Health.badness(ofExitCode: old.exitCode) < Health.badness(ofExitCode: new.exitCode)
    }

    package var exitCode: Int32 { worse ? 2 : 0 }

    /// Nothing differs, but the time and the duration.
    package var isEmpty: Bool {
        broke.isEmpty && healed.isEmpty && changed.isEmpty && appeared.isEmpty && gone.isEmpty && proof == nil
            && old.exitCode == new.exitCode
    }

    private struct Key: Hashable {
        var check: String
        var subject: Subject

        init(_ finding: Finding) {
            check = finding.check
            subject = finding.subject
        }
    }

    private mutating func sort(_ before: Finding?, _ after: Finding?) {
        guard let some = after ?? before else { return }
        let change = Change(
            check: some.check, subject: some.subject, title: some.title,
            severity: max(before?.severity ?? some.severity, some.severity), before: before?.verdict,
            after: after?.verdict, beforeDetail: before?.detail, afterDetail: after?.detail)
        guard let after else {
            // Looked at no more: that heals nothing.
            changed.append(change)
            return
        }
        let (was, isNow) = (before?.verdict.badness ?? 0, after.verdict.badness)
        if isNow > was {
            broke.append(change)
        } else if isNow < was {
            healed.append(change)
        } else if before == nil
            ? isNow == 0 && after.verdict != .pass : change.differs || before?.severity != after.severity
        {
            changed.append(change)
        }
    }

    private static func causes(of report: Report, notIn other: Report) -> [CauseChange] {
        report.causes.filter { cause in !other.causes.contains { $0.id == cause.id && $0.subject == cause.subject } }
            .map { CauseChange(id: $0.id, subject: $0.subject, title: $0.title) }
    }
}

extension ReportDiff.Change {
    fileprivate var differs: Bool { before != after || beforeDetail != afterDetail }
}

extension Finding {
    fileprivate var detail: String? {
        verdict == .pass || verdict == .fail ? observed : why.isEmpty ? nil : why
    }
}

extension Verdict {
    /// How bad it is that a check has this verdict.
    fileprivate var badness: Int {
        switch self {
        case .pass, .notApplicable, .waived: 0
        case .unknown, .blocked: 1
        case .fail: 2
        }
    }
}

extension Health {
    fileprivate var badness: Int { Self.badness(ofExitCode: exitCode) }

    /// Unknown is worse than healthy and milder than a warning, whatever the exit codes' order.
    fileprivate static func badness(ofExitCode code: Int32) -> Int {
        switch code {
        case 0: 0
        case 3: 1
        case 1: 2
        default: 3
        }
    }
}
