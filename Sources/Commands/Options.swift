internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Reporting

/// Which host is looked at, and as what.
struct HostOptions: ParsableArguments {
    @Option(name: .long, help: "What this host is meant to be: a profile's name, or a profile file.")
    var profile: String?

    @Option(name: .long, help: "Write everything that was read to FILE, to be judged elsewhere.")
    var record: String?

    @Option(name: .long, help: "Judge the recording FILE instead of this host.")
    var replay: String?
}

extension HostOptions {
    /// This host, as the profile says or as it shows itself.
    static func live(profile: String?) -> HostOptions {
        var options = HostOptions()
        // Every option has to be given a value where no command line gives it one.
        (options.profile, options.record, options.replay) = (profile, nil, nil)
        return options
    }
}

/// Which checks run.
struct SelectionOptions: ParsableArguments {
    @Option(name: .long, help: "Only these checks (an id or a tag; repeatable). What they need runs too.")
    var only: [String] = []

    @Option(name: .long, help: "Without these checks (an id or a tag; repeatable).")
    var skip: [String] = []
}

/// Where the result goes, and how it looks.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How the result is written, to standard output or into =FILE. Repeatable.",
            discussion: FormatName.allCases.map(\.rawValue).joined(separator: ", ")),
        transform: OutputTarget.init(argument:))
    var format: [OutputTarget<FormatName>] = []

    @Flag(name: .shortAndLong, help: "Print nothing; the exit code says it.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Also what does not apply, and all evidence.")
    var verbose = false
}

extension OutputOptions {
    /// Refuses formats that a command cannot write, before it does anything.
    func require(_ known: [FormatName], for what: String) throws {
        if let other = format.first(where: { !known.contains($0.format) }) {
            let names = known.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\(what) cannot be written as \(other.format.rawValue); there are: \(names)")
        }
        if format.count(where: { $0.file == nil }) > 1 {
            throw ValidationError("two formats cannot share standard output: give one a file (--format json=FILE)")
        }
        let files = format.compactMap(\.file)
        if Set(files).count < files.count { throw ValidationError("two formats cannot share a file") }
    }
}

/// Where what was seen is kept for other tools.
struct EvidenceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "Keep in DIR, for its owner only: packets.pcapng, trace.txt, and recording.json with all raw facts.")
    var evidence: String?

    /// Opened before anything is looked at, so that a wrong name costs no time. Throws usage.
    func open() throws(CommandError) -> EvidenceDirectory? {
        guard let evidence else { return nil }
        do {
            return try EvidenceDirectory(evidence)
        } catch {
            throw CommandError(.usage, error.description)
        }
    }
}

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

extension ProofMode: ExpressibleByArgument {}
extension ProofProtocol: ExpressibleByArgument {}
