internal import ArgumentParser
internal import BuiltInCatalog
internal import CheckCatalog
internal import HostModel
internal import Reporting

/// `explain ID`: what a cause or a check means, offline.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explains a cause or a check: symptom, why, how to see it, what to do.")

    @Argument(help: "The id of a cause or a check, as reports show it.")
    var id: String

    @OptionGroup var output: OutputOptions<BasicFormats>

    private struct Document: Encodable {
        var schema = "lxc-doctor/explanation/1"
        var id: String
        var kind: String
        var title: String
        var severity: Severity
        var area: Area
        var sections: [Section]
        var references: [String]
    }

    private struct Section: Encodable {
        var heading: String
        var text: String
    }

    func validate() throws {
        try output.require(for: "an explanation")
    }

    func run() throws {
        let document = try document()
        try output.emit { format, options in
            switch format {
            case .json: JSONText.encode(document)
            default: Self.page(document, options)
            }
        }
    }

    private func document() throws(CommandError) -> Document {
        if let cause = BuiltIn.causes().first(where: { $0.id == id }) {
            var sections = [
                ("What happens", cause.explanation), ("Symptom", cause.symptom), ("Why", cause.why),
                ("How the doctor sees it", cause.look), (Self.inspection, cause.inspect.joined(separator: "\n")),
                ("What to do", cause.fix),
                (Self.commands, cause.commands.joined(separator: "\n")),
                (
                    "Repair",
                    cause.isDocumentedOnly
                        ? "by hand; the doctor cannot see it"
                        : cause.automaticRemedy.map { "remedy \($0)" } ?? "by hand"
                ),
            ]
            for (owner, commands) in cause.owners.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                sections.insert(
                    ("\(Self.commands) of \(owner.rawValue)", commands.joined(separator: "\n")), at: sections.count - 1)
            }
            return Document(
                id: id, kind: "cause", title: ExampleValues.fill(cause.title), severity: cause.severity,
                area: cause.area,
                sections: sections.filter { !$0.1.isEmpty }.map { section($0.0, $0.1) },
                references: cause.references)
        }
        if let check = BuiltIn.checks().first(where: { $0.id == id || $0.aliases.contains(id) }) {
            let sections = [
                ("Why it matters", check.rationale), ("Looks at", "probe \(check.probe)"),
                ("Needs", check.needs.joined(separator: ", ")),
                ("Causes it can name", check.causes.map(\.id).joined(separator: ", ")),
            ]
            return Document(
                id: check.id, kind: "check", title: ExampleValues.fill(check.title), severity: check.severity,
                area: check.area,
                sections: sections.filter { !$0.1.isEmpty }.map { section($0.0, $0.1) },
                references: check.references)
        }
        let ids = BuiltIn.causes().map(\.id) + BuiltIn.checks().map(\.id)
        throw CommandError(.usage, "no cause and no check is called \"\(id)\"\(Suggestion.hint(for: id, among: ids))")
    }

    /// What stands below these is copied, so its lines stay whole.
    private static let commands = "Commands"
    private static let inspection = "See it by hand"

    private func section(_ heading: String, _ text: String) -> Section {
        Section(heading: heading, text: ExampleValues.fill(text))
    }

    private static func page(_ document: Document, _ options: RenderingOptions) -> String {
        var lines = [
            "\(document.id): \(document.title)",
            "\(document.severity.rawValue), area \(document.area.rawValue); addresses are those of the profile "
                + "\(ExampleValues.profile), a container is called web",
        ]
        for section in document.sections {
            lines += ["", section.heading]
            for paragraph in section.text.split(whereSeparator: \.isNewline) {
                let whole = section.heading.hasPrefix(commands) || section.heading == inspection
                lines += (whole ? [String(paragraph)] : wrapped(String(paragraph), width: options.width - 2))
                    .map { "  " + $0 }
            }
        }
        if !document.references.isEmpty { lines += ["", "References"] + document.references.map { "  " + $0 } }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty && line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
