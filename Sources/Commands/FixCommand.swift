internal import ArgumentParser
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies

/// `fix plan|apply|undo|history|confirm|recheck`: the fix module by hand.
struct FixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix", abstract: "Plans repairs, applies them when told to, and takes them back.",
        discussion: "Every verb but recheck first takes back what an interrupted repair has left.",
        subcommands: [
            FixPlanCommand.self, FixApplyCommand.self, FixUndoCommand.self, FixHistoryCommand.self,
            FixConfirmCommand.self, FixRecheckCommand.self, FixGuardCommand.self,
        ])
}

extension LiveHost {
    /// Throws `privilege` where the effective user is not root.
    func requireRoot() throws(CommandError) {
        let identity: HostIdentity
        do {
            identity = try self.identity()
        } catch {
            throw CommandError(.internalError, error.description)
        }
        guard identity.effectiveUser == 0 else {
            throw CommandError(.privilege, "this needs root; nothing was changed")
        }
    }
}

/// Repairs that were interrupted: killed, or cut short by a power failure.
enum Interrupted {
    /// Rolls them back and prints what was done. Without root it does nothing; while another repair holds the lock, it
    /// prints that.
    ///
    /// Throws `internalError` where the roll-back fails: the host is then in an unknown state, and nothing may be built on it.
    static func takeBack(on live: LiveHost) throws(CommandError) {
        let store = FileJournalStore()
        do {
            guard try live.identity().effectiveUser == 0 else { return }
            let survey = try JournalSurvey(store)
            for problem in survey.damaged { Output.message(problem) }
            guard !survey.unfinished.isEmpty else { return }
            let applier = Applier(host: live, store: store, identity: RunIdentity(run: "recovery", startedAt: ""))
            for recovery in try applier.recover() { Output.message(recovery.sentence) }
        } catch {
            guard error.code == .notPermitted else { throw CommandError(.internalError, error.description) }
            Output.message(error.message)
        }
    }

    /// Prints which repairs are unfinished. Changes nothing.
    static func mention() {
        do {
            for run in try unfinishedRuns(in: FileJournalStore()) {
                Output.message(
                    "the repair \(run) is not finished: it is under way, or was interrupted; "
                        + "the next \(Tool.name) fix takes back what was interrupted")
            }
        } catch {
            // Only root may look.
            if error.code != .notPermitted { Output.message(error.description) }
        }
    }
}
