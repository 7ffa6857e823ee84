internal import BuiltInCatalog
internal import CheckCatalog
internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import PacketProof
internal import Probes
internal import Reporting

/// One run on one host, live or recorded: profile, checks, proof, findings, report.
final class Session {
    let host: RecordingHost
    /// Nil where a recording is judged.
    let live: LiveHost?
    let recording: Recording?
    let chosen: ChosenProfile
    let identity: HostIdentity
    let startedAt: String
    private let startedNanoseconds: UInt64
    private let checks: [Check]
    private let causes: [CauseEntry]
    private var waivers: WaiverBook
    /// What the waivers did to the last diagnosis.
    private(set) var waiverUses: [WaiverUse] = []
    private var only: Set<String>?
    private var skip: Set<String> = []

    /// Silent until a command gives it a voice.
    var progress = ProgressLine(quiet: true)

    private(set) var proofTranscripts: [ProofTranscript]?
    private(set) var proof: ProofReport?
    /// What the first proof is made with: its capture is being opened while the rest is read.
    private var sender: ProofHost?
    private var hasLookedAhead = false

    /// Opens the host and settles what it is meant to be. `proof`: what will be asked of `prove`. Without
    /// `judges` no check is read: nothing will be diagnosed. `because`: why the profile was chosen, where the command
    /// knows better than its options. `readsRules`: the whole ruleset will be asked for, and is read in the background from
    /// now on. Throws usage and input errors.
    init(
        _ options: HostOptions, selection: SelectionOptions? = nil, proof: ProofMode = .off, judges: Bool = true,
        because: String? = nil, readsRules: Bool = false
    ) throws(CommandError) {
        startedAt = RFC3339.text(secondsSince1970: Console.wallClockSeconds())
        startedNanoseconds = Console.monotonicNanoseconds()
        guard options.record == nil || options.replay == nil else {
            throw CommandError(.usage, "--record and --replay exclude each other")
        }
        if let path = options.replay {
            let recording = try Recording.read(path)
            self.recording = recording
            live = nil
            host = RecordingHost(ReplayHost(recording.transcript))
        } else {
            recording = nil
            // Ctrl-C shows what is known by then; a second one ends at once.
            Console.noteInterrupts()
            let live = LiveHost()
            if readsRules { live.begin(.nftRules()) }
            self.live = live
            host = RecordingHost(live)
            if proof != .off {
                let sender = ProofHost(live)
                sender.prepare()
                self.sender = sender
            }
        }
        do {
            identity = try host.identity()
        } catch {
            throw CommandError(.internalError, error.description)
        }
        if let recording, options.profile == nil {
            chosen = recording.profile
        } else {
            var chosen = try Self.profile(options.profile, on: host)
            if let because { chosen.because = because }
            self.chosen = chosen
        }
        guard judges else {
            checks = []
            causes = []
            waivers = WaiverBook([], today: "")
            return
        }
        causes = BuiltIn.causes()
        do {
            let builtIn = BuiltIn.checks()
            checks =
                try builtIn
                + UserChecks.read(
                    beside: builtIn, causes: causes, probes: Self.probeSpecifications, on: host)
            // A recording is judged as of the day on which it was made.
            waivers = WaiverBook(
                try UserWaivers.read(checks: checks, causes: causes, on: host),
                today: String((recording?.startedAt ?? startedAt).prefix(10)))
        } catch {
            throw CommandError(.input, error.description)
        }
        if let selection { try narrow(selection) }
    }

    private func narrow(_ selection: SelectionOptions) throws(CommandError) {
        do {
            if !selection.only.isEmpty { only = try select(selection.only, from: checks) }
            skip = try select(selection.skip, from: checks)
        } catch {
            throw CommandError(.usage, error.description)
        }
        // A host of which nothing was looked at is not healthy.
        guard checks.contains(where: { only?.contains($0.id) ?? true && !skip.contains($0.id) }) else {
            throw CommandError(.usage, "--only and --skip leave no check")
        }
    }

