package import HostAccess
package import WireFormats

/// A part of the host that may change, as far as an event or a look at the clock can tell one from another.
package enum WatchTopic: Sendable, Hashable {
    case links, addresses, routes, policyRules, neighbours, trafficControl
    /// Per-interface settings of IPv4 that rtnetlink tells of (RTM_NEWNETCONF).
    case interfaceSettings
    /// Anything of nftables: which tables, chains and sets there are.
    case nftables
    /// The rules of one table.
    case nftTable(NftTableName)
    case ipsec
    /// Which sockets listen: nothing tells, but the end of a process and what its start leaves in /run do.
    case sockets
    /// The rules of iptables-legacy. No event.
    case legacyTables
    /// `/proc/sys/net/bridge`. No event.
    case bridgeSettings
    /// Sets of ipset. No event.
    case ipsets
    /// A file, a directory or a sysctl.
    case file(HostPath)
    /// The end of a process.
    case process(Int)
    /// Nobody knows what has changed.
    case everything

    /// What has no event and is looked at by the clock, where it exists.
    package static let polled: Set<WatchTopic> = [.legacyTables, .bridgeSettings, .ipsets]

    /// With what may change together with it, and has no event of its own: a rule of iptables-legacy is often the first of
    /// its kind, and a server that starts leaves its number in /run.
    var withSilentParts: Set<WatchTopic> {
        switch self {
        case .nftables: [self, .legacyTables, .ipsets]
        case .links: [self, .bridgeSettings, .sockets]
        case .addresses, .process: [self, .sockets]
        case .file(let file) where file.path.hasPrefix("/run/"): [self, .sockets]
        default: [self]
        }
    }
}

/// What was touched, to be held against requests. Pure.
package struct TouchedParts: Sendable {
    private let topics: Set<WatchTopic>

    package init(_ topics: Set<WatchTopic>) {
        self.topics = topics.reduce(into: []) { $0.formUnion($1.withSilentParts) }
    }

    /// Whether the answer to the request may not hold any more.
    package func touches(_ request: HostRequest) -> Bool {
        topics.contains(.everything) || !topics.isDisjoint(with: request.topics)
    }
}
