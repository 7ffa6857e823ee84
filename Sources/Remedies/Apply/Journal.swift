internal import FoundationEssentials
package import HostAccess
package import HostModel

/// The durable record of one repair: what was intended, what was done, what was taken back.
///
/// It is written before and after every change, so that after a crash at any instant the host is either as an entry
/// says or one change away from it.
package struct Journal: Codable, Sendable, Hashable {
    package static let schemaName = "lxc-doctor/journal/1"

    package enum Status: String, Codable, Sendable, CaseIterable {
        /// Changes are being made: if nobody is at it any more, they are to be taken back.
        case running
        /// A phase is made and verified, and stays only if somebody confirms it in time.
        case awaitingConfirmation
        /// Changes are being taken back.
        case rollingBack
        /// A finished repair is being taken back, as a person asked.
        case undoing
        case applied
        case rolledBack
        /// Applied, and later taken back as a person asked.
        case undone

        package var isUnfinished: Bool {
            switch self {
            case .running, .awaitingConfirmation, .rollingBack, .undoing: true
            case .applied, .rolledBack, .undone: false
            }
        }
    }

    package enum EntryState: String, Codable, Sendable {
        /// Not begun.
        case pending
        /// About to be made: it may or may not have happened.
        case intended
        case done
        /// The host was in the wanted state already: nothing to take back.
        case unchanged
        case undone
        /// It could not be taken back; `note` says why.
        case left
    }

    package struct Entry: Codable, Sendable, Hashable {
        package var step: FixStep
        package var change: Change
        package var undo: [Change]
        package var phase: FixPhase
        package var state: EntryState
        package var note: String?
        /// The causes that it serves; nil: not recorded.
        package var serves: [ServedCause]?

        /// Whether it changes something and nothing takes that back.
        package var isIrreversible: Bool { undo.isEmpty && !change.isCheck }
    }

    package var schema: String
    package var run: String
    /// RFC 3339, UTC.
    package var startedAt: String
    /// `/proc/sys/kernel/random/boot_id`: after a reboot, runtime entries are gone with the boot that they belong to.
    package var boot: String
    package var profile: String?
    package var status: Status
    package var reason: String?
    /// How often the host has refused to have it taken back; nil: never.
    package var refusals: Int?
    package var entries: [Entry]

    /// Whether a person may have it taken back: it was applied, or something of it was left when it was rolled back or
    /// undone.
    var isUndoable: Bool {
        switch status {
        case .applied: true
        case .rolledBack, .undone: entries.contains { $0.state == .left }
        case .running, .awaitingConfirmation, .rollingBack, .undoing: false
        }
    }

    package init(run: String, startedAt: String, boot: String, plan: Plan) {
        schema = Self.schemaName
        self.run = run
        self.startedAt = startedAt
        self.boot = boot
        profile = plan.profile
        status = .running
        entries = Self.entries(plan)
    }

    /// One more round of the same run: its changes come behind those that were made already.
    mutating func goOn(with plan: Plan) {
        status = .running
        entries += Self.entries(plan)
    }

    private static func entries(_ plan: Plan) -> [Entry] {
        plan.changes.map {
            Entry(
                step: $0.step, change: $0.change, undo: $0.undo, phase: $0.phase, state: .pending, serves: $0.serves)
        }
    }

    /// Whether what a runtime entry made may be on the host after another boot as well, because this very run saw to
    /// that: a rule or a switch that one of its files brings back. Links and addresses are made by whoever owns them.
    func comesBack(_ entry: Entry) -> Bool {
        guard entry.change.isSetting, let causes = entry.serves else { return false }
        return entries.contains { other in
            other.phase == .persistent && other.state != .pending && !other.change.isCheck
                && other.serves.map { $0.contains(where: causes.contains) } == true
        }
    }

    /// The journal as JSON. Error of code `malformed` where it cannot be written so.
    package func encoded() throws(HostError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw HostError(.malformed, operation: "write journal \(run)", message: "\(error)")
        }
    }

    /// Reads a journal. Error of code `malformed` where it is not one of this version.
    package init(decoding bytes: [UInt8], run: String) throws(HostError) {
        do {
            self = try JSONDecoder().decode(Journal.self, from: Data(bytes))
        } catch {
            throw HostError(.malformed, operation: "read journal \(run)", message: "\(error)")
        }
        guard schema == Self.schemaName else {
            throw HostError(.malformed, operation: "read journal \(run)", message: "its schema is \(schema)")
        }
    }
}
