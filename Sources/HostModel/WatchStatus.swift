/// What `watch` is doing, as `/healthz` says it. The contract is `reports/schema/watch.v1.schema.json`.
package struct WatchStatus: Codable, Sendable, Hashable {
    package struct Proof: Codable, Sendable, Hashable {
        package var mode: ProofMode
        /// Least time between two proofs.
        package var everySeconds: Int
        /// When the last one began; nil before the first. RFC 3339.
        package var provedAt: String?
        package var verdict: ProofVerdict?
        /// Something that it depends on was touched since; it is made again as soon as it may.
        package var isDue: Bool
    }

    /// A part of the host that tells of no change, and so is looked at by the clock.
    package struct Polled: Codable, Sendable, Hashable {
        /// `iptables-legacy`, `bridge-sysctls`.
        package var part: String
        package var everySeconds: Int
    }

    /// A cause that is present and not repaired by the watch, with the reason.
    package struct LeftAlone: Codable, Sendable, Hashable {
        package var cause: String
        package var subject: Subject
        package var reason: String
    }

    package struct Repairs: Codable, Sendable, Hashable {
        /// Ids of the remedies that it may use.
        package var allowed: [String]
        package var leftAlone: [LeftAlone]
    }

    package static let schemaName = "lxc-doctor/watch/1"

    package var schema = WatchStatus.schemaName
    package var tool: Report.Tool
    /// RFC 3339, UTC, as every time here.
    package var startedAt: String
    package var judgedAt: String
    package var profile: String
    package var verdict: Health
    /// How often something was judged since the start, in whole or in part.
    package var judgements = 0
    /// How many findings the last judgement looked at anew.
    package var judgedAnew = 0
    /// How often events were lost, and everything was read again.
    package var overruns = 0
    /// Files that could not be watched: changes of them are seen with the next full look only.
    package var unwatchedFiles = 0
    package var proof: Proof?
    package var polled: [Polled] = []
    package var repairs: Repairs?

    package init(tool: Report.Tool, startedAt: String, profile: String) {
        self.tool = tool
        self.startedAt = startedAt
        judgedAt = startedAt
        self.profile = profile
        verdict = .unknown
    }
}

extension WatchStatus.Proof {
    package init(mode: ProofMode, everySeconds: Int) {
        self.mode = mode
        self.everySeconds = everySeconds
        isDue = true
    }
}

extension WatchStatus.Polled {
    package init(_ part: String, everySeconds: Int) {
        self.part = part
        self.everySeconds = everySeconds
    }
}

extension WatchStatus.LeftAlone {
    package init(_ cause: Cause, _ reason: String) {
        self.init(cause: cause.id, subject: cause.subject, reason: reason)
    }
}

extension WatchStatus.Repairs {
    package init(allowed: [String]) {
        self.init(allowed: allowed, leftAlone: [])
    }
}
