internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// Plan, consent, repair, and a second look: what `--auto-remediate` and `fix apply` do.
struct Remediation {
    enum Consent {
        /// `--yes`.
        case given
        /// A person at a terminal is shown the plan and asked.
        case asked
    }

    /// A repair may uncover what a broken bridge hid; each round plans afresh. More rounds than this would be a loop.
    private static let mostRounds = 3

    let session: Session
    let proofMode: ProofMode
    let consent: Consent
    let output: OutputOptions

    /// Repairs need root's rights over network, files and packets. Throws `privilege`.
    static func requirePrivilege(_ session: Session) throws(CommandError) {
        let needed = ["net_admin", "sys_admin", "dac_override"]
        let missing = needed.filter { !session.identity.capabilities.contains($0) }
        guard session.identity.effectiveUser == 0, missing.isEmpty else {
            throw CommandError(
                .privilege,
                "repairing needs root"
                    + (missing.isEmpty
                        ? "" : " with \(missing.map { "CAP_" + $0.uppercased() }.joined(separator: ", "))")
                    + "; nothing was changed")
        }
    }

    /// Repairs what the result names, in rounds, and reports the host as it is then.
    func run(from first: DiagnosisResult) throws(CommandError) -> Report {
        var result = first
        var steps: [FixStep] = []
        var journal: String?
        for _ in 0..<Self.mostRounds {
            let plan = try makePlan(result)
            guard plan.refusal != nil || !plan.changes.isEmpty else { break }
            try ask(plan)
            let fixes = apply(plan, result)
            steps += fixes.steps
            journal = fixes.journal ?? journal
            result = look()
            guard fixes.outcome == .applied else {
                return session.report(
                    result,
                    fixes: FixReport(outcome: fixes.outcome, reason: fixes.reason, steps: steps, journal: journal))
            }
            if fixes.steps.allSatisfy({ $0.state == .unchanged }) { break }
        }
        guard !steps.isEmpty else { return session.report(result) }
        return session.report(result, fixes: FixReport(outcome: .applied, steps: steps, journal: journal))
    }

    func makePlan(_ result: DiagnosisResult) throws(CommandError) -> Plan {
        do {
            let facts = try PlanFacts.read(from: session.host, profile: session.chosen.profile)
            return plan(for: result.causes, profile: session.chosen, facts: facts)
        } catch {
            throw CommandError(.internalError, "what a plan needs could not be read: \(error.description)")
        }
    }

    // MARK: Consent

    private func ask(_ plan: Plan) throws(CommandError) {
        guard plan.refusal == nil else { return }
        let options = RenderingOptions(width: min(Console.columns ?? 80, 100))
        if !output.quiet { Console.write(renderPlan(plan.steps, as: .terminal, options: options), to: .error) }
        guard consent == .asked else { return }
        guard Console.isTerminal(.input), Console.isTerminal(.error) else {
            throw CommandError(
                .usage, "there is no terminal to ask on: add --yes to apply the plan; nothing was changed")
        }
        let count = plan.steps.count
        Console.write("\nApply \(count == 1 ? "this step" : "these \(count) steps")? [y/N] ", to: .error)
        let answer = Console.readLine()?.lowercased() ?? ""
        guard answer == "y" || answer == "yes" else {
            throw CommandError(.usage, "not applied; nothing was changed")
        }
    }

    // MARK: Repair

    private func apply(_ plan: Plan, _ result: DiagnosisResult) -> FixReport {
        guard let live = session.live else {
            return FixReport(outcome: .refused, reason: "a recording cannot be repaired", steps: plan.steps)
        }
        let applier = Applier(
            host: live, store: FileJournalStore(),
            identity: RunIdentity(run: Self.runName(), startedAt: session.startedAt))
        let verification = Verification(
            before: result.findings, proofBefore: session.proof?.verdict,
            recheck: { checks in
                session.host.forget()
                return session.diagnose(checks: Set(checks)).findings
            },
            prove: {
                session.host.forget()
                session.prove(proofMode)
                return session.proof?.verdict
            })
        return applier.apply(plan, verify: verification)
    }

    /// Everything again, as the host is now.
    private func look() -> DiagnosisResult {
        session.host.forget()
        session.prove(proofMode)
        return session.diagnose()
    }

    /// Sorts by time, and differs between runs of one second: `20260131T235959Z-1a2b`.
    private static func runName() -> String {
        let time = RFC3339.text(secondsSince1970: Console.wallClockSeconds()).filter { $0 != "-" && $0 != ":" }
        let suffix = String(UInt16.random(in: 0...UInt16.max), radix: 16)
        return time + "-" + String(repeating: "0", count: 4 - suffix.count) + suffix
    }
}
