package import WireFormats

/// What the rules of a host do to packets besides letting them through.
extension Ruleset {
    /// More rules than these that change marks are not looked at: then every mark may occur.
    private static let mostMarkRules = 4096

    struct Summary {
        var marks = MarkSpace()
        var traits: NftRule.Traits = []
        var usesConntrack = false
        var changedIPSets: Set<UInt16> = []
    }

    /// What a look at the whole ruleset tells.
    func summary() -> Summary {
        var effects: Set<RuleEffect> = []
        var changed: Set<UInt16> = []
        var marking = 0
        var all: NftRule.Traits = []
        var ofIPv4: NftRule.Traits = []
        for (index, rule) in rules.enumerated() {
            let traits = traits(ofRule: index)
            all.formUnion(traits)
            if !traits.isSubset(of: ofIPv4), tables[chains[rule.chain].table].name.family != .ipv6 {
                ofIPv4.formUnion(traits)
            }
            if traits.contains(.usesIPSets) {
                for case .ipset(let target) in targets(of: rule) {
                    changed.formUnion(target.changed)
                    if target.marks { effects.insert(.markOneOf(.all)) }
                }
            }
            guard traits.contains(.changesMarks) else { continue }
            marking += 1
            if marking <= Self.mostMarkRules { effects.formUnion(self.effects(ofRule: index)) }
        }
        if marking > Self.mostMarkRules { effects = [.markOneOf(.all), .connectionMarkOneOf(.all)] }
        return Summary(
            marks: MarkSpace(effects), traits: all,
            usesConntrack: !ofIPv4.isDisjoint(with: [.usesConntrack, .translates, .translatesSource, .setsZones]),
            changedIPSets: changed)
    }

    private func targets(of rule: Rule) -> [XtTarget] {
        switch rule.body {
        case .nft(let position):
            return nft.expressions(of: nft.rules[position]).compactMap { expression in
                if case .target(let xt) = expression { XtTarget(xt) } else { nil }
            }
        case .legacy(let entry):
            if case .target(let xt) = entry.target { return [XtTarget(xt)] }
            return []
        }
    }

    /// All that a rule may do, whatever its conditions.
    private func effects(ofRule index: Int) -> [RuleEffect] {
        let context = PacketContext(input: nil, output: nil)
        var reader = NftRuleReader(self, context)
        let rule = rules[index]
        let branches: [RuleBranch]
        switch rule.body {
        case .nft(let position):
            branches = reader.branches(
                of: nft.rules[position], table: chains[rule.chain].table, within: PacketBox(), isLenient: true)
        case .legacy(let entry):
            branches = XtRuleReader(ruleset: self, context: context).branches(
                of: entry, within: PacketBox(), isLenient: true)
        }
        return branches.flatMap(\.effects)
    }

    /// Every packet that may be met: with any mark that there is.
    var everyBox: PacketBox { PacketBox(mark: marks.packet, connectionMark: marks.connection) }

    /// Whether the nat chains of a hook may change a mark: a rule of their table does.
    func marksWhereItTranslates(at hook: NftHook) -> Bool {
        let owners = Set(baseChains(type: "nat", hook: hook).map { chains[$0].table })
        return !owners.isEmpty
            && rules.indices.contains {
                owners.contains(chains[rules[$0].chain].table) && traits(ofRule: $0).contains(.changesMarks)
            }
    }

    /// The chains of a hook that see IPv4 packets and do not translate. `early`: those before conntrack, or only the
    /// others.
    func filterChains(_ hook: NftHook, early: Bool? = nil) -> [Int] {
        baseChains(type: nil, hook: hook).filter { chain in
            guard let base = chains[chain].base, base.type != "nat" else { return false }
            return early.map { $0 == (base.priority < -200) } ?? true
        }
    }

    /// Sets of packets with the marks that they have behind these hooks, whatever is dropped there. Inexact: they may
    /// have these marks, and perhaps not all of them.
    func marked(
        _ boxes: [PacketBox], through hooks: [NftHook], _ context: PacketContext
    ) -> (boxes: [PacketBox], isExact: Bool) {
        guard !marks.isUnmarked, let first = boxes.first else { return (boxes, true) }
        var current = boxes
        var isExact = true
        do {
            for hook in hooks {
                for early in hook == .prerouting ? [true, false] : [nil] {
                    var context = context
                    if hook == .prerouting { context.output = nil }
                    context.isUnseen = early == true
                    var walk = ChainWalk(self, context, purpose: .marks)
                    current = try walk.filter(filterChains(hook, early: early), current)
                    isExact = isExact && walk.isExact
                }
                guard hook == .prerouting else { continue }
                let translated = markedByTranslation(current, context)
                current = translated.boxes
                isExact = isExact && translated.isExact
            }
        } catch {
            return (widened(boxes), false)
        }
        // Where nothing was marked the sets need not be divided.
        let isMarked = (boxes + current).contains { box in
            box.mark != first.mark || box.connectionMark != first.connectionMark
        }
        return (isMarked ? current : boxes, isExact)
    }

    /// The same behind the nat chains of prerouting. Where services divide the packets too much, any of the marks.
    func markedByTranslation(
        _ boxes: [PacketBox], _ context: PacketContext
    ) -> (boxes: [PacketBox], isExact: Bool) {
        guard !marks.isUnmarked, marksWhereItTranslates(at: .prerouting) else { return (boxes, true) }
        var context = context
        context.output = nil
        do {
            var walk = ChainWalk(self, context, purpose: .marks)
            let marked = try walk.prerouting(boxes)
            return (marked, walk.isExact)
        } catch {
            return (widened(boxes), false)
        }
    }

    private func widened(_ boxes: [PacketBox]) -> [PacketBox] {
        boxes.map { box in
            var box = box
            box.mark = box.mark.union(marks.packet)
            box.connectionMark = box.connectionMark.union(marks.connection)
            return box
        }
    }

    /// Whether any rule looks into a set of ipset, or changes one.
    package static func uses(_ trait: NftRule.Traits, nft: NftRuleset, legacy: [XtTable]) -> Bool {
        nft.rules.contains { $0.traits.contains(trait) }
            || legacy.contains { table in
                table.chains.contains { chain in chain.rules.contains { NftRule.Traits($0).contains(trait) } }
            }
    }
}
