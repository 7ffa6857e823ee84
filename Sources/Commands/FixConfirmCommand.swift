internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// `fix confirm [RUN]`: keeps a repair that is under a dead-man switch.
struct FixConfirmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Keeps a repair that is otherwise taken back when its time is up.",
        discussion: "Confirming from a new connection also proves that one can still be made.")

    @Argument(help: ArgumentHelp("The run; the one that waits where none is named.", valueName: "run"))
    var id: String?

    @OptionGroup var output: OutputOptions<BasicFormats>

    private struct Document: Encodable {
        var schema = "lxc-doctor/confirmation/1"
        var run: String
        /// `kept`; `rolledBack` where the confirmation came too late.
        var outcome: String
    }

    func validate() throws {
        try output.require(for: "a confirmation")
    }

    func run() throws {
        try LiveHost().requireRoot()
        let store = FileJournalStore()
        let document: Document
        do {
            let run = try waiting(store)
            try store.confirm(run)
            var status = try Self.status(of: run, store)
            let deadline = Console.monotonicNanoseconds() + 5_000_000_000
            while status == .awaitingConfirmation, Console.monotonicNanoseconds() < deadline {
                Console.sleep(milliseconds: 50)
                status = try Self.status(of: run, store)
            }
            let isLost = status == .rollingBack || status == .rolledBack
            document = Document(run: run, outcome: isLost ? "rolledBack" : "kept")
        } catch let error as HostError {
            throw CommandError(.usage, error.description)
        }
        try output.emit { format, _ in
            switch format {
            case .json: JSONText.encode(document)
            default:
                document.outcome == "kept"
                    ? "CONFIRMED  \(document.run)\n" : "TOO LATE: \(document.run) was rolled back\n"
            }
        }
        if document.outcome != "kept" { throw ExitCode(Health.critical.exitCode) }
    }

    private func waiting(_ store: FileJournalStore) throws -> String {
        if let run = id {
            guard try Self.status(of: run, store) == .awaitingConfirmation else {
                throw CommandError(.usage, "the repair \(run) does not wait to be confirmed")
            }
            return run
        }
        for run in try store.runs().suffix(8).reversed() where try Self.status(of: run, store) == .awaitingConfirmation
        {
            return run
        }
        throw CommandError(.usage, "no repair waits to be confirmed")
    }

    private static func status(of run: String, _ store: FileJournalStore) throws(HostError) -> Journal.Status {
        try Journal(decoding: try store.load(run), run: run).status
    }
}
