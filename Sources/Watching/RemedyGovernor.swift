package import HostModel

/// Decides which causes a watch may repair by itself, and when.
///
/// It repairs by the allowed remedies only; only a cause that has lasted for `patience`, because a firewall that reloads is
/// broken for a moment; at most once in `every` seconds; and each further attempt at a cause waits twice as long as the one
/// before. A repair that something else undoes is made once more and then left to a person: two tools that undo each other
/// are worse than one fault. Pure: all times are seconds of one clock.
package struct RemedyGovernor: Sendable {
    /// What a repair is about.
    package struct Target: Hashable, Sendable {
        package var cause: String
        package var subject: Subject

        package init(cause: String, subject: Subject) {
            self.cause = cause
            self.subject = subject
        }
    }

    package enum Decision: Equatable, Sendable {
        case repair
        /// Not before this second.
        case wait(Int)
        /// Not by this program; the words say why.
        case leave(String)
    }

    /// How long a cause must have been there, in seconds.
    package static let patience = 3
    /// Failures in a row after which a cause is left to a person.
    package static let mostFailures = 3
    private static let longestWait = 86_400
    private static let mostTargets = 1_024

    private struct Record {
        var attempts = 0
        var failures = 0
        /// Whether the last repair helped, and it was not seen again since.
        var isHealed = false
        var timesUndone = 0
        var last = 0
        /// Since when it is there; nil while it is not.
        var since: Int?
    }

    private let allowed: Set<String>
    private let every: Int
    private var records: [Target: Record] = [:]
    private var last: Int?

    /// - Parameter every: least time between two repairs, in seconds.
    package init(allowed: Set<String>, every: Int) {
        self.allowed = allowed
        self.every = every
    }

    /// Says which causes are present; the others are gone.
    package mutating func see(_ present: Set<Target>) {
        for target in records.keys where !present.contains(target) { records[target]?.since = nil }
    }

    /// What may be done about a cause that is present.
    package mutating func decide(_ target: Target, remedy: RemedyAdvice?, at now: Int) -> Decision {
        guard let remedy, remedy.automatic else { return .leave("no remedy does it by itself") }
        guard allowed.contains(remedy.id) else { return .leave("remedy \(remedy.id) is not on the list (--remedy)") }
        guard records.count < Self.mostTargets || records[target] != nil else {
            return .leave("too many different causes were repaired already")
        }
        var record = records[target] ?? Record()
        if record.isHealed {
            record.isHealed = false
            record.timesUndone += 1
        }
        let since = record.since ?? now
        record.since = since
        records[target] = record
        guard record.timesUndone < 2 else {
            return .leave("something else took its repair back twice; find out what, then send SIGHUP or restart")
        }
        guard record.failures < Self.mostFailures else {
            return .leave("its repair failed \(record.failures) times")
        }
        var soonest = max(since + Self.patience, last.map { $0 + every } ?? now)
        if record.attempts > 0 {
            let wait = min(every << min(record.attempts - 1, 16), Self.longestWait)
            soonest = max(soonest, record.last + wait)
        }
        return soonest <= now ? .repair : .wait(soonest)
    }

    /// A repair of these has ended.
    package mutating func ended(_ targets: [Target], healed: (Target) -> Bool, at now: Int) {
        last = now
        for target in targets {
            var record = records[target] ?? Record()
            record.attempts += 1
            record.last = now
            record.isHealed = healed(target)
            record.since = nil
            record.failures = record.isHealed ? 0 : record.failures + 1
            records[target] = record
        }
    }
}
