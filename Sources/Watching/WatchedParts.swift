package import HostAccess

/// What a watch has to watch, from the requests that its judgement depends on. Pure.
package struct WatchedParts: Sendable, Equatable {
    package var files: Set<HostPath> = []
    /// Parts that exist and have no events, and so must be polled.
    package var polled: Set<WatchTopic> = []
    package var processes: Set<Int> = []

    /// - Parameter exists: whether what a request read is there, of requests about polled parts.
    package init(_ requests: some Sequence<HostRequest>, exists: (HostRequest) -> Bool) {
        for request in requests {
            for topic in request.topics {
                switch topic {
                case .file(let file): files.insert(file)
                // Process 1 does not end, and this one knows when it does.
                case .process(let number) where number > 1: processes.insert(number)
                case .legacyTables, .bridgeSettings, .ipsets:
                    if exists(request) { polled.insert(topic) }
                default: break
                }
            }
        }
    }
}

extension WatchTopic {
    /// As operators and metrics name a part that is polled.
    package var polledName: String? {
        switch self {
        case .legacyTables: "iptables-legacy"
        case .bridgeSettings: "bridge-sysctls"
        case .ipsets: "ipset"
        default: nil
        }
    }
}
