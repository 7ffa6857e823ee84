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
        /// Whether a rule leaves packets to a program, or to a target that is not known.
        var hasStrangers = false
    }

    /// What a look at the whole ruleset tells.
    func summary() -> Summary {
        var effects: Set<RuleEffect> = []
        var changed: Set<UInt16> = []
        var marking = 0
        var all: NftRule.Traits = []
        var ofIPv4: NftRule.Traits = []
        var hasStrangers = false
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
            if !hasStrangers, !traits.isDisjoint(with: [.queues, .hasOtherTarget]) {
                hasStrangers = isStranger(rule: index)
            }
            guard traits.contains(.changesMarks) else { continue }
            marking += 1
            if marking <= Self.mostMarkRules { effects.formUnion(self.effects(ofRule: index)) }
        }
        if marking > Self.mostMarkRules { effects = [.markOneOf(.all), .connectionMarkOneOf(.all)] }
        return Summary(
            marks: MarkSpace(effects), traits: all,
            usesConntrack: !ofIPv4.isDisjoint(with: [.usesConntrack, .translates, .translatesSource, .setsZones]),
            changedIPSets: changed, hasStrangers: hasStrangers)
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
    private func effects(ofRule index: Int) -> [RuleEffect] { lenientBranches(ofRule: index).flatMap(\.effects) }

    private func isStranger(rule index: Int) -> Bool {
        lenientBranches(ofRule: index).contains { branch in
            let action = branch.action == .queue ? queueAction(ofRule: index) : branch.action
            if case .unknown = action { return true }
            return false
        }
    }

    private func lenientBranches(ofRule index: Int) -> [RuleBranch] {
        let context = PacketContext(input: nil, output: nil)
        var reader = NftRuleReader(self, context)
        let rule = rules[index]
        switch rule.body {
        case .nft(let position):
            return reader.branches(
                of: nft.rules[position], table: chains[rule.chain].table, within: PacketBox(), isLenient: true)
        case .legacy(let entry):
            return XtRuleReader(ruleset: self, context: context).branches(
                of: entry, within: PacketBox(), isLenient: true)
        }
    }

    /// Every packet that may be met: with any mark that there is.
    var everyBox: PacketBox { PacketBox(mark: marks.packet, connectionMark: marks.connection) }

    /// Whether the nat chains of a hook may change a mark: a rule of their table does.
    func marksWhereItTranslates(at hook: NftHook) -> Bool {
        anyRule(besideTranslationAt: hook) { traits(ofRule: $0).contains(.changesMarks) }
    }

    /// Whether a rule is so in a table that has nat chains at a hook: their jumps lead nowhere else.
    func anyRule(besideTranslationAt hook: NftHook, _ isSo: (Int) -> Bool) -> Bool {
        let owners = Set(baseChains(type: "nat", hook: hook).map { chains[$0].table })
        return !owners.isEmpty
            && rules.indices.contains { owners.contains(chains[rules[$0].chain].table) && isSo($0) }
    }

    /// Where a chain stands beside the translation of its hook. All nat chains of a hook share one place, whatever
    /// their own priorities (nf_nat_proto.c): -100 on the way in and of what the host sends, 100 on the way out.
    enum NatSide {
        /// It sees the addresses and marks from before.
        case before
        /// It sees what translation made of the packet.
        case behind

        static func place(_ hook: NftHook) -> Int32? {
            switch hook {
            case .prerouting, .output: -100
            case .input, .postrouting: 100
            default: nil
            }
        }
    }

    /// The chains of a hook that see IPv4 packets and do not translate, first to run first.
    ///
    /// A chain at the very priority of translation may have been registered before or after it, which no dump shows:
    /// it stands on both sides. At forward nothing translates: every chain stands before.
    ///
    /// - Parameters:
    ///   - early: those before conntrack, or only the others; nil: both.
    ///   - nat: those on one side of translation; nil: both.
    func filterChains(_ hook: NftHook, early: Bool? = nil, nat: NatSide? = nil) -> [Int] {
        let border = NatSide.place(hook)
        return baseChains(type: nil, hook: hook).filter { chain in
            guard let base = chains[chain].base, base.type != "nat" else { return false }
            if let early, early != (base.priority < -200) { return false }
            guard let nat else { return true }
            guard let border else { return nat == .before }
            return nat == .before ? base.priority <= border : base.priority >= border
        }
    }

    /// Sets of packets with the marks that they have behind these hooks, whatever is dropped there: of postrouting,
    /// with those that they bring to its nat chains. What comes to prerouting comes in by a bridge.
    func marked(_ boxes: [PacketBox], through hooks: [NftHook], _ context: PacketContext) -> MarkedBoxes {
        guard !marks.isUnmarked || hasStrangers, let first = boxes.first else { return MarkedBoxes(boxes: boxes) }
        var walk = MarkedBoxes(boxes: boxes)
        do {
            for hook in hooks { try pass(&walk, hook, context) }
        } catch {
            let reason: [Doubt] =
                hasStrangers ? ["which packets rules leave to programs or to targets that are not known"] : []
            return MarkedBoxes(boxes: widened(boxes), isExact: false, strangers: reason)
        }
        // Where nothing was marked the sets need not be divided.
        let isMarked = (boxes + walk.boxes).contains { box in
            box.mark != first.mark || box.connectionMark != first.connectionMark
        }
        if !isMarked { walk.boxes = boxes }
        return walk
    }

    struct MarkedBoxes {
        var boxes: [PacketBox]
        /// Whether every packet has the marks of its set; else it may have them, and perhaps others.
        var isExact = true
        /// The rules that leave packets to somebody who may mark or change them, in words.
        var strangers: [Doubt] = []

        fileprivate mutating func note(_ walk: ChainWalk, _ ruleset: Ruleset) {
            isExact = isExact && walk.isExact
            for rule in walk.strangers {
                let stranger = Doubt("what becomes of packets by `\(ruleset.text(ofRule: rule))`", rule: rule)
                if !strangers.contains(stranger), strangers.count < 8 { strangers.append(stranger) }
            }
        }
    }

    private func pass(_ marked: inout MarkedBoxes, _ hook: NftHook, _ context: PacketContext) throws(WalkLimit) {
        var context = context
        guard hook == .prerouting else { return try pass(&marked, hook, nat: .before, context) }
        try passBridge(&marked, context)
        context.output = nil
        context.isUnseen = true
        try pass(&marked, hook, early: true, nat: .before, context)
        context.isUnseen = false
        try pass(&marked, hook, early: false, nat: .before, context)
        let translated = markedByTranslation(marked.boxes, context)
        marked.boxes = translated.boxes
        marked.isExact = marked.isExact && translated.isExact
        try pass(&marked, hook, early: false, nat: .behind, context)
    }

    /// Through the chains of family bridge that stand before those of IPv4: the kernel keeps their marks.
    private func passBridge(_ marked: inout MarkedBoxes, _ context: PacketContext) throws(WalkLimit) {
        var context = context
        context.isBridgeFamily = true
        for hook in [.prerouting, context.isBridged ? .forward : .input] as [NftHook] {
            let chains = baseChains(family: .bridge, hook: hook)
            if chains.isEmpty { continue }
            var walk = ChainWalk(self, context, purpose: .marks)
            marked.boxes = try walk.filter(chains, marked.boxes)
            marked.note(walk, self)
        }
    }

    private func pass(
        _ marked: inout MarkedBoxes, _ hook: NftHook, early: Bool? = nil, nat: NatSide, _ context: PacketContext
    ) throws(WalkLimit) {
        let chains = filterChains(hook, early: early, nat: nat)
        let tied = chains.filter(isBesideTranslation)
        let others = chains.filter { !tied.contains($0) }
        for part in nat == .before ? [others, tied] : [tied, others] where !part.isEmpty {
            var walk = ChainWalk(self, context, purpose: .marks)
            let after = try walk.filter(part, marked.boxes)
            marked.note(walk, self)
            guard part == tied, after != marked.boxes else {
                marked.boxes = after
                continue
            }
            // They give these marks on the one side or on the other.
            marked.boxes += after.filter { !marked.boxes.contains($0) }
            marked.isExact = false
        }
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

    /// Whether any rule does this, before the rulesets are put together.
    package static func uses(_ trait: NftRule.Traits, nft: NftRuleset, legacy: [XtTable]) -> Bool {
        nft.rules.contains { $0.traits.contains(trait) }
            || legacy.contains { table in
                table.chains.contains { chain in chain.rules.contains { NftRule.Traits($0).contains(trait) } }
            }
    }
}
