internal import ArgumentParser
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// `fix plan|apply`: the fix module by hand.
struct FixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix", abstract: "Plans repairs, and applies them when told to.",
        subcommands: [FixPlanCommand.self, FixApplyCommand.self])
}

/// `fix plan`: what a repair would change. Changes nothing.
struct FixPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Shows what a repair would change, step by step. Changes nothing.")

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions

    @Option(name: .long, help: "The packet proof: fence, wire or off.")
    var proof: ProofMode = .fence

    func validate() throws {
        try output.require(FormatName.forParts, for: "a plan")
    }

    func run() throws {
        let session = try Session(hostOptions, selection: selection)
        session.prove(proof)
        let result = session.diagnose()
        if let path = hostOptions.record { try session.record(to: path) }
        let remediation = Remediation(session: session, proofMode: proof, consent: .asked, output: output)
        let plan = try remediation.makePlan(result)
        try output.emit { format, options in
            switch format {
            case .json: JSONText.encode(plan)
            case .terminal: renderPlan(plan.steps, as: .terminal, options: options) + byHand(plan, options)
            default: renderPlan(plan.steps, as: format, options: options)
            }
        }
        if plan.refusal != nil { throw ExitCode(Health.critical.exitCode) }
    }

    /// What a person must do, and why; and why nothing will be done at all.
    private func byHand(_ plan: Plan, _ options: RenderingOptions) -> String {
        var lines: [String] = []
        for item in plan.byHand {
            lines += ["", "By hand: \(item.cause) (\(item.subject))", "  why  \(item.why)"]
            lines += item.what.map { "  do   \($0)" }
        }
        if let refusal = plan.refusal { lines += ["", "REFUSED  \(refusal)"] }
        return lines.isEmpty ? "" : lines.map { SafeText.line($0) }.joined(separator: "\n") + "\n"
    }
}

/// `fix apply`: the same as `doctor --auto-remediate`.
struct FixApplyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Repairs what is found: shows the plan, asks, verifies, rolls back.")

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions

    @Option(name: .long, help: "The packet proof: fence, wire or off.")
    var proof: ProofMode = .fence

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func validate() throws {
        if hostOptions.replay != nil { throw ValidationError("a recording cannot be repaired") }
        try output.require(FormatName.allCases, for: "a report")
    }

    func run() throws {
        let session = try Session(hostOptions, selection: selection)
        try Remediation.requirePrivilege(session)
        session.prove(proof)
        let remediation = Remediation(
            session: session, proofMode: proof, consent: yes ? .given : .asked, output: output)
        let report = try remediation.run(from: session.diagnose())
        try output.emit(invocation: Session.invocation(hostOptions)) { format, options in
            render(report, as: format, options: options)
        }
        throw ExitCode(report.exitCode)
    }
}
