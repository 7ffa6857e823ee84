internal import HostModel
internal import WireFormats

/// What the rules allow a network's containers, where they drop the rest: somebody's decision, which an accept of
/// everything would make void. Each answer is a rule's index.
extension NetworkQuestions {
    /// The first rule that lets containers out for some purposes, to some places or by some links only, in a chain that
    /// drops others of their packets at the link `uplink`; or that sends some of what they send to a proxy. Nil where what
    /// is dropped has no such exception.
    ///
    /// What everybody may do counts where it leads out by that link: the published port of another program's container
    /// says nothing about this network. Everybody's pings and traceroutes do not count.
    package func allowance(leavingBy uplink: String) throws(WalkLimit) -> Int? {
        let context = context(bridge, uplink)
        let outside = Self.everywhere.subtracting(IntervalSet(network)).subtracting(ownAddresses)
        let opening = packets(to: outside)
        let starts = ruleset.marked([opening], through: [.prerouting], self.context(bridge, nil)).boxes
        var traffic = AllowedTraffic(context: context, starts: starts)
        traffic.foreign = starts.map { start in
            var box = start
            box.source = IntervalSet(network).complement.subtracting(ownAddresses)
            return box
        }
        traffic.ignored = \.ignoresOutput
        traffic.side = \.output
        traffic.within = link(bridge)
        traffic.counted = destinations(by: uplink)
        let search = AllowanceSearch(self, traffic)
        for chain in ruleset.filterChains(.forward) {
            var walk = ChainWalk(ruleset, context)
            _ = try walk.filter([chain], starts)
            guard walk.outcomes.contains(where: { $0.result == .dropped && $0.box.isPublic }) else { continue }
            if let rule = try search.first(in: chain) { return rule }
            // A proxy of this host takes what the operator lets out.
            var translation = ChainWalk(ruleset, self.context(bridge, nil))
            _ = try translation.prerouting(starts)
            let diverted = translation.outcomes.first { $0.result == .destinationTranslated && $0.box.isPublic }
            if let rule = diverted?.rule { return rule }
        }
        return nil
    }

    /// The first rule that lets answers come back to some containers only, where others' are dropped. Rules that let new
    /// connections in as well are port forwards.
    package func answersAllowance(comingBy uplink: String) throws(WalkLimit) -> Int? {
        let context = context(uplink, bridge)
        let outside = Self.everywhere.subtracting(IntervalSet(network))
        let asking = PacketBox.opening(source: outside, destination: containers)
        var answers = asking
        answers.state = IntervalSet(SamplePacket.ConnectionState.established.number)
        answers.direction = IntervalSet(1)
        var traffic = AllowedTraffic(context: context, starts: [answers])
        var others = answers
        others.destination = IntervalSet(network).complement
        traffic.foreign = [others]
        traffic.ignored = \.ignoresInput
        traffic.side = \.input
        traffic.foreignSide = \.output
        traffic.excluded = [asking]
        let search = AllowanceSearch(self, traffic)
        for chain in ruleset.filterChains(.forward) {
            if let rule = try search.first(in: chain) { return rule }
        }
        return nil
    }

    /// The first rule that lets some containers only ask this host for addresses and names, or that keeps them all from it
    /// and is about them alone.
    package func requestsDecision() throws(WalkLimit) -> Int? {
        guard let address else { return nil }
        var context = context(bridge, nil)
        context.destinationPlace = .host
        for (transport, port) in [(17, 67), (17, 53), (6, 53)] as [(UInt32, UInt32)] {
            let request = PacketBox.opening(
                source: containers, destination: IntervalSet(address.value), transport: IntervalSet(transport),
                sourcePort: port == 67 ? IntervalSet(68) : IntervalSet(1024...65535), destinationPort: IntervalSet(port)
            )
            var traffic = AllowedTraffic(context: context, starts: [request])
            var others = request
            others.source = IntervalSet(network).complement.subtracting(ownAddresses)
            traffic.foreign = [others]
            let search = AllowanceSearch(self, traffic)
            for chain in ruleset.filterChains(.input) {
                var walk = ChainWalk(ruleset, context)
                _ = try walk.filter([chain], [request])
                guard walk.outcomes.contains(where: { $0.result == .dropped }) else { continue }
                if let rule = try search.first(in: chain) { return rule }
                if let rule = try search.firstClosing(in: chain) { return rule }
            }
        }
        return nil
    }

    /// Every address of this host.
    private var ownAddresses: IntervalSet {
        IntervalSet(host.links.flatMap(\.addresses).map { $0.address.address.value...$0.address.address.value })
    }

    /// What containers reach by a link; everything where that is not known.
    private func destinations(by uplink: String) -> IntervalSet {
        do {
            return try uplinks().filter { $0.output.name == uplink }.reduce(.empty) { $0.union($1.destinations) }
        } catch {
            return .all
        }
    }
}

extension PacketBox {
    /// Whether some of it goes to a public address.
    var isPublic: Bool { !destination.isDisjoint(with: SourceTranslationQuestion.privateDestinations.complement) }
}
