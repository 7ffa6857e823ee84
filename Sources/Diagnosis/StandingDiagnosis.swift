internal import CheckCatalog
package import HostAccess
internal import HostModel

/// A diagnosis that stays: what was observed and judged is kept, and only what has been touched is looked at and judged
/// again.
///
/// Each observation remembers the requests that it stands on (`RecordingHost.footprint`), so nobody has to say which check
/// depends on which part of the host.
package struct StandingDiagnosis {
    private struct Known {
        var outcome: ProbeOutcome
        var requests: Set<HostRequest>
    }

    private var known: [ProbeRequest: Known] = [:]
    private var judged: [JudgedKey: JudgedFinding] = [:]
    /// How many findings the last `judge` judged anew.
    package private(set) var judgedAnew = 0

    package init() {}

    /// Everything that the judgement stands on.
    package var requests: Set<HostRequest> {
        known.values.reduce(into: []) { $0.formUnion($1.requests) }
    }

    /// Forgets what stands on a request that was touched, and what these probes saw. True where that was anything.
    package mutating func forget(probes: Set<String> = [], where isTouched: (HostRequest) -> Bool) -> Bool {
        let before = known.count
        known = known.filter { request, known in
            !probes.contains(request.probe) && !known.requests.contains(where: isTouched)
        }
        return known.count < before
    }

    package mutating func forgetEverything() {
        known = [:]
        judged = [:]
    }

    /// Looks at what is not known, and judges what that touches. The same checks and profile every time, or
    /// `forgetEverything` before.
    package mutating func judge(_ input: DiagnosisInput, on host: RecordingHost) -> DiagnosisResult {
        var collector = Collector(input)
        var fresh: Set<ProbeRequest> = []
        var known = known
        func observe(_ request: ProbeRequest) -> ProbeOutcome {
            if let outcome = known[request]?.outcome { return outcome }
            let (outcome, requests) = host.footprint { collector.outcome(of: request, on: host) }
            known[request] = Known(outcome: outcome, requests: requests)
            fresh.insert(request)
            return outcome
        }
        let plan = DiagnosisPlan(input)
        let asksContainers = plan.checks.contains { $0.subject == .container }
        let containers: Result<[String], ObservationFailure> =
            asksContainers ? Collector.containers(in: observe(Collector.containersRequest(input))) : .success([])
        let before = judged
        var anew = 0
        let findings = Judge(plan: plan, input: input, containers: containers).judge(observe) { key, missing in
            if let same = before[key], same.missing == missing,
                same.request.map({ known[$0] != nil && !fresh.contains($0) }) ?? true
            {
                return same
            }
            anew += 1
            return nil
        }
        judgedAnew = anew
        judged = Dictionary(findings.map { (JudgedKey($0), $0) }) { first, _ in first }
        // What nobody asks for any more is not kept.
        let asked = Set(findings.compactMap(\.request) + (asksContainers ? [Collector.containersRequest(input)] : []))
        self.known = known.filter { asked.contains($0.key) }
        // What is kept is what was judged: the next proof may confirm it.
        let told = input.outdatedProof?.settled(findings) ?? findings
        return DiagnosisResult(
            findings: told.map(\.finding), causes: rootCauses(of: told, entries: input.causes),
            observations: self.known.values.map(\.outcome))
    }
}

/// What a finding is unique by.
struct JudgedKey: Hashable {
    var check: String
    var subject: Subject

    init(check: String, subject: Subject) {
        self.check = check
        self.subject = subject
    }

    init(_ judged: JudgedFinding) {
        self.init(check: judged.check.id, subject: judged.finding.subject)
    }
}
