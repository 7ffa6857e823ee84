package import HostModel

/// Which destinations leave by which link.
extension HostForwarding {
    struct Way {
        var output: Interface
        /// Of those that were asked about.
        var sources: IntervalSet
        var destinations: IntervalSet
        /// The mark that leads here; nil: any.
        var mark: UInt32?
    }

    /// Where packets of some sources with a mark go.
    struct Ways {
        var all: [Way] = []
        /// Destinations that are refused, or that no route leads to while a default route leads on.
        var refused = IntervalSet.empty
        /// Why it is not known where some destinations lead, and which ones those are.
        var doubt: String?
        var doubtful = IntervalSet.empty
    }

    /// Work that may still be done: rules times routes, over every lookup.
    struct LookupBudget {
        var left = 40_000_000

        mutating func take(_ work: Int) -> Bool {
            left -= work
            return left >= 0
        }
    }

    /// More matches that are not known are not tried out.
    private static let mostUnknown = 4

    /// Whether a mark may change where a packet goes.
    var routesByMark: Bool { rules.contains { $0.markMask != 0 } }

    /// The sources, in parts that every rule of the routing policy treats alike. Nil where there are too many parts.
    func alike(_ sources: IntervalSet, limit: Int = 64) -> [IntervalSet]? {
        var parts = [sources]
        for prefix in Set(rules.compactMap(\.source)) {
            let named = IntervalSet(prefix)
            parts = parts.flatMap { [$0.intersection(named), $0.subtracting(named)].filter { !$0.isEmpty } }
            if parts.count > limit { return nil }
        }
        return parts
    }

    /// This host with only those rules and routes that packets to a network may meet that come in by a link.
    package func towards(_ network: IPv4Prefix, input: String) -> HostForwarding {
        var narrow = self
        narrow.keepRules { rule in
            rule.inputInterface.map { $0 == input } ?? true && rule.outputInterface == nil
                && rule.destination.map(network.overlaps) ?? true
        }
        narrow.routes = routes.filter { network.overlaps($0.destination) }
        return narrow
    }

    /// Drops rules that cannot match; those that are inverted stay.
    private mutating func keepRules(_ mayMatch: (FibRule) -> Bool) {
        rules = (rules.isEmpty ? Self.defaultRules : rules).filter { $0.isInverted || mayMatch($0) }
        // An empty list stands for the kernel's own rules.
        if rules.isEmpty { rules = [FibRule(priority: 0, action: 3)] }
    }

    /// For packets that come in by a link, of sources that are alike: every destination that is routed on, by its
    /// output. Nil where there are too many rules and routes to look at each.
    func ways(from sources: IntervalSet, input: String, mark: UInt32 = 0, _ budget: inout LookupBudget) -> Ways? {
        guard let first = sources.ranges.first?.lowerBound else { return Ways() }
        let narrow = narrowed(to: IPv4Address(value: first), input: input, mark: mark)
        let unknown = narrow.unknownMatches
        guard unknown.count <= Self.mostUnknown else {
            return Ways(
                doubt: "there are more than \(Self.mostUnknown) routing rules with a match that is not known",
                doubtful: .all)
        }
        var edges: Set<UInt32> = [0]
        for prefix in narrow.routes.map(\.destination) + narrow.rules.compactMap(\.destination) {
            edges.insert(prefix.first.value)
            if prefix.last.value < .max { edges.insert(prefix.last.value + 1) }
        }
        let tries = 1 << unknown.count
        let once = edges.count.multipliedReportingOverflow(by: max(1, narrow.rules.count) * tries)
        let work = once.partialValue.multipliedReportingOverflow(by: max(1, narrow.routes.count))
        guard !once.overflow, !work.overflow, budget.take(work.partialValue) else { return nil }
        let sorted = edges.sorted()
        var ranges: [UInt32: [ClosedRange<UInt32>]] = [:]
        var refused: [ClosedRange<UInt32>] = []
        var doubtful: [ClosedRange<UInt32>] = []
        for (index, low) in sorted.enumerated() {
            let range = low...(index + 1 < sorted.count ? sorted[index + 1] - 1 : UInt32.max)
            let flow = Flow(
                source: IPv4Address(value: first), destination: IPv4Address(value: low), input: input, mark: mark)
            var ends: [Set<UInt32>?] = []
            for choice in 0..<tries {
                let end = narrow.links(flow) { name in
                    unknown.firstIndex(of: name).map { choice >> $0 & 1 == 1 } ?? false
                }
                if !ends.contains(end) { ends.append(end) }
            }
            if ends.count > 1 { doubtful.append(range) }
            for link in ends.compactMap({ $0 }).reduce(Set<UInt32>(), { $0.union($1) }) {
                ranges[link, default: []].append(range)
            }
            if ends == [nil] { refused.append(range) }
        }
        var ways = Ways()
        ways.all = ranges.keys.sorted().compactMap { index in
            guard let output = link(index), let list = ranges[index] else { return nil }
            return Way(
                output: output, sources: sources, destinations: IntervalSet(list), mark: routesByMark ? mark : nil)
        }
        ways.refused = IntervalSet(refused)
        ways.doubtful = IntervalSet(doubtful)
        if !doubtful.isEmpty { ways.doubt = unknown.joined(separator: ", ") }
        return ways
    }

    /// The links by which a packet is sent on: none where it stays here, nil where it goes nowhere.
    private func links(_ flow: Flow, ask: (String) -> Bool) -> Set<UInt32>? {
        guard let found = lookup(flow, ask: ask) else { return nil }
        switch found.kind {
        case .unicast: return Set(found.hops.map(\.link))
        case .blackhole, .unreachable, .prohibit, .throw: return nil
        case .local, .broadcast, .multicast, .other: return []
        }
    }

    /// The names of the matches that are not known, as a lookup asks for them.
    private var unknownMatches: [String] {
        var names: [String] = []
        for rule in rules where rule.hasOtherMatch && !names.contains(rule.matchName) { names.append(rule.matchName) }
        if routes.contains(where: { $0.tos ?? 0 != 0 }) { names.append(Self.typeOfService) }
        return names
    }

    /// This host with only those rules that a packet may match, wherever it goes, and the tables that they look into.
    private func narrowed(to source: IPv4Address, input: String, mark: UInt32) -> HostForwarding {
        var narrow = self
        narrow.keepRules { rule in
            rule.inputInterface.map { $0 == input } ?? true && rule.outputInterface == nil
                && (rule.mark ^ mark) & rule.markMask == 0 && rule.source.map { $0.contains(source) } ?? true
        }
        let tables = Set(narrow.rules.filter { $0.action == 1 }.map(\.table))
        narrow.routes = routes.filter { tables.contains($0.table) }
        return narrow
    }
}
