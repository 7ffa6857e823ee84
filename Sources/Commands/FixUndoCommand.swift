internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// `fix undo [RUN]`: takes back exactly what a repair changed.
struct FixUndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Takes back what a repair changed; the latest one where none is named.",
        discussion: """
            Refused, with the differences, where anyone has changed the same things since. Exit codes: 0 undone, \
            2 refused or not complete, 64 no consent or no such repair, 77 not root.
            """)

    @Argument(help: ArgumentHelp("The run, as `fix history` lists it.", valueName: "run"))
    var id: String?

    @OptionGroup var output: OutputOptions<BasicFormats>

    @Flag(name: .long, help: "Do not ask.")
    var yes = false

    func validate() throws {
        try output.require(for: "an undo")
    }

    func run() throws {
        let live = LiveHost()
        try live.requireRoot()
        try Interrupted.takeBack(on: live)
        let applier = Applier(
            host: live, store: FileJournalStore(), identity: RunIdentity(run: "undo", startedAt: ""))
        try ask(applier)
        let report = applier.undo(id)
        try output.emit { format, options in
            switch format {
            case .json: JSONText.encode(report)
            default: Self.page(report)
            }
        }
        if report.outcome != .undone { throw ExitCode(Health.critical.exitCode) }
    }

    /// Shows what will be taken back, and asks unless told not to.
    private func ask(_ applier: Applier) throws {
        let journal: Journal
        do {
            guard let found = try applier.journal(toUndo: id) else {
                throw CommandError(.usage, "there is no repair that could be undone")
            }
            journal = found
        } catch let error as HostError {
            throw CommandError(.usage, "no repair \(id ?? ""): \(error.message) (\(Tool.name) fix history lists them)")
        }
        guard !yes, journal.status == .applied else { return }
        for entry in journal.entries.reversed() where entry.state == .done {
            let line =
                entry.isIrreversible
                ? "\(entry.step.target): \(entry.step.after), and stays so"
                : "\(entry.step.target): \(entry.step.after) -> \(entry.step.before)"
            if !output.quiet { Console.write(SafeText.line(line) + "\n", to: .error) }
        }
        try Remediation.askOnTerminal("Take back the repair \(journal.run)?", without: "take it back")
    }

    private static func page(_ report: UndoReport) -> String {
        var lines: [String] = []
        switch report.outcome {
        case .undone: lines.append("UNDONE  \(report.run ?? "")")
        case .refused: lines.append("REFUSED: nothing was changed")
        case .unfinished: lines.append("NOT EVERYTHING could be taken back")
        }
        if let reason = report.reason { lines.append("  \(reason)") }
        // A checker that was run has left nothing.
        for step in report.steps where report.outcome != .refused && step.reversal != FixStep.nothingToTakeBack {
            lines.append("  \(step.state == .rolledBack ? "TAKEN BACK" : "LEFT      ")  \(step.target)")
        }
        for difference in report.differences {
            lines += ["", "  \(difference.target)", "    the repair left  \(difference.expected)"]
            lines.append("    it is now        \(difference.found)")
            lines += difference.lines.map { "      \($0)" }
        }
        if let journal = report.journal { lines.append("  journal  \(journal)") }
        return lines.map { SafeText.line($0) }.joined(separator: "\n") + "\n"
    }
}
