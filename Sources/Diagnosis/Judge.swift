internal import CheckCatalog
internal import HostModel

/// A finding with what is needed to speak about its causes.
struct JudgedFinding {
    var finding: Finding
    var check: Check
    var variables: Variables
    /// The rules of the check that hold.
    var rules: [CauseRule] = []
    /// The needed checks that did not hold.
    var missing: [String] = []
    /// What was found, where the check failed.
    var facts: [String: FactValue] = [:]
    /// What was asked; nil where nothing had to be.
    var request: ProbeRequest?
}

/// Turns observations into findings. Pure, except for the closure that makes the observations.
struct Judge {
    let plan: DiagnosisPlan
    let input: DiagnosisInput

    /// - Parameter reuse: an earlier judgement that still holds, of a finding whose needs lack these now.
    func judge(
        _ observe: (ProbeRequest) -> ProbeOutcome,
        reuse: (JudgedKey, _ missing: [String]) -> JudgedFinding? = { _, _ in nil }
    ) -> [JudgedFinding] {
        var entries: [String: CauseEntry] = [:]
        for entry in input.causes { entries[entry.id] = entry }
        let host = Variables(input.profile, hostname: input.hostname)
        let containers: Result<[String], ObservationFailure> =
            plan.asksContainers ? Collector.containers(in: observe(Collector.containersRequest(input))) : .success([])
        var judged: [JudgedFinding] = []
        var verdicts: [String: [Subject: Verdict]] = [:]
        var known: [CheckSubject: [(Subject, Variables)]] = [:]
        for check in plan.checks {
            let subjects = known[check.subject] ?? subjects(check.subject, host, containers)
            known[check.subject] = subjects
            for (subject, variables) in subjects {
                var one = JudgedFinding(
                    finding: blank(check, subject, variables), check: check, variables: variables)
                if subject.name.isEmpty, case .failure(let failure) = containers {
                    one.settle(failure)
                } else {
                    let missing = needs(check, subject, verdicts)
                    if let same = reuse(JudgedKey(one), missing) {
                        one = same
                    } else {
                        one.judge(missing, entries, observe)
                    }
                }
                verdicts[check.id, default: [:]][subject] = one.finding.verdict
                judged.append(one)
            }
        }
        return judged
    }

    private func blank(_ check: Check, _ subject: Subject, _ variables: Variables) -> Finding {
        Finding(
            check: check.id, subject: subject, title: Template.render(check.title, variables), area: check.area,
            severity: check.severity, verdict: .unknown)
    }

    /// What a check of this kind is judged about, each with its variables. Where the containers cannot be listed, one subject
    /// without a name stands for all of them.
    private func subjects(
        _ kind: CheckSubject, _ host: Variables, _ containers: Result<[String], ObservationFailure>
    ) -> [(Subject, Variables)] {
        switch kind {
        case .host: return [(Subject(kind: .host, name: input.hostname), host)]
        case .network:
            return input.profile.profile.networks.map {
                (Subject(kind: .network, name: $0.name), host.adding($0))
            }
        case .container:
            // Containers of other programs are not described by files of LXC.
            guard input.profile.profile.networks.contains(where: { ($0.owner ?? .lxc) == .lxc }) else { return [] }
            guard case .success(let names) = containers else {
                return [(Subject(kind: .container, name: ""), host.adding(container: "each container"))]
            }
            return names.map { (Subject(kind: .container, name: $0), host.adding(container: $0)) }
        }
    }

    /// The needed checks that do not hold for this subject. A check of the same subject counts for it alone; one of
    /// another kind of subject (the host's, the networks') counts as a whole.
    private func needs(
        _ check: Check, _ subject: Subject, _ verdicts: [String: [Subject: Verdict]]
    ) -> [String] {
        check.needs.filter { need in
            guard let known = verdicts[need] else { return false }
            if let same = known[subject] { return same.blocks }
            return known.contains { $0.key.kind != subject.kind && $0.value.blocks }
        }
    }
}

extension Verdict {
    /// Whether what needs this cannot be judged.
    fileprivate var blocks: Bool { self == .fail || self == .unknown || self == .blocked }
}

extension JudgedFinding {
    fileprivate mutating func settle(_ failure: ObservationFailure) {
        switch failure {
        case .unknown(let reason): (finding.verdict, finding.reason) = (.unknown, reason)
        case .notApplicable(let reason): (finding.verdict, finding.reason) = (.notApplicable, reason)
        }
    }

