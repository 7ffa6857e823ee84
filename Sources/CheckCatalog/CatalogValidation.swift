package import HostModel

/// Whether checks, causes and probes fit together. Each problem is one line that begins with the id it is about.
///
/// Built-in checks are held to it by tests, users' own at run time.
package enum CatalogValidation {
    /// A check's probe, parameters, facts and predicates against the probes that there are.
    package static func problems(of check: Check, probes: [ProbeSpecification]) -> [String] {
        guard let probe = probes.first(where: { $0.name == check.probe }) else {
            return [
                "\(check.id): unknown probe \"\(check.probe)\"\(Suggestion.hint(for: check.probe, among: probes.map(\.name)))"
            ]
        }
        var problems: [String] = []
        let variables = Variables.known(for: check.subject)
        for name in check.parameters.keys.sorted() where probe.parameters[name] == nil {
            problems.append(
                "\(probe.name) has no parameter \"\(name)\"\(Suggestion.hint(for: name, among: probe.parameters.keys))")
        }
        for (name, type) in probe.parameters.sorted(by: { $0.key < $1.key }) {
            guard let value = check.parameters[name] else {
                problems.append("the parameter \"\(name)\" of \(probe.name) is missing")
                continue
            }
            if !fits(value, type, variables) {
                problems.append("the parameter \"\(name)\" of \(probe.name) is of type \(type.rawValue)")
            }
        }
        for condition in [check.expect, check.unknownWhen].compactMap(\.self) + check.causes.compactMap(\.when) {
            problems += self.problems(of: condition, in: probe, variables)
        }
        if let applies = check.applies {
            problems += appliesProblems(of: applies, in: probe, variables)
        }
        for name in check.show where probe.facts[name] == nil { problems.append(unknownFact(name, probe)) }
        return problems.map { "\(check.id): \($0)" }
    }

    /// Needs that name no check or go in a circle, ids that are there twice, causes without a file, circles among them,
    /// and cause texts that name a variable which a check with that cause does not have.
    package static func problems(of checks: [Check], causes: [CauseEntry]) -> [String] {
        var problems: [String] = []
        var byID: [String: Check] = [:]
        for check in checks where byID.updateValue(check, forKey: check.id) != nil {
            problems.append("\(check.id): a second check of this id")
        }
        var entries: [String: CauseEntry] = [:]
        for cause in causes where entries.updateValue(cause, forKey: cause.id) != nil {
            problems.append("\(cause.id): a second cause of this id")
        }
        for check in checks {
            for alias in check.aliases where byID[alias] != nil {
                problems.append("\(check.id): the alias \(alias) is a check's own id")
            }
            for need in check.needs where byID[need] == nil {
                problems.append(
                    "\(check.id): needs unknown check \"\(need)\"\(Suggestion.hint(for: need, among: byID.keys))")
            }
            for rule in check.causes {
                guard let entry = entries[rule.id] else {
                    problems.append(
                        "\(check.id): unknown cause \"\(rule.id)\"\(Suggestion.hint(for: rule.id, among: entries.keys))"
                    )
                    continue
                }
                if entry.isDocumentedOnly {
                    problems.append("\(check.id): names \(entry.id), which is marked as detected by nothing")
                }
                problems += textProblems(of: entry, for: check)
            }
            if reaches(check.id, from: check.needs, { byID[$0]?.needs ?? [] }) {
                problems.append("\(check.id): its needs lead back to itself")
            }
        }
        for cause in causes {
            for other in cause.explains where entries[other] == nil {
                problems.append(
                    "\(cause.id): explains unknown cause \"\(other)\"\(Suggestion.hint(for: other, among: entries.keys))"
                )
            }
            if reaches(cause.id, from: cause.explains, { entries[$0]?.explains ?? [] }) {
                problems.append("\(cause.id): it explains itself")
            }
        }
        return problems
    }

    private static func reaches(_ goal: String, from start: [String], _ next: (String) -> [String]) -> Bool {
        var open = start
        var seen: Set<String> = []
        while let id = open.popLast() {
            if id == goal { return true }
            if seen.insert(id).inserted { open += next(id) }
        }
        return false
    }

    private static func textProblems(of entry: CauseEntry, for check: Check) -> [String] {
        let known = Variables.known(for: check.subject)
        var problems: [String] = []
        for text in [entry.title, entry.explanation] + entry.commands + entry.owners.values.joined() {
            do {
                for name in try Template.names(in: text) where known[name] == nil {
                    problems.append(
                        "\(check.id): the text of cause \(entry.id) names {{\(name)}}, which a \(check.subject.rawValue) does not have"
                    )
                }
            } catch {
                problems.append("\(entry.id): \(error.message)")
            }
        }
        return problems
    }

    private static func unknownFact(_ name: String, _ probe: ProbeSpecification) -> String {
        "\(probe.name) has no fact \"\(name)\"\(Suggestion.hint(for: name, among: probe.facts.keys))"
    }

    private static func appliesProblems(
        of condition: FactCondition, in probe: ProbeSpecification, _ variables: [String: FactType]
    ) -> [String] {
        switch condition {
        case .all(let parts), .any(let parts), .none(let parts):
            return parts.flatMap { appliesProblems(of: $0, in: probe, variables) }
        case .fact(let name, let predicate):
            guard name.hasPrefix("fact.") else {
                return self.problems(of: predicate, name, variables[name] ?? .string, variables)
            }
            return problems(of: .fact(String(name.dropFirst(5)), predicate), in: probe, variables)
        }
    }

    private static func problems(
        of condition: FactCondition, in probe: ProbeSpecification, _ variables: [String: FactType]
    ) -> [String] {
        switch condition {
        case .all(let parts), .any(let parts), .none(let parts):
            return parts.flatMap { problems(of: $0, in: probe, variables) }
        case .fact(let name, let predicate):
            guard let type = probe.facts[name] else { return [unknownFact(name, probe)] }
            return problems(of: predicate, name, type, variables)
        }
    }

    private static func problems(
        of predicate: FactPredicate, _ name: String, _ type: FactType, _ variables: [String: FactType]
    ) -> [String] {
        func wrong(_ word: String) -> [String] { ["\(word) does not fit \(name), which is of type \(type.rawValue)"] }
        switch predicate {
        case .exists: return []
        case .equals(let value): return fits(value, type, variables) ? [] : wrong("equals")
        case .notEquals(let value): return fits(value, type, variables) ? [] : wrong("notEquals")
        case .oneOf(let values):
            let good = values.allSatisfy {
                fits($0, type, variables) || fits($0, .strings, variables) && type == .string
            }
            return good ? [] : wrong("oneOf")
        case .contains: return type == .string || type == .strings ? [] : wrong("contains")
        case .matches: return type == .string ? [] : wrong("matches")
        case .atLeast: return type == .integer ? [] : wrong("atLeast")
        case .atMost: return type == .integer ? [] : wrong("atMost")
        case .count(let inner):
            return type == .strings ? problems(of: inner, "count of \(name)", .integer, variables) : wrong("count")
        case .all(let inner), .any(let inner), .none(let inner):
            return type == .strings
                ? problems(of: inner, "an item of \(name)", .string, variables) : wrong("all, any or none")
        case .every(let parts): return parts.flatMap { problems(of: $0, name, type, variables) }
        }
    }

    /// A lone template fits the type of its variable; other text with templates is a string.
    private static func fits(_ value: FactValue, _ type: FactType, _ variables: [String: FactType]) -> Bool {
        switch value {
        case .string(let text):
            let own = Template.wholeName(text).flatMap { variables[$0] }
            return own == type || type == .string && own != .strings
        case .integer: return type == .integer
        case .boolean: return type == .boolean
        case .strings: return type == .strings
        }
    }
}
