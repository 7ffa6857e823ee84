internal import HostModel
internal import WireFormats

/// Sets of packets on their way through the chains that filter, and what comes of a passage that all should survive.
extension NetworkQuestions {
    struct Drop {
        var outcome: WalkOutcome
        var context: PacketContext
        /// Only fragments that the host makes of what it had put together: no single packet can be followed to here.
        var isOfMadeFragments = false
    }

    /// Sets of packets through the chains of hooks, one after the other.
    struct Passage {
        var dropped: [Drop] = []
        /// As they came, but for marks.
        var boxes: [PacketBox]
        /// Whether every packet has the marks of its set.
        var isExact = true
        /// What stands behind the translation of the source sees these; nil where that is the same.
        var views: [View]?
    }

    /// Whether br_netfilter shows the rules of IPv4 what the containers' bridge carries.
    var showsBridged: Bool { host.link(bridge).map(host.bridgeNetfilter(of:)) ?? false }

    /// Up from a bridge to the host: with br_netfilter packets are shown to prerouting from inside that of the bridge, at
    /// NF_BR_PRI_BRNF (0).
    func enter(_ passage: inout Passage, _ context: PacketContext) throws(Undecided) {
        if showsBridged {
            try passBridge(&passage, .prerouting, context, through: 0)
            try pass(&passage, .prerouting, context)
            try passBridge(&passage, .prerouting, context, from: 1)
            try passBridge(&passage, .input, context)
        } else {
            try passBridge(&passage, .prerouting, context)
            try passBridge(&passage, .input, context)
            try pass(&passage, .prerouting, context)
        }
    }

    func pass(
        _ passage: inout Passage, _ hook: NftHook, _ context: PacketContext
    ) throws(Undecided) {
        var context = context
        switch hook {
        case .prerouting:
            try passBeforeTranslation(&passage, context)
            context.output = nil
            try passDestinationTranslation(&passage, context)
            try passBehindTranslation(&passage, context, withTied: ruleset.marksWhereItTranslates(at: .prerouting))
        case .input, .postrouting:
            if hook == .input { context.output = nil }
            if hook == .postrouting, context.isBridged { context.input = nil }
            try pass(&passage, ruleset.filterChains(hook, nat: .before), context)
            try passSourceTranslation(&passage, hook, context)
        default:
            try pass(&passage, ruleset.filterChains(hook), context)
        }
    }

    /// What stands at prerouting before the translation of destinations.
    func passBeforeTranslation(_ passage: inout Passage, _ context: PacketContext) throws(Undecided) {
        var context = context
        context.output = nil
        var unseen = context
        unseen.isUnseen = true
        let early = ruleset.filterChains(.prerouting, early: true, nat: .before)
        let first = early.filter { ruleset.chains[$0].base.map { $0.priority <= Self.defragmentation } ?? false }
        try pass(&passage, first, unseen)
        if ruleset.usesConntrack { passage.putTogether() }
        try pass(&passage, early.filter { !first.contains($0) }, unseen)
        try pass(&passage, ruleset.filterChains(.prerouting, early: false, nat: .before), context)
    }

    /// What stands at prerouting behind it. `withTied`: also chains of the very priority of translation.
    func passBehindTranslation(
        _ passage: inout Passage, _ context: PacketContext, withTied: Bool
    ) throws(Undecided) {
        var context = context
        context.output = nil
        let chains = ruleset.filterChains(.prerouting, early: false, nat: .behind)
        let tied = chains.filter { ruleset.isBesideTranslation($0) }
        if withTied, !tied.isEmpty { passage.isExact = false }
        try pass(&passage, withTied ? chains : chains.filter { !tied.contains($0) }, context)
    }

    /// Where conntrack has fragments put together (NF_IP_PRI_CONNTRACK_DEFRAG).
    private static let defragmentation: Int32 = -400

    func passBridge(
        _ passage: inout Passage, _ hook: NftHook, _ context: PacketContext, from first: Int32 = .min,
        through last: Int32 = .max
    ) throws(Undecided) {
        var context = context
        context.isBridgeFamily = true
        let chains = ruleset.baseChains(family: .bridge, hook: hook).filter { chain in
            ruleset.chains[chain].base.map { (first...last).contains($0.priority) } ?? false
        }
        try pass(&passage, chains, context)
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
            throw Undecided(error)
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
        var doubtful: QuestionAnswer?
        let sure = passage.dropped.filter { $0.outcome.doubts.isEmpty }
        for drop in (sure + passage.dropped.filter { !$0.outcome.doubts.isEmpty }).prefix(16) {
            let packet = make(drop.outcome.box)
            if drop.isOfMadeFragments {
                let unseen = Doubt(
                    "what is dropped of the fragments that the host makes of large packets", rule: drop.outcome.rule)
                doubtful = doubtful ?? unclear(question, [unseen], packet)
                continue
            }
            let result = walk.walk(packet)
            if result.verdict == .dropped {
                return QuestionAnswer(
                    question, .counterexample, reason: "it is dropped", packet: packet, decidedBy: result.killer,
                    shouldHaveCaught: accepting(drop))
            }
            if drop.outcome.doubts.isEmpty, passage.isExact {
                return disagreement(question, packet, "dropped", result)
            }
            doubtful = doubtful ?? unclear(question, drop.outcome.doubts, packet)
        }
        if let doubtful { return doubtful }
        for box in passage.boxes.prefix(64) {
            let packet = make(box)
            let result = walk.walk(packet)
            switch result.verdict {
            case .accepted: continue
            case .dropped where result.killer?.table == nil:
                return QuestionAnswer(
                    question, .counterexample, reason: "it is dropped", packet: packet, decidedBy: result.killer)
            case .dropped: return disagreement(question, packet, "accepted", result)
            case .undecided: return unclear(question, result, packet)
            }
        }
        return QuestionAnswer(question, .proven)
    }

    /// Of a packet whose set had these doubts; none: only its marks are not known.
    func unclear(_ question: NetworkQuestion, _ doubts: [Doubt], _ packet: SamplePacket) -> QuestionAnswer {
        let doubts = doubts.isEmpty ? ["the marks that rules give"] : doubts
        return QuestionAnswer(
            question, .undecided, reason: "depends on what is not known: " + doubts.words, packet: packet,
            dependsOn: ruleset.dependences(doubts))
    }

    /// Of a packet that was followed alone.
    func unclear(_ question: NetworkQuestion, _ result: WalkResult, _ packet: SamplePacket) -> QuestionAnswer {
        QuestionAnswer(
            question, .undecided, reason: result.reason, packet: packet, dependsOn: result.dependsOn)
    }

    func disagreement(
        _ question: NetworkQuestion, _ packet: SamplePacket, _ expected: String, _ result: WalkResult
    ) -> QuestionAnswer {
        if result.verdict == .undecided { return unclear(question, result, packet) }
        return QuestionAnswer(
            question, .undecided,
            reason: "internal inconsistency: the set of packets is \(expected), this one \(result.verdict.rawValue)",
            packet: packet, decidedBy: result.killer)
    }

    /// The first rule behind the one that drops that would have accepted some of the packets.
    private func accepting(_ drop: Drop) -> RulePlace? {
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

    func place(_ rule: Int) -> RulePlace { ruleset.rulePlace(rule) }
}
