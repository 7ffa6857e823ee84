internal import CheckCatalog
internal import HostModel

/// A packet proof that is older than a change of the host, and what may still be said on its ground until the next one.
///
/// What it saw fail may have healed since: that is unknown, and speaks for no cause. What it saw hold is believed as long
/// as nothing else is wrong with the same network or the host, and says how old it is; else it is unknown as well.
package struct OutdatedProof: Sendable {
    /// The probes that hand on the proof.
    package var probes: Set<String>
    /// Why it says no more, for people.
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
