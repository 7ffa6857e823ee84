internal import HostModel
internal import WireFormats

/// Who must not be translated.
extension NetworkQuestions {
    /// Nobody else is translated by accident: who comes to the containers from outside or from another network of this
    /// host, and hosts of other networks behind it, by the rule that is meant for the containers.
    func others() throws(Undecided) -> QuestionAnswer {
        let ways = try uplinks()
        let outputs = Set(ways.map(\.output.name))
        for way in ways {
            let answer = try untouched(
                .others, .opening(source: senders(by: way), destination: containers), context(way.output.name, bridge),
                input: way.output.name)
            if answer.verdict != .proven { return answer }
        }
        let links = host.links.filter { isOfAnotherNetwork($0, outputs) && !neighbours(of: $0).isEmpty }
        if links.isEmpty { return QuestionAnswer(.others, .proven) }
        let makers = try makers(ways)
        for link in links {
            let neighbours = neighbours(of: link)
            let inside = try untouched(
                .others, .opening(source: neighbours, destination: containers), context(link.name, bridge),
                input: link.name, by: makers)
            if inside.verdict != .proven { return inside }
            for way in ways where way.mark ?? 0 == 0 {
                let outside = way.destinations.subtracting(IntervalSet(network)).subtracting(neighbours)
                let answer = try untouched(
                    .others, .opening(source: neighbours, destination: outside), context(link.name, way.output.name),
                    input: link.name, by: makers)
                if answer.verdict != .proven { return answer }
            }
        }
        return QuestionAnswer(.others, .proven)
    }

    /// Every rule that translates packets of the containers on some way to the outside, whatever of them it misses.
    private func makers(_ ways: [HostForwarding.Way]) throws(Undecided) -> Set<Int> {
        var makers: Set<Int> = []
        for way in ways {
            var question = translation(way)
            question.destinations = way.destinations
            do {
                makers.formUnion(
                    try question.outcomes(ruleset).compactMap { outcome -> Int? in
                        // To private destinations other rules are meant, such as those of a cluster's services.
                        if asked(outcome.box.destination).isEmpty { return nil }
                        switch outcome.result {
                        case .masqueraded, .sourceTranslated: return outcome.rule
                        case .untranslated, .destinationTranslated, .dropped: return nil
                        }
                    })
            } catch {
                throw Undecided(error)
            }
        }
        return makers
    }

    /// Who may send packets in by a way to the outside: public addresses and the hosts of its subnets; of other private
    /// addresses those that a route of their own leads to. That the default route would answer any is no sign of anybody.
    private func senders(by way: HostForwarding.Way) -> IntervalSet {
        let hidden = SourceTranslationQuestion.privateDestinations
        let routed = host.routes.filter { route in
            route.kind == .unicast && route.nextHops.contains { $0.link == way.output.index }
                && IntervalSet(route.destination).isSubset(of: hidden)
        }
        let near = IntervalSet((routed.map(\.destination) + way.output.addresses.map(\.address)).map(Self.range))
            .union(asked(.all))
        return way.destinations.subtracting(IntervalSet(network)).subtracting(hidden.subtracting(near))
            .subtracting(ownOrNobodys(host.links.flatMap(\.addresses).map(\.address)))
    }

    private static func range(_ prefix: IPv4Prefix) -> ClosedRange<UInt32> { prefix.first.value...prefix.last.value }

    /// What no neighbour has in the subnets of these addresses: the addresses themselves, and the first and the last, which
    /// are the subnet's (RFC 3021 for those without).
    private func ownOrNobodys(_ addresses: [IPv4Prefix]) -> IntervalSet {
        IntervalSet(
            addresses.flatMap { own in
                own.length <= 30 ? [own.address.value, own.first.value, own.last.value] : [own.address.value]
            }.map { $0...$0 })
    }

