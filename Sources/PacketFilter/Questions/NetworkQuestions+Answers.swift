internal import HostModel
internal import WireFormats

/// The questions, one by one.
extension NetworkQuestions {
    func killer(_ rule: Int) -> Killer {
        let place = place(rule)
        let hook = ruleset.chains[ruleset.rules[rule].chain].base?.hook ?? .postrouting
        return Killer(
            hook: hook.name(in: .ipv4), family: place.family, table: place.table, chain: place.chain,
            rule: place.rule, text: place.text)
    }

    func forwarded(by ways: [HostForwarding.Way]) throws(Undecided) -> QuestionAnswer {
        var answer = QuestionAnswer(.forwarded, .proven)
        for way in ways {
            let outside = way.destinations.subtracting(IntervalSet(network))
            var passage = Passage(boxes: [withFragments(packets(from: way.sources, to: outside))])
            let context = context(bridge, way.output.name)
            try enter(&passage, context)
            if let answer = try redirected(passage.boxes, context) { return answer }
            if let mark = way.mark {
                passage.boxes = passage.boxes.compactMap { box in
                    var box = box
                    box.mark = box.mark.intersection(IntervalSet(mark))
                    return box.mark.isEmpty ? nil : box
                }
            }
            try pass(&passage, .forward, context)
            try pass(&passage, .postrouting, context)
            try leaveByBridge(&passage, context)
            answer = judge(.forwarded, passage) { sample($0, input: bridge) }
            if answer.verdict != .proven { return answer }
        }
        return answer
    }

    func answered() throws(Undecided) -> QuestionAnswer {
        if let rule = ruleset.firstRule(that: .setsZone) {
            throw Undecided(
                reason:
                    "a rule puts packets into a zone of conntrack, where answers may not be known: \(place(rule).text)",
                doubts: [Doubt("zones of conntrack", rule: rule)])
        }
        var answer = QuestionAnswer(.answered, .proven)
        var budget = HostForwarding.LookupBudget()
        for way in try uplinks() {
            let outside = way.destinations.subtracting(IntervalSet(network))
            for goal in try goals(of: way) {
                answer = try answered(by: way, from: outside, goal, &budget)
                if answer.verdict != .proven { return answer }
            }
        }
        return answer
    }

    private func answered(
        by way: HostForwarding.Way, from outside: IntervalSet, _ goal: AnswerGoal,
        _ budget: inout HostForwarding.LookupBudget
    ) throws(Undecided) -> QuestionAnswer {
        let isBridge = way.output.kind == "bridge"
        var context = context(way.output.name, bridge)
        // Before the destination is translated back the answer still goes to the host's address.
        context.destinationPlace = .host
        let answers = PacketBox(
            source: outside, destination: goal.near ?? goal.containers, mark: .zero,
            connectionMark: ruleset.marks.connection,
            state: IntervalSet(SamplePacket.ConnectionState.established.number), direction: IntervalSet(1),
            fragment: .zero, tcpFlags: PacketBox.answeringFlags)
        func make(_ box: PacketBox) -> SamplePacket { answerPacket(box, by: way.output.name, goal) }
        if goal.near != nil, let lost = try untrackedAnswers(answers, context, make) { return lost }
        var passage = Passage(boxes: Self.withUsedPorts(answers).map(withFragments))
        // What the first packets were marked with stays with the connection.
        passage.isExact = ruleset.marks.connection == .zero
        let isShown = host.bridgeNetfilter(of: way.output)
        if isBridge { try passBridge(&passage, .prerouting, context, through: isShown ? 0 : .max) }
        if isBridge, !isShown { try passBridge(&passage, .input, context) }
        try passBeforeTranslation(&passage, context)
        context.destinationPlace = .outside
        // Which container is asked does not change what came this far.
        for index in passage.boxes.indices { passage.boxes[index].destination = goal.containers }
        try passBehindTranslation(&passage, context, withTied: true)
        if isBridge, isShown {
            try passBridge(&passage, .prerouting, context, from: 1)
            try passBridge(&passage, .input, context)
        }
        if let lost = try misrouted(passage, by: way.output.name, &budget, make) { return lost }
        try pass(&passage, .forward, context)
        try pass(&passage, .postrouting, context)
        try leaveByBridge(&passage, context)
        return judge(.answered, passage, make)
    }

