internal import HostModel
internal import WireFormats

/// Sets of packets on their way through the chains that filter, and what comes of a passage that all should survive.
extension NetworkQuestions {
    struct Drop {
        var outcome: WalkOutcome
        var context: PacketContext
    }

    /// Sets of packets through the filter chains of hooks, one after the other.
    struct Passage {
        var dropped: [Drop] = []
        var boxes: [PacketBox]
        /// Whether every packet has the marks of its set.
        var isExact = true
    }

    func pass(
        _ passage: inout Passage, _ hook: NftHook, _ context: PacketContext
    ) throws(Undecided) {
        var context = context
        if hook == .prerouting {
            context.output = nil
            var unseen = context
            unseen.isUnseen = true
            try pass(&passage, ruleset.filterChains(.prerouting, early: true), unseen)
            try pass(&passage, ruleset.filterChains(.prerouting, early: false), context)
            let marked = ruleset.markedByTranslation(passage.boxes, context)
            passage.boxes = marked.boxes
            passage.isExact = passage.isExact && marked.isExact
            return
        }
        if hook == .input { context.output = nil }
        if hook == .postrouting, context.isBridged { context.input = nil }
        try pass(&passage, ruleset.filterChains(hook), context)
    }

    func passBridge(
        _ passage: inout Passage, _ hook: NftHook, _ context: PacketContext
    ) throws(Undecided) {
        var context = context
        context.isBridgeFamily = true
        try pass(&passage, ruleset.baseChains(family: .bridge, hook: hook), context)
    }

    func pass(
        _ passage: inout Passage, _ chains: [Int], _ context: PacketContext
    ) throws(Undecided) {
        guard !chains.isEmpty, !passage.boxes.isEmpty else { return }
        do {
            var walk = ChainWalk(ruleset, context)
            passage.boxes = try walk.filter(chains, passage.boxes)
            if !walk.isExact { passage.isExact = false }
            passage.dropped += walk.outcomes.map { Drop(outcome: $0, context: context) }
        } catch {
            throw Undecided(reason: "the ruleset is too large to follow: \(error.reason)")
        }
    }

    /// The answer of a passage that all packets should survive.
    func judge(
        _ question: NetworkQuestion, _ passage: Passage, _ make: (PacketBox) -> SamplePacket
    ) -> QuestionAnswer {
        if passage.boxes.isEmpty && passage.dropped.isEmpty {
            return QuestionAnswer(
                question, .undecided, reason: "internal inconsistency: no packet is left to ask about")
        }
        // One packet that is dropped for certain is enough, whatever was not known of its set.
        var doubtful: (reason: String, packet: SamplePacket)?
        let sure = passage.dropped.filter { $0.outcome.doubts.isEmpty }
        for drop in (sure + passage.dropped.filter { !$0.outcome.doubts.isEmpty }).prefix(16) {
            let packet = make(drop.outcome.box)
            let result = walk.walk(packet)
            if result.verdict == .dropped {
                return QuestionAnswer(
                    question, .counterexample, reason: "it is dropped", packet: packet, decidedBy: result.killer,
                    shouldHaveCaught: accepting(drop))
            }
            if drop.outcome.doubts.isEmpty, passage.isExact {
                return disagreement(question, packet, "dropped", result)
            }
            let names = drop.outcome.doubts.isEmpty ? ["the marks that rules give"] : drop.outcome.doubts
            if doubtful == nil { doubtful = (names.joined(separator: ", "), packet) }
        }
        if let doubtful {
            return QuestionAnswer(
                question, .undecided, reason: "depends on what is not known: " + doubtful.reason,
                packet: doubtful.packet)
        }
        for box in passage.boxes.prefix(64) {
            let packet = make(box)
            let result = walk.walk(packet)
            switch result.verdict {
            case .accepted: continue
            case .dropped where result.killer?.table == nil:
                return QuestionAnswer(
                    question, .counterexample, reason: "it is dropped", packet: packet, decidedBy: result.killer)
            case .dropped: return disagreement(question, packet, "accepted", result)
            case .undecided:
                return QuestionAnswer(question, .undecided, reason: result.reason, packet: packet)
            }
        }
        return QuestionAnswer(question, .proven)
    }

    func disagreement(
        _ question: NetworkQuestion, _ packet: SamplePacket, _ expected: String, _ result: WalkResult
    ) -> QuestionAnswer {
        if result.verdict == .undecided {
            return QuestionAnswer(question, .undecided, reason: result.reason, packet: packet)
        }
        return QuestionAnswer(
            question, .undecided,
            reason: "internal inconsistency: the set of packets is \(expected), this one \(result.verdict.rawValue)",
            packet: packet, decidedBy: result.killer)
    }

    /// The first rule behind the one that drops that would have accepted some of the packets.
    private func accepting(_ drop: Drop) -> WalkResult.RulePlace? {
        guard let rule = drop.outcome.rule else { return nil }
        for later in rule + 1..<max(rule + 1, ruleset.chains[ruleset.rules[rule].chain].rules.upperBound) {
            let accepts = RuleBranch.branches(of: later, in: ruleset, drop.context).contains { branch in
                branch.action == .accept && branch.doubts.isEmpty
                    && branch.box.intersection(drop.outcome.box) != nil
            }
            if accepts { return place(later) }
        }
        return nil
    }

    func place(_ rule: Int) -> WalkResult.RulePlace {
        let chain = ruleset.chains[ruleset.rules[rule].chain]
        let table = ruleset.tables[chain.table]
        return WalkResult.RulePlace(
            family: table.name.family.name, table: table.name.name, chain: chain.name,
            rule: ruleset.position(ofRule: rule), handle: ruleset.handle(ofRule: rule), text: ruleset.text(ofRule: rule)
        )
    }
}
