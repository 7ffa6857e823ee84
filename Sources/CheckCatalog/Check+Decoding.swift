internal import HostModel

extension Check {
    /// Reads a check file.
    package static func read(_ bytes: [UInt8], file: String) throws(CatalogError) -> Check {
        let node = try YAMLReader.read(bytes, file: file)
        var fields = try Fields(node, file: file, what: "a check")
        let id = try fields.required("id")
        let area = try area(of: id, file)
        let subject: CheckSubject =
            try fields.optional("subject").map { node throws(CatalogError) in
                try node.word(file, "subject")
            } ?? .network
        let texts = TemplateScope(file: file, names: Variables.known(for: subject))
        let title = try texts.text(try fields.required("title"), "title")
        let severity: Severity = try fields.required("severity").word(file, "severity")
        let probe = try observe(try fields.required("observe"), texts)
        let expect = try ConditionReader(texts: texts).condition(try fields.required("expect"))
        let check = Check(
            id: try id.text(file, "id"), title: title, severity: severity, area: area, subject: subject,
            tags: try fields.optional("tags")?.texts(file, "tags") ?? [],
            aliases: try fields.optional("aliases")?.texts(file, "aliases") ?? [],
            needs: try fields.optional("needs")?.texts(file, "needs") ?? [],
            rationale: try texts.text(try fields.required("rationale"), "rationale"),
            applies: try fields.optional("applies").map { node throws(CatalogError) in
                try ConditionReader(texts: texts, overVariables: true).condition(node)
            },
            notApplicable: try fields.optional("notApplicable").map { node throws(CatalogError) in
                try texts.text(node, "notApplicable")
            }, probe: probe.name, parameters: probe.parameters,
            unknownWhen: try fields.optional("unknownWhen").map { node throws(CatalogError) in
                try ConditionReader(texts: texts).condition(node)
            },
            expect: expect, show: try fields.optional("show")?.texts(file, "show") ?? [],
            causes: try fields.optional("causes").map { node throws(CatalogError) in try rules(node, texts) } ?? [],
            references: try fields.optional("references")?.texts(file, "references") ?? [])
        try fields.finish()
        return check
    }

    private static func area(of id: YAMLNode, _ file: String) throws(CatalogError) -> Area {
        let text = try id.text(file, "id")
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, isKebab(parts[1]) else {
            throw id.error(file, "an id is area.kebab-name, such as bridge.exists, not \"\(text)\"")
        }
        guard let area = Area(rawValue: String(parts[0])) else {
            let all = Area.allCases.map(\.rawValue)
            throw id.error(
                file,
                "unknown area \"\(parts[0])\" (of \(all.joined(separator: ", ")))"
                    + Suggestion.hint(for: String(parts[0]), among: all))
        }
        return area
    }

    private static func observe(
        _ node: YAMLNode, _ texts: TemplateScope
    ) throws(CatalogError) -> (name: String, parameters: [String: FactValue]) {
        guard case .mapping(let probes) = node.content, probes.count == 1, let probe = probes.first else {
            throw node.error(texts.file, "observe must name exactly one probe: { probe: { parameter: value } }")
        }
        guard case .mapping(let entries) = probe.value.content else {
            throw probe.value.error(texts.file, "the parameters of \(probe.key) must be a mapping; {} for none")
        }
        var parameters: [String: FactValue] = [:]
        for entry in entries {
            parameters[entry.key] = try texts.value(entry.value, "the parameter \(entry.key)")
        }
        return (probe.key, parameters)
    }

    private static func rules(_ node: YAMLNode, _ texts: TemplateScope) throws(CatalogError) -> [CauseRule] {
        let file = texts.file
        var rules: [CauseRule] = []
        for item in try node.items(file, "causes") {
            var fields = try Fields(item, file: file, what: "a cause")
            let id = try fields.required("id")
            rules.append(
                CauseRule(
                    id: try kebab(id, file, "a cause's id"),
                    when: try fields.optional("when").map { node throws(CatalogError) in
                        try ConditionReader(texts: texts).condition(node)
                    },
                    remedy: try fields.optional("remedy").map { node throws(CatalogError) in
                        try kebab(node, file, "a remedy's id")
                    },
                    severity: try fields.optional("severity").map { node throws(CatalogError) in
                        try node.word(file, "severity")
                    },
                    all: try fields.optional("all")?.boolean(file, "all") ?? false))
            try fields.finish()
        }
        return rules
    }
}

/// Small letters, digits and single hyphens.
func isKebab(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
        && text.first != "-" && text.last != "-"
}

func kebab(_ node: YAMLNode, _ file: String, _ what: String) throws(CatalogError) -> String {
    let text = try node.text(file, what)
    guard isKebab(text) else { throw node.error(file, "\(what) is kebab-case, such as bridge-down, not \"\(text)\"") }
    return text
}
