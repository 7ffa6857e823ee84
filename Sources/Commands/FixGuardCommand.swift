internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies

/// `fix guard RUN`: the process behind the dead-man switch. It is started by a repair, not by people.
///
/// It rolls the run back where the process that repairs ends, or hangs, before the run is confirmed.
struct FixGuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard", abstract: "Watches over a repair and takes it back.", shouldDisplay: false)

    /// The run.
    @Argument var id: String
    /// The time to confirm.
    @Option(name: .long) var seconds: Int
    /// The process id of the repair.
    @Option(name: .long) var doctor: Int

    /// Seconds that the repair itself may take for its changes and their verification, in addition to the time to confirm.
    private static let allowance = 10

    func validate() throws {
        guard ConsentOptions.confirmationSeconds.contains(seconds) else {
            throw ValidationError("--seconds is out of range")
        }
    }

    func run() throws {
        let live = LiveHost()
        try live.requireRoot()
        let store = FileJournalStore()
        let deadline = Console.monotonicNanoseconds() + UInt64(seconds + Self.allowance) * 1_000_000_000
        GuardProcess.sayReady()
        while !GuardProcess.watchedHasEnded(within: 100) {
            // A confirmed run needs no guard: if the repair is interrupted now, the next start rolls it back.
            if try store.isConfirmed(id) { return }
            if Console.monotonicNanoseconds() > deadline { GuardProcess.endWatched(doctor) }
        }
        try takeBack(live, store)
    }

    /// Retries, because another start of the program may hold the lock while it rolls the run back.
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
