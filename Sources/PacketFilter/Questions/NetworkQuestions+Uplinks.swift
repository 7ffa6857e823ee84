internal import HostModel
internal import WireFormats

/// The ways to the outside.
extension NetworkQuestions {
    struct Uplinks {
        var ways: [HostForwarding.Way] = []
        /// Public destinations that some containers cannot reach, because a route refuses them or none leads there.
        var refused = IntervalSet.empty
        /// Packets for which there is no way to the outside at all, though there is one for others.
        var cutOff: [PacketBox] = []
    }

    /// The links by which public destinations are reached, with all that is reached by them: by each mark that a
    /// packet may have when it is routed, and by each part of the containers that routing rules tell apart.
    func uplinks() throws(Undecided) -> [HostForwarding.Way] { try survey().ways }

    private func survey() throws(Undecided) -> Uplinks {
        guard host.link(bridge) != nil else { throw Undecided(reason: "there is no link \(bridge)") }
        guard let parts = host.alike(containers) else {
            throw Undecided(reason: "routing rules tell too many parts of the network apart")
        }
        var uplinks = Uplinks()
        var budget = HostForwarding.LookupBudget()
        let marked = try routedPackets()
        for mark in marked.marks {
            for part in parts {
                guard let ways = host.ways(from: part, input: bridge, mark: mark, &budget) else {
                    throw Undecided(reason: "there are too many routes and routing rules to look at each")
                }
                if let doubt = ways.doubt, let first = asked(ways.doubtful).ranges.first?.lowerBound {
                    throw Undecided(
                        reason: "where packets to \(IPv4Address(value: first)) are sent depends on what is not known: "
                            + doubt)
                }
                let outside = ways.all.compactMap(outside)
                for way in outside { add(way, to: &uplinks.ways) }
                uplinks.refused = uplinks.refused.union(asked(ways.refused))
                if outside.isEmpty, uplinks.cutOff.isEmpty {
                    let lost = PacketBox(source: part, destination: asked(.all), mark: IntervalSet(mark))
                    uplinks.cutOff = marked.boxes.compactMap { $0.intersection(lost) }
                }
            }
        }
        if uplinks.ways.isEmpty { throw Undecided(reason: "no route leads to the outside") }
        return uplinks
    }

    /// Whether everything is forwarded that a route leads to; containers from which none leads to the outside are a
    /// counterexample. Single destinations that routes refuse are refused on purpose: the answer names them.
    func forwardedWhereRouted() throws(Undecided) -> QuestionAnswer {
        let uplinks = try survey()
        if let cutOff = uplinks.cutOff.first {
            let packet = sample(cutOff, input: bridge)
            let result = walk.walk(packet)
            switch result.verdict {
            case .undecided: return unclear(.forwarded, result, packet)
            case .accepted where !result.isLocal:
                throw Undecided(reason: "whether a route leads \(packet) to the outside depends on its mark")
            case .accepted, .dropped:
                return QuestionAnswer(
                    .forwarded, .counterexample,
                    reason: result.isLocal ? "a route keeps it at this host" : "it is dropped", packet: packet,
                    decidedBy: result.killer)
            }
        }
        var answer = try forwarded(by: uplinks.ways)
        guard answer.verdict == .proven, !uplinks.refused.isEmpty else { return answer }
        let named = uplinks.refused.prefixes(limit: 4)
        let isWhole = uplinks.refused.subtracting(IntervalSet(named.map { $0.first.value...$0.last.value })).isEmpty
        answer.reason =
            "not asked about, because no route leads there or one refuses them: "
            + named.map(\.description).joined(separator: ", ") + (isWhole ? "" : " and others")
        return answer
    }

    /// The first packets of containers as they come to be routed, and the marks that they may have then.
    private func routedPackets() throws(Undecided) -> (marks: [UInt32], boxes: [PacketBox]) {
        guard host.routesByMark else { return ([0], [packets(to: Self.everywhere)]) }
        let routed = ruleset.marked([packets(to: Self.everywhere)], through: [.prerouting], context(bridge, nil))
        if let stranger = routed.strangers.first {
            throw Undecided(
                reason: "routing depends on marks, and these on what is not known: \(stranger.name)", doubts: [stranger]
            )
        }
        let found = routed.boxes.reduce(IntervalSet.empty) { $0.union($1.mark) }
        guard found.count <= 64 else {
            throw Undecided(reason: "routing depends on marks, and there are too many to look at each")
        }
        return (found.ranges.flatMap(Array.init), routed.boxes)
    }

    /// Of one link there is one way for each mark and all that it leads to, whatever parts of the containers take it.
    private func add(_ way: HostForwarding.Way, to found: inout [HostForwarding.Way]) {
        let known = found.firstIndex { other in
            other.output == way.output && other.mark == way.mark && other.destinations == way.destinations
        }
        if let known { found[known].sources = found[known].sources.union(way.sources) } else { found.append(way) }
    }

    /// A way without what is nobody's destination; nil where it does not lead to the outside.
    private func outside(_ way: HostForwarding.Way) -> HostForwarding.Way? {
        guard way.output.name != bridge, !asked(way.destinations).isEmpty else { return nil }
        var way = way
        way.destinations = way.destinations.intersection(Self.everywhere)
        return way
    }

    /// The public ones among some destinations, and the target.
    func asked(_ destinations: IntervalSet) -> IntervalSet {
        var wanted = Self.everywhere.subtracting(SourceTranslationQuestion.privateDestinations)
        if let target { wanted = wanted.union(IntervalSet(target.value)) }
        return destinations.intersection(wanted).subtracting(IntervalSet(network))
    }
}
