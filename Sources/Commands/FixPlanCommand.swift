internal import ArgumentParser
internal import BuiltInCatalog
internal import CheckCatalog
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// `fix plan`: what a repair would change. Runs nothing of it.
struct FixPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Shows what a repair would change, step by step. Changes nothing.",
        discussion: """
            --format shell writes a script to be read and then run as root: it needs a POSIX shell, coreutils, iproute2, \
            and nft where a table is made. --format ansible writes a playbook that uses ansible.builtin only. Where \
            \(Tool.name) is installed, both end with `fix recheck`. --format \
            json=FILE is what `fix apply --plan FILE` takes.
            """)

    @Argument(help: "`image`: restoring the profile's base image from its source, and nothing else.")
    var target: FixTarget?

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var selection: SelectionOptions

    @Option(
        name: .long,
        help: "terminal, json, shell, ansible, markdown or html, to standard output or into =FILE. Repeatable.",
        transform: OutputTarget.init(argument:))
    var format: [OutputTarget<PlanFormat>] = []

    @Flag(name: .shortAndLong, help: "Print nothing; the exit code says it.")
    var quiet = false

    @Option(name: .long, help: "The packet proof: fence, wire or off.")
    var proof: ProofMode = .fence

    func validate() throws {
        try OutputTarget.requireDistinct(format)
    }

    func run() throws {
        let session = try Session(hostOptions, selection: selection, proof: proof)
        if let live = session.live { try Interrupted.takeBack(on: live) }
        session.prove(proof)
        let result = session.diagnose()
        if let path = hostOptions.record { try session.record(to: path) }
        let plan = try target == nil ? Remediation.makePlan(session, result) : BaseImagePlan.make(session, result)
        try OutputTarget.write(format, or: .terminal, quiet: quiet) { format, options in text(plan, format, options) }
        if plan.refusal != nil { throw ExitCode(Health.critical.exitCode) }
    }

    private func text(_ plan: Plan, _ format: PlanFormat, _ options: RenderingOptions) -> String {
        switch format {
        case .json: JSONText.encode(plan)
        case .markdown: renderPlan(plan.steps, as: .markdown, options: options)
        case .html: renderPlan(plan.steps, as: .html, options: options)
        case .shell: shellScript(plan, doctor: doctor(plan))
        case .ansible: ansiblePlaybook(plan, doctor: doctor(plan))
        case .terminal: renderPlan(plan.steps, as: .terminal, options: options) + byHand(plan)
        }
    }

    /// What an exported plan asks the doctor: what this command was asked.
    private func doctor(_ plan: Plan) -> ExportedDoctor {
        let isBuiltIn = { (name: String) in BuiltIn.profiles().contains { $0.name == name } }
        var options: [String] = []
        // The host may speak for another profile once it is repaired; one of the operator's own is found as usual.
        if let profile = hostOptions.profile ?? (isBuiltIn(plan.profile) ? plan.profile : nil) {
            let isFile = (profile.contains("/") || profile.hasSuffix(".yaml")) && !profile.hasPrefix("/")
            options += ["--profile", (isFile ? (Console.environment("PWD") ?? ".") + "/" : "") + profile]
        }
        options += selection.only.flatMap { ["--only", $0] } + selection.skip.flatMap { ["--skip", $0] }
        if proof != .fence { options += ["--proof", proof.rawValue] }
        return ExportedDoctor(options: options)
    }

    /// What a person must do, and why; and why nothing will be done at all.
    private func byHand(_ plan: Plan) -> String {
        var lines: [String] = []
        for item in plan.byHand {
            lines += ["", "By hand: \(item.cause) (\(item.subject))", "  why  \(item.why)"]
            lines += item.what.map { "  do   \($0)" }
        }
        if let refusal = plan.refusal { lines += ["", "REFUSED  \(refusal)"] }
        return lines.isEmpty ? "" : lines.map { SafeText.line($0) }.joined(separator: "\n") + "\n"
    }
}

/// The formats of a plan.
enum PlanFormat: String, CaseIterable, Sendable {
    case terminal, json, shell, ansible, markdown, html
}
