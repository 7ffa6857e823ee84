package import HostModel
internal import WireFormats

/// Answers every question about one network. Each counterexample is walked through the host once more, alone; where
/// the two disagree the answer is undecided and says so.
package struct NetworkQuestions: Sendable {
    package let network: IPv4Prefix
    package let bridge: String
    /// The host's address on the bridge; nil where the profile names none.
    package let address: IPv4Address?
    package let target: IPv4Address?
    /// Destinations that are on purpose not translated.
    package let exempt: [IPv4Prefix]
    package let walk: PacketWalk

    var ruleset: Ruleset { walk.ruleset }
    var host: HostForwarding { walk.host }

    package init(
        network: IPv4Prefix, bridge: String, address: IPv4Address?, target: IPv4Address?,
        exempt: [IPv4Prefix] = [], ruleset: Ruleset, host: HostForwarding
    ) {
        self.network = network.network
        self.bridge = bridge
        self.address = address
        self.target = target
        self.exempt = exempt
        walk = PacketWalk(ruleset: ruleset, host: host)
    }

    /// What cannot be answered, in words.
    struct Undecided: Error {
        var reason: String
    }

    package func answer(_ question: NetworkQuestion) -> QuestionAnswer {
        let answer = answerOfRules(question)
        guard answer.verdict == .proven, !host.outsideModel.isEmpty else { return answer }
        return QuestionAnswer(
            question, .undecided,
            reason: "the rules say yes, but something else acts on packets: "
                + host.outsideModel.joined(separator: ", "))
    }

    /// What the rules say, whatever else may act on packets.
    package func answerOfRules(_ question: NetworkQuestion) -> QuestionAnswer {
        do {
            switch question {
            case .translated: return try translated()
            case .forwarded: return try forwarded()
            case .answered: return try answered()
            case .dhcp: return try local(.dhcp)
            case .dns: return try local(.dns)
            case .eastWest: return try eastWest()
            case .others: return try others()
            }
        } catch {
            return QuestionAnswer(question, .undecided, reason: error.reason)
        }
    }

    // MARK: Ways and packets

    /// The links by which public destinations are reached, with all that is reached by them: by each mark that a
    /// packet may have when it is routed, where that makes a difference.
    func uplinks() throws(Undecided) -> [HostForwarding.Way] {
        guard host.link(bridge) != nil else { throw Undecided(reason: "there is no link \(bridge)") }
        var marks: [UInt32] = [0]
        if host.routesByMark {
            let routed = ruleset.marked(
                [packets(to: Self.everywhere)], through: [.prerouting], context(bridge, nil))
            let found = routed.boxes.reduce(IntervalSet.empty) { $0.union($1.mark) }
            guard found.count <= 64 else {
                throw Undecided(reason: "routing depends on marks, and there are too many to look at each")
            }
            marks = found.ranges.flatMap(Array.init)
        }
        var found: [HostForwarding.Way] = []
        for mark in marks {
            guard let ways = host.ways(from: container, input: bridge, mark: mark) else {
                throw Undecided(reason: "there are too many routes to look at each")
            }
            found += ways.compactMap(outside)
        }
        if found.isEmpty { throw Undecided(reason: "no route leads to the outside") }
        return found
    }

    /// A way without what is nobody's destination; nil where it does not lead to the outside.
    private func outside(_ way: HostForwarding.Way) -> HostForwarding.Way? {
        guard way.output.name != bridge else { return nil }
        let isPublic = !way.destinations.intersection(Self.everywhere).subtracting(
            SourceTranslationQuestion.privateDestinations
        ).isEmpty
        let isTarget = target.map { way.destinations.contains($0.value) } ?? false
        guard isPublic || isTarget else { return nil }
        var way = way
        way.destinations = way.destinations.intersection(Self.everywhere)
        return way
    }

    /// The first packets of containers to some destinations. Where nothing asks conntrack, fragments come as they are.
    func packets(to destinations: IntervalSet) -> PacketBox {
        var box = PacketBox.opening(source: containers, destination: destinations)
        if !ruleset.usesConntrack { box.fragment = IntervalSet(0...1) }
        return box
    }

    /// No loopback, multicast, class E or this-network.
    static let everywhere = IntervalSet([0...0x00ff_ffff, 0x7f00_0000...0x7fff_ffff, 0xe000_0000...UInt32.max])
        .complement

    /// The addresses that containers may have.
    var containers: IntervalSet {
        var set = IntervalSet(network)
        guard network.length <= 30 else { return set }
        set = set.subtracting(
            IntervalSet([network.first.value...network.first.value, network.last.value...network.last.value]))
        for link in host.links {
            for own in link.addresses where network.contains(own.address.address) {
                let value = own.address.address.value
                set = set.subtracting(IntervalSet(value...value))
            }
        }
        return set
    }

    /// One of them.
    var container: IPv4Address {
        IPv4Address(value: containers.ranges.first?.lowerBound ?? network.first.value)
    }

    func link(_ name: String) -> PacketContext.Link {
        PacketContext.Link(name: name, index: host.link(name)?.index)
    }

    func context(_ input: String?, _ output: String?) -> PacketContext {
        PacketContext(input: input.map(link), output: output.map(link))
    }

    /// One packet of a set; what people know comes first.
    func sample(_ box: PacketBox, input: String?) -> SamplePacket {
        func pick(_ set: IntervalSet, _ wanted: [UInt32]) -> UInt32 {
            wanted.first { set.contains($0) } ?? set.ranges.first?.lowerBound ?? 0
        }
        let transport = SamplePacket.Transport(
            number: UInt8(truncatingIfNeeded: pick(box.transport, [17, 6, 1])))
        let isICMP = transport == .icmp
        let hasPorts = transport == .udp || transport == .tcp
        // An echo request where that is one of them.
        let icmp = isICMP ? pick(box.sourcePort, [8 << 8, 0]) : 0
        let isFragment = !box.fragment.contains(0)
        var packet = SamplePacket(
            inputInterface: input, source: IPv4Address(value: pick(box.source, [])),
            destination: IPv4Address(
                value: pick(
                    box.destination, [target?.value].compactMap { $0 } + [0x0808_0808, 0x0101_0101])),
            protocol: transport,
            sourcePort: isICMP
                ? UInt16(icmp >> 8)
                : hasPorts ? UInt16(truncatingIfNeeded: pick(box.sourcePort, [40000, 53, 67, 68])) : 0,
            destinationPort: isICMP
                ? UInt16(icmp & 0xff)
                : hasPorts ? UInt16(truncatingIfNeeded: pick(box.destinationPort, [53, 443, 40000])) : 0,
            fragment: isFragment)
        if isFragment { (packet.sourcePort, packet.destinationPort) = (0, 0) }
        return packet
    }

    // MARK: Filtering

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

    private func pass(
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
