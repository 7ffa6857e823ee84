internal import ArgumentParser
internal import HostModel
internal import LinuxHost
internal import Reporting

/// `doctor`: checks, proof, causes. Changes nothing, unless told to with `--auto-remediate`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", _superCommandName: Tool.name,
        abstract: "Checks this host, proves that its containers' traffic leaves, names causes.",
        discussion: """
            Exit codes: 0 healthy, 1 warning, 2 critical (also: a repair was refused or rolled back), 3 unknown, \
            64 usage, 65 bad input file, 70 internal error, 77 a privilege is missing.
            """)

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions<ReportFormats>
    @OptionGroup var redaction: RedactionOptions
    @OptionGroup var evidence: EvidenceOptions

    @Option(name: .long, help: "The packet proof: fence (no packet on the wire), wire (sent with TTL 2) or off.")
    var proof: ProofMode = .fence

    @Flag(name: .long, help: "Repair what was found: shows the plan, asks on a terminal, verifies, rolls back.")
    var autoRemediate = false

    @OptionGroup(title: "With --auto-remediate") var consent: ConsentOptions

    func validate() throws {
        if (consent.yes || consent.confirmWithin != nil) && !autoRemediate {
            throw ValidationError("--yes and --confirm-within go with --auto-remediate")
        }
        if autoRemediate && hostOptions.replay != nil {
            throw ValidationError("a recording cannot be repaired: --auto-remediate and --replay exclude each other")
        }
        try output.require(for: "a report")
        try redaction.require(without: hostOptions.record, evidence.evidence)
    }

    func run() throws {
        try DoctorOrder(
            hostOptions: hostOptions, selection: selection, output: output, redaction: redaction, evidence: evidence,
            proof: proof, autoRemediate: autoRemediate, consent: consent
        ).run()
    }
}

/// What the doctor is told to do, however its command line was read.
struct DoctorOrder {
    var hostOptions: HostOptions
    var selection: SelectionOptions
    var output: OutputOptions<ReportFormats>
    var redaction: RedactionOptions
    var evidence: EvidenceOptions
    var proof: ProofMode
    var autoRemediate: Bool
    var consent: ConsentOptions

    func run() throws {
        let directory = try evidence.open()
        let session = try Session(hostOptions, selection: selection, proof: proof)
        if autoRemediate { try Remediation.requirePrivilege(session) }
        if let live = session.live {
            if autoRemediate { try Interrupted.takeBack(on: live) } else { Interrupted.mention() }
        }
        session.progress = ProgressLine(quiet: output.quiet)
        session.prove(proof)
        let result = session.diagnose()
        if let path = hostOptions.record { try session.record(to: path) }
        if let directory { try session.keepEvidence(in: directory) }
        let report: Report
        if autoRemediate {
            let remediation = Remediation(
                session: session, proofMode: proof, consent: consent, quiet: output.quiet)
            report = try remediation.run(from: result)
        } else {
            report = session.report(result)
        }
        try emit(report)
        throw ExitCode(report.exitCode)
    }

    private func emit(_ report: Report) throws(CommandError) {
        let report = try redaction.applied(to: report)
        let invocation = Session.invocation(hostOptions)
        try output.emit(invocation: invocation) { format, options in
            render(report, as: format, options: options)
        }
    }
}

extension OutputOptions {
    /// Writes a result in every format that was asked for. Files are written even when quiet.
    func emit(
        invocation: String = Tool.name, _ text: (FormatName, RenderingOptions) -> String
    ) throws(CommandError) {
        let targets = format.isEmpty ? [OutputTarget(format: .terminal, file: nil)] : format
        for target in targets {
            let toTerminal = target.file == nil
            let options = RenderingOptions(
                colour: toTerminal && target.format == .terminal && Output.wantsColour,
                width: toTerminal ? min(Console.columns ?? 80, 100) : 80, quiet: false, verbose: verbose,
                invocation: invocation)
            if let file = target.file {
                try Output.file(file, Array(text(target.format, options).utf8))
            } else if !quiet {
                try Output.result(text(target.format, options))
            }
        }
    }
}
