internal import HostModel

/// Which destinations leave by which link.
extension HostForwarding {
    struct Way {
        var output: Interface
        var destinations: IntervalSet
        /// The mark that leads here; nil: any.
        var mark: UInt32?
    }

    /// Whether a mark may change where a packet goes.
    var routesByMark: Bool { rules.contains { $0.markMask != 0 } }

    /// For packets that come in by a link: every destination that is routed on, by its output. Nil where there are
    /// too many routes to look at each.
    func ways(from source: IPv4Address, input: String, mark: UInt32 = 0) -> [Way]? {
        var edges: Set<UInt32> = [0]
        for prefix in routes.map(\.destination) + rules.compactMap(\.destination) {
            edges.insert(prefix.first.value)
            if prefix.last.value < .max { edges.insert(prefix.last.value + 1) }
        }
        let sorted = edges.sorted()
        guard sorted.count * routes.count < 5_000_000 else { return nil }
        var ranges: [UInt32: [ClosedRange<UInt32>]] = [:]
        for (index, low) in sorted.enumerated() {
            let high = index + 1 < sorted.count ? sorted[index + 1] - 1 : UInt32.max
            let flow = Flow(source: source, destination: IPv4Address(value: low), input: input, mark: mark)
            guard let found = lookup(flow, ask: { _ in false }), found.kind == .unicast else { continue }
            for link in Set(found.hops.map(\.link)) { ranges[link, default: []].append(low...high) }
        }
        return ranges.keys.sorted().compactMap { index in
            guard let output = link(index), let list = ranges[index] else { return nil }
            return Way(output: output, destinations: IntervalSet(list), mark: routesByMark ? mark : nil)
        }
    }
}
