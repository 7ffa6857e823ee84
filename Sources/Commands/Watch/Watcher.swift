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
    static let pruning = 64
    /// Looks in a row that say nothing, because something changed meanwhile.
    static let mostOvertaken = 5

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
    /// The last proof is older than a change, and the next one has to wait.
    var isProofOutdated = false
    /// Until the first proof has ended, or where there is none, nothing is put out: it would not be the whole truth.
    var isWarm = false
    var stops = false
    var overtaken = 0
    /// The same, of looks at rules alone.
    var mixed = 0

    var route: EventSocket
    var netfilter: EventSocket
    /// Nil where the kernel has no IPsec.
    var policies: EventSocket?
    var routeReader = RouteEventReader()
    var netfilterReader = NftEventReader()
    let files: FileWatch
    var processes = ProcessWatch()
    let signals: SignalSource

    var polled: Set<WatchTopic> = []
    var pollDue: Int?
    var lookDue: Int?
    var heartbeatDue: Int?
    /// When a waiver may expire: the next midnight, UTC. Nil where there is none.
    var dayDue: Int?
    let heartbeat = ServiceManager.watchdogMilliseconds.map { max(1, $0 / 2) }

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
        session = try Self.session(settings)
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

    /// A session that stays: of a ruleset that changes, what did not change is not listed again.
    static func session(_ settings: WatchSettings) throws(CommandError) -> Session {
        let session = try Session(settings.host, selection: settings.selection)
        session.host.readsTablesApart = true
        return session
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

    var descriptors: [Int32] {
        [signals.rawValue, route.rawValue, netfilter.rawValue, policies?.rawValue ?? -1, files.rawValue]
            + processes.descriptors + [proof?.descriptor ?? -1]
    }

    /// When the clock has something to say; nil: never.
    var nextDue: Int? {
        [
            gate.due, routeReader.holdEnds, pollDue, lookDue, heartbeatDue, dayDue, proof?.deadline,
            proof == nil ? schedule.due : nil, export.due, isWarm ? repairs?.due : nil,
        ].compactMap { $0 }.min()
    }

    func keepTime() {
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
    func pollSilentParts() {
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
}