    private func isOfAnotherNetwork(_ link: HostForwarding.Interface, _ uplinks: Set<String>) -> Bool {
        !link.isLoopback && link.isUp && link.bridge == nil && link.name != bridge && !uplinks.contains(link.name)
            && link.forwarding
    }

    /// The other addresses of the subnets of a link.
    private func neighbours(of link: HostForwarding.Interface) -> IntervalSet {
        let subnets = link.addresses.map(\.address).filter { $0.length <= 30 && !$0.overlaps(network) }
        return IntervalSet(subnets.map(Self.range)).subtracting(ownOrNobodys(subnets))
    }

    /// No rule translates these packets; or none of those.
    func untouched(
        _ question: NetworkQuestion, _ box: PacketBox, _ context: PacketContext, input: String,
        by makers: Set<Int>? = nil
    ) throws(Undecided) -> QuestionAnswer {
        var outcomes: [WalkOutcome] = []
        // What is dropped on the way is not translated: one packet of a set must speak for those that come through.
        var passage = Passage(boxes: [box])
        if host.link(input)?.kind == "bridge" {
            try passBridge(&passage, .prerouting, context)
            try passBridge(&passage, context.isBridged ? .forward : .input, context)
        }
        for hook in [.prerouting, .forward] as [NftHook] { try pass(&passage, hook, context) }
        var context = context
        if context.isBridged { context.input = nil }
        // What stands behind the nat chains comes too late for what they look at.
        try pass(&passage, ruleset.filterChains(.postrouting, nat: .before), context)
        do {
            var chains = ChainWalk(ruleset, context)
            try chains.postrouting(passage.boxes)
            outcomes = chains.outcomes
        } catch {
            throw Undecided(error)
        }
        let translated = outcomes.filter { outcome in
            guard outcome.result != .untranslated, outcome.result != .dropped else { return false }
            guard let makers else { return true }
            return outcome.rule.map(makers.contains) ?? false
        }
        var doubtful: QuestionAnswer?
        for (outcome, box) in translated.flatMap(Self.attempts) {
            var packet = sample(box, input: input)
            if packet.source == packet.destination, let other = box.destination.ranges.last?.upperBound {
                packet.destination = IPv4Address(value: other)
            }
            let result = walk.walk(packet)
            switch result.verdict {
            case .accepted where result.sourceAfter != packet.source:
                return QuestionAnswer(
                    question, .counterexample,
                    reason: makers == nil
                        ? "it arrives as \(result.sourceAfter?.description ?? "another")"
                        : "it leaves as \(result.sourceAfter?.description ?? "another"), by the rule for the containers",
                    packet: packet,
                    decidedBy: outcome.rule.map(killer))
            case .dropped: continue
            case .accepted:
                if outcome.doubts.isEmpty, passage.isExact {
                    return disagreement(question, packet, "translated", result)
                }
                doubtful = doubtful ?? unclear(question, outcome.doubts, packet)
            case .undecided: return disagreement(question, packet, "translated", result)
            }
        }
        let stranger = passage.dropped.first { $0.outcome.result == .sourceTranslated(nil) }
        if let rule = stranger?.outcome.rule, doubtful == nil {
            let doubt = Doubt("what becomes of packets by `\(ruleset.text(ofRule: rule))`", rule: rule)
            throw Undecided(reason: "depends on what is not known: \(doubt.name)", doubts: [doubt])
        }
        return doubtful ?? QuestionAnswer(question, .proven)
    }

    /// The sets to try a packet of: where something is not known of a set, one for each protocol that people know.
    private static func attempts(_ outcome: WalkOutcome) -> [(outcome: WalkOutcome, box: PacketBox)] {
        guard !outcome.doubts.isEmpty else { return [(outcome, outcome.box)] }
        let boxes = ([17, 6, 1] as [UInt32]).compactMap { number in
            outcome.box.intersection(PacketBox(transport: IntervalSet(number)))
        }
        return (boxes.isEmpty ? [outcome.box] : boxes).map { (outcome, $0) }
    }
}
