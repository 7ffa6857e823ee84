internal import HostModel
internal import LinuxHost
internal import Reporting
internal import Watching

/// What a watch says: structured to the journal where it runs under one, else as lines on standard error.
struct WatchLog {
    private let toJournal: Bool
    private let toTerminal: Bool

    init() {
        toTerminal = Console.isTerminal(.error)
        toJournal = !toTerminal && ServiceManager.isErrorStreamJournal
    }

    func write(_ entry: JournalEntry) {
        if toJournal, ServiceManager.log(entry.datagram) { return }
        // Under a service manager the priority goes in front, for people it does not.
        Console.write(toTerminal ? "lxc-doctor: \(entry.message)\n" : entry.line, to: .error)
    }

    func write(_ priority: JournalEntry.Priority, _ event: String, _ message: String) {
        write(JournalEntry(priority, message, [("EVENT", event)]))
    }

    /// What differs between two reports; the first report as a whole.
    func write(_ report: Report, after old: Report?) {
        guard let old else {
            write(
                JournalEntry(
                    report.verdict.priority, Self.headline(report),
                    [("EVENT", "first"), ("VERDICT", report.verdict.rawValue), ("PROFILE", report.profile.name)]))
            for cause in report.causes { write(entry("cause-appeared", cause.id, cause.subject, cause.title, report)) }
            for waiver in report.expiredWaivers { write(expired(waiver)) }
            return
        }
        let diff = ReportDiff(old: old, new: report)
        for cause in diff.appeared { write(entry("cause-appeared", cause.id, cause.subject, cause.title, report)) }
        for cause in diff.gone {
            write(
                JournalEntry(
                    .notice, "gone: \(cause.title) [\(cause.id)], \(cause.subject)",
                    [("EVENT", "cause-gone"), ("CAUSE", cause.id), ("SUBJECT", cause.subject.description)]))
        }
        for change in diff.broke { write(entry("broke", change, change.severity.priority)) }
        for change in diff.healed { write(entry("healed", change, .notice)) }
        for group in diff.unseen { write(unseen(group.why, group.changes)) }
        for waiver in report.expiredWaivers where !old.expiredWaivers.contains(where: { $0.name == waiver.name }) {
            write(expired(waiver))
        }
        if let proof = diff.proof {
            let (before, after) = (proof.before?.rawValue ?? "none", proof.after?.rawValue ?? "none")
            write(
                JournalEntry(
                    proof.after?.isHealthy == true ? .notice : .warning,
                    "packet proof: \(after), was \(before)", [("EVENT", "proof"), ("PROOF", after)]))
        }
        if old.verdict != report.verdict {
            write(
                JournalEntry(
                    report.verdict.priority, Self.headline(report) + ", was \(old.verdict.rawValue)",
                    [("EVENT", "verdict"), ("VERDICT", report.verdict.rawValue)]))
        }
    }

    private func expired(_ waiver: WaiverUse) -> JournalEntry {
        JournalEntry(.warning, waiver.sentence, [("EVENT", "waiver-expired"), ("WAIVER", waiver.name)])
    }

    /// One entry for all that cannot be judged for one reason.
    private func unseen(_ why: String, _ changes: [ReportDiff.Change]) -> JournalEntry {
        let ids = changes.map(\.check).joined(separator: ", ")
        return JournalEntry(
            .notice, "cannot be judged any more (\(why)): \(ids)",
            [("EVENT", "unseen"), ("REASON", why), ("CHECKS", ids)])
    }

    static func headline(_ report: Report) -> String {
        "\(report.verdict.rawValue): \(report.summary.pass) checks hold, \(report.summary.fail) do not, "
            + "\(report.summary.unknown + report.summary.blocked) cannot be judged"
    }

    private func entry(
        _ event: String, _ id: String, _ subject: Subject, _ title: String, _ report: Report
    ) -> JournalEntry {
        let cause = report.causes.first { $0.id == id && $0.subject == subject }
        return JournalEntry(
            (cause?.severity ?? .warning).priority, "root cause: \(title) [\(id)], \(subject)",
            [
                ("EVENT", event), ("CAUSE", id), ("SUBJECT", subject.description),
                ("SEVERITY", (cause?.severity ?? .warning).rawValue), ("CHECK", cause?.check ?? ""),
            ])
    }

    private func entry(
        _ event: String, _ change: ReportDiff.Change, _ priority: JournalEntry.Priority
    ) -> JournalEntry {
        var message = "\(event): \(change.title) [\(change.check)]"
        if let detail = change.afterDetail, !detail.isEmpty { message += ": \(detail)" }
        return JournalEntry(
            priority, message,
            [
                ("EVENT", event), ("CHECK", change.check), ("SUBJECT", change.subject.description),
                ("SEVERITY", change.severity.rawValue), ("VERDICT", change.after?.rawValue ?? "none"),
            ])
    }
}

extension Severity {
    fileprivate var priority: JournalEntry.Priority {
        switch self {
        case .notice: .notice
        case .warning: .warning
        case .critical: .critical
        }
    }
}

extension Health {
    fileprivate var priority: JournalEntry.Priority {
        switch self {
        case .healthy: .notice
        case .warning, .unknown: .warning
        case .critical: .critical
        }
    }
}