    /// Where answers go: to an address of the host, for these containers. Nil: to the containers themselves.
    struct AnswerGoal {
        var near: IntervalSet?
        var containers: IntervalSet
    }

    /// More addresses than these are looked at together.
    private static let mostGoals = 16

    /// The addresses that containers get by a way out, each with those that get it.
    private func goals(of way: HostForwarding.Way) throws(Undecided) -> [AnswerGoal] {
        let question = translation(way)
        let found: [WalkOutcome]
        do {
            found = try question.outcomes(ruleset)
        } catch {
            throw Undecided(error)
        }
        var sources: [IntervalSet: IntervalSet] = [:]
        for outcome in found where question.isGood(outcome) {
            let near: IntervalSet
            switch outcome.result {
            case .masqueraded: near = masqueradeSources(by: way.output.name)
            case .sourceTranslated(let addresses?): near = addresses
            default: continue
            }
            if !near.isEmpty { sources[near] = (sources[near] ?? .empty).union(outcome.box.source) }
        }
        guard !sources.isEmpty else {
            let usual = host.masqueradeAddress(output: way.output, nextHop: IPv4Address(value: 0))
            return [AnswerGoal(near: usual.map { IntervalSet($0.value) }, containers: containers)]
        }
        if sources.count > Self.mostGoals {
            return [
                AnswerGoal(
                    near: sources.keys.reduce(.empty) { $0.union($1) },
                    containers: sources.values.reduce(.empty) { $0.union($1) })
            ]
        }
        let goals = sources.map { AnswerGoal(near: $0.key, containers: $0.value) }
        return goals.sorted { ($0.near?.ranges.first?.lowerBound ?? 0) < ($1.near?.ranges.first?.lowerBound ?? 0) }
    }

    /// One answer of a set, as it comes in by an uplink.
    private func answerPacket(_ box: PacketBox, by uplink: String, _ goal: AnswerGoal) -> SamplePacket {
        var packet = sample(box, input: uplink)
        packet.connectionState = .established
        packet.direction = .reply
        if packet.protocol == .icmp, box.sourcePort.contains(0) { packet.sourcePort = 0 }
        if let target, box.source.contains(target.value) { packet.source = target }
        guard let near = goal.near, let first = near.ranges.first?.lowerBound else { return packet }
        if near.contains(packet.destination.value) {
            packet.mappedDestination = goal.containers.ranges.first.map { IPv4Address(value: $0.lowerBound) }
        } else if network.contains(packet.destination) {
            packet.mappedDestination = packet.destination
            packet.destination = IPv4Address(value: first)
        }
        return packet
    }

    /// Answers that a rule keeps from being tracked: then nobody translates them back.
    private func untrackedAnswers(
        _ answers: PacketBox, _ context: PacketContext, _ make: (PacketBox) -> SamplePacket
    ) throws(Undecided) -> QuestionAnswer? {
        var unseen = context
        unseen.output = nil
        unseen.isUnseen = true
        let lost: [WalkOutcome]
        do {
            lost = try ChainWalk.untracked(ruleset, unseen, Self.withUsedPorts(answers))
        } catch {
            throw Undecided(error)
        }
        for outcome in lost where outcome.result != .dropped {
            let packet = make(outcome.box)
            let result = walk.walk(packet)
            switch result.verdict {
            case .accepted where result.isLocal || result.uplink != bridge:
                return QuestionAnswer(
                    .answered, .counterexample,
                    reason:
                        "it stays at this host: a rule keeps it from being tracked, and so from being translated back",
                    packet: packet, decidedBy: outcome.rule.map(killer))
            case .dropped:
                return QuestionAnswer(
                    .answered, .counterexample, reason: "it is dropped", packet: packet, decidedBy: result.killer)
            case .accepted, .undecided: return disagreement(.answered, packet, "not tracked", result)
            }
        }
        return nil
    }

    /// The packets of a set without those of TCP and UDP that come from or go to port 0.
    private static func withUsedPorts(_ box: PacketBox) -> [PacketBox] {
        let withPorts = IntervalSet([6...6, 17...17])
        var (used, others) = (box, box)
        (used.transport, others.transport) = (
            box.transport.intersection(withPorts), box.transport.subtracting(withPorts)
        )
        used.sourcePort = box.sourcePort.intersection(PacketBox.usedPorts)
        used.destinationPort = box.destinationPort.intersection(PacketBox.usedPorts)
        return [used, others]
    }

