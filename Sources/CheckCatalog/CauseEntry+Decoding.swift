internal import HostModel

extension CauseEntry {
    /// Reads a cause file.
    package static func read(_ bytes: [UInt8], file: String) throws(CatalogError) -> CauseEntry {
        let node = try YAMLReader.read(bytes, file: file)
        var fields = try Fields(node, file: file, what: "a cause")
        // Which of these a cause may name depends on the checks that name it; CatalogValidation looks at that.
        var names = Variables.known(for: .network)
        names.merge(Variables.known(for: .container)) { first, _ in first }
        let texts = TemplateScope(file: file, names: names)
        let entry = CauseEntry(
            id: try kebab(try fields.required("id"), file, "id"),
            area: try fields.required("area").word(file, "area"),
            severity: try fields.required("severity").word(file, "severity"),
            title: try texts.text(try fields.required("title"), "title"),
            explanation: try texts.text(try fields.required("explanation"), "explanation"),
            explains: try fields.optional("explains")?.texts(file, "explains") ?? [],
            remedy: try fields.optional("remedy").map { node throws(CatalogError) in
                try kebab(node, file, "remedy")
            },
            commands: try commands(fields.optional("commands"), texts),
            symptom: try fields.required("symptom").text(file, "symptom"),
            why: try fields.required("why").text(file, "why"),
            look: try fields.required("look").text(file, "look"),
            inspect: try commands(fields.required("inspect"), texts),
            fix: try fields.required("fix").text(file, "fix"),
            references: try fields.optional("references")?.texts(file, "references") ?? [],
            owners: try owners(fields.optional("owners"), texts),
            isDocumentedOnly: try documentedOnly(fields.optional("detection"), file))
        try fields.finish()
        return entry
    }

    /// `detection: documented`, or nothing: what checks detect is said by the checks.
    private static func documentedOnly(_ node: YAMLNode?, _ file: String) throws(CatalogError) -> Bool {
        guard let node else { return false }
        guard try node.text(file, "detection") == "documented" else {
            throw node.error(file, "detection is \"documented\" or left out: checks say what they detect")
        }
        return true
    }

    /// `owners: { incus: [COMMAND, …] }`.
    private static func owners(
        _ node: YAMLNode?, _ texts: TemplateScope
    ) throws(CatalogError) -> [NetworkOwner: [String]] {
        guard let node else { return [:] }
        var fields = try Fields(node, file: texts.file, what: "owners")
        var owners: [NetworkOwner: [String]] = [:]
        for owner in NetworkOwner.allCases {
            if let list = fields.optional(owner.rawValue) { owners[owner] = try commands(list, texts) }
        }
        try fields.finish()
        return owners
    }

    private static func commands(_ node: YAMLNode?, _ texts: TemplateScope) throws(CatalogError) -> [String] {
        guard let node else { return [] }
        var commands: [String] = []
        for item in try node.items(texts.file, "commands") { commands.append(try texts.command(item)) }
        return commands
    }
}
