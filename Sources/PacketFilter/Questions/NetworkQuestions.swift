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
        walk = PacketWalk(ruleset: ruleset, host: host, passesDevices: true)
    }

    /// What cannot be answered, in words.
    struct Undecided: Error {
        var reason: String
        var doubts: [Doubt] = []

        init(reason: String, doubts: [Doubt] = []) {
            self.reason = reason
            self.doubts = doubts
        }

        init(_ error: UndecidedTranslation) {
            reason = error.description
            if case .unknownConditions(let doubts) = error { self.doubts = doubts }
        }

        init(_ limit: WalkLimit) { reason = "the ruleset is too large to follow: \(limit.reason)" }
    }

    package func answer(_ question: NetworkQuestion) -> QuestionAnswer {
        let answer = answerOfRules(question)
        let actors = host.outsideModel + host.deviceChains
        guard answer.verdict == .proven, !actors.isEmpty else { return answer }
        return QuestionAnswer(
            question, .undecided,
            reason: "the rules say yes, but something else acts on packets: "
                + actors.joined(separator: ", "))
    }

    /// What the rules say, whatever else may act on packets.
    package func answerOfRules(_ question: NetworkQuestion) -> QuestionAnswer {
        let answer = answerOfSets(question)
        // Sets of packets keep the addresses that they came with.
        guard answer.verdict == .proven else { return answer }
        if let rule = ruleset.firstRule(that: .rewrites) {
            return QuestionAnswer(
                question, .undecided,
                reason: "a rule writes other addresses or ports into packets: \(place(rule).text)",
                dependsOn: ruleset.dependences([Doubt("what the rule writes", rule: rule)]))
        }
        guard question == .forwarded || question == .answered, let rule = ruleset.firstRule(that: .endsLife) else {
            return answer
        }
        return QuestionAnswer(
            question, .undecided, reason: "a rule may end the lifetime of packets: \(place(rule).text)",
            dependsOn: ruleset.dependences([Doubt("how long packets live", rule: rule)]))
    }

    /// The answer that holds in whichever order chains of equal priority run. A counterexample was walked alone, which
    /// looks at every order.
    private func answerOfSets(_ question: NetworkQuestion) -> QuestionAnswer {
        do {
            let orders = try ruleset.orders()
            if orders.count == 1 { return answerInOrder(question) }
            let answers = orders.map { answerInOrder(question, $0) }
            func first(_ verdict: QuestionAnswer.Verdict) -> QuestionAnswer? { answers.first { $0.verdict == verdict } }
            return first(.counterexample) ?? first(.undecided) ?? answers.first ?? answerInOrder(question)
        } catch {
            return QuestionAnswer(question, .undecided, reason: error.reason)
        }
    }

    private func answerInOrder(_ question: NetworkQuestion, _ order: Ruleset) -> QuestionAnswer {
        let questions = NetworkQuestions(
            network: network, bridge: bridge, address: address, target: target, exempt: exempt, ruleset: order,
            host: host)
        return questions.answerInOrder(question)
    }

    private func answerInOrder(_ question: NetworkQuestion) -> QuestionAnswer {
        do {
            switch question {
            case .translated: return try translated()
            case .forwarded: return try forwardedWhereRouted()
            case .answered: return try answered()
            case .dhcp: return try local(.dhcp)
            case .dns: return try local(.dns)
            case .eastWest: return try eastWest()
            case .others: return try others()
            }
        } catch {
            return QuestionAnswer(
                question, .undecided, reason: error.reason, dependsOn: ruleset.dependences(error.doubts))
        }
    }

    // MARK: Ways and packets

    /// The first packets of containers to some destinations. Where nothing asks conntrack, fragments come as they are.
    func packets(from sources: IntervalSet? = nil, to destinations: IntervalSet) -> PacketBox {
        var box = PacketBox.opening(source: sources ?? containers, destination: destinations)
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

    /// One of them: where there are such, one whose answers no route and no rule singles out.
    package var container: IPv4Address {
        let named = (host.routes.map(\.destination) + host.rules.compactMap(\.destination)).filter {
            $0.length > network.length && network.contains($0)
        }
        let usual = containers.subtracting(IntervalSet(named.map { $0.first.value...$0.last.value }))
        return IPv4Address(
            value: (usual.isEmpty ? containers : usual).ranges.first?.lowerBound ?? network.first.value)
    }

    func link(_ name: String) -> PacketContext.Link {
        PacketContext.Link(name: name, index: host.link(name)?.index)
    }

    func context(_ input: String?, _ output: String?) -> PacketContext {
        var context = PacketContext(input: input.map(link), output: output.map(link))
        context.keepsSockets =
            input.flatMap(host.link).map { $0.kind != "bridge" || !host.bridgeNetfilter(of: $0) } ?? false
        return context
    }

    /// One of some addresses, of a host where one is among them: in most subnets what ends in 0 or 255 is none.
    private static func host(in addresses: IntervalSet) -> UInt32 {
        for range in addresses.ranges.prefix(256) {
            let usual = range.prefix(3).first { !($0 & 0xff == 0 || $0 & 0xff == 0xff) }
            if let usual { return usual }
        }
        return addresses.ranges.first?.lowerBound ?? 0
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
            inputInterface: input, source: IPv4Address(value: Self.host(in: box.source)),
            destination: IPv4Address(
                value: pick(
                    box.destination,
                    [target?.value].compactMap { $0 } + [0x0808_0808, 0x0101_0101, Self.host(in: box.destination)])),
            protocol: transport,
            sourcePort: isICMP
                ? UInt16(icmp >> 8)
                : hasPorts ? UInt16(truncatingIfNeeded: pick(box.sourcePort, [40000, 53, 67, 68])) : 0,
            destinationPort: isICMP
                ? UInt16(icmp & 0xff)
                : hasPorts ? UInt16(truncatingIfNeeded: pick(box.destinationPort, [53, 443, 40000])) : 0,
            fragment: isFragment)
        if transport == .tcp {
            // SYN, SYN and ACK, ACK.
            packet.tcpFlags = UInt8(truncatingIfNeeded: pick(box.tcpFlags, [0x02, 0x12, 0x10]))
        }
        if isFragment { (packet.sourcePort, packet.destinationPort) = (0, 0) }
        return packet
    }
}
