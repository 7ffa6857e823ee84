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

    /// A waiver that is not as it was; `before` is absent where there was none, `after` where there is none any more.
    package struct WaiverChange: Codable, Sendable, Hashable {
        package var id: String
        package var subject: String?
        package var reason: String
        package var expires: String
        package var before: WaiverUse.State?
        package var after: WaiverUse.State?
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
    /// Did not fail, and does; most severe first.
    package var broke: [Change]
    /// Failed, and holds now, or need not hold any more.
    package var healed: [Change]
    /// Otherwise not as it was: also what is looked at no more, and what could not be judged once, before or after.
    package var changed: [Change]
    package var appeared: [CauseChange]
    package var gone: [CauseChange]
    /// Absent where the proof says the same.
    package var proof: ProofChange?
    /// Absent where they are all as before. One that ran out counts (exit code 1), though nothing else differs.
    package var waivers: [WaiverChange]?

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
        let changes = Self.waivers(old.waivers ?? [], new.waivers ?? [])
        waivers = changes.isEmpty ? nil : changes
        worse =
            broke.contains { $0.severity != .notice } || old.verdict.badness < new.verdict.badness
            || Health.badness(ofExitCode: old.exitCode) < Health.badness(ofExitCode: new.exitCode)
    }

    package var exitCode: Int32 { worse ? 2 : 0 }

    /// Whether something is good now that was not, and nothing broke.
    package var isBetter: Bool {
        !worse && broke.isEmpty
            && (!healed.isEmpty || new.verdict.badness < old.verdict.badness
                || Health.badness(ofExitCode: new.exitCode) < Health.badness(ofExitCode: old.exitCode))
    }

    /// What was judged before and cannot be now, by the reason: a broken bridge blocks a dozen checks, and is one story.
    package var unseen: [(why: String, changes: [Change])] {
        var reasons: [String] = []
        var groups: [String: [Change]] = [:]
        for change in changed where change.isUnseen {
            let why = change.afterDetail ?? "no reason given"
            if groups[why] == nil { reasons.append(why) }
            groups[why, default: []].append(change)
        }
        return reasons.map { ($0, groups[$0] ?? []) }
    }

    /// Nothing differs, but the time and the duration.
    package var isEmpty: Bool {
        broke.isEmpty && healed.isEmpty && changed.isEmpty && appeared.isEmpty && gone.isEmpty && proof == nil
            && waivers == nil && old.exitCode == new.exitCode
    }

    private static func waivers(_ old: [WaiverUse], _ new: [WaiverUse]) -> [WaiverChange] {
        func isSame(_ one: WaiverUse, _ other: WaiverUse) -> Bool { one.id == other.id && one.subject == other.subject }
        func change(_ one: WaiverUse, _ before: WaiverUse.State?, _ after: WaiverUse.State?) -> WaiverChange {
            WaiverChange(
                id: one.id, subject: one.subject, reason: one.reason, expires: one.expires, before: before, after: after
            )
        }
        return new.compactMap { one in
            let before = old.first { isSame($0, one) }
            return before?.state == one.state && before?.expires == one.expires
                ? nil : change(one, before?.state, one.state)
        } + old.filter { one in !new.contains { isSame($0, one) } }.map { change($0, $0.state, nil) }
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
        if after.verdict == .fail, before?.verdict != .fail {
            broke.append(change)
        } else if before?.verdict == .fail, after.verdict.isGood {
            healed.append(change)
        } else if before == nil ? after.verdict != .pass : change.differs || before?.severity != after.severity {
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

    /// It was judged before, and cannot be now: neither broken nor healed.
    package var isUnseen: Bool { (after?.isUnclear ?? false) && !(before?.isUnclear ?? true) }
}

extension Finding {
    fileprivate var detail: String? {
        verdict == .pass || verdict == .fail ? observed : why.isEmpty ? nil : why
    }
}

extension Verdict {
    /// It holds, or need not.
    fileprivate var isGood: Bool { self == .pass || self == .notApplicable || self == .waived }
    /// It could not be judged.
    fileprivate var isUnclear: Bool { self == .unknown || self == .blocked }
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
