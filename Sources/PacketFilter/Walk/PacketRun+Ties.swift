internal import HostModel
internal import WireFormats

/// Stations of equal priority at one hook.
///
/// The kernel puts what is registered later before what it has of the same priority (nf_hook_entries_grow). So of one
/// table the order is known; of several it is not, for no dump says when a table's chains were made, or when a table of
/// iptables-legacy was first used. Every order is tried, and where they do not come to the same it is a choice.
extension PacketRun {
    private struct Outcome: Hashable {
        var state: WalkState
        var killer: Killer?
        var hasStopped: Bool
    }

    private struct Place {
        var state: WalkState
        var path: [PathStep]
        var killer: Killer?
        var end = End.goesOn
    }

    /// More stations than these of one priority that change the packet, and the order is not tried out.
    private static let mostOrdered = 4

    /// - Parameter until: among nat chains, whether the first to translate the source, or the destination, ends it.
    func inAnyOrder(_ stations: [HookPlan.Station], _ hook: NftHook, until isSource: Bool? = nil) -> End {
        guard stations.count > 1 else { return stations.first.map { pass($0, hook) } ?? .goesOn }
        let start = Place(state: state, path: path, killer: killer)
        // What leaves the packet alone as it comes in does not matter, unless another changes it first.
        var changers = 0
        var stoppers: [Int] = []
        for index in stations.indices {
            let end = run([index], stations, hook, isSource, from: start)
            if limit != nil { return .stopped }
            if end.end == .stopped { stoppers.append(index) } else if end.state != start.state { changers += 1 }
        }
        if changers + stoppers.count == 0 || changers == 0 && stoppers.count == 1 {
            return enter(run(Array(stations.indices), stations, hook, isSource, from: start))
        }
        // Where nothing is changed, only who drops it first is open.
        if changers > 0 { stoppers = Array(stations.indices) }
        guard stoppers.count <= Self.mostOrdered else {
            limit =
                "more than \(Self.mostOrdered) tables have chains of one priority at a hook, and their order matters"
            return .stopped
        }
        var seen: [Outcome: Place] = [:]
        var different: [Place] = []
        for order in orders(stoppers, stations) {
            let place = run(order, stations, hook, isSource, from: start)
            if limit != nil { return .stopped }
            let outcome = Outcome(state: place.state, killer: place.killer, hasStopped: place.end == .stopped)
            if seen.updateValue(place, forKey: outcome) == nil { different.append(place) }
        }
        let names = stoppers.map { name(stations[$0]) }.joined(separator: ", ")
        let choice =
            different.count == 1
            ? 0
            : choose(
                different.count, "order \(hook.rawValue) \(names)", "which runs first of equal priority: \(names)")
        return enter(different[choice])
    }

    private func enter(_ place: Place) -> End {
        (state, path, killer) = (place.state, place.path, place.killer)
        return place.end
    }

    private func run(
        _ order: [Int], _ stations: [HookPlan.Station], _ hook: NftHook, _ isSource: Bool?, from start: Place
    ) -> Place {
        _ = enter(start)
        var end = End.goesOn
        for index in order {
            end = pass(stations[index], hook)
            if end == .stopped { break }
            if let isSource, state.isTranslated(source: isSource) { break }
        }
        let place = Place(state: state, path: path, killer: killer, end: end)
        _ = enter(start)
        return place
    }

    /// Every order of these stations in which chains of one table keep theirs.
    private func orders(_ list: [Int], _ stations: [HookPlan.Station]) -> [[Int]] {
        guard list.count > 1 else { return [list] }
        var result: [[Int]] = []
        for (position, first) in list.enumerated() {
            let table = table(stations[first])
            if table != nil, list[..<position].contains(where: { self.table(stations[$0]) == table }) { continue }
            let rest = list.filter { $0 != first }
            result += orders(rest, stations).map { [first] + $0 }
        }
        return result
    }

    private func table(_ station: HookPlan.Station) -> Int? {
        if case .chain(let chain) = station { ruleset.chains[chain].table } else { nil }
    }

    private func name(_ station: HookPlan.Station) -> String {
        switch station {
        case .conntrack: "conntrack"
        case .translation: "address translation"
        case .chain(let chain):
            "\(ruleset.tables[ruleset.chains[chain].table].description) \(ruleset.chains[chain].name)"
        }
    }
}
