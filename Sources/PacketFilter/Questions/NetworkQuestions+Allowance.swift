internal import HostModel
internal import WireFormats

/// What the rules allow a network's containers, where they drop the rest: somebody's decision, which an accept of
/// everything would make void.
extension NetworkQuestions {
    /// As index, the first rule that lets containers out for some purposes, to some places or by some links only, in a chain that
    /// drops others of their packets at the link `uplink`; nil where what is dropped has no such exception.
    ///
    /// What everybody may do counts where it is about public destinations: the published port of another program's
    /// container says nothing about this network. Pings never count, many hosts let them through for all.
    package func allowance(leavingBy uplink: String) throws(WalkLimit) -> Int? {
        let context = context(bridge, uplink)
        let opening = packets(to: Self.everywhere.subtracting(IntervalSet(network)))
        let starts = ruleset.marked([opening], through: [.prerouting], self.context(bridge, nil)).boxes
        for chain in ruleset.filterChains(.forward) {
            var walk = ChainWalk(ruleset, context)
            _ = try walk.filter([chain], starts)
            guard walk.outcomes.contains(where: { $0.result == .dropped && $0.box.isPublic }) else { continue }
            if let rule = try AllowanceSearch(ruleset, context, bridge: link(bridge), starts).first(in: chain) {
                return rule
            }
        }
        return nil
    }
}

private struct AllowanceSearch {
    private struct Accept {
        var rule: Int
        var boxes: [PacketBox]
        var doubts: [String]
    }

    private let ruleset: Ruleset
    private let context: PacketContext
    private let bridge: PacketContext.Link
    private let starts: [PacketBox]

    init(_ ruleset: Ruleset, _ context: PacketContext, bridge: PacketContext.Link, _ starts: [PacketBox]) {
        self.ruleset = ruleset
        self.context = context
        self.bridge = bridge
        self.starts = starts
    }

    /// No interface can have this name, so no rule is about it alone.
    private static let nobody = PacketContext.Link(name: "/")
    /// What is not known of a new packet where rules ask for translated destinations: port forwards are no allowance.
    private static let translation: Set<String> = ["conntrack status", "conntrack", "ct status"]

    func first(in chain: Int) throws(WalkLimit) -> Int? {
        var anyLink = context
        anyLink.ignoresOutput = true
        var others = anyLink
        others.input = Self.nobody
        let foreign = starts.map { start in
            var box = start
            box.source = start.source.complement
            return box
        }
        let accepts = try accepts(in: chain, starts, anyLink)
        guard !accepts.isEmpty else { return nil }
        let everybody = Set(try self.accepts(in: chain, foreign, others).map(\.rule))
        let outside = Set(try self.accepts(in: chain, starts, context).map(\.rule))
        var within = context
        within.output = bridge
        let eastWest = Set(try self.accepts(in: chain, starts, within).map(\.rule))
        return accepts.first { accept in
            let isForUplink = outside.contains(accept.rule)
            if everybody.contains(accept.rule) {
                return isForUplink && isNarrow(accept) && accept.boxes.contains(where: \.isPublic)
                    && Self.translation.isDisjoint(with: accept.doubts)
            }
            // Out by another link only: what keeps to a tunnel is not to leave by the uplink.
            return isNarrow(accept) || !isForUplink && !eastWest.contains(accept.rule) && !isPing(accept)
        }?.rule
    }

    private func isPing(_ accept: Accept) -> Bool {
        accept.boxes.allSatisfy { $0.transport.isSubset(of: IntervalSet(1)) }
    }

    /// Whether a rule accepts some of the packets, and not all.
    private func isNarrow(_ accept: Accept) -> Bool {
        if isPing(accept) { return false }
        guard accept.doubts.isEmpty, let rest = PacketBox.subtract(accept.boxes, from: starts) else { return true }
        return !rest.isEmpty
    }

    // MARK: Walking

    private static let mostJumps = 16
    private static let mostSteps = 250_000

    private func accepts(
        in chain: Int, _ boxes: [PacketBox], _ context: PacketContext
    ) throws(WalkLimit) -> [Accept] {
        var noLink = context
        if context.ignoresOutput { (noLink.output, noLink.ignoresOutput) = (nil, false) }
        var visit = Visit(
            ruleset: ruleset, reader: NftRuleReader(ruleset, context), ending: NftRuleReader(ruleset, noLink))
        try visit.follow(chain, boxes, doubts: [], depth: 0)
        return visit.accepts
    }

    private struct Visit {
        let ruleset: Ruleset
        var reader: NftRuleReader
        /// For packets that leave by no link that a rule names.
        var ending: NftRuleReader
        var accepts: [Accept] = []
        private var steps = 0

        init(ruleset: Ruleset, reader: NftRuleReader, ending: NftRuleReader) {
            self.ruleset = ruleset
            self.reader = reader
            self.ending = ending
        }

        /// Every rule of a chain and of those that it jumps to, whatever rules before it decide about some packets; not
        /// what stands behind a rule that decides about all.
        mutating func follow(
            _ chain: Int, _ boxes: [PacketBox], doubts: [String], depth: Int
        ) throws(WalkLimit) {
            guard depth <= AllowanceSearch.mostJumps else { throw WalkLimit(reason: "jumps more than 16 deep") }
            let asked = boxes.count == 1 ? boxes[0] : ruleset.everyBox
            for rule in ruleset.chains[chain].rules {
                steps += boxes.count
                guard steps < AllowanceSearch.mostSteps else { throw WalkLimit(reason: "more than 250,000 rules") }
                if let test = ruleset.addressTest(ofRule: rule),
                    !boxes.contains(where: { (test.isSource ? $0.source : $0.destination).contains(test.address) })
                {
                    continue
                }
                for branch in RuleBranch.branches(of: rule, in: ruleset, reader.context, &reader, within: asked) {
                    let matched = boxes.compactMap { $0.intersection(branch.box) }
                    if matched.isEmpty { continue }
                    let unsure = doubts + branch.doubts.filter { !doubts.contains($0) }
                    switch branch.action {
                    case .accept: accepts.append(Accept(rule: rule, boxes: matched, doubts: unsure))
                    case .jump(let name), .goto(let name):
                        guard let next = ruleset.chain(named: name, inTable: ruleset.chains[chain].table) else {
                            throw WalkLimit(reason: "a jump to chain \(name), which does not exist")
                        }
                        try follow(next, matched, doubts: unsure, depth: depth + 1)
                    default: continue
                    }
                }
                if endsAll(rule, boxes, asked) { return }
            }
        }

        private mutating func endsAll(_ rule: Int, _ boxes: [PacketBox], _ asked: PacketBox) -> Bool {
            RuleBranch.branches(of: rule, in: ruleset, ending.context, &ending, within: asked).contains { branch in
                switch branch.action {
                case .accept, .drop, .return:
                    branch.doubts.isEmpty && boxes.allSatisfy { $0.subtracting(branch.box).isEmpty }
                default: false
                }
            }
        }
    }
}

extension PacketBox {
    /// Whether some of it goes to a public address.
    fileprivate var isPublic: Bool {
        !destination.isDisjoint(with: SourceTranslationQuestion.privateDestinations.complement)
    }
}
