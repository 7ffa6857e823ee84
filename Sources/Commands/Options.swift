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

/// The formats that a command can write.
protocol FormatOffer {
    static var formats: [FormatName] { get }
    /// Whether `--verbose` makes a difference; where it makes none it is taken, and not offered.
    static var hasMore: Bool { get }
}

/// Of a command whose result is a whole report.
enum ReportFormats: FormatOffer {
    static var formats: [FormatName] { FormatName.allCases }
    static var hasMore: Bool { true }
}

/// Of a command whose result is a part of a report.
enum PartFormats: FormatOffer {
    static var formats: [FormatName] { FormatName.forParts }
    static var hasMore: Bool { false }
}

/// Of a command that compares reports.
enum DiffFormats: FormatOffer {
    static var formats: [FormatName] { FormatName.basic }
    static var hasMore: Bool { true }
}

/// Of every other command.
enum BasicFormats: FormatOffer {
    static var formats: [FormatName] { FormatName.basic }
    static var hasMore: Bool { false }
}

/// Where the result goes, and how it looks.
struct OutputOptions<Offer: FormatOffer>: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "How the result is written, to standard output or into =FILE: "
                + "\(Offer.formats.map(\.rawValue).joined(separator: ", ")). Repeatable.",
            valueName: "format[=file]"),
        transform: OutputTarget.init(argument:))
    var format: [OutputTarget<FormatName>] = []

    @Flag(name: .shortAndLong, help: "Print nothing; the exit code says it.")
    var quiet = false

    @Flag(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Also what holds and what does not apply, with all evidence.",
            visibility: Offer.hasMore ? .default : .hidden))
    var verbose = false
}

extension OutputOptions {
    /// Refuses formats that a command cannot write, before it does anything.
    func require(for what: String) throws {
        if let other = format.first(where: { !Offer.formats.contains($0.format) }) {
            let names = Offer.formats.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\(what) cannot be written as \(other.format.rawValue); there are: \(names)")
        }
        try OutputTarget.requireDistinct(format)
    }

    /// Writes a result in every format that was asked for.
    func emit(
        invocation: String = Tool.name, _ text: (FormatName, RenderingOptions) -> String
    ) throws(CommandError) {
        let options = RenderingOptions(quiet: false, verbose: verbose, invocation: invocation)
        try OutputTarget.write(format, or: .terminal, quiet: quiet, options, text)
    }
}

/// Whether addresses are shown.
struct RedactionOptions: ParsableArguments {
    @Flag(
        name: .long,
        help: """
            Show other addresses in place of the real ones, always the same on this host: reports can be compared, and \
            what lies in one network still does. Names stay.
            """)
    var redact = false

    /// Throws usage where something would be written that cannot be redacted.
    func require(without raw: String?...) throws {
        guard redact, raw.contains(where: { $0 != nil }) else { return }
        throw ValidationError(
            "--redact goes without --record and --evidence: those keep what was read and sent as it is")
    }

    /// The value as it may be shown.
    func applied<Value: Codable>(to value: Value) throws(CommandError) -> Value {
        guard redact else { return value }
        do {
            return try Redaction(key: Self.key()).applied(to: value)
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError(.internalError, "the addresses could not be replaced, so nothing is shown: \(error)")
        }
    }

    /// The machine's id, which programs are to keep to themselves, and which is the same at every run. It is hashed with
    /// each address and never shown. Source: machine-id(5).
    private static func key() throws(CommandError) -> [UInt8] {
        let path = "/etc/machine-id"
        do throws(HostError) {
            let digits = try LiveHost().read(path, limit: 64).prefix(32)
            let octets = stride(from: 0, to: digits.count - 1, by: 2).compactMap { place in
                UInt8(String(decoding: digits[place..<(place + 2)], as: UTF8.self), radix: 16)
            }
            guard octets.count == 16 else { throw HostError(.malformed, operation: path, message: "holds no id") }
            return octets
        } catch {
            throw CommandError(.input, "--redact needs the id of this machine: \(error.description)")
        }
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

extension ProofMode: ExpressibleByArgument {}
extension ProofProtocol: ExpressibleByArgument {}
