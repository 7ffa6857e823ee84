import HostAccess

/// Counts everything lasting that a repair does (changes of the host and writes of the journal), and lets one of them
/// go wrong.
final class Faults {
    enum Kind: Equatable {
        /// The event fails without effect, and everything after it works.
        case failure
        /// The process dies before the event, or right after it: nothing after that has any effect.
        case death(afterEffect: Bool)
    }

    var kind: Kind?
    /// Which event, counted from zero.
    var at = -1
    private(set) var count = 0
    private(set) var dead = false

    func arm(_ kind: Kind?, at: Int) {
        self.kind = kind
        self.at = at
        count = 0
        dead = false
    }

    /// The next process: nothing goes wrong any more.
    func restart() {
        arm(nil, at: -1)
    }

    /// Does an event, unless this is the one that goes wrong.
    func event(_ effect: () throws(HostError) -> Void) throws(HostError) {
        if dead { throw Self.error }
        let index = count
        count += 1
        guard index == at, let kind else {
            try effect()
            return
        }
        switch kind {
        case .failure: throw Self.error
        case .death(let afterEffect):
            if afterEffect { try effect() }
            dead = true
            throw Self.error
        }
    }

    private static let error = HostError(.other, operation: "test", message: "made to fail")
}

/// Journals in memory: what is saved survives the death of the process, the lock does not.
final class MemoryJournalStore: JournalStore {
    let faults: Faults
    private(set) var journals: [String: [UInt8]] = [:]
    var lockedByOther = false
    private(set) var locked = false

    init(_ faults: Faults) {
        self.faults = faults
    }

    func location(of run: String) -> String { "memory/\(run)" }

    func lock() throws(HostError) {
        guard !lockedByOther, !locked else {
            throw HostError(.notPermitted, operation: "lock", message: "another repair is running")
        }
        locked = true
    }

    func unlock() { locked = false }

    func runs() throws(HostError) -> [String] { journals.keys.sorted() }

    func load(_ run: String) throws(HostError) -> [UInt8] {
        guard let bytes = journals[run] else {
            throw HostError(.notFound, operation: "load \(run)", message: "no such journal")
        }
        return bytes
    }

    func save(_ bytes: [UInt8], run: String) throws(HostError) {
        try faults.event { journals[run] = bytes }
    }

    private var confirmed: Set<String> = []

    func confirm(_ run: String) throws(HostError) { confirmed.insert(run) }

    func isConfirmed(_ run: String) throws(HostError) -> Bool { confirmed.contains(run) }
}
