internal import HostModel
internal import WireFormats

/// Whether everything to the outside leaves with an address of the host.
extension NetworkQuestions {
    func translated() throws(Undecided) -> QuestionAnswer {
        var maker: RulePlace?
        for way in try uplinks() {
            let question = translation(way)
            let answer: SourceTranslation
            do {
                answer = try question.answer(ruleset)
            } catch {
                throw Undecided(error)
            }
            guard answer.translated != .all || answer.defect != .none else {
                if let rule = answer.rule { maker = place(rule) }
                continue
            }
            guard let box = answer.counterexample else {
                throw Undecided(reason: "no packet shows the defect \(answer.defect.rawValue)")
            }
            let packet = sample(box, input: bridge)
            let result = walk.walk(packet)
            let shouldHaveCaught = answer.rescuer.map(place)
            switch result.verdict {
            case .dropped:
                return QuestionAnswer(
                    .translated, .undecided, reason: "its packets are dropped before they could leave", packet: packet,
                    decidedBy: result.killer, shouldHaveCaught: shouldHaveCaught)
            case .accepted where result.uplink != way.output.name:
                return QuestionAnswer(
                    .translated, .undecided, reason: "its packets are sent elsewhere before they could leave",
                    packet: packet, decidedBy: answer.rule.map(killer), shouldHaveCaught: shouldHaveCaught)
            case .accepted where !isTranslated(packet, result, question):
                let deciding = answer.rule == answer.rescuer ? nil : answer.rule.map(killer)
                return QuestionAnswer(
                    .translated, .counterexample,
                    reason: "it leaves by \(way.output.name) as " + Self.words(packet, result, question),
                    packet: packet, decidedBy: deciding ?? lastChain(result), shouldHaveCaught: shouldHaveCaught)
            default: return disagreement(.translated, packet, "untranslated", result)
            }
        }
        return QuestionAnswer(.translated, .proven, provenBy: maker)
    }

    /// What goes a way must leave with an address that brings answers back.
    func translation(_ way: HostForwarding.Way) -> SourceTranslationQuestion {
        var question = translation(way.output.name)
        question.sources = way.sources
        question.destinations = way.destinations.subtracting(
            IntervalSet(exempt.map { $0.first.value...$0.last.value }))
        question.routedMark = way.mark
        return question
    }

    /// What leaves by a link must get such an address there.
    func translation(_ output: String) -> SourceTranslationQuestion {
        var question = SourceTranslationQuestion(
            network: network, bridge: link(bridge), uplink: link(output), target: target,
            localAddresses: host.links.flatMap { $0.addresses.map(\.address) })
        question.keepsSockets = !showsBridged
        let inward = host.links.filter { $0.kind == "bridge" && $0.name != output && $0.name != bridge }
            .flatMap { $0.addresses.map(\.address.address.value) }
        question.inward = IntervalSet(inward.map { $0...$0 }).intersection(
            SourceTranslationQuestion.privateDestinations)
        guard let uplink = host.link(output) else { return question }
        // With several of its own, the next hop decides among these alone.
        let source = host.masqueradeAddress(output: uplink, nextHop: IPv4Address(value: 0))
        if let source, !uplink.addresses.contains(where: { $0.address.address == source }) {
            question.borrowed = source
        }
        return question
    }

    private func isTranslated(
        _ packet: SamplePacket, _ result: WalkResult, _ question: SourceTranslationQuestion
    ) -> Bool {
        let sources = Self.sources(result)
        return !sources.isEmpty && sources.allSatisfy { $0 != packet.source && question.fault(of: $0) == nil }
    }

    private static func sources(_ result: WalkResult) -> [IPv4Address] {
        result.sourceAfter.map { [$0] } ?? result.sourceChoices ?? []
    }

    private static func words(
        _ packet: SamplePacket, _ result: WalkResult, _ question: SourceTranslationQuestion
    ) -> String {
        if result.sourceAfter == packet.source { return "\(packet.source), untranslated" }
        let wrong = sources(result).first { question.fault(of: $0) != nil }
        return
            "\(wrong?.description ?? "an address"), \(wrong.flatMap(question.fault) ?? "which this host does not have")"
    }

    /// No rule decided: the last nat chain let the packet out.
    private func lastChain(_ result: WalkResult) -> Killer {
        let step = result.path.last { $0.hook == "postrouting" && $0.table != nil }
        return Killer(
            hook: "postrouting", family: step?.family, table: step?.table, chain: step?.chain,
            text: "no rule translates it")
    }
}
