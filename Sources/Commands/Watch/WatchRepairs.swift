internal import HostModel
internal import Watching

/// The repairs that a watch may make: when, of what, and what is left to a person.
final class WatchRepairs {
    private var governor: RemedyGovernor
    private(set) var leftAlone: [WatchStatus.LeftAlone] = []
    /// When the next may be made, in milliseconds of the monotonic clock; nil: none is wanted.
    private(set) var due: Int?

    init(_ settings: WatchSettings) {
        governor = RemedyGovernor(allowed: Set(settings.remedy), every: settings.remedyEvery)
    }

    /// Decides about every cause that is present. Seconds of the monotonic clock.
    func consider(_ report: Report, at now: Int) {
        governor.see(Set(report.causes.map(Self.target)))
        leftAlone = []
        due = nil
        for cause in report.causes {
            switch governor.decide(Self.target(cause), remedy: cause.remedy, at: now) {
            case .repair: due = 0
            case .wait(let second): due = min(due ?? .max, second * 1_000)
            case .leave(let reason): leftAlone.append(WatchStatus.LeftAlone(cause, reason))
            }
        }
    }

    /// What may be repaired now; later ones set a new time.
    func due(in report: Report, at now: Int) -> [RemedyGovernor.Target] {
        var ready: [RemedyGovernor.Target] = []
        due = nil
        for cause in report.causes {
            switch governor.decide(Self.target(cause), remedy: cause.remedy, at: now) {
            case .repair: ready.append(Self.target(cause))
            case .wait(let second): due = min(due ?? .max, second * 1_000)
            case .leave: break
            }
        }
        return ready
    }

    /// - Parameter report: the host afterwards; nil where the repair could not even be tried.
    func ended(_ targets: [RemedyGovernor.Target], after report: Report?, at now: Int) {
        let still = report.map { Set($0.causes.map(Self.target)) }
        let isApplied = report?.fixes?.outcome == .applied
        governor.ended(targets, healed: { target in isApplied && still?.contains(target) == false }, at: now)
    }

    private static func target(_ cause: Cause) -> RemedyGovernor.Target {
        RemedyGovernor.Target(cause: cause.id, subject: cause.subject)
    }
}
