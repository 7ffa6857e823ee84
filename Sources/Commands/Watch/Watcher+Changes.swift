internal import Diagnosis
internal import HostModel
internal import LinuxHost
internal import Watching

/// What changes the watch itself, or the host.
extension Watcher {
    /// Reads profile, checks and waivers again. Where they are no good the old ones stay.
    func reload() {
        ServiceManager.notify("RELOADING=1\nMONOTONIC_USEC=\(Console.monotonicNanoseconds() / 1_000)")
        defer { ServiceManager.notify("READY=1") }
        do {
            let new = try Self.session(settings)
            let (transcripts, duration) = (session.proofTranscripts, session.proof?.durationMilliseconds)
            let isSameProfile = new.chosen.profile == session.chosen.profile
            session = new
            standing.forgetEverything()
            status.profile = new.chosen.profile.name
            if repairs != nil { repairs = WatchRepairs(settings) }
            // A proof of the same networks still holds; of others there is none yet.
            if isSameProfile, let transcripts {
                session.adopt(transcripts, settings.proof, milliseconds: duration ?? 0)
            } else {
                proof = nil
                schedule = ProofSchedule(every: settings.proof == .off ? nil : settings.proofEvery * 1_000)
            }
            log.write(.notice, "reload", "read the configuration again: profile \(status.profile)")
            touch([.everything])
        } catch {
            log.write(.error, "reload", "\(error.message); the old configuration stays")
        }
    }

    /// Repairs what may be repaired now, and looks at everything afterwards. Events of the repair itself are in that look.
    func repair() {
        guard let repairs, let report, let result else { return }
        let accepted = repairs.due(in: report, at: now / 1_000)
        guard !accepted.isEmpty else { return }
        let names = accepted.map { "\($0.cause) (\($0.subject.name))" }.joined(separator: ", ")
        log.write(.warning, "repair", "repairs \(names)")
        var remediation = Remediation(
            session: session, proofMode: settings.proof, consent: .unattended, quiet: true)
        remediation.accepts = { accepted.contains(RemedyGovernor.Target(cause: $0.id, subject: $0.subject)) }
        remediation.isUnattended = true
        do {
            let after = try remediation.run(from: result)
            tell(after)
            repairs.ended(accepted, after: after, at: now / 1_000)
        } catch {
            log.write(.error, "repair", error.message)
            repairs.ended(accepted, after: nil, at: now / 1_000)
        }
        schedule.begin(at: now)
        isProofOutdated = false
        status.proof?.provedAt = RFC3339.text(secondsSince1970: Console.wallClockSeconds())
        status.proof?.verdict = session.proof?.verdict
        hear()
        _ = gate.open(at: .max)
        look(at: [.everything])
    }

    /// Decides what is to be repaired, and gives what is left alone now and was not before.
    func considerRepairs(of report: Report) -> [WatchStatus.LeftAlone] {
        guard let repairs else { return [] }
        let known = repairs.leftAlone
        repairs.consider(report, at: now / 1_000)
        status.repairs?.leftAlone = repairs.leftAlone
        return repairs.leftAlone.filter { !known.contains($0) }
    }

    /// What a person has to see to, and why, is said once.
    func tell(_ alone: [WatchStatus.LeftAlone]) {
        for left in alone {
            log.write(
                JournalEntry(
                    .notice, "leaves alone \(left.cause), \(left.subject): \(left.reason)",
                    [
                        ("EVENT", "left-alone"), ("CAUSE", left.cause), ("SUBJECT", left.subject.description),
                        ("REASON", left.reason),
                    ]))
        }
    }

    private func tell(_ report: Report) {
        guard let fixes = report.fixes else { return }
        let steps = fixes.steps.map { "\($0.state.rawValue) \($0.target)" }.joined(separator: "; ")
        let words = [fixes.reason, steps.isEmpty ? nil : steps].compactMap { $0 }.joined(separator: "; ")
        log.write(
            JournalEntry(
                fixes.outcome == .applied ? .notice : .error, "repair \(fixes.outcome.rawValue): \(words)",
                [
                    ("EVENT", "repaired"), ("OUTCOME", fixes.outcome.rawValue), ("JOURNAL", fixes.journal ?? ""),
                ]))
    }
}

extension ConsentOptions {
    /// Given beforehand, by the list of remedies.
    static var unattended: ConsentOptions {
        var options = ConsentOptions()
        options.yes = true
        options.confirmWithin = nil
        return options
    }
}