    private static func profile(_ argument: String?, on host: any Host) throws(CommandError) -> ChosenProfile {
        do {
            return try ProfileResolver.choose(
                requested: argument, builtIn: BuiltIn.profiles(), registry: allProbes, on: host)
        } catch {
            throw CommandError(CommandError.Code(rawValue: error.exitCode) ?? .input, error.description)
        }
    }

    /// Everything that a check may observe.
    static var probeSpecifications: [ProbeSpecification] {
        allProbes.map(\.specification) + [
            PacketProofProbe.specification, PacketProofProbe.specificationOfIPv6, LocalProofProbe.specification,
            ForwardDropProbe.specification,
            ContainerProofProbe.specification, ContainerProofProbe.specificationOfIPv6,
            BridgeResidentsProbe.specification,
            ResidentForwardingProbe.specification,
        ]
    }

    // MARK: Looking

    /// Begins with what keeps the kernel busy longest, while everything else is looked at: the search for flows.
    private func lookAhead() {
        let isAsked = checks.contains { check in
            check.probe == StaleFlowsProbe.name && only?.contains(check.id) ?? true && !skip.contains(check.id)
        }
        guard let live, isAsked, !hasLookedAhead else { return }
        hasLookedAhead = true
        for network in chosen.profile.networks where network.nat == .masquerade || network.nat == .snat {
            do {
                guard let query = try StaleFlowsProbe.query(network.cidr, network.bridge, on: host) else { continue }
                return live.begin(query)
            } catch {
                // The check will say it.
            }
        }
    }

    /// Makes the packet proof, or judges the recorded one again.
    func prove(_ mode: ProofMode, aim: ProofAim = ProofAim(looksAtContainers: true)) {
        let began = Console.monotonicNanoseconds()
        if mode != .off { progress.show("packet proof") }
        defer { progress.clear() }
        defer { if live != nil { proof?.durationMilliseconds = Self.milliseconds(since: began) } }
        lookAhead()
        let names = RuleNames(host)
        if let recording {
            proofTranscripts = mode == .off ? nil : recording.proofTranscripts
            proof = proofTranscripts.map {
                judged($0, recording.proof?.mode ?? mode, names)
            }
        } else if let live, mode != .off {
            names.prepare()
            let sender = sender.take() ?? ProofHost(live)
            let transcripts = NetworkProof(mode: mode, networks: chosen.profile.networks, aim: aim)
                .transcripts(on: sender, reading: host)
            sender.close()
            proofTranscripts = transcripts
            proof = judged(transcripts, mode, names)
        } else {
            proofTranscripts = nil
            proof = nil
        }
    }

    /// A rule that killed a probe is shown as the user would list it.
    private func judged(_ transcripts: [ProofTranscript], _ mode: ProofMode, _ names: RuleNames) -> ProofReport {
        NetworkProof.report(mode, transcripts, name: names.named)
    }

    /// The proof, as facts.
    private var proofProbes: [any Probe] {
        [
            PacketProofProbe(report: proof, transcripts: proofTranscripts),
            PacketProofProbe(report: proof, family: .ipv6),
            LocalProofProbe(report: proof), ForwardDropProbe(report: proof, transcripts: proofTranscripts),
            ContainerProofProbe(report: proof, transcripts: proofTranscripts),
            ContainerProofProbe(report: proof, family: .ipv6),
            BridgeResidentsProbe(transcripts: proofTranscripts),
            ResidentForwardingProbe(transcripts: proofTranscripts),
        ]
    }

    /// Takes over a proof that another process made, as if it had been made here.
    func adopt(_ transcripts: [ProofTranscript], _ mode: ProofMode, milliseconds: Double) {
        proofTranscripts = transcripts
        proof = judged(transcripts, mode, RuleNames(host))
        proof?.durationMilliseconds = milliseconds
    }

    /// The names of the probes that hand on the proof.
    var proofProbeNames: Set<String> { Set(proofProbes.map(\.specification.name)) }

