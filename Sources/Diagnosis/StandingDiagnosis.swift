internal import CheckCatalog
package import HostAccess
internal import HostModel

/// A diagnosis that is kept up to date: observations and findings are kept, and only those that a change concerns are made
/// again.
///
/// Each observation is kept with the requests that it depends on (`RecordingHost.footprint`), so that nobody has to declare
/// which check depends on which part of the host.
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

    /// Every request that the kept observations depend on.
    package var requests: Set<HostRequest> {
        known.values.reduce(into: []) { $0.formUnion($1.requests) }
    }

    /// Forgets the observations that depend on a touched request, and those of the given probes. True where there were any.
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

    /// Makes the observations that are missing, and judges again the findings that depend on them. Must be given the same
    /// checks and profile every time, unless `forgetEverything` was called before.
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
        let before = judged
        var anew = 0
        let findings = Judge(plan: plan, input: input).judge(observe) { key, missing in
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
        // Observations that no finding asks for any more are dropped.
        let asked = Set(
            findings.compactMap(\.request) + (plan.asksContainers ? [Collector.containersRequest(input)] : []))
        self.known = known.filter { asked.contains($0.key) }
        // The findings are kept as they were judged: the next proof may confirm them.
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
