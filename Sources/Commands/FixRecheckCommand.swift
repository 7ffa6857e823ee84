internal import ArgumentParser
internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import Remedies
internal import Reporting

/// `fix recheck`: whether a repair that a script or a person made has helped, judged as `fix apply` judges its own.
struct FixRecheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recheck",
        abstract: "Judges a repair that something else made, by a report from before it. Changes nothing.",
        discussion: """
            The last step of what `fix plan --format shell` and `--format ansible` write. The checks that are named must \
            hold now, none may fail that held before, and the packet proof may be no worse. Exit codes: 0 repaired, and \
            the host is healthy; 1 repaired, and more is wrong; 2 not repaired, or something broke; 64 usage, 65 bad \
            report.
            """)

    @Argument(
        help: ArgumentHelp(
            "What must hold: a check and its subject, in one word: 'nat.masquerade network lxcbr1'.",
            valueName: "check"))
    var repaired: [String] = []

    @Option(name: .long, help: "The report from before: what `--format json` wrote.")
    var before: String

    @Option(name: .long, help: "What this host is meant to be: a profile's name, or a profile file.")
    var profile: String?

    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions<ReportFormats>
    @OptionGroup var redaction: RedactionOptions

    @Option(name: .long, help: "The packet proof: fence, wire or off.")
    var proof: ProofMode = .fence

    /// What the exit codes say, beside those of every command.
    private enum Outcome: Int32 {
        case healthy = 0
        case moreIsWrong = 1
        case isWorseOrNoBetter = 2
    }

    func validate() throws {
        try output.require(for: "a report")
        for words in repaired where Self.cause(words) == nil {
            throw ValidationError("'\(words)' is not a check and its subject, like 'nat.masquerade network lxcbr1'")
        }
    }

    func run() throws {
        let old = try SavedDocument.report(before)
        let session = try Session(.live(profile: profile), selection: selection, proof: proof)
        try Self.requireSame(old, session)
        session.progress = ProgressLine(quiet: output.quiet)
        session.prove(proof)
        let judgement = Judgement(
            of: repaired.compactMap(Self.cause),
            Verification(
                before: old.findings, proofBefore: old.proof?.verdict,
                recheck: { session.diagnose(checks: Set($0)).findings }, prove: { session.proof?.verdict }))
        let complaint = judgement.complaint()
        let report = session.report(session.diagnose())
        let shown = try redaction.applied(to: report)
        try output.emit(invocation: Session.invocation(.live(profile: profile))) { format, options in
            render(shown, as: format, options: options)
        }
        throw ExitCode(outcome(complaint, shown).rawValue)
    }

    /// Says why, where not all is well.
    private func outcome(_ complaint: String?, _ report: Report) -> Outcome {
        if let complaint {
            say(complaint)
            return .isWorseOrNoBetter
        }
        guard report.exitCode != 0 else { return .healthy }
        let causes = report.causes.filter { $0.severity != .notice }
        for cause in causes { say("\(cause.id) (\(cause.subject)): \(cause.title)") }
        if causes.isEmpty { say("the host is \(report.verdict.rawValue); \(Tool.name) says why") }
        return .moreIsWrong
    }

    private func say(_ text: String) {
        if !output.quiet { Output.message(SafeText.line(text)) }
    }

    /// `nat.masquerade network lxcbr1`; nil: something else.
    private static func cause(_ words: String) -> ServedCause? {
        let parts = words.split(separator: " ", maxSplits: 2).map(String.init)
        guard parts.count == 3, let kind = Subject.Kind(rawValue: parts[1]) else { return nil }
        return ServedCause(id: "", check: parts[0], subject: Subject(kind: kind, name: parts[2]))
    }

    /// Throws `input` where the report is of another host or profile.
    private static func requireSame(_ old: Report, _ session: Session) throws(CommandError) {
        let here = (session.identity.hostname, session.chosen.profile.name)
        guard (old.host.hostname, old.profile.name) == here else {
            throw CommandError(
                .input,
                "the report from before is of \(old.host.hostname), profile \(old.profile.name); "
                    + "this is \(here.0), profile \(here.1)")
        }
    }
}
