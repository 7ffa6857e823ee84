internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import PacketProof
internal import Reporting
internal import Watching

/// The engine of `watch`: one thread that sleeps in poll(2) until the kernel, a child or the clock has something to say.
///
/// An event says which part of the host may have changed. What was read of that part is forgotten, what stands on it is
/// looked at and judged again, and the result is put out. Events are heard before anything is read, so nothing that
/// happens during a look is lost.
final class Watcher {
    /// Judgements between two clearings of what was read.
    private static let pruning = 64
    /// Looks in a row that say nothing, because something changed meanwhile.
    private static let mostOvertaken = 5

    let settings: WatchSettings
    let log = WatchLog()
    let export: WatchExport
    var session: Session
    var standing = StandingDiagnosis()
    var status: WatchStatus
    /// The last one that was put out; nil before the first proof has ended.
    var report: Report?
    /// What the report was made of.
    var result: DiagnosisResult?
    var repairs: WatchRepairs?

    var gate = EventGate()
    var schedule: ProofSchedule
    var proof: RunningProof?
    /// Until the first proof has ended, or where there is none, nothing is put out: it would not be the whole truth.
    private var isWarm = false
    private var stops = false
    private var overtaken = 0

    private var route: EventSocket
    private var netfilter: EventSocket
    /// Nil where the kernel has no IPsec.
    private var policies: EventSocket?
    private var routeReader = RouteEventReader()
    private var netfilterReader = NftEventReader()
    private let files: FileWatch
    private var processes = ProcessWatch()
    private let signals: SignalSource

    private var polled: Set<WatchTopic> = []
    private var pollDue: Int?
    private var lookDue: Int?
    private var heartbeatDue: Int?
    /// When a waiver may expire: the next midnight, UTC. Nil where there is none.
    private var dayDue: Int?
    private let heartbeat = ServiceManager.watchdogMilliseconds.map { max(1, $0 / 2) }

    /// Throws usage, input and privilege errors: afterwards it stays.
    init(_ settings: WatchSettings) throws(CommandError) {
        self.settings = settings
        do {
            route = try EventSocket(.route, groups: RouteEventReader.groups)
            netfilter = try EventSocket(.netfilter, groups: NftEventReader.groups)
            files = try FileWatch()
            signals = try SignalSource()
        } catch {
            guard error.code == .notPermitted else { throw CommandError(.internalError, error.description) }
            throw CommandError(.privilege, "hearing of changes of the ruleset needs CAP_NET_ADMIN")
        }
        do {
            policies = try EventSocket(.xfrm, groups: EventSocket.policyGroups)
        } catch {
            policies = nil
        }
        session = try Session(settings.host, selection: settings.selection)
        export = try WatchExport(settings, log)
        schedule = ProofSchedule(every: settings.proof == .off ? nil : settings.proofEvery * 1_000)
        status = WatchStatus(
            tool: Report.Tool(name: Tool.name, version: Tool.version), startedAt: session.startedAt,
            profile: session.chosen.profile.name)
        if settings.proof != .off {
            status.proof = WatchStatus.Proof(mode: settings.proof, everySeconds: settings.proofEvery)
        }
        if settings.autoRemediate {
            try Remediation.requirePrivilege(session)
            if let live = session.live { try Interrupted.takeBack(on: live) }
            repairs = WatchRepairs(settings)
            status.repairs = WatchStatus.Repairs(allowed: settings.remedy.sorted())
        }
        isWarm = settings.proof == .off
    }

    var now: Int { Int(Console.monotonicNanoseconds() / 1_000_000) }

    /// Stays until it is told to stop.
    func run() throws(CommandError) {
        routeReader = RouteEventReader(linkDump())
        if settings.lookEvery > 0 { lookDue = now + settings.lookEvery * 1_000 }
        heartbeatDue = heartbeat.map { now + $0 }
        startProof()
        look(at: [.everything])
        while !stops {
            _ = Waiting.wait(for: descriptors, milliseconds: nextDue.map { $0 - now })
            takeSignals()
            hear()
            takeProof()
            keepTime()
        }
        ServiceManager.notify("STOPPING=1")
        log.write(.notice, "stop", "told to stop")
        export.end(status)
    }

    private var descriptors: [Int32] {
        [signals.rawValue, route.rawValue, netfilter.rawValue, policies?.rawValue ?? -1, files.rawValue]
            + processes.descriptors + [proof?.descriptor ?? -1]
    }

    /// When the clock has something to say; nil: never.
    private var nextDue: Int? {
        [
            gate.due, routeReader.holdEnds, pollDue, lookDue, heartbeatDue, dayDue, proof?.deadline,
            proof == nil ? schedule.due : nil, export.due, isWarm ? repairs?.due : nil,
        ].compactMap { $0 }.min()
    }

    // MARK: Events

    private func takeSignals() {
        while let signal = signals.next() {
            switch signal {
            case .reload: reload()
            case .stop: stops = true
            // Whose child it was is looked at below.
            case .child: break
            }
        }
    }

    /// Everything that was told since the last time.
    func hear() {
        do {
            let links = try route.read()
            let rules = try netfilter.read()
            let ipsec = try policies?.read()
            let changed = try files.read()
            var touched = routeReader.take(links.messages, at: now)
            touched.formUnion(netfilterReader.take(rules.messages))
            if ipsec?.messages.isEmpty == false { touched.insert(.ipsec) }
            touched.formUnion(changed.files.map { .file($0) })
            touched.formUnion(processes.ended().map { .process($0) })
            if links.areIncomplete || rules.areIncomplete || ipsec?.areIncomplete == true || changed.areIncomplete {
                overrun(&touched)
            }
            touch(touched)
        } catch {
            log.write(.error, "listen", "\(error.description); everything is read again")
            touch([.everything])
        }
    }

