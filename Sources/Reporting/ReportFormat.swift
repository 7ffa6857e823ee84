package import HostModel

/// The formats that `--format` knows.
package enum FormatName: String, Sendable, CaseIterable {
    case terminal, json
}

/// One way to write what the doctor says. Every form is a pure function of values and ends with a newline, unless empty.
package protocol ReportFormat: Sendable {
    static var name: FormatName { get }
    func render(_ report: Report, options: RenderingOptions) -> String
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
        }
    }
}

package func render(
    _ report: Report, as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    format.format.render(report, options: options)
}

package func renderPlan(
    _ steps: [FixStep], as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    format.format.render(plan: steps, options: options)
}

package func renderProof(
    _ proof: ProofReport, as format: FormatName, options: RenderingOptions = RenderingOptions()
) -> String {
    format.format.render(proof: proof, options: options)
}
