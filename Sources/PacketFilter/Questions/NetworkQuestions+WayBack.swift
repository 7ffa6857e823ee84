internal import HostModel

/// Where the routing policy sends answers, once their destination is a container again.
extension NetworkQuestions {
    /// More marks than these are not looked at one by one.
    private static let mostMarks: UInt64 = 64

    /// Of answers that came in by a link, on their way to the routing decision: one that it does not lead to the bridge.
    func misrouted(
        _ passage: Passage, by input: String, _ budget: inout HostForwarding.LookupBudget,
        _ make: (PacketBox) -> SamplePacket
    ) throws(Undecided) -> QuestionAnswer? {
        let near = host.towards(network, input: input)
        let union = passage.boxes.reduce(into: (source: IntervalSet.empty, mark: IntervalSet.empty)) { all, box in
            all = (all.source.union(box.source), all.mark.union(box.mark))
        }
        let marks = near.routesByMark ? union.mark : .zero
        guard marks.count <= Self.mostMarks, let parts = near.alike(union.source) else {
            throw Undecided(reason: "routing rules tell too many kinds of answers apart")
        }
        let goals = containers
        var doubt: String?
        for mark in marks.ranges.flatMap(Array.init) {
            for part in parts {
                guard let ways = near.ways(from: part, input: input, mark: mark, &budget) else {
                    throw Undecided(reason: "there are too many routes and routing rules to look at each")
                }
                func first(_ destinations: IntervalSet) -> SamplePacket? {
                    guard !destinations.isEmpty else { return nil }
                    let asked = PacketBox(
                        source: part, destination: destinations, mark: near.routesByMark ? IntervalSet(mark) : .all)
                    return passage.boxes.lazy.compactMap { $0.intersection(asked) }.first.map(make)
                }
                if let packet = first(goals.subtracting(ways.doubtful).subtracting(toBridge(ways))) {
                    return try follow(packet, input, isExact: passage.isExact)
                }
                if doubt == nil, let packet = first(goals.intersection(ways.doubtful)) {
                    let goal = packet.mappedDestination ?? packet.destination
                    doubt = "where answers to \(goal) are sent depends on what is not known: \(ways.doubt ?? "")"
                }
            }
        }
        if let doubt { throw Undecided(reason: doubt) }
        return nil
    }

    /// Destinations that are sent to the bridge, and nowhere else.
    private func toBridge(_ ways: HostForwarding.Ways) -> IntervalSet {
        ways.all.reduce(IntervalSet.empty) { $1.output.name == bridge ? $0.union($1.destinations) : $0 }
            .subtracting(
                ways.all.reduce(IntervalSet.empty) { $1.output.name == bridge ? $0 : $0.union($1.destinations) })
    }

    private func follow(
        _ packet: SamplePacket, _ input: String, isExact: Bool
    ) throws(Undecided) -> QuestionAnswer {
        let result = walk.walk(packet)
        let decision = host.decision(
            source: packet.source, destination: packet.mappedDestination ?? packet.destination, input: input,
            mark: result.routedMark ?? 0)
        let routing = Killer(hook: "routing", text: host.reason(of: decision))
        switch result.verdict {
        case .dropped:
            let isRefused = result.killer?.hook == "routing" && decision.kind != .unicast
            return QuestionAnswer(
                .answered, .counterexample, reason: "it is dropped", packet: packet,
                decidedBy: isRefused ? routing : result.killer)
        case .accepted where result.isLocal:
            return QuestionAnswer(
                .answered, .counterexample, reason: "it stays at this host", packet: packet, decidedBy: routing)
        case .accepted where result.uplink != bridge:
            return QuestionAnswer(
                .answered, .counterexample, reason: "it leaves by \(result.uplink ?? "another link"), not by \(bridge)",
                packet: packet, decidedBy: routing)
        case .accepted where !isExact:
            throw Undecided(reason: "where answers are sent depends on the marks that rules give them")
        case .accepted, .undecided: return disagreement(.answered, packet, "sent elsewhere", result)
        }
    }
}
