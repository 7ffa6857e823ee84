internal import CheckCatalog
internal import HostModel

/// A packet proof that is older than a change of the host, and what its findings are worth until the next one.
///
/// A finding that failed may hold by now: it becomes unknown, and supports no cause. A finding that passed is kept, with the
/// age of the proof as its reason, as long as no other check of the same network or of the host fails; else it becomes unknown.
package struct OutdatedProof: Sendable {
    /// The names of the probes that report the proof.
    package var probes: Set<String>
    /// Why the findings are worth less, for people.
    package var reason: String

    package init(probes: Set<String>, reason: String) {
        self.probes = probes
        self.reason = reason
    }

    func settled(_ judged: [JudgedFinding]) -> [JudgedFinding] {
        let wrong = judged.filter {
            $0.finding.verdict == .fail && $0.finding.severity != .notice && !probes.contains($0.check.probe)
        }.map(\.finding.subject)
        return judged.map { one in
            guard probes.contains(one.check.probe) else { return one }
            let subject = one.finding.subject
            let isContradicted = wrong.contains { $0.kind != subject.kind || $0 == subject }
            var one = one
            switch one.finding.verdict {
            case .pass where !isContradicted: one.finding.reason = reason
            case .pass, .fail:
                one.finding.verdict = .unknown
                one.finding.reason = reason
                one.finding.causes = []
                one.rules = []
            case .unknown, .blocked, .notApplicable, .waived: break
            }
            return one
        }
    }
}
