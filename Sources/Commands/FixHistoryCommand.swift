internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// `fix history`: the repairs of the past.
struct FixHistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Lists the repairs of this host and how they ended, newest first.")

    @OptionGroup var output: OutputOptions<BasicFormats>

    func validate() throws {
        try output.require(for: "a history")
    }

    func run() throws {
        let live = LiveHost()
        try Interrupted.takeBack(on: live)
        let history: History
        do {
            history = try History.read(from: FileJournalStore())
        } catch {
            throw CommandError(
                error.code == .notPermitted ? .privilege : .internalError, "\(error.description); only root may look")
        }
        for problem in history.unreadable { Output.message(problem) }
        try output.emit { format, options in
            switch format {
            case .json: JSONText.encode(history)
            default: Self.table(history, options)
            }
        }
    }

    private static func table(_ history: History, _ options: RenderingOptions) -> String {
        if history.runs.isEmpty { return "There has been no repair.\n" }
        let rows = history.runs.map { run in
            [
                run.run, run.left == nil ? run.status.words : "partly \(run.status.words)",
                run.targets.joined(separator: ", ") + (run.reason.map { " (\($0))" } ?? ""),
            ]
        }
        return TextTable(columns: ["RUN", "STATE", "WHAT"], rows: rows).render(options: options)
    }
}

extension Journal.Status {
    var words: String {
        switch self {
        case .running: "under way"
        case .awaitingConfirmation: "to be confirmed"
        case .rollingBack: "being rolled back"
        case .undoing: "being undone"
        case .applied: "applied"
        case .rolledBack: "rolled back"
        case .undone: "undone"
        }
    }
}
