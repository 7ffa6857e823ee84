package import HostModel

/// The formats that `--format` knows.
package enum FormatName: String, Sendable, CaseIterable {
    case terminal, json, ndjson, junit, tap, prometheus, nagios, markdown, html

    /// Formats in which a plan or a proof alone can be written.
    package static let forParts: [FormatName] = allCases.filter { $0.format is any PartFormat }
    /// Formats that every command knows.
    package static let basic: [FormatName] = [.terminal, .json]
}

/// One way to write a report. A pure function of values, whose result ends with a newline, unless it is empty.
package protocol ReportFormat: Sendable {
    static var name: FormatName { get }
    func render(_ report: Report, options: RenderingOptions) -> String
}

/// A format that can also write parts of a report alone.
package protocol PartFormat: ReportFormat {
    /// The steps of a plan, before anything happens.
    func render(plan steps: [FixStep], options: RenderingOptions) -> String
    /// A proof alone, as `prove` shows it.
    func render(proof: ProofReport, options: RenderingOptions) -> String
}

extension FormatName {
    /// The one place where a name becomes a format.
    var format: any ReportFormat {
        switch self {
        case .terminal: TerminalFormat()
        case .json: JSONFormat()
        case .ndjson: NDJSONFormat()
        case .junit: JUnitFormat()
        case .tap: TAPFormat()
        case .prometheus: PrometheusFormat()
        case .nagios: NagiosFormat()
        case .markdown: MarkdownFormat()
        case .html: HTMLFormat()
        }
    }

    /// The format for parts; JSON where this one has none (callers refuse that before: `forParts`).
    private var partFormat: any PartFormat { (format as? any PartFormat) ?? JSONFormat() }

    package func text(
        plan steps: [FixStep], options: RenderingOptions
    ) -> String { partFormat.render(plan: steps, options: options) }

    package func text(
        proof: ProofReport, options: RenderingOptions
    ) -> String { partFormat.render(proof: proof, options: options) }
}

package func render(
    _ report: Report, as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    format.format.render(report, options: options)
}

package func renderPlan(
    _ steps: [FixStep], as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    format.text(plan: steps, options: options)
}

package func renderProof(
    _ proof: ProofReport, as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    format.text(proof: proof, options: options)
}
