package import HostModel
internal import WireFormats

extension SourceTranslationQuestion {
    /// RFC 1918, RFC 6598 and RFC 3927: not translating these is taken for a deliberate exemption.
    static let privateDestinations = IntervalSet([
        0x0a00_0000...0x0aff_ffff, 0xac10_0000...0xac1f_ffff, 0xc0a8_0000...0xc0a8_ffff, 0x6440_0000...0x647f_ffff,
        0xa9fe_0000...0xa9fe_ffff,
    ])

    /// Whether not translating packets to an address may be on purpose.
    package static func isPrivate(_ address: IPv4Address) -> Bool { privateDestinations.contains(address.value) }

    /// Every packet from the subnet's hosts to what can be routed to: no loopback, multicast or class E.
    var everyPacket: PacketBox {
        var source = sources ?? IntervalSet(network)
        if network.length <= 30 {
            source = source.subtracting(
                IntervalSet([
                    network.first.value...network.first.value, network.last.value...network.last.value,
                ]))
            for local in localAddresses ?? [] where network.contains(local.address) {
                source = source.subtracting(IntervalSet(local.address.value...local.address.value))
            }
        }
        let unrouted = IntervalSet([0...0x00ff_ffff, 0x7f00_0000...0x7fff_ffff, 0xe000_0000...UInt32.max])
        let routed = unrouted.complement.subtracting(IntervalSet(network))
        return .opening(source: source, destination: destinations.map(routed.intersection) ?? routed)
    }

    var context: PacketContext {
        var context = PacketContext(input: bridge, output: uplink)
        context.keepsSockets = keepsSockets
        return context
    }

    /// Every packet with the mark that it has when it comes to the nat chains. Destinations that are translated on the
    /// way in need no thought: the question is about every destination, and so about those too.
    func starts(_ ruleset: Ruleset, _ packets: PacketBox, _ context: PacketContext) -> Ruleset.MarkedBoxes {
        var routed = ruleset.marked([packets], through: [.prerouting], context)
        if let routedMark {
            routed.boxes = routed.boxes.compactMap { box in
                var box = box
                box.mark = box.mark.intersection(IntervalSet(routedMark))
                return box.mark.isEmpty ? nil : box
            }
        }
        var after = ruleset.marked(routed.boxes, through: [.forward, .postrouting], context)
        after.isExact = after.isExact && routed.isExact
        after.strangers = routed.strangers + after.strangers.filter { !routed.strangers.contains($0) }
        return after
    }

    func walk(
        _ ruleset: Ruleset, _ context: PacketContext, _ boxes: [PacketBox], ignoresDiversions: Bool = false,
        keepsTrails: Bool = false, revision: TranslationRevision = TranslationRevision()
    ) throws(UndecidedTranslation) -> [WalkOutcome] {
        do {
            var walk = ChainWalk(
                ruleset, context, ignoresDiversions: ignoresDiversions, keepsTrails: keepsTrails, revision: revision)
            try walk.postrouting(boxes)
            return walk.outcomes
        } catch {
            throw .limit(error.reason)
        }
    }

    /// What the nat chains make of every packet, with the marks that it brings there.
    func outcomes(_ ruleset: Ruleset) throws(UndecidedTranslation) -> [WalkOutcome] {
        try walk(ruleset, context, starts(ruleset, everyPacket, context).boxes)
    }

    func subtract(_ others: [PacketBox], from boxes: [PacketBox]) throws(UndecidedTranslation) -> [PacketBox] {
        guard let rest = PacketBox.subtract(others, from: boxes) else {
            throw .limit("the rules divide the packets into more than 4,096 sets")
        }
        return rest
    }

    /// Answers for every packet. Counters are never looked at.
    package func answer(_ ruleset: Ruleset) throws(UndecidedTranslation) -> SourceTranslation {
        let orders: [Ruleset]
        do {
            orders = try ruleset.orders()
        } catch {
            throw .limit(error.reason)
        }
        var answer: SourceTranslation?
        for order in orders {
            let found = try answerInOrder(order)
            guard let known = answer else {
                answer = found
                continue
            }
            guard
                (known.translated, known.defect, known.eastWest) == (found.translated, found.defect, found.eastWest)
            else { throw .unknownConditions([Doubt("which runs first of equal priority: \(ruleset.tiedNames)")]) }
            answer?.makers += found.makers.filter { !known.makers.contains($0) }
        }
        if let answer { return answer }
        return try answerInOrder(ruleset)
    }

