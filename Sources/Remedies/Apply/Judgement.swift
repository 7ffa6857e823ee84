internal import HostModel

/// Whether a repair, or a phase of one, did what it was for and harmed nothing.
package struct Judgement {
    /// The causes that are to be gone.
    let served: [ServedCause]
    let verify: Verification

    package init(of served: [ServedCause], _ verify: Verification) {
        self.served = served
        self.verify = verify
    }

    private struct Key: Hashable {
        let check: String
        let subject: Subject
    }

    /// The first thing that is not as it should be; nil: all is well.
    ///
    /// A check that was served must pass: one that could not look proves nothing. A check that passed before
    /// must not fail now. The proof must not be worse than it was, where it was known.
    package func complaint() -> String? {
        let checks = Set(verify.before.map(\.check) + served.map(\.check)).sorted()
        let now = Dictionary(
            verify.recheck(checks).map { (Key(check: $0.check, subject: $0.subject), $0) }, uniquingKeysWith: { $1 })
        for cause in served {
            guard let finding = now[Key(check: cause.check, subject: cause.subject)] ?? only(now, cause.check) else {
                return "\(cause.check) was not looked at again"
            }
            switch finding.verdict {
            case .pass, .notApplicable, .waived: continue
            case .fail: return "\(cause.check) still fails" + detail(finding.observed)
            case .unknown, .blocked: return "\(cause.check) could not be verified" + detail(finding.reason)
            }
        }
        for finding in verify.before where finding.verdict == .pass {
            if let then = now[Key(check: finding.check, subject: finding.subject)], then.verdict == .fail,
                // A notice is no fault (a rule that stands twice, say): it takes no repair back.
                then.severity != .notice
            {
                return "\(finding.check) passed before and fails now" + detail(then.observed)
            }
        }
        return proofComplaint()
    }

    /// A cause speaks of a subject that the check may name otherwise: then the check's only finding counts.
    private func only(_ findings: [Key: Finding], _ check: String) -> Finding? {
        let matching = findings.filter { $0.key.check == check }
        return matching.count == 1 ? matching.first?.value : nil
    }

    private func proofComplaint() -> String? {
        guard let before = verify.proofBefore, before != .unknown, let now = verify.prove(), now < before else {
            return nil
        }
        return "the packet proof said \(before.rawValue) before and says \(now.rawValue) now"
    }

    private func detail(_ text: String?) -> String {
        text.map { ": \($0)" } ?? ""
    }
}

extension Plan {
    /// The causes that are repaired once a phase is over: all their changes lie in it or before it, one in it.
    func served(by phase: FixPhase) -> [ServedCause] {
        causes.filter { cause in
            changes.filter { $0.serves.contains(cause) }.map(\.phase).max() == phase
        }
    }

    /// The causes that some change repairs.
    var served: [ServedCause] { FixPhase.allCases.flatMap(served(by:)) }
}
