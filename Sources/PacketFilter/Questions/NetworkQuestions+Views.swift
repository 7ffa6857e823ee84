internal import HostModel
internal import WireFormats

/// What stands beside address translation, and behind it.
extension NetworkQuestions {
    /// A set of packets as rules behind the translation of its source see it.
    struct View {
        var seen: PacketBox
        /// The set as it came, where a rule gave it another source.
        var origin: PacketBox?
        var doubts: [Doubt] = []

        /// The same packets as they came, of those that are seen.
        func asItCame(_ seen: PacketBox) -> PacketBox {
            guard let origin else { return seen }
            var box = seen
            box.source = origin.source
            // A translation keeps ports where it can.
            let kept = seen.sourcePort.intersection(origin.sourcePort)
            box.sourcePort = kept.isEmpty ? origin.sourcePort : kept
            return box
        }
    }

    /// What the nat chains of prerouting drop, and the marks that they give. Only the first packet of a flow meets them.
    func passDestinationTranslation(_ passage: inout Passage, _ context: PacketContext) throws(Undecided) {
        guard ruleset.usesConntrack else { return }
        let (first, others) = Self.firstPackets(passage.boxes)
        guard !first.isEmpty else { return }
        if ruleset.translationMayDrop(at: .prerouting) {
            do {
                var walk = ChainWalk(ruleset, context)
                _ = try walk.prerouting(first)
                passage.dropped += walk.outcomes.filter(Self.mayBeDropped).map { Drop(outcome: $0, context: context) }
            } catch {
                throw Undecided(error)
            }
        }
        let marked = ruleset.markedByTranslation(first, context)
        passage.boxes = marked.boxes + others
        passage.isExact = passage.isExact && marked.isExact
    }

    /// What the nat chains of postrouting or input drop; then the chains behind them, which see the new source.
    func passSourceTranslation(
        _ passage: inout Passage, _ hook: NftHook, _ context: PacketContext
    ) throws(Undecided) {
        let behind = ruleset.filterChains(hook, nat: .behind)
        let translates = ruleset.usesConntrack && !ruleset.baseChains(type: "nat", hook: hook).isEmpty
        guard translates else {
            // At the very priority they ran before.
            return try pass(&passage, behind.filter { !ruleset.isBesideTranslation($0) }, context)
        }
        let isLookedAt =
            behind.contains(where: ruleset.decides)
            || hook == .postrouting && leavesByBridge(context)
        guard isLookedAt || ruleset.translationMayDrop(at: hook) else { return }
        let (first, others) = Self.firstPackets(passage.boxes)
        var views = others.map { View(seen: $0) }
        do {
            var walk = ChainWalk(ruleset, context)
            try walk.postrouting(first, hook: hook)
            passage.isExact = passage.isExact && walk.isExact
            for outcome in walk.outcomes {
                guard let view = view(of: outcome, context) else {
                    passage.dropped.append(Drop(outcome: outcome, context: context))
                    continue
                }
                views.append(view)
                if ruleset.translationMayDrop(at: hook), Self.mayBeDropped(outcome) {
                    passage.dropped.append(Drop(outcome: outcome, context: context))
                }
            }
        } catch {
            throw Undecided(error)
        }
        passage.views = views
        try passViews(&passage, behind, context)
    }

    /// Down to a bridge that packets leave by: what the host sends by it passes output and postrouting of the bridge.
    func leaveByBridge(_ passage: inout Passage, _ context: PacketContext) throws(Undecided) {
        guard leavesByBridge(context) else { return }
        var context = context
        context.input = nil
        context.isBridgeFamily = true
        var views = passage.views ?? passage.boxes.map { View(seen: $0) }
        // What was put together is sent as fragments again.
        if ruleset.usesConntrack { for index in views.indices { views[index].seen.fragment = IntervalSet(0...1) } }
        passage.views = views
        for hook in [.output, .postrouting] as [NftHook] {
            try passViews(&passage, ruleset.baseChains(family: .bridge, hook: hook), context)
        }
    }

