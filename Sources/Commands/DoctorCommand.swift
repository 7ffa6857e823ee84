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
