internal import HostModel

/// Which obstacle keeps packets from being translated.
extension SourceTranslationQuestion {
    /// Why packets leave untranslated: asks again with one obstacle taken away at a time.
    func diagnose(
        _ leaks: [WalkOutcome], _ ruleset: Ruleset, _ context: PacketContext, _ certain: [WalkOutcome]
    ) throws(UndecidedTranslation) -> (SourceTranslation.Defect, Int?, Int?) {
        if let wrong = leaks.first(where: isWrongSource) { return (.wrongSource, wrong.rule, nil) }
        let boxes = leaks.map(\.box)
        let open = try walk(ruleset, context, boxes, ignoresDiversions: true).filter {
            rescues($0) && $0.doubts.isEmpty
        }
        if let rescued = open.first {
            // The first walk need not remember who led them astray: ask again for these packets alone.
            let trail = try walk(ruleset, context, [rescued.box], keepsTrails: true)
            let blamed = trail.lazy.compactMap { outcome in
                outcome.result == .dropped ? outcome.rule : outcome.result == .untranslated ? outcome.diverted : nil
            }.first
            if let blamed { return (.shadowed, blamed, rescued.rule) }
        }
        if let rule = try wrongInterface(boxes, ruleset, context) { return (.wrongInterface, rule, rule) }
        // A rule for a part of the subnet.
        var partial: Int?
        for outcome in certain where !everyPacket.source.isSubset(of: outcome.box.source) { partial = outcome.rule }
        if let partial,
            boxes.contains(where: { leak in !certain.contains { !$0.box.source.isDisjoint(with: leak.source) } })
        {
            return (.wrongSubnet, partial, partial)
        }
        if let foreign = try foreignRule(ruleset, context, besides: Set(certain.compactMap(\.rule))) {
            return (.wrongSubnet, foreign, foreign)
        }
        return (.missing, nil, nil)
    }

    /// Whether a rule does its part. That masquerading takes a wrong address on this uplink is another fault.
    private func rescues(_ outcome: WalkOutcome) -> Bool { outcome.result == .masqueraded || isGood(outcome) }

    /// A rule whose only obstacle is the interface that it names.
    private func wrongInterface(
        _ boxes: [PacketBox], _ ruleset: Ruleset, _ context: PacketContext
    ) throws(UndecidedTranslation) -> Int? {
        var relaxed = context
        relaxed.ignoresOutput = true
        if let found = try walk(ruleset, relaxed, boxes).first(where: { rescues($0) && $0.doubts.isEmpty }) {
            return found.rule
        }
        // A rule for another input interface is meant for this subnet only where it names the subnet.
        relaxed.ignoresInput = true
        let found = try walk(ruleset, relaxed, boxes).filter { rescues($0) && $0.doubts.isEmpty }
        var others = everyPacket
        others.source = Self.privateDestinations.subtracting(IntervalSet(network))
        let general = Set(try walk(ruleset, relaxed, [others]).compactMap { isGood($0) ? $0.rule : nil })
        return found.first { $0.rule.map { !general.contains($0) } ?? false }?.rule
    }

    /// A rule that translates a subnet that no link of this host has: what was this one before it was renumbered.
    private func foreignRule(
        _ ruleset: Ruleset, _ context: PacketContext, besides own: Set<Int>
    ) throws(UndecidedTranslation) -> Int? {
        guard let localAddresses else { return nil }
        let linked = IntervalSet((localAddresses + [network]).map { $0.first.value...$0.last.value })
        var packets = everyPacket
        packets.source = Self.privateDestinations.subtracting(linked)
        packets.destination = Self.privateDestinations.complement.intersection(packets.destination)
        return try walk(ruleset, context, [packets]).first { outcome in
            isGood(outcome) && outcome.doubts.isEmpty && outcome.rule.map { !own.contains($0) } ?? false
        }?.rule
    }
}