    private func leavesByBridge(_ context: PacketContext) -> Bool {
        guard !context.isBridged, let name = context.output?.name, host.link(name)?.kind == "bridge" else {
            return false
        }
        return [.output, .postrouting].contains { !ruleset.baseChains(family: .bridge, hook: $0).isEmpty }
    }

    private func passViews(
        _ passage: inout Passage, _ chains: [Int], _ context: PacketContext
    ) throws(Undecided) {
        guard !chains.isEmpty, let views = passage.views else { return }
        var next: [View] = []
        for view in views {
            var walk = ChainWalk(ruleset, context)
            do {
                next += try walk.filter(chains, [view.seen]).map { seen in
                    View(seen: seen, origin: view.origin, doubts: view.doubts)
                }
            } catch {
                throw Undecided(error)
            }
            if !walk.isExact { passage.isExact = false }
            for var outcome in walk.outcomes {
                let isOfMadeFragments =
                    context.isBridgeFamily && ruleset.usesConntrack && !outcome.box.fragment.contains(0)
                outcome.box = view.asItCame(outcome.box)
                outcome.doubts += view.doubts.filter { !outcome.doubts.contains($0) }
                passage.dropped.append(
                    Drop(outcome: outcome, context: context, isOfMadeFragments: isOfMadeFragments))
            }
        }
        guard next.count <= 4096 else {
            throw Undecided(WalkLimit(reason: "the rules divide the packets into more than 4,096 sets"))
        }
        passage.views = next
    }

    /// Of packets that a nat chain let out; nil where it drops them.
    private func view(of outcome: WalkOutcome, _ context: PacketContext) -> View? {
        let sources: IntervalSet
        switch outcome.result {
        case .dropped: return nil
        case .untranslated, .destinationTranslated:
            var view = View(seen: outcome.box, doubts: outcome.doubts)
            if outcome.rule != nil {
                view.seen.sourcePort = outcome.box.sourcePort.union(PacketBox.usedPorts)
                view.doubts.append("to which port a packet is translated")
            }
            return view
        case .masqueraded:
            sources = masqueradeSources(by: context.output?.name)
            // Without an address to take the kernel drops the packet.
            if sources.isEmpty { return nil }
        case .sourceTranslated(let addresses): sources = addresses ?? .all
        }
        var view = View(seen: outcome.box, origin: outcome.box, doubts: outcome.doubts)
        view.seen.source = sources
        view.seen.sourcePort = outcome.box.sourcePort.union(PacketBox.usedPorts)
        if sources.count > 1 { view.doubts.append("to which address a packet is translated") }
        return view
    }

    /// The addresses that masquerading takes on a link, by the ways that lead out there.
    func masqueradeSources(by name: String?) -> IntervalSet {
        guard let name, let output = host.link(name) else { return .empty }
        let hops = host.routes.flatMap { route in
            route.nextHops.filter { $0.link == output.index }.map { $0.gateway ?? route.destination.last }
        }
        let near = (hops.isEmpty ? [IPv4Address(value: 0)] : hops).compactMap { hop in
            host.masqueradeAddress(output: output, nextHop: hop)
        }
        return IntervalSet(Set(near).map { $0.value...$0.value })
    }

    /// Whether nat chains meet it or may have dropped it: an outcome of what is not known may be a drop too.
    private static func mayBeDropped(_ outcome: WalkOutcome) -> Bool {
        switch outcome.result {
        case .dropped: true
        case .sourceTranslated(nil): !outcome.doubts.isEmpty
        default: false
        }
    }

    /// The packets that open a flow, which nat chains are shown, and the others.
    private static func firstPackets(_ boxes: [PacketBox]) -> (first: [PacketBox], others: [PacketBox]) {
        let new = PacketBox(state: IntervalSet(SamplePacket.ConnectionState.new.number))
        return (boxes.compactMap { $0.intersection(new) }, boxes.flatMap { $0.subtracting(new) })
    }
}

extension NetworkQuestions.Passage {
    /// From here on there are no fragments.
    mutating func putTogether() {
        var seen: Set<PacketBox> = []
        boxes = boxes.compactMap { box in
            var box = box
            box.fragment = .zero
            return seen.insert(box).inserted ? box : nil
        }
    }
}
