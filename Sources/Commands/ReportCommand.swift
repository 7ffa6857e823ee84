internal import ArgumentParser
internal import HostModel
internal import Reporting

/// `report convert|diff`: works on saved JSON reports, anywhere.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Converts saved JSON reports, and compares two of them.",
        subcommands: [ReportConvertCommand.self, ReportDiffCommand.self])
}

struct ReportConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Writes a saved JSON report in other formats.",
        discussion: "Exits with 0 when it could be written; with --exit-code, with the report's own exit code.")

    @Argument(help: "A report that `--format json` wrote.")
    var file: String

    @OptionGroup var output: OutputOptions<ReportFormats>
    @OptionGroup var redaction: RedactionOptions

    @Flag(name: .long, help: "End with the exit code of the report.")
    var exitCode = false

    func validate() throws {
        try output.require(for: "a report")
    }

    func run() throws {
        let report = try redaction.applied(to: try SavedDocument.report(file))
        try output.emit { format, options in render(report, as: format, options: options) }
        if exitCode { throw ExitCode(report.exitCode) }
    }
}

struct ReportDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Says what broke, healed and changed between two saved JSON reports.",
        discussion: "Exits with 0 when the new one is the same or better, with 2 when it is worse.")

    @Argument(help: "The report from before.")
    var old: String

    @Argument(help: "The report from after.")
    var new: String

    @OptionGroup var output: OutputOptions<DiffFormats>
    @OptionGroup var redaction: RedactionOptions

    func validate() throws {
        try output.require(for: "a difference")
    }

    func run() throws {
        let diff = ReportDiff(
            old: try redaction.applied(to: try SavedDocument.report(old)),
            new: try redaction.applied(to: try SavedDocument.report(new)))
        try output.emit { format, options in
            format == .json ? JSONText.encode(diff) : diff.text(options: options)
        }
        throw ExitCode(diff.exitCode)
    }
}