    /// DHCP and DNS at the host itself.
    func local(_ question: NetworkQuestion) throws(Undecided) -> QuestionAnswer {
        guard let address = address ?? host.link(bridge)?.addresses.first?.address.address else {
            throw Undecided(reason: "\(bridge) has no address")
        }
        let value: (UInt32) -> IntervalSet = { IntervalSet($0) }
        let port = value(question == .dhcp ? 67 : 53)
        var known = [
            PacketBox.opening(
                source: containers, destination: value(address.value), transport: value(17),
                sourcePort: question == .dhcp ? value(68) : IntervalSet(1024...65535), destinationPort: port)
        ]
        if question == .dns {
            var tcp = known[0]
            tcp.transport = value(6)
            known.append(tcp)
        }
        var context = context(bridge, nil)
        context.destinationPlace = .host
        var passage = Passage(boxes: known)
        try enter(&passage, context)
        var arriving = [(boxes: passage.boxes, context: context)]
        try pass(&passage, .input, context)
        if question == .dhcp {
            // A container that has no address yet asks everybody.
            context.destinationPlace = .broadcast
            context.sourcePlace = .broadcast
            var discover = Passage(boxes: [
                PacketBox.opening(
                    source: value(0), destination: value(.max), transport: value(17), sourcePort: value(68),
                    destinationPort: port)
            ])
            try enter(&discover, context)
            arriving.append((discover.boxes, context))
            try pass(&discover, .input, context)
            passage.dropped = discover.dropped + passage.dropped
            passage.boxes = discover.boxes + passage.boxes
            passage.isExact = passage.isExact && discover.isExact
        }
        let answer = judge(question, passage) { sample($0, input: bridge) }
        guard answer.verdict == .proven else { return answer }
        for (boxes, context) in arriving {
            if let sent = try diverted(question, boxes, context, unless: \.isLocal) { return sent }
        }
        return answer
    }

    func eastWest() throws(Undecided) -> QuestionAnswer {
        guard let bridgeLink = host.link(bridge) else { throw Undecided(reason: "there is no link \(bridge)") }
        var passage = Passage(boxes: [withFragments(packets(to: containers))])
        var context = context(bridge, bridge)
        context.isBridged = true
        let entering = try crossBridge(&passage, context)
        let second = containers.ranges.last?.upperBound ?? container.value
        let answer = judge(.eastWest, passage) { box in
            var packet = sample(box, input: bridgeLink.name)
            if box.destination.contains(second) { packet.destination = IPv4Address(value: second) }
            return packet
        }
        guard answer.verdict == .proven, showsBridged else { return answer }
        if let answer = try diverted(.eastWest, entering, context, unless: { $0.uplink == bridge }) {
            return answer
        }
        return try untouched(
            .eastWest, packets(to: containers), context, input: bridge)
    }

    /// From port to port. br_netfilter shows packets to the IP hooks at NF_BR_PRI_BRNF (0) and, at forward, just before it.
    /// Gives those that came through prerouting.
    private func crossBridge(_ passage: inout Passage, _ context: PacketContext) throws(Undecided) -> [PacketBox] {
        guard showsBridged else {
            for hook in [.prerouting, .forward, .postrouting] as [NftHook] { try passBridge(&passage, hook, context) }
            return passage.boxes
        }
        try passBridge(&passage, .prerouting, context, through: 0)
        try pass(&passage, .prerouting, context)
        let entering = passage.boxes
        try passBridge(&passage, .prerouting, context, from: 1)
        try passBridge(&passage, .forward, context, through: -1)
        try pass(&passage, .forward, context)
        try passBridge(&passage, .forward, context, from: 0)
        try passBridge(&passage, .postrouting, context)
        try pass(&passage, .postrouting, context)
        return entering
    }

    /// With the further fragments of large packets, as they come in: conntrack has them put together only later.
    private func withFragments(_ box: PacketBox) -> PacketBox {
        var box = box
        box.fragment = IntervalSet(0...1)
        return box
    }
}
