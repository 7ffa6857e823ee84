internal import ArgumentParser
internal import BuiltInCatalog
internal import CheckCatalog
internal import HostModel
internal import PracticeHost
internal import Probes
internal import Remedies
internal import Reporting

/// `list checks|causes|remedies|profiles|faults|probes`: the knowledge, offline.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists checks, causes, remedies, profiles, faults or probes.")

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case checks, causes, remedies, profiles, faults, probes
    }

    @Argument(help: "checks, causes, remedies, profiles, faults or probes.")
    var kind: Kind

    @OptionGroup var output: OutputOptions<BasicFormats>

    /// One thing that is known. Absent keys do not apply to its kind.
    private struct Row: Encodable {
        var id: String
        var title: String
        var severity: String?
        var area: String?
        var remedy: String?
        /// How a cause is detected: `live`, `configuration`, or `documented` where no host can show it.
        var detection: String?
        var variants: [String]?
    }

    /// `{"schema": "lxc-doctor/list/1", "causes": […]}`: the rows stand under the kind's own name.
    private struct Document: Encodable {
        var kind: Kind
        var rows: [Row]

        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.init(stringValue) }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode("lxc-doctor/list/1", forKey: Key("schema"))
            try container.encode(rows, forKey: Key(kind.rawValue))
        }
    }

    func validate() throws {
        try output.require(for: "a list")
    }

    func run() throws {
        let rows = rows
        try output.emit { format, options in
            switch format {
            case .json: JSONText.encode(Document(kind: kind, rows: rows))
            default: table(rows, options)
            }
        }
    }

    private var rows: [Row] {
        switch kind {
        case .checks:
            BuiltIn.checks().map {
                Row(
                    id: $0.id, title: ExampleValues.fill($0.title), severity: $0.severity.rawValue,
                    area: $0.area.rawValue)
            }
        case .causes:
            BuiltIn.causes().map {
                Row(
                    id: $0.id, title: ExampleValues.fill($0.title), severity: $0.severity.rawValue,
                    area: $0.area.rawValue, remedy: $0.remedy, detection: detection(of: $0))
            }
        case .remedies:
            automaticRemedies.map { remedy in
                let causes = BuiltIn.causes().filter { $0.remedy == remedy }.map(\.id)
                return Row(id: remedy, title: "repairs \(causes.joined(separator: ", "))")
            }
        case .profiles: BuiltIn.profiles().map { Row(id: $0.name, title: $0.summary) }
        case .faults: faults.map { Row(id: $0.id, title: $0.title, variants: $0.variants.map(\.name)) }
        case .probes: Session.probeSpecifications.map { Row(id: $0.name, title: $0.summary) }
        }
    }

    /// By the nearest of the probes whose checks name it.
    private func detection(of cause: CauseEntry) -> String {
        if cause.isDocumentedOnly { return "documented" }
        let probes = Set(BuiltIn.checks().filter { $0.causes.contains { $0.id == cause.id } }.map(\.probe))
        let sources = Session.probeSpecifications.filter { probes.contains($0.name) }.map(\.source)
        return (sources.max() ?? .configuration).rawValue
    }

    private func table(_ rows: [Row], _ options: RenderingOptions) -> String {
        let cells = rows.map { row in
            // The whole word would not leave room for the longest ids and remedies on a terminal.
            let detection = row.detection == FactSource.configuration.rawValue ? "config" : row.detection
            let middle = row.remedy.map { $0 == "none" ? "by hand" : $0 } ?? row.variants?.joined(separator: " ")
            return [row.id, row.severity, detection, middle, row.title].map { $0 ?? "" }
        }
        // Columns that no row of this kind fills are left out.
        let used = (0..<5).filter { column in cells.contains { !$0[column].isEmpty } }
        let titles = ["ID", "SEVERITY", "DETECTED", kind == .faults ? "VARIANTS" : "REMEDY", "TITLE"]
        return TextTable(columns: used.map { titles[$0] }, rows: cells.map { row in used.map { row[$0] } })
            .render(options: options)
    }
}
