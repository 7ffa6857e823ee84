internal import CheckCatalog

/// The checks of a run in an order in which each comes after those that it needs.
struct DiagnosisPlan {
    let checks: [Check]
    /// Whether a check is about containers, so that their names are needed.
    var asksContainers: Bool { checks.contains { $0.subject == .container } }

    init(_ input: DiagnosisInput) {
        checks = Self.ordered(Self.selected(input))
    }

    /// `only` with what it needs, without `skip`.
    private static func selected(_ input: DiagnosisInput) -> [Check] {
        guard let only = input.only else { return input.checks.filter { !input.skip.contains($0.id) } }
        var needs: [String: [String]] = [:]
        for check in input.checks { needs[check.id] = check.needs }
        var wanted: Set<String> = []
        var open = Array(only)
        while let id = open.popLast() {
            if !input.skip.contains(id), wanted.insert(id).inserted { open += needs[id] ?? [] }
        }
        return input.checks.filter { wanted.contains($0.id) }
    }

    /// Each check right after those of its needs that are not placed yet; otherwise in the order in which they are
    /// given. A circle is cut where it closes, and its checks are judged all the same.
    private static func ordered(_ checks: [Check]) -> [Check] {
        var byID: [String: Check] = [:]
        for check in checks { byID[check.id] = check }
        var result: [Check] = []
        var entered: Set<String> = []
        func place(_ check: Check) {
            guard entered.insert(check.id).inserted else { return }
            for need in check.needs {
                if let needed = byID[need] { place(needed) }
            }
            result.append(check)
        }
        for check in checks { place(check) }
        return result
    }
}
