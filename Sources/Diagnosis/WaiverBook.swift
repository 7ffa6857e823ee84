package import CheckCatalog
package import HostModel

/// Applies waivers to a result. Pure.
///
/// A waiver of a check covers its findings. A waiver of a cause covers the findings that have no other cause, and their
/// consequences. A covered finding that did not pass becomes `waived`. A cause that only waived findings support is not
/// reported, and so not repaired: it is there on purpose. An expired waiver covers nothing; the finding says that it expired.
package struct WaiverBook: Sendable {
    private let waivers: [Waiver]
    /// The day as of which waivers hold or have expired: `YYYY-MM-DD`, UTC.
    package var today: String

    /// - Parameter today: `YYYY-MM-DD`, UTC.
    package init(_ waivers: [Waiver], today: String) {
        self.waivers = waivers
        self.today = today
    }

    package func apply(to result: DiagnosisResult) -> (result: DiagnosisResult, uses: [WaiverUse]) {
        if waivers.isEmpty { return (result, []) }
        var covered: [[String]] = waivers.map { _ in [] }
        var findings = result.findings
        for (index, finding) in result.findings.enumerated() where finding.verdict.canBeWaived {
            let covering = waivers.indices.filter { covers(waivers[$0], finding, result.causes) }
            for one in covering where !covered[one].contains(finding.check) { covered[one].append(finding.check) }
            let valid = covering.filter { !expired(waivers[$0]) }
            if let waiver = waiver(among: valid.map { waivers[$0] }, for: finding, result.causes) {
                findings[index].verdict = .waived
                findings[index].reason = "\(waiver.reason), until \(waiver.expires) (else \(finding.verdict.rawValue))"
            } else if let late = covering.first(where: { expired(waivers[$0]) }) {
                findings[index].reason = notice(waivers[late], finding.reason)
            }
        }
        var kept = result
        kept.findings = findings
        kept.causes = result.causes.filter { cause in
            // Named as long as one of the findings that speak for it counts.
            let speaking = findings.filter { $0.speaks(for: cause) }
            return speaking.isEmpty || speaking.contains { $0.verdict != .waived }
        }
        let uses = waivers.indices.map { index in
            let waiver = waivers[index]
            return WaiverUse(
                id: waiver.id, subject: waiver.subject, reason: waiver.reason, expires: waiver.expires,
                state: expired(waiver) ? .expired : covered[index].isEmpty ? .unused : .active,
                findings: covered[index])
        }
        return (kept, uses)
    }

    private func expired(_ waiver: Waiver) -> Bool { waiver.expires < today }

    private func notice(_ waiver: Waiver, _ reason: String?) -> String {
        let notice = "its waiver expired on \(waiver.expires)"
        return reason.map { "\($0); \(notice)" } ?? notice
    }

    /// Whether the waiver speaks of this finding, be it alone or together with others.
    private func covers(_ waiver: Waiver, _ finding: Finding, _ causes: [Cause]) -> Bool {
        if waiver.id == finding.check { return waiver.isAbout(finding.subject) }
        return causes.contains { $0.id == waiver.id && waiver.isAbout($0.subject) && $0.explains(finding) }
            || (finding.causes.contains(waiver.id) && waiver.isAbout(finding.subject))
    }

    /// The waiver that takes the finding away. A check's does; causes' do where all causes of the finding are waived.
    private func waiver(among waivers: [Waiver], for finding: Finding, _ causes: [Cause]) -> Waiver? {
        if let own = waivers.first(where: { $0.id == finding.check }) { return own }
        let roots = causes.filter { $0.explains(finding) }
        guard !roots.isEmpty else {
            let all = !finding.causes.isEmpty && finding.causes.allSatisfy { id in waivers.contains { $0.id == id } }
            return all ? waivers.first : nil
        }
        let all = roots.allSatisfy { root in waivers.contains { $0.id == root.id && $0.isAbout(root.subject) } }
        return all ? waivers.first : nil
    }
}

extension Waiver {
    fileprivate func isAbout(_ other: Subject) -> Bool {
        subject == nil || subject == other.name || subject == other.description
    }
}

extension Verdict {
    /// Good findings and those that do not apply need no waiver.
    fileprivate var canBeWaived: Bool { self == .fail || self == .unknown || self == .blocked }
}

extension Finding {
    /// Whether it names this cause itself.
    fileprivate func speaks(for cause: Cause) -> Bool {
        (check == cause.check && subject == cause.subject) || (causes.contains(cause.id) && subject == cause.subject)
    }
}

extension Cause {
    /// Whether the finding is there because of this cause. Subjects of one kind must be the same one.
    fileprivate func explains(_ finding: Finding) -> Bool {
        guard subject.kind != finding.subject.kind || subject == finding.subject else { return false }
        return finding.speaks(for: self) || finding.causes.contains(id) || consequences.contains(finding.check)
    }
}
