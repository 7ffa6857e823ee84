internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Reporting

/// `fix confirm [RUN]`: keeps a repair that is under a dead-man switch.
struct FixConfirmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Keeps a repair that would otherwise be taken back in time.",
        discussion: "From a new connection, that is also the proof that one can be made.")

    @Argument(help: ArgumentHelp("The run; the one that waits where none is named.", valueName: "run"))
    var id: String?

    @OptionGroup var output: OutputOptions<BasicFormats>

    private struct Document: Encodable {
        var schema = "lxc-doctor/confirmation/1"
        var run: String
        /// `kept`, or `rolledBack`: it came too late.
        var outcome: String
    }

    func validate() throws {
        try output.require(for: "a confirmation")
    }

    func run() throws {
        try FixUndoCommand.requireRoot(LiveHost())
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

/// `fix guard RUN`: the process behind the dead-man switch. Started by a repair, not by people.
struct FixGuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard", abstract: "Watches over a repair and takes it back.", shouldDisplay: false)

    @Argument var id: String
    @Option(name: .long) var seconds: Int
    @Option(name: .long) var doctor: Int

    /// What the repair itself may take for its changes and its verification, beside the time to confirm.
    private static let allowance = 10

    func run() throws {
        let live = LiveHost()
        try FixUndoCommand.requireRoot(live)
        let store = FileJournalStore()
        let deadline = Console.monotonicNanoseconds() + UInt64(seconds + Self.allowance) * 1_000_000_000
        GuardProcess.sayReady()
        while !GuardProcess.watchedHasEnded(within: 100) {
            // From here on the repair is as any other: the next start takes back what it may leave.
            if try store.isConfirmed(id) { return }
            if Console.monotonicNanoseconds() > deadline { GuardProcess.endWatched(doctor) }
        }
        try takeBack(live, store)
    }

    /// The lock may be with another start that is taking the run back.
    private func takeBack(_ live: LiveHost, _ store: FileJournalStore) throws {
        let applier = Applier(host: live, store: store, identity: RunIdentity(run: id, startedAt: ""))
        for _ in 0..<600 {
            guard try Journal(decoding: try store.load(id), run: id).status.isUnfinished else { return }
            do throws(HostError) {
                _ = try applier.recover()
                return
            } catch {
                Console.sleep(milliseconds: 100)
            }
        }
    }
}