    mutating func judge(
        _ missing: [String], _ entries: [String: CauseEntry], _ observe: (ProbeRequest) -> ProbeOutcome
    ) {
        self.missing = missing
        if let applies = check.applies, !mayApply(applies) {
            settle(.notApplicable(notApplicable(applies)))
            return
        }
        guard missing.isEmpty else {
            finding.verdict = .blocked
            finding.reason = "needs \(missing.joined(separator: ", "))"
            finding.blockedBy = missing
            return
        }
        let request = ProbeRequest(
            probe: check.probe, parameters: check.parameters.mapValues { Template.resolve($0, variables) })
        self.request = request
        let outcome = observe(request)
        finding.durationMilliseconds = outcome.durationMilliseconds
        switch outcome.result {
        case .failure(let failure): settle(failure)
        case .success(let observation): judge(observation, entries)
        }
    }

    private mutating func judge(_ observation: Observation, _ entries: [String: CauseEntry]) {
        let facts = observation.facts
        let variables = variables
        finding.evidence = observation.evidence(for: asked)
        if let applies = check.applies,
            !applies.holds(variables, { $0.hasPrefix("fact.") ? facts[String($0.dropFirst(5))] : variables[$0] })
        {
            settle(.notApplicable(notApplicable(applies)))
            return
        }
        finding.expected = words(expected: check.expect)
        finding.observed = words(facts, asked: check.expect.names, others: check.show)
        if let unknownWhen = check.unknownWhen, unknownWhen.holds(variables, { facts[$0] }) {
            settle(.unknown(facts["reason"]?.description ?? words(facts, asked: unknownWhen.names, others: [])))
            return
        }
        if check.expect.holds(variables, { facts[$0] }) {
            finding.verdict = .pass
            return
        }
        finding.verdict = .fail
        self.facts = facts
        for rule in check.causes where rule.when?.holds(variables, { facts[$0] }) ?? true {
            if !finding.causes.contains(rule.id) {
                rules.append(rule)
                finding.causes.append(rule.id)
            }
            if !rule.all { break }
        }
        let asked = rules.flatMap { $0.when?.names ?? [] }
        finding.observed = words(facts, asked: check.expect.names, others: asked + check.show)
        let severities = rules.compactMap { $0.severity ?? entries[$0.id]?.severity }
        if let worst = severities.max() { finding.severity = min(finding.severity, worst) }
    }

    /// The facts that the check asks for, or shows.
    private var asked: Set<String> {
        Set(check.expect.names + check.show + (check.unknownWhen?.names ?? []))
    }

    /// What the variables alone say, before anything is looked at.
    private func mayApply(_ applies: FactCondition) -> Bool {
        var parts = [applies]
        if case .all(let several) = applies { parts = several }
        return parts.allSatisfy { part in
            part.names.contains { $0.hasPrefix("fact.") } || part.holds(variables) { variables[$0] }
        }
    }

    private func notApplicable(_ applies: FactCondition) -> String {
        check.notApplicable.map { Template.render($0, variables) } ?? "only where \(applies.words(variables))"
    }

    /// One fact that must be or contain a value: the value alone.
    private func words(expected: FactCondition) -> String {
        switch expected {
        case .fact(_, .equals(let value)): Template.resolve(value, variables).description
        case .fact(_, .contains(let text)): Template.render(text, variables)
        default: expected.words(variables)
        }
    }

    /// What was seen of the facts that were asked for, and of the others where they say anything.
    private func words(_ facts: [String: FactValue], asked: [String], others: [String]) -> String {
        var seen: Set<String> = []
        var parts: [(name: String, text: String)] = []
        for name in asked where seen.insert(name).inserted {
            guard let value = facts[name] else { continue }
            parts.append((name, value.description.isEmpty ? "nothing" : value.description))
        }
        for name in others where seen.insert(name).inserted {
            guard let value = facts[name], !value.description.isEmpty, value != .strings([]) else { continue }
            parts.append((name, value.description))
        }
        if parts.isEmpty { return "not known" }
        if parts.count == 1, asked.contains(parts[0].name) { return parts[0].text }
        return parts.map { "\(FactCondition.label($0.name)): \($0.text)" }.joined(separator: "; ")
    }
}
