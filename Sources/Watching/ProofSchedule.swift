internal import HostAccess

/// When the packet proof is made again: after something that it depends on was touched, and never sooner after the last one
/// than was asked for. Where nothing changes, nothing is proved again. Pure: milliseconds of one clock.
package struct ProofSchedule: Sendable {
    private let every: Int?
    private var began: Int?
    private var isStale = true

    /// - Parameter every: least time between the beginnings of two proofs; nil: no proofs at all.
    package init(every: Int?) {
        self.every = every
    }

    package mutating func note(_ topics: Set<WatchTopic>) {
        if topics.contains(where: \.decidesAboutPackets) { isStale = true }
    }

    /// Whether something was touched since the last proof began.
    package var awaitsProof: Bool { every != nil && isStale }

    /// When the next one is to begin; nil where none is needed.
    package var due: Int? {
        guard let every, isStale else { return nil }
        return began.map { $0 + every } ?? 0
    }

    /// One begins now.
    package mutating func begin(at now: Int) {
        began = now
        isStale = false
    }
}

extension WatchTopic {
    /// Whether a packet may go another way when this changes.
    fileprivate var decidesAboutPackets: Bool {
        switch self {
        case .links, .addresses, .routes, .policyRules, .trafficControl, .interfaceSettings, .nftables, .nftTable,
            .ipsec, .legacyTables, .bridgeSettings, .ipsets, .everything:
            true
        case .file(let file): file.root == nil && file.path.hasPrefix("/proc/sys/net/")
        case .neighbours, .sockets, .process: false
        }
    }
}