    private func answerInOrder(_ ruleset: Ruleset) throws(UndecidedTranslation) -> SourceTranslation {
        let untracked = try untracked(ruleset, context)
        let starts = starts(ruleset, everyPacket, context)
        let outcomes = try walk(ruleset, context, starts.boxes)
        let certain = outcomes.filter { isGood($0) }
        let good = certain.map(\.box)
        // What a nat chain drops is not translated either: it never arrives.
        var bad = outcomes.filter { $0.result == .untranslated || $0.result == .dropped }
        bad += outcomes.filter { isWrongSource($0) }
        // Packets that a doubt sends both ways are neither good nor bad.
        var leaks: [WalkOutcome] = []
        var undecided = Set(starts.strangers)
        for outcome in bad {
            let others = outcome.doubts.isEmpty ? certain.filter { !$0.doubts.isEmpty } : certain
            for box in try subtract(others.map(\.box), from: [outcome.box]) {
                var leak = outcome
                leak.box = box
                leaks.append(leak)
            }
            for other in others where other.box.intersection(outcome.box) != nil {
                undecided.formUnion(outcome.doubts + other.doubts)
            }
        }
        for outcome in certain where !isExemptable(outcome.box.destination) {
            guard let reason = uncertainty(outcome, ruleset) else { continue }
            undecided.formUnion(outcome.doubts + [Doubt(reason, rule: outcome.rule)])
        }
        var result = SourceTranslation(
            translated: .all, defect: .none, rule: nil, eastWest: try isEastWestTranslated(ruleset),
            makers: makers(certain, ruleset), exempted: [], counterexample: nil)

        if !untracked.isEmpty {
            let hit = untracked.filter { outcome in good.contains { $0.intersection(outcome.box) != nil } }
            if let first = hit.first {
                if !first.doubts.isEmpty { throw .unknownConditions(first.doubts) }
                let rest = try subtract(hit.map(\.box), from: good)
                result.translated = rest.isEmpty ? .none : .some
                result.defect = .notrack
                result.rule = first.rule
                result.counterexample = first.box
                return result
            }
        }
        let (leaking, exempted) = try split(leaks, translated: certain)
        var outside = leaking
        if !starts.isExact {
            // A packet may have another mark than that with which it would leak.
            let sure = outside.filter { leak in
                starts.boxes.contains { start in
                    start.mark.isSubset(of: leak.box.mark) && start.connectionMark.isSubset(of: leak.box.connectionMark)
                }
            }
            if sure.isEmpty, !outside.isEmpty { undecided.insert("the marks that rules give") }
            outside = sure
        }
        // 10.0.0.0/8 reads better than its eight parts around the subnet.
        let joined = exempted.union(IntervalSet(network))
        result.exempted = (joined.ranges.count < exempted.ranges.count ? joined : exempted).prefixes()
        guard let first = outside.first else {
            if !undecided.isEmpty { throw .unknownConditions(undecided.sorted { $0.name < $1.name }) }
            result.rule = (certain.first { $0.doubts.isEmpty } ?? certain.first)?.rule
            return result
        }
        result.translated = certain.isEmpty ? .none : .some
        result.counterexample = first.box
        (result.defect, result.rule, result.rescuer) = try diagnose(outside, ruleset, context, certain)
        return result
    }

    private var exemptable: IntervalSet {
        target.map { Self.privateDestinations.subtracting(IntervalSet($0.value)) } ?? Self.privateDestinations
    }

    private func isExemptable(_ destinations: IntervalSet) -> Bool { destinations.isSubset(of: exemptable) }

    /// Untranslated packets without those to private destinations, and those destinations. Where nothing public is
    /// translated, nothing counts as an exemption.
    private func split(
        _ leaks: [WalkOutcome], translated: [WalkOutcome]
    ) throws(UndecidedTranslation) -> ([WalkOutcome], IntervalSet) {
        let publicPart = PacketBox(destination: Self.privateDestinations.complement)
        guard translated.contains(where: { $0.box.intersection(publicPart) != nil }) else { return (leaks, .empty) }
        let exemptable = exemptable
        var outside: [WalkOutcome] = []
        var exempted = IntervalSet.empty
        for leak in leaks {
            // A translation to a wrong address is no exemption.
            guard leak.result == .untranslated || leak.result == .dropped else {
                outside.append(leak)
                continue
            }
            // An exemption speaks of destinations: of every source and protocol alike, or of a rule's own prefix.
            let part = leak.box.destination.intersection(exemptable)
            let rest = leak.box.destination.subtracting(exemptable)
            if rest.isEmpty {
                exempted = exempted.union(part)
            } else {
                var box = leak
                box.box.destination = rest
                outside.append(box)
                // Where the same rule lets public destinations out too, it exempts nothing.
            }
        }
        return (outside, exempted)
    }

    private func untracked(
        _ ruleset: Ruleset, _ context: PacketContext
    ) throws(UndecidedTranslation) -> [WalkOutcome] {
        var before = context
        before.output = nil
        before.isUnseen = true
        do {
            return try ChainWalk.untracked(ruleset, before, [everyPacket]).compactMap { outcome in
                // What is dropped there leaves in no way at all.
                if outcome.result == .dropped { return nil }
                // Whatever marks they get later: these are the same packets.
                var outcome = outcome
                outcome.box.mark = .all
                outcome.box.connectionMark = .all
                return outcome
            }
        } catch {
            throw .limit(error.reason)
        }
    }

    private func makers(_ certain: [WalkOutcome], _ ruleset: Ruleset) -> [Int] {
        var tables: [Int] = []
        let sure = certain.filter(\.doubts.isEmpty)
        for outcome in sure.isEmpty ? certain : sure {
            guard let rule = outcome.rule else { continue }
            let table = ruleset.chains[ruleset.rules[rule].chain].table
            if !tables.contains(table) { tables.append(table) }
        }
        return tables
    }

    /// A packet from one host of the subnet to another that comes by postrouting: routed back by the same bridge, or
    /// bridged with bridge-nf-call-iptables.
    private func isEastWestTranslated(_ ruleset: Ruleset) throws(UndecidedTranslation) -> Bool {
        var context = context
        context.output = bridge
        context.isBridged = true
        var packets = everyPacket
        packets.destination = packets.source
        var question = self
        question.routedMark = nil
        let starts = question.starts(ruleset, packets, context)
        guard starts.isExact else { return false }
        return try walk(ruleset, context, starts.boxes).contains {
            $0.result != .untranslated && $0.result != .dropped && $0.doubts.isEmpty
        }
    }
}