    /// What the chosen checks are judged on; `checks` narrows further, to these and what they need.
    func diagnosisInput(checks narrowed: Set<String>? = nil) -> DiagnosisInput {
        var input = DiagnosisInput(
            checks: checks, causes: causes, registry: allProbes + proofProbes, profile: chosen,
            hostname: identity.hostname, only: narrowed ?? only, skip: skip,
            nanoseconds: Console.monotonicNanoseconds)
        input.begins = { [progress] in progress.show("looking: \($0.probe)") }
        input.interrupted = { Console.wasInterrupted }
        return input
    }

    /// Judges the chosen checks; `checks` narrows further.
    func diagnose(checks narrowed: Set<String>? = nil) -> DiagnosisResult {
        defer { progress.clear() }
        lookAhead()
        return waived(Diagnosis.diagnose(diagnosisInput(checks: narrowed), on: host))
    }

    /// The result as the waivers leave it on a day (`YYYY-MM-DD`, UTC; nil: the day of the session).
    func waived(_ result: DiagnosisResult, on day: String? = nil) -> DiagnosisResult {
        if let day { waivers.today = day }
        let (kept, uses) = waivers.apply(to: result)
        waiverUses = uses
        return kept
    }

    // MARK: Telling

    /// - Parameter looked: when the look began and how long it took, where that is not the whole session.
    func report(
        _ result: DiagnosisResult, fixes: FixReport? = nil, looked: (at: String, milliseconds: Double)? = nil
    ) -> Report {
        Report(
            startedAt: looked?.at ?? startedAt, durationMilliseconds: looked?.milliseconds ?? milliseconds,
            tool: Report.Tool(name: Tool.name, version: Tool.version), host: description,
            profile: Report.ProfileDescription(
                name: chosen.profile.name, chosenBecause: chosen.because, networks: chosen.profile.networks,
                otherBridges: chosen.otherBridges),
            causes: result.causes, findings: result.findings, proof: proof, fixes: fixes,
            waivers: waiverUses.isEmpty ? nil : waiverUses)
    }

    /// Rounded to microseconds: more would be noise.
    private var milliseconds: Double { Self.milliseconds(since: startedNanoseconds) }

    static func milliseconds(since began: UInt64) -> Double {
        Double((Console.monotonicNanoseconds() - began) / 1000) / 1000
    }

    var description: Report.HostDescription {
        Report.HostDescription(
            hostname: identity.hostname, kernel: identity.kernel, os: operatingSystem,
            privileges: (identity.effectiveUser == 0 ? ["root"] : []) + identity.capabilities)
    }

    private var operatingSystem: String {
        do {
            let text = try host.readText("/etc/os-release", limit: 65_536)
            for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("PRETTY_NAME=") {
                return String(line.dropFirst("PRETTY_NAME=".count)).filter { $0 != "\"" }
            }
            return "Linux"
        } catch {
            return "Linux"
        }
    }

    /// Everything that was read so far.
    private func recorded() throws(CommandError) -> [UInt8] {
        let recording = Recording(
            startedAt: startedAt, profile: chosen, host: description, transcript: host.transcript, proof: proof,
            proofTranscripts: proofTranscripts)
        return Array(try Output.json(recording).utf8)
    }

    /// Writes everything that was read so far.
    func record(to path: String) throws(CommandError) {
        try Output.file(path, try recorded())
    }

    /// Writes what was seen of the packets, and everything that was read so far.
    func keepEvidence(in directory: borrowing EvidenceDirectory) throws(CommandError) {
        let evidence = ProofEvidence(
            proofTranscripts ?? [], judgedAs: proof ?? ProofReport(mode: .off, probes: []))
        let files = [
            ("packets.pcapng", evidence.capture(application: "\(Tool.name) \(Tool.version)")),
            ("trace.txt", Array(evidence.trace().utf8)), ("recording.json", try recorded()),
        ]
        do {
            for (name, bytes) in files { try directory.write(bytes, to: name) }
        } catch {
            throw CommandError(.usage, error.description)
        }
    }

    /// How this program was called, as far as a suggested command must repeat it.
    static func invocation(_ options: HostOptions) -> String {
        options.profile.map { "\(Tool.name) --profile \($0)" } ?? Tool.name
    }
}
