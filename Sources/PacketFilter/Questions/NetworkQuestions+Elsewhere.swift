internal import HostModel
internal import WireFormats

/// Packets that a rule sends elsewhere on the way in.
extension NetworkQuestions {
    /// Packets to the outside that a rule sends elsewhere on the way in: to the host, to a container, into nothing. Of
    /// private destinations nothing is asked: what stands for a service in a cluster has to be sent elsewhere.
    func redirected(
        _ boxes: [PacketBox], _ context: PacketContext
    ) throws(Undecided) -> QuestionAnswer? {
        guard ruleset.translatesDestinations else { return nil }
        var outside = SourceTranslationQuestion.privateDestinations.complement
        if let target { outside = outside.union(IntervalSet(target.value)) }
        let asked = boxes.compactMap { $0.intersection(PacketBox(destination: outside)) }
        var undecided: QuestionAnswer?
        let sent = try sentElsewhere(asked, context)
        for outcome in sent.prefix(Self.mostLookedAt) {
            let packet = sample(outcome.box, input: bridge)
            let result = walk.walk(packet)
            switch result.verdict {
            case .dropped:
                return QuestionAnswer(
                    .forwarded, .counterexample, reason: "it is dropped", packet: packet, decidedBy: result.killer)
            case .accepted where result.isLocal || result.uplink == bridge:
                return QuestionAnswer(
                    .forwarded, .counterexample,
                    reason: "it is sent to \(result.destinationAfter?.description ?? "another") instead",
                    packet: packet,
                    decidedBy: outcome.rule.map(killer))
            case .accepted where outcome.doubts.isEmpty: continue
            case .accepted, .undecided:
                undecided =
                    undecided
                    ?? (outcome.doubts.isEmpty
                        ? unclear(.forwarded, result, packet) : unclear(.forwarded, outcome.doubts, packet))
            }
        }
        return undecided ?? tooMany(sent, .forwarded)
    }

    /// Packets that a rule sends elsewhere on the way in; nil where it sends none, or none that matters.
    func diverted(
        _ question: NetworkQuestion, _ boxes: [PacketBox], _ context: PacketContext,
        unless isRight: (WalkResult) -> Bool
    ) throws(Undecided) -> QuestionAnswer? {
        guard ruleset.translatesDestinations else { return nil }
        var doubtful: QuestionAnswer?
        let sent = try sentElsewhere(boxes, context)
        for outcome in sent.prefix(Self.mostLookedAt) {
            var packet = sample(outcome.box, input: bridge)
            if packet.source == packet.destination, let other = outcome.box.destination.ranges.last?.upperBound {
                packet.destination = IPv4Address(value: other)
            }
            let result = walk.walk(packet)
            switch result.verdict {
            case .accepted where isRight(result) && (result.isLocal || result.destinationAfter == packet.destination):
                // This one is left alone; others of its set may not be.
                guard !outcome.doubts.isEmpty else { continue }
                doubtful = doubtful ?? unclear(question, outcome.doubts, packet)
            case .accepted:
                return QuestionAnswer(
                    question, .counterexample,
                    reason: "it is sent to \(result.destinationAfter?.description ?? "another") instead",
                    packet: packet, decidedBy: outcome.rule.map(killer))
            case .dropped:
                return QuestionAnswer(
                    question, .counterexample, reason: "it is dropped", packet: packet, decidedBy: result.killer)
            case .undecided:
                return unclear(question, result, packet)
            }
        }
        return doubtful ?? tooMany(sent, question)
    }

    /// Of the sets of packets that are sent elsewhere; each is walked alone.
    private static let mostLookedAt = 256

    private func tooMany(_ sent: [WalkOutcome], _ question: NetworkQuestion) -> QuestionAnswer? {
        guard sent.count > Self.mostLookedAt else { return nil }
        return QuestionAnswer(
            question, .undecided,
            reason: "more than \(Self.mostLookedAt) rules and entries send packets elsewhere on the way in")
    }

    /// What the nat chains of prerouting do with packets whose destination they change.
    private func sentElsewhere(
        _ boxes: [PacketBox], _ context: PacketContext
    ) throws(Undecided) -> [WalkOutcome] {
        var context = context
        context.output = nil
        do {
            var chains = ChainWalk(ruleset, context)
            _ = try chains.prerouting(boxes)
            return chains.outcomes
        } catch {
            throw Undecided(error)
        }
    }
}
