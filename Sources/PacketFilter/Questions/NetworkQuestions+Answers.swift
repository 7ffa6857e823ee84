internal import HostModel
internal import WireFormats

/// The questions, one by one.
extension NetworkQuestions {
    func translated() throws(Undecided) -> QuestionAnswer {
        var maker: WalkResult.RulePlace?
        for way in try uplinks() {
            var question = SourceTranslationQuestion(
                network: network, bridge: link(bridge), uplink: link(way.output.name), target: target,
                localAddresses: host.links.flatMap { $0.addresses.map(\.address) })
            question.destinations = way.destinations.subtracting(
                IntervalSet(exempt.map { $0.first.value...$0.last.value }))
            question.routedMark = way.mark
            let answer: SourceTranslation
            do {
                answer = try question.answer(ruleset)
            } catch {
                throw Undecided(reason: error.description)
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
            case .accepted where !isTranslated(packet, result):
                let deciding = answer.rule == answer.rescuer ? nil : answer.rule.map(killer)
                return QuestionAnswer(
                    .translated, .counterexample,
                    reason: result.sourceAfter == packet.source
                        ? "it leaves by \(way.output.name) as \(packet.source), untranslated"
                        : "it leaves by \(way.output.name) as \(result.sourceAfter?.description ?? "an address")"
                            + ", which this host does not have",
                    packet: packet, decidedBy: deciding ?? lastChain(result), shouldHaveCaught: shouldHaveCaught)
            default: return disagreement(.translated, packet, "untranslated", result)
            }
        }
        return QuestionAnswer(.translated, .proven, provenBy: maker)
    }

    private func isTranslated(_ packet: SamplePacket, _ result: WalkResult) -> Bool {
        let sources = result.sourceAfter.map { [$0] } ?? result.sourceChoices ?? []
        return !sources.isEmpty && sources.allSatisfy { $0 != packet.source && host.isOwn($0) }
    }

    func killer(_ rule: Int) -> Killer {
        let place = place(rule)
        let hook = ruleset.chains[ruleset.rules[rule].chain].base?.hook ?? .postrouting
        return Killer(
            hook: hook.name(in: .ipv4), family: place.family, table: place.table, chain: place.chain,
            rule: place.rule, text: place.text)
    }

    /// No rule decided: the last nat chain let the packet out.
    private func lastChain(_ result: WalkResult) -> Killer {
        let step = result.path.last { $0.hook == "postrouting" && $0.table != nil }
        return Killer(
            hook: "postrouting", family: step?.family, table: step?.table, chain: step?.chain,
            text: "no rule translates it")
    }

    func forwarded() throws(Undecided) -> QuestionAnswer {
        var answer = QuestionAnswer(.forwarded, .proven)
        for way in try uplinks() {
            let outside = way.destinations.subtracting(IntervalSet(network))
            var passage = Passage(boxes: [packets(to: outside)])
            let context = context(bridge, way.output.name)
            try passBridge(&passage, .prerouting, context)
            try passBridge(&passage, .input, context)
            try pass(&passage, .prerouting, context)
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
            answer = judge(.forwarded, passage) { sample($0, input: bridge) }
            if answer.verdict != .proven { return answer }
        }
        return answer
    }

    func answered() throws(Undecided) -> QuestionAnswer {
        if let rule = ruleset.firstRule(that: .setsZone) {
            throw Undecided(
                reason:
                    "a rule puts packets into a zone of conntrack, where answers may not be known: \(place(rule).text)")
        }
        var answer = QuestionAnswer(.answered, .proven)
        for way in try uplinks() {
            let outside = way.destinations.subtracting(IntervalSet(network))
            let near = host.masqueradeAddress(output: way.output, nextHop: IPv4Address(value: 0))
            var context = context(way.output.name, bridge)
            // At prerouting the answer still goes to the host's address.
            context.destinationPlace = .host
            let answers = PacketBox(
                source: outside, destination: near.map { IntervalSet($0.value) } ?? containers, mark: .zero,
                connectionMark: ruleset.marks.connection,
                state: IntervalSet(SamplePacket.ConnectionState.established.number), direction: IntervalSet(1),
                fragment: .zero)
            func make(_ box: PacketBox) -> SamplePacket { answerPacket(box, by: way.output.name, to: near) }
            if near != nil, let lost = try untrackedAnswers(answers, context, make) { return lost }
            var before = Passage(boxes: Self.withUsedPorts(answers))
            // What the first packets were marked with stays with the connection.
            before.isExact = ruleset.marks.connection == .zero
            try pass(&before, .prerouting, context)
            context.destinationPlace = .outside
            // Which container is asked does not change what prerouting let through.
            var passage = Passage(
                dropped: before.dropped,
                boxes: before.boxes.map { box in
                    var box = box
                    box.destination = containers
                    return box
                }, isExact: before.isExact)
            try pass(&passage, .forward, context)
            try pass(&passage, .postrouting, context)
            answer = judge(.answered, passage, make)
            if answer.verdict != .proven { return answer }
        }
        return answer
    }

    /// One answer of a set, as it comes in by an uplink.
    private func answerPacket(_ box: PacketBox, by uplink: String, to near: IPv4Address?) -> SamplePacket {
        var packet = sample(box, input: uplink)
        packet.connectionState = .established
        packet.direction = .reply
        packet.tcpFlags = 18
        if packet.protocol == .icmp, box.sourcePort.contains(0) { packet.sourcePort = 0 }
        if let target, box.source.contains(target.value) { packet.source = target }
        if let near, near != packet.destination, network.contains(packet.destination) {
            packet.mappedDestination = packet.destination
            packet.destination = near
        } else if near == packet.destination {
            packet.mappedDestination = container
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
            throw Undecided(reason: "the ruleset is too large to follow: \(error.reason)")
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
        try passBridge(&passage, .prerouting, context)
        try passBridge(&passage, .input, context)
        try pass(&passage, .prerouting, context)
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
            try passBridge(&discover, .prerouting, context)
            try passBridge(&discover, .input, context)
            try pass(&discover, .prerouting, context)
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
        var passage = Passage(boxes: [packets(to: containers)])
        var context = context(bridge, bridge)
        context.isBridged = true
        let isShown = host.bridgeNetfilter(of: bridgeLink)
        try passBridge(&passage, .prerouting, context)
        if isShown { try pass(&passage, .prerouting, context) }
        let entering = passage.boxes
        try passBridge(&passage, .forward, context)
        if isShown { try pass(&passage, .forward, context) }
        try passBridge(&passage, .postrouting, context)
        if isShown { try pass(&passage, .postrouting, context) }
        let second = containers.ranges.last?.upperBound ?? container.value
        let answer = judge(.eastWest, passage) { box in
            var packet = sample(box, input: bridgeLink.name)
            if box.destination.contains(second) { packet.destination = IPv4Address(value: second) }
            return packet
        }
        guard answer.verdict == .proven, isShown else { return answer }
        if let answer = try diverted(.eastWest, entering, context, unless: { $0.uplink == bridge }) {
            return answer
        }
        return try untouched(
            .eastWest, packets(to: containers), context, input: bridge)
    }
}
