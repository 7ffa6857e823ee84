internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Reporting
internal import Watching

/// Judging what was touched, and saying so.
extension Watcher {
    /// Forgets what was touched, judges what stands on it, and puts the result out.
    func look(at topics: Set<WatchTopic>) {
        let began = Console.monotonicNanoseconds()
        let heard = netfilterReader.generation
        let touched = TouchedParts(topics)
        session.host.forget(where: touched.touches)
        let isTouched = standing.forget(where: touched.touches)
        noteAgeOfProof()
        // A container that is gone, a profile that is as it was: nothing stands on it.
        guard
            isTouched || topics.isEmpty || topics.contains(.everything) || report == nil
                || isProofOutdated != (report?.proof?.isOutdated ?? false)
        else {
            status.proof?.isDue = schedule.awaitsProof
            return export.publish(status)
        }
        let at = RFC3339.text(secondsSince1970: Console.wallClockSeconds())
        var input = session.diagnosisInput()
        input.outdatedProof = outdatedProof
        let judged = standing.judge(input, on: session.host)
        let result = session.waived(judged, on: String(at.prefix(10)))
        var new = session.report(
            result, looked: (at: at, milliseconds: Session.milliseconds(since: began)))
        if isProofOutdated { new.proof?.isOutdated = true }
        self.result = result
        status.judgements += 1
        status.judgedAnew = standing.judgedAnew
        status.judgedAt = at
        status.verdict = new.verdict
        status.proof?.isDue = schedule.awaitsProof
        let secondsOfDay = Console.wallClockSeconds() % 86_400
        dayDue = new.waivers == nil ? nil : now + (86_400 - secondsOfDay) * 1_000
        let needed = standing.requests
        // What could not be read whole is no sign of what there is to be watched.
        if isMixed(topics, heard) || isOvertaken(new) {
            gate.looked(for: 0, at: now)
            return
        }
        keepAnEyeOn(needed)
        // Containers come and go: what nothing stands on any more is not kept.
        if status.judgements % Self.pruning == 0 { session.host.forget { !needed.contains($0) } }
        if isWarm {
            let left = considerRepairs(of: new)
            putOut(new)
            tell(left)
        }
        gate.looked(for: Int((Console.monotonicNanoseconds() - began) / 1_000_000), at: now)
    }

    /// Whether rules that were kept may be older than what was read beside them: the ruleset was read at another generation
    /// than the kernel has told of so far. What it tells next says which tables have changed; after some looks in vain
    /// everything is read.
    func isMixed(_ topics: Set<WatchTopic>, _ heard: UInt16?) -> Bool {
        guard topics.contains(.nftables), !topics.contains(.everything), let read = session.host.nftGeneration,
            read != heard
        else {
            mixed = 0
            return false
        }
        mixed += 1
        touch(mixed < Self.mostOvertaken ? [.nftables] : [.everything])
        return true
    }

    /// Whether something changed while it was read, which could not be judged for that: it is looked at again before
    /// anything is said. Not for ever, where something never stops changing.
    func isOvertaken(_ new: Report) -> Bool {
        let blind = new.summary.unknown + new.summary.blocked
        guard let report, blind > report.summary.unknown + report.summary.blocked, overtaken < Self.mostOvertaken else {
            overtaken = 0
            return false
        }
        hear()
        guard gate.due != nil else {
            overtaken = 0
            return false
        }
        overtaken += 1
        return true
    }

    /// The latest result goes out, and what is new in it to the log.
    func putOut(_ new: Report) {
        let old = report
        report = new
        export.publish(new, status)
        log.write(new, after: old)
        let polls = status.polled.map { "\($0.part) every \($0.everySeconds) s" }.joined(separator: ", ")
        ServiceManager.notify(
            (old == nil ? "READY=1\n" : "") + "STATUS=\(WatchLog.headline(new))"
                + (polls.isEmpty ? "" : "; without events, looked at: \(polls)"))
    }

    /// Watches the files and processes that the judgement stands on, and finds out what must be polled.
    func keepAnEyeOn(_ requests: Set<HostRequest>) {
        let host = session.host
        let parts = WatchedParts(requests) { request in
            PolledAnswer { () throws(HostError) in try host.answer(request) }.isPresent
        }
        // What was read before it was watched may have changed in between. That is no sign that it has.
        gate.note(Set(files.watch(parts.files).map { .file($0) }), at: now)
        gate.note(Set(processes.watch(parts.processes).map { .process($0) }), at: now)
        status.unwatchedFiles = files.unwatched.count
        guard polled != parts.polled else { return }
        polled = parts.polled
        pollDue = polled.isEmpty ? nil : now + settings.poll * 1_000
        status.polled = polled.compactMap(\.polledName).sorted().map {
            WatchStatus.Polled($0, everySeconds: settings.poll)
        }
        if !status.polled.isEmpty {
            let names = status.polled.map(\.part).joined(separator: ", ")
            log.write(.information, "poll", "looked at every \(settings.poll) s, for want of events: \(names)")
        }
    }
}