    /// Events were lost. What they would have said is read.
    private func overrun(_ touched: inout Set<WatchTopic>) {
        status.overruns += 1
        // Once is worth a word; a storm is not worth a thousand.
        if status.overruns.nonzeroBitCount == 1 {
            log.write(.notice, "overrun", "more changed at once than the kernel could tell; everything is read again")
        }
        routeReader = RouteEventReader(linkDump())
        touched.insert(.everything)
    }

    func touch(_ topics: Set<WatchTopic>) {
        gate.note(topics, at: now)
        schedule.note(topics)
    }

    private func linkDump() -> [[UInt8]] {
        do {
            return try session.live?.query(.links()) ?? []
        } catch {
            return []
        }
    }

    // MARK: The clock

    private func keepTime() {
        touch(routeReader.release(at: now))
        if let due = pollDue, due <= now { pollSilentParts() }
        if let due = lookDue, due <= now {
            lookDue = now + settings.lookEvery * 1_000
            touch([.everything])
        }
        let topics = gate.open(at: now)
        let isNewDay = dayDue.map { $0 <= now } ?? false
        if !topics.isEmpty || isNewDay { look(at: topics) }
        if proof == nil, let due = schedule.due, due <= now { startProof() }
        if isWarm, let due = repairs?.due, due <= now { repair() }
        export.tend(at: now)
        if let due = heartbeatDue, due <= now, let heartbeat {
            ServiceManager.notify("WATCHDOG=1")
            heartbeatDue = now + heartbeat
        }
    }

    /// Looks whether what tells of no change has changed all the same.
    private func pollSilentParts() {
        pollDue = now + settings.poll * 1_000
        guard let live = session.live else { return }
        let host = session.host
        let changed = standing.requests.filter { request in
            guard !request.topics.isDisjoint(with: polled) else { return false }
            return PolledAnswer { () throws(HostError) in try live.answer(request) }
                != PolledAnswer { () throws(HostError) in try host.answer(request) }
        }
        touch(changed.reduce(into: []) { $0.formUnion($1.topics.intersection(WatchTopic.polled)) })
    }

    // MARK: The proof

    private func startProof() {
        guard settings.proof != .off else { return }
        schedule.begin(at: now)
        do {
            proof = try RunningProof(settings.proof, profile: settings.profile)
        } catch {
            adopt(.failure(CommandError(.internalError, error.description)), startedAt: session.startedAt)
        }
    }

    private func takeProof() {
        guard let proof, let result = proof.result() else { return }
        self.proof = nil
        adopt(result, startedAt: proof.startedAt)
    }

    private func adopt(_ result: Result<WatchProofDocument, CommandError>, startedAt: String) {
        switch result {
        case .success(let document):
            session.adopt(document.transcripts, settings.proof, milliseconds: document.milliseconds)
        case .failure(let error):
            log.write(.error, "proof", error.message)
            let failed = session.chosen.profile.networks.map {
                ProofTranscript(mode: settings.proof, network: $0, failure: error.message)
            }
            session.adopt(failed, settings.proof, milliseconds: 0)
        }
        status.proof?.provedAt = startedAt
        status.proof?.verdict = session.proof?.verdict
        _ = standing.forget(probes: session.proofProbeNames) { _ in false }
        isWarm = true
        look(at: [])
    }

    // MARK: Looking

    /// Forgets what was touched, judges what stands on it, and puts the result out.
    func look(at topics: Set<WatchTopic>) {
        let began = Console.monotonicNanoseconds()
        let touched = TouchedParts(topics)
        session.host.forget(where: touched.touches)
        let isTouched = standing.forget(where: touched.touches)
        // A container that is gone, a profile that is as it was: nothing stands on it.
        guard isTouched || topics.isEmpty || topics.contains(.everything) || report == nil else {
            status.proof?.isDue = schedule.awaitsProof
            return export.publish(status)
        }
        let at = RFC3339.text(secondsSince1970: Console.wallClockSeconds())
        let judged = standing.judge(session.diagnosisInput(), on: session.host)
        let result = session.waived(judged, on: String(at.prefix(10)))
        let new = session.report(
            result, looked: (at: at, milliseconds: Session.milliseconds(since: began)))
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
        if isOvertaken(new) {
            gate.looked(for: 0, at: now)
            return
        }
        keepAnEyeOn(needed)
        // Containers come and go: what nothing stands on any more is not kept.
        if status.judgements % Self.pruning == 0 { session.host.forget { !needed.contains($0) } }
        if isWarm {
            repairs?.consider(new, at: now / 1_000)
            status.repairs?.leftAlone = repairs?.leftAlone ?? []
            putOut(new)
        }
        gate.looked(for: Int((Console.monotonicNanoseconds() - began) / 1_000_000), at: now)
    }

    /// Whether something changed while it was read, which could not be judged for that: it is looked at again before
    /// anything is said. Not for ever, where something never stops changing.
    private func isOvertaken(_ new: Report) -> Bool {
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
    private func keepAnEyeOn(_ requests: Set<HostRequest>) {
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
