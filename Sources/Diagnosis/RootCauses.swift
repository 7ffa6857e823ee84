internal import CheckCatalog
internal import HostModel

/// The causes that failing findings speak for, without those that another present cause explains.
func rootCauses(of judged: [JudgedFinding], entries list: [CauseEntry]) -> [Cause] {
    var entries: [String: CauseEntry] = [:]
    for entry in list { entries[entry.id] = entry }
    let present = presentCauses(of: judged, entries)
    if present.isEmpty { return [] }
    let explains = explained(by: present, entries)
    let roots = present.indices.filter { index in
        !present.indices.contains { explains[$0].contains(index) && !explains[index].contains($0) }
    }
    var causes: [Cause] = []
    for root in roots {
        causes.append(cause(present[root], explains[root].sorted().map { present[$0] }, judged, entries))
    }
    let order = Dictionary(uniqueKeysWithValues: Area.allCases.enumerated().map { ($1, $0) })
    return causes.enumerated().sorted { left, right in
        if left.element.severity != right.element.severity { return left.element.severity > right.element.severity }
        let areas = (order[left.element.area] ?? 0, order[right.element.area] ?? 0)
        return areas.0 != areas.1 ? areas.0 < areas.1 : left.offset < right.offset
    }.map(\.element)
}

/// A cause with the findings (indices) that speak for it.
private struct PresentCause {
    var id: String
    var subject: Subject
    var rule: CauseRule
    var findings: [Int]
}

private func presentCauses(of judged: [JudgedFinding], _ entries: [String: CauseEntry]) -> [PresentCause] {
    var present: [PresentCause] = []
    for (index, one) in judged.enumerated() where one.finding.verdict == .fail {
        for rule in one.rules {
            if let known = present.firstIndex(where: { $0.id == rule.id && $0.subject == one.finding.subject }) {
                present[known].findings.append(index)
                // Any of the findings may know how to repair it.
                if present[known].rule.remedy == nil, entries[rule.id]?.remedy == nil, rule.remedy != "none" {
                    present[known].rule.remedy = rule.remedy
                }
            } else {
                present.append(
                    PresentCause(id: rule.id, subject: one.finding.subject, rule: rule, findings: [index]))
            }
        }
    }
    return present
}

/// Which causes each one explains, directly or by steps over causes that are present as well. Subjects of one kind must
/// be the same one.
private func explained(by present: [PresentCause], _ entries: [String: CauseEntry]) -> [Set<Int>] {
    var places: [String: [Int]] = [:]
    for (index, cause) in present.enumerated() { places[cause.id, default: []].append(index) }
    return present.indices.map { start in
        var reached: Set<Int> = []
        var open = [start]
        while let index = open.popLast() {
            let subject = present[index].subject
            for id in entries[present[index].id]?.explains ?? [] {
                for next in places[id] ?? [] where next != start && !reached.contains(next) {
                    let other = present[next].subject
                    if other.kind == subject.kind, other != subject { continue }
                    reached.insert(next)
                    open.append(next)
                }
            }
        }
        return reached
    }
}

private func cause(
    _ root: PresentCause, _ explained: [PresentCause], _ judged: [JudgedFinding], _ entries: [String: CauseEntry]
) -> Cause {
    let first = judged[root.findings[0]]
    let entry = entries[root.id]
    let spoken = Set((root.findings + explained.flatMap(\.findings)).map { $0 })
    // Whoever lends its remedy also says whether it helped: the root itself may stay, as a notice.
    let lender = lender(to: root, explained, entries)
    let spokesman = judged[lender?.findings[0] ?? root.findings[0]]
    // What speaks for it beside that check, and what could not be judged because of all these.
    var consequences = judged.indices.filter { spoken.contains($0) }
    consequences += blocked(by: spoken, judged)
    var seen: Set<String> = [spokesman.finding.check]
    let names = consequences.sorted().map { judged[$0].finding.check }.filter { seen.insert($0).inserted }
    var evidence: [Evidence] = []
    for index in root.findings {
        for piece in judged[index].finding.evidence where !evidence.contains(piece) { evidence.append(piece) }
    }
    return Cause(
        id: root.id, area: entry?.area ?? first.finding.area, subject: root.subject,
        severity: spoken.map { judged[$0].finding.severity }.max() ?? first.finding.severity,
        title: entry.map { Template.render($0.title, first.variables) } ?? first.finding.title,
        explanation: entry.map { Template.render($0.explanation, first.variables) } ?? "",
        check: spokesman.finding.check,
        evidence: evidence, consequences: names, remedy: advice(root, lender, judged, entries))
}

/// Findings that are blocked by failing ones, directly or by steps.
private func blocked(by failing: Set<Int>, _ judged: [JudgedFinding]) -> [Int] {
    var down = failing
    var result: [Int] = []
    for (index, one) in judged.enumerated() where one.finding.verdict == .blocked {
        let isDown = one.finding.blockedBy.contains { need in
            down.contains { other in
                let finding = judged[other].finding
                return finding.check == need
                    && (finding.subject.kind != one.finding.subject.kind || finding.subject == one.finding.subject)
            }
        }
        if isDown {
            down.insert(index)
            result.append(index)
        }
    }
    return result
}

private func ownRemedy(_ cause: PresentCause, _ entries: [String: CauseEntry]) -> String? {
    cause.rule.remedy ?? entries[cause.id]?.remedy
}

/// The explained cause whose remedy repairs a root that has none of its own; `none` stands for none and ends the search.
private func lender(
    to root: PresentCause, _ explained: [PresentCause], _ entries: [String: CauseEntry]
) -> PresentCause? {
    guard ownRemedy(root, entries) == nil else { return nil }
    return explained.first { ownRemedy($0, entries).map { $0 != "none" } ?? false }
}

/// Remedies that change settings of the host itself, whoever makes the network.
private let hostRemedies: Set<String> = ["forwarding", "forwarding-persistent", "interface-forwarding"]

/// The rule's remedy, else the cause's own, else the lender's. For a network of another program than LXC: advice in that
/// program's terms, and by hand.
private func advice(
    _ root: PresentCause, _ lender: PresentCause?, _ judged: [JudgedFinding], _ entries: [String: CauseEntry]
) -> RemedyAdvice? {
    var id = ownRemedy(root, entries)
    var commands = entries[root.id]?.commands ?? []
    var variables = judged[root.findings[0]].variables
    if let lender {
        id = ownRemedy(lender, entries)
        if let others = entries[lender.id]?.commands, !others.isEmpty {
            commands = others
            variables = judged[lender.findings[0]].variables
        }
    }
    let owner = NetworkOwner(rawValue: variables["network.owner"]?.description ?? "") ?? .lxc
    if owner != .lxc {
        // What another program makes is that program's to change: it would put it back, or trip over it.
        if let theirs = entries[lender?.id ?? root.id]?.owners[owner] ?? entries[root.id]?.owners[owner] {
            commands = theirs
        }
        if id.map({ !hostRemedies.contains($0) }) ?? true { id = nil }
    }
    let rendered = commands.map { Template.render($0, variables) }
    if let id, id != "none" { return RemedyAdvice(id: id, automatic: true, commands: rendered) }
    return rendered.isEmpty ? nil : RemedyAdvice(id: "by-hand", automatic: false, commands: rendered)
}
