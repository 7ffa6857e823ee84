internal import ArgumentParser
internal import LinuxHost
internal import Reporting

/// One `--format F[=FILE]`.
struct OutputTarget<Format>: Hashable, Sendable
where Format: RawRepresentable<String> & CaseIterable & Hashable & Sendable {
    var format: Format
    /// Nil: standard output.
    var file: String?

    init(format: Format, file: String?) {
        self.format = format
        self.file = file
    }

    /// Throws a validation error that names the formats there are.
    @Sendable init(argument: String) throws {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let format = Format(rawValue: String(parts.first ?? "")) else {
            let names = Format.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("unknown format '\(parts.first ?? "")'; there are: \(names)")
        }
        self.format = format
        file = parts.count == 2 ? String(parts[1]) : nil
        guard file != "" else { throw ValidationError("--format \(format.rawValue)= names no file") }
    }
}

extension OutputTarget {
    /// Throws a validation error where two targets would write to the same place.
    static func requireDistinct(_ targets: [OutputTarget]) throws {
        if targets.count(where: { $0.file == nil }) > 1 {
            throw ValidationError("two formats cannot share standard output: give one a file (--format json=FILE)")
        }
        let files = targets.compactMap(\.file)
        if Set(files).count < files.count { throw ValidationError("two formats cannot share a file") }
    }

    /// Writes a result to each target, or to standard output in the format for terminals where there is none. Files are
    /// written even when quiet.
    static func write(
        _ targets: [OutputTarget], or terminal: Format, quiet: Bool, _ options: RenderingOptions = RenderingOptions(),
        _ text: (Format, RenderingOptions) -> String
    ) throws(CommandError) {
        for target in targets.isEmpty ? [OutputTarget(format: terminal, file: nil)] : targets {
            if let file = target.file {
                try Output.file(file, Array(text(target.format, options).utf8))
            } else if !quiet {
                var options = options
                options.colour = target.format == terminal && Output.wantsColour
                options.width = RenderingOptions.terminalWidth
                try Output.result(text(target.format, options))
            }
        }
    }
}

extension RenderingOptions {
    /// Columns of a page on standard output. Lines of more than 100 are hard to read.
    static var terminalWidth: Int { min(Console.columns ?? RenderingOptions().width, 100) }
}
