internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// Plan, consent, repair, and a second look: what `--auto-remediate` and `fix apply` do.
struct Remediation {
    /// A repair may uncover what a broken bridge hid, or leave flows from before; each round plans afresh. More rounds
    /// than this would be a loop.
    private static let mostRounds = 5

    let session: Session
    let proofMode: ProofMode
    let consent: ConsentOptions
    let quiet: Bool
    /// Causes that are not to be repaired are passed over.
    var accepts: (Cause) -> Bool = { _ in true }
    /// Nobody is there who could confirm a step.
    var isUnattended = false

    /// The time to confirm steps that may cut the operator's connection, in seconds, where none is given.
    private static let usualConfirmation = 60

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
        var left: [ByHand] = []
        var run = Self.runName()
        for _ in 0..<Self.mostRounds {
            var plan = try Self.makePlan(session, accepted(result))
            left = plan.byHand
            if plan.mendsBothFamilies {
                // What is wrong with one of them takes no repair of the other back.
                var first = accepted(result)
                first.causes.removeAll { Plan.isOfIPv6Alone($0) }
                plan = try Self.makePlan(session, first)
            }
            if isUnattended, plan.mayDisconnect {
                let reason = "a step may cut the operator's connection, and nobody is there to confirm it"
                return session.report(
                    result, fixes: FixReport(outcome: .refused, reason: reason, steps: steps + plan.steps))
            }
            guard plan.refusal != nil || !plan.changes.isEmpty else { break }
            // Ctrl-C while looking: what is known is half of it, and nobody wants a repair any more.
            guard !Console.wasInterrupted else { break }
            do throws(CommandError) {
                try ask(plan, after: steps)
            } catch {
                // What was agreed to before is done, verified, and stays: the host as it is now is reported.
                guard !steps.isEmpty else { throw error }
                return session.report(
                    result, fixes: FixReport(outcome: .applied, reason: error.message, steps: steps, journal: journal))
            }
            // What a person confirmed is a run of its own: the confirmation is of that and nothing else.
            if journal != nil, needsConfirmation(plan) { run = Self.runName() }
            let fixes = apply(plan, result, run: run)
            if needsConfirmation(plan) { run = Self.runName() }
            steps += fixes.steps
            journal = fixes.journal ?? journal
            result = look()
            guard fixes.outcome == .applied else {
                if fixes.outcome == .rolledBack { left += Self.takenBack(plan, fixes) }
                result.causes = Self.marked(result.causes, left)
                return session.report(
                    result,
                    fixes: FixReport(outcome: fixes.outcome, reason: fixes.reason, steps: steps, journal: journal))
            }
            if fixes.steps.allSatisfy({ $0.state == .unchanged }) { break }
        }
        result.causes = Self.marked(result.causes, left)
        guard !steps.isEmpty else { return session.report(result) }
        return session.report(result, fixes: FixReport(outcome: .applied, steps: steps, journal: journal))
    }

    /// Causes whose remedy was planned and left to a person say so, and why.
    private static func marked(_ causes: [Cause], _ left: [ByHand]) -> [Cause] {
        causes.map { cause in
            guard let remedy = cause.remedy, remedy.automatic,
                let reason = left.first(where: { $0.cause == cause.id && $0.subject == cause.subject })
            else { return cause }
            var cause = cause
            cause.remedy = RemedyAdvice(
                id: remedy.id, automatic: false, commands: remedy.commands.filter(reason.what.contains),
                left: reason.why)
            return cause
        }
    }

    /// The causes of a plan that did not help, or harmed: it would end the same way once more.
    private static func takenBack(_ plan: Plan, _ fixes: FixReport) -> [ByHand] {
        let why = "tried and taken back" + (fixes.reason.map { ": \($0)" } ?? "")
        return plan.causes.map { ByHand(cause: $0.id, subject: $0.subject, why: why, what: []) }
    }

    private func accepted(_ result: DiagnosisResult) -> DiagnosisResult {
        var kept = result
        kept.causes.removeAll { !accepts($0) }
        return kept
    }

    /// Applies a plan that was made earlier, once, and reports the host as it is then.
    func apply(saved plan: Plan, to result: DiagnosisResult) throws(CommandError) -> Report {
        guard plan.refusal != nil || !plan.changes.isEmpty, !Console.wasInterrupted else {
            return session.report(result)
        }
        var plan = plan
        // Of its own checks, whatever was selected for the report.
        let causes = session.diagnose(checks: Set(plan.causes.map(\.check))).causes
        plan.judge(anew: causes, profile: session.chosen, facts: try Self.facts(session, for: causes))
        try ask(plan)
        let fixes = apply(plan, result, run: Self.runName())
        return session.report(look(), fixes: fixes)
    }

    static func makePlan(_ session: Session, _ result: DiagnosisResult) throws(CommandError) -> Plan {
        var made = plan(for: result.causes, profile: session.chosen, facts: try facts(session, for: result.causes))
        made.hostname = session.identity.hostname
        return made
    }

    private static func facts(_ session: Session, for causes: [Cause] = []) throws(CommandError) -> PlanFacts {
        do {
            return try PlanFacts.read(
                from: session.host, profile: session.chosen.profile,
                session: session.live == nil ? nil : Console.environment("SSH_CONNECTION"),
                causes: causes)
        } catch {
            // Programs that read for us say in words of their own that they may not.
            let isForbidden = error.code == .notPermitted || session.identity.effectiveUser != 0
            throw CommandError(
                isForbidden ? .unknown : .internalError,
                "what a plan needs could not be read: \(error.description)" + (isForbidden ? "; root may" : ""))
        }
    }

    // MARK: Consent

    /// - Parameter done: what this run has changed already.
    private func ask(_ plan: Plan, after done: [FixStep] = []) throws(CommandError) {
        guard plan.refusal == nil else { return }
        let applied = done.count { $0.state == .applied }
        let unchanged = applied == 0 ? "nothing was changed" : "nothing more was changed; what says DONE stays"
        let options = RenderingOptions(width: RenderingOptions.terminalWidth, appliedBefore: applied)
        if !quiet { Console.write(renderPlan(plan.steps, as: .terminal, options: options), to: .error) }
        guard !consent.yes else { return }
        if plan.mayDisconnect {
            throw CommandError(
                .usage,
                "a step may cut your own connection: add --yes to apply the plan, and then confirm it within "
                    + "\(confirmationSeconds) s, or it is taken back; \(unchanged)")
        }
        let count = plan.steps.count
        try Self.askOnTerminal(
            "\nApply \(count == 1 ? "this step" : "these \(count) steps")?", without: "apply the plan",
            unchanged: unchanged)
    }

    /// Returns where a person at a terminal says yes; else throws `usage`.
    static func askOnTerminal(
        _ question: String, without: String, unchanged: String = "nothing was changed"
    ) throws(CommandError) {
        guard Console.isTerminal(.input), Console.isTerminal(.error) else {
            throw CommandError(.usage, "there is no terminal to ask on: add --yes to \(without); \(unchanged)")
        }
        Console.write("\(question) [y/N] ", to: .error)
        let answer = Console.readLine()?.lowercased() ?? ""
        guard answer == "y" || answer == "yes" else {
            throw CommandError(.usage, unchanged)
        }
    }

    // MARK: Confirmation

    private var confirmationSeconds: Int { consent.confirmWithin ?? Self.usualConfirmation }

    private func needsConfirmation(_ plan: Plan) -> Bool { plan.mayDisconnect || consent.confirmWithin != nil }

    /// The dead-man switch, where a step needs one or it was asked for.
    private func confirmation(for plan: Plan, _ store: FileJournalStore) -> Confirmation? {
        guard needsConfirmation(plan) else { return nil }
        let seconds = confirmationSeconds
        return Confirmation(
            seconds: seconds,
            guardRun: { (run) throws(HostError) in
                try GuardProcess.start([
                    "fix", "guard", run, "--seconds", String(seconds), "--doctor", String(GuardProcess.ownNumber),
                ])
                Console.ignoreHangups()
            },
            wait: { run in Self.wait(for: run, seconds: seconds, store) })
    }

    /// Waits for `fix confirm`, or for an answer at the terminal.
    private static func wait(for run: String, seconds: Int, _ store: FileJournalStore) -> Bool {
        let asks = Console.isTerminal(.input) && Console.isTerminal(.error)
        Output.message(
            "the repair is taken back in \(seconds) s unless confirmed: \(Tool.name) fix confirm \(run)"
                + (asks ? ", or y and Enter here" : ""))
        let deadline = Console.monotonicNanoseconds() + UInt64(seconds) * 1_000_000_000
        var listens = asks
        do throws(HostError) {
            while Console.monotonicNanoseconds() < deadline {
                if try store.isConfirmed(run) { return true }
                guard listens else {
                    Console.sleep(milliseconds: 100)
                    continue
                }
                guard Console.hasInput(within: 100) else { continue }
                // The end of the terminal is no answer: another connection may still confirm.
                guard let answer = Console.readLine() else {
                    listens = false
                    continue
                }
                guard ["y", "yes"].contains(answer.lowercased()) else { return false }
                try store.confirm(run)
                return true
            }
            return try store.isConfirmed(run)
        } catch {
            Output.message(error.description)
            return false
        }
    }

    // MARK: Repair

    private func apply(_ plan: Plan, _ result: DiagnosisResult, run: String) -> FixReport {
        guard let live = session.live else {
            return FixReport(outcome: .refused, reason: "a recording cannot be repaired", steps: plan.steps)
        }
        let store = FileJournalStore()
        let applier = Applier(
            host: live, store: store,
            identity: RunIdentity(run: run, startedAt: session.startedAt))
        let verification = Verification(
            before: result.findings, proofBefore: session.proof?.verdict,
            recheck: { checks in
                // Checks over the proof want a fresh one.
                session.host.forget()
                session.prove(proofMode)
                return session.diagnose(checks: Set(checks)).findings
            },
            prove: { session.proof?.verdict })
        return applier.apply(plan, verify: verification, confirmation: confirmation(for: plan, store))
    }

    /// Everything again, as the host is now.
    private func look() -> DiagnosisResult {
        session.host.forget()
        session.prove(proofMode)
        return session.diagnose()
    }

    /// Sorts by time, and differs between runs of one second, whose part has passed by the last four digits:
    /// `20260131T235959Z-8000` is half a second later than `20260131T235959Z-0000`.
    private static func runName() -> String {
        let now = Console.wallClock()
        let time = RFC3339.text(secondsSince1970: now.seconds).filter { $0 != "-" && $0 != ":" }
        let suffix = String(now.fraction, radix: 16)
        return time + "-" + String(repeating: "0", count: 4 - suffix.count) + suffix
    }
}
