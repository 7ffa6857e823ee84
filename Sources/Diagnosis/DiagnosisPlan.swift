internal import CheckCatalog

/// The checks of a run in an order in which each comes after those that it needs.
struct DiagnosisPlan {
    let checks: [Check]

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

    /// Otherwise in the order in which they are given; checks in a circle come last and are judged all the same.
    private static func ordered(_ checks: [Check]) -> [Check] {
        let ids = Set(checks.map(\.id))
        var placed: Set<String> = []
        var result: [Check] = []
        var rest = checks
        while !rest.isEmpty {
            var next: [Check] = []
            for check in rest {
                if check.needs.allSatisfy({ placed.contains($0) || !ids.contains($0) }) {
                    result.append(check)
                    placed.insert(check.id)
                } else {
                    next.append(check)
                }
            }
            if next.count == rest.count { return result + next }
            rest = next
        }
        return result
    }
}
