internal import ArgumentParser
internal import BuiltInCatalog
internal import CheckCatalog
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// How a repair is agreed to and kept.
struct ConsentOptions: ParsableArguments {
    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    @Option(
        name: .long,
        help: """
            Take the repair back unless `fix confirm` comes within so many seconds. Always so, with 60, for steps that \
            may cut your own connection.
            """)
    var confirmWithin: Int?

    /// What `--confirm-within` takes.
    static let confirmationSeconds = 1...86_400

    func validate() throws {
        if let confirmWithin, !Self.confirmationSeconds.contains(confirmWithin) {
            throw ValidationError("--confirm-within takes seconds, from 1 to 86400")
        }
    }
}

/// `fix apply`: the same as `doctor --auto-remediate`, or a plan that was saved.
struct FixApplyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Repairs what is found: shows the plan, asks, verifies, rolls back.")

    @Argument(help: "`image`: restore the profile's base image from its source, and nothing else.")
    var target: FixTarget?

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var consent: ConsentOptions
    @OptionGroup var output: OutputOptions<ReportFormats>
    @OptionGroup var redaction: RedactionOptions

    @Option(name: .long, help: "The packet proof: fence, wire or off.")
    var proof: ProofMode = .fence

    @Option(name: .long, help: "Apply the plan in FILE (`fix plan --format json=FILE`); refused where it is stale.")
    var plan: String?

    func validate() throws {
        if hostOptions.replay != nil { throw ValidationError("a recording cannot be repaired") }
        if plan != nil, target != nil { throw ValidationError("a saved plan says itself what it is for") }
        try output.require(for: "a report")
        try redaction.require(without: hostOptions.record)
    }

    func run() throws {
        let saved = try plan.map(Self.read)
        var hostOptions = hostOptions
        // A profile of the operator's own is found as usual; `requireOwn` compares it with the plan's.
        if let saved, hostOptions.profile == nil, BuiltIn.profiles().contains(where: { $0.name == saved.profile }) {
            hostOptions.profile = saved.profile
        }
        let session = try Session(
            hostOptions, selection: selection, proof: proof,
            because: hostOptions.profile == self.hostOptions.profile ? nil : "the plan's")
        try Remediation.requirePrivilege(session)
        if let live = session.live { try Interrupted.takeBack(on: live) }
        if let saved { try Self.requireOwn(saved, session) }
        session.progress = ProgressLine(quiet: output.quiet)
        session.prove(proof)
        let remediation = Remediation(session: session, proofMode: proof, consent: consent, quiet: output.quiet)
        let result = session.diagnose()
        let imagePlan = try target.map { _ throws(CommandError) in try BaseImagePlan.make(session, result) }
        if imagePlan != nil { session.live?.progress = ProgressBar(quiet: output.quiet).show }
        let report =
            try (saved ?? imagePlan).map { plan throws(CommandError) in try remediation.apply(saved: plan, to: result) }
            ?? remediation.run(from: result)
        let shown = try redaction.applied(to: report)
        try output.emit(invocation: Session.invocation(self.hostOptions)) { format, options in
            render(shown, as: format, options: options)
        }
        throw ExitCode(report.exitCode)
    }

    private static func read(_ path: String) throws(CommandError) -> Plan {
        let bytes: [UInt8]
        do {
            bytes = try TrustedInput.read(path, limit: 16 << 20)
        } catch {
            throw CommandError(.input, "plan \(path): \(error.message)")
        }
        do {
            return try Plan(saved: bytes)
        } catch {
            throw CommandError(.input, "plan \(path): \(error.message)")
        }
    }

    /// Throws `input` where the plan was made for another host or profile.
    private static func requireOwn(_ plan: Plan, _ session: Session) throws(CommandError) {
        if let name = plan.hostname, name != session.identity.hostname {
            throw CommandError(.input, "the plan was made for the host \(name); this is \(session.identity.hostname)")
        }
        if plan.profile != session.chosen.profile.name {
            throw CommandError(
                .input, "the plan is of the profile \(plan.profile), not of \(session.chosen.profile.name)")
        }
    }
}
