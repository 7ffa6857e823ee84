internal import WireFormats

/// Follows sets of packets through chains.
///
/// Bounded: no more than 4,096 sets at once, 16 jumps deep (as in the kernel), 250,000 rules in all.
struct ChainWalk {
    enum Purpose {
        /// What is dropped, and what is translated.
        case decisions
        /// Which marks packets get: what is dropped goes on too.
        case marks
        /// Which packets conntrack passes over.
        case notrack
    }

    private struct Piece: Hashable {
        var box: PacketBox
        var diverted: Int?
        var doubts: [Doubt]

        mutating func doubt(_ names: [String], of rule: Int) {
            for doubt in names.lazy.map({ Doubt($0, rule: rule) }) where !doubts.contains(doubt) {
                doubts.append(doubt)
            }
        }
    }

    private static let mostSteps = 250_000
    /// Sets times rules: seconds, whatever the ruleset.
    private static let mostWork = 5_000_000
    /// Marks are given up earlier: what is then not known of them rarely matters.
    private static let mostMarked = 64

    private let ruleset: Ruleset
    private let context: PacketContext
    /// Whether accept and return are passed over: what would be translated if nothing stood before it.
    private let ignoresDiversions: Bool
    /// Whether every rule that leads packets past others is remembered, at the price of more pieces.
    private let keepsTrails: Bool
    private let purpose: Purpose
    private let revision: TranslationRevision
    /// Whether every packet that comes out has the mark that it comes out with. Not so where a rule that is not known
    /// to match gives one.
    private(set) var isExact = true
    /// Rules that leave packets to somebody who may mark or change them: a program, or a target that is not known.
    private(set) var strangers: [Int] = []
    private var markings = 0
    /// Where sources are translated: what is not stays so.
    private var isLast = false
    private var reader: NftRuleReader
    private(set) var outcomes: [WalkOutcome] = []
    private var steps = 0
    private var work = 0

    init(
        _ ruleset: Ruleset, _ context: PacketContext, purpose: Purpose = .decisions, ignoresDiversions: Bool = false,
        keepsTrails: Bool = false, revision: TranslationRevision = TranslationRevision()
    ) {
        self.purpose = purpose
        self.revision = revision
        self.ruleset = ruleset
        self.context = context
        self.ignoresDiversions = ignoresDiversions
        self.keepsTrails = keepsTrails
        reader = NftRuleReader(ruleset, context)
    }

    /// Through the nat chains of postrouting, or of input: an accept ends its own chain only, a translation ends all.
    mutating func postrouting(_ boxes: [PacketBox], hook: NftHook = .postrouting) throws(WalkLimit) {
        isLast = true
        var pieces = boxes.map { Piece(box: $0, diverted: nil, doubts: []) }
        for chain in ruleset.baseChains(type: "nat", hook: hook) {
            var accepted: [Piece] = []
            let returned = try walk(chain, pieces, &accepted, depth: 0)
            pieces = leaving(chain, returned, accepted)
        }
        for piece in pieces { settle(piece, .untranslated, rule: nil) }
    }

    /// Through the nat chains of prerouting: what is sent elsewhere, or dropped, becomes an outcome. Gives the rest.
    mutating func prerouting(_ boxes: [PacketBox]) throws(WalkLimit) -> [PacketBox] {
        var pieces = boxes.map { Piece(box: $0, diverted: nil, doubts: []) }
        for chain in ruleset.baseChains(type: "nat", hook: .prerouting) {
            var accepted: [Piece] = []
            let returned = try walk(chain, pieces, &accepted, depth: 0)
            pieces = leaving(chain, returned, accepted)
        }
        return pieces.map(\.box)
    }

    /// Through chains that filter; what they drop becomes an outcome. An accept ends its own base chain only.
    /// Gives the packets that come through, with what would have to be known to be sure of it.
    mutating func filter(_ chains: [Int], _ boxes: [PacketBox]) throws(WalkLimit) -> [PacketBox] {
        var pieces = boxes.map { Piece(box: $0, diverted: nil, doubts: []) }
        for chain in chains {
            var accepted: [Piece] = []
            let returned = try walk(chain, pieces, &accepted, depth: 0)
            pieces = leaving(chain, returned, accepted)
            // Only the sets matter from here on: what one base chain was not sure of is another's question.
            var seen: Set<PacketBox> = []
            pieces = pieces.filter { seen.insert($0.box).inserted }
        }
        return pieces.map(\.box)
    }

    /// The packets that a rule exempts from tracking at prerouting, before conntrack (priority -200).
    static func untracked(
        _ ruleset: Ruleset, _ context: PacketContext, _ boxes: [PacketBox]
    ) throws(WalkLimit) -> [WalkOutcome] {
        var walk = ChainWalk(ruleset, context, purpose: .notrack)
        var pieces = boxes.map { Piece(box: $0, diverted: nil, doubts: []) }
        for chain in ruleset.baseChains(type: nil, hook: .prerouting) {
            guard let base = ruleset.chains[chain].base, base.priority < -200 else { continue }
            var accepted: [Piece] = []
            let returned = try walk.walk(chain, pieces, &accepted, depth: 0)
            pieces = returned + accepted
        }
        return walk.outcomes
    }

    /// What comes out of a base chain: where no rule decided, its policy does.
    private mutating func leaving(_ chain: Int, _ returned: [Piece], _ accepted: [Piece]) -> [Piece] {
        guard ruleset.chains[chain].base?.policy == .drop, purpose == .decisions else { return returned + accepted }
        for piece in returned { settle(piece, .dropped, rule: nil, policy: chain) }
        return accepted
    }

    private mutating func settle(_ piece: Piece, _ result: WalkOutcome.Result, rule: Int?, policy: Int? = nil) {
        outcomes.append(
            WalkOutcome(
                box: piece.box, result: result, rule: rule, policy: policy, diverted: piece.diverted,
                doubts: piece.doubts))
    }

    /// Gives the pieces that come out at the end, or by a return.
    private mutating func walk(
        _ chain: Int, _ entering: [Piece], _ accepted: inout [Piece], depth: Int
    ) throws(WalkLimit) -> [Piece] {
        guard depth <= 16 else { throw WalkLimit(reason: "jumps more than 16 deep") }
        var pieces = entering
        var returned: [Piece] = []
        for index in ruleset.chains[chain].rules {
            if pieces.isEmpty { break }
            steps += 1
            guard steps < Self.mostSteps else { throw WalkLimit(reason: "more than 250,000 rules on the way") }
            try count(pieces)
            if let ahead = revision.ahead, revision.shadow == index { pieces = translated(pieces, ahead) }
            if revision.passedOver.contains(index) { continue }
            // Most rules of a long chain speak of one address.
            if let test = ruleset.addressTest(ofRule: index),
                !pieces.contains(where: { (test.isSource ? $0.box.source : $0.box.destination).contains(test.address) })
            {
                continue
            }
            // With one set of packets a rule is read for these alone.
            let asked = pieces.count == 1 ? pieces[0].box : ruleset.everyBox
            for (number, branch) in branches(of: index, within: asked).enumerated() {
                if number > 0 { try count(pieces) }
                var next: [Piece] = []
                var matched: [Piece] = []
                for piece in pieces {
                    guard let box = piece.box.intersection(branch.box) else {
                        next.append(piece)
                        continue
                    }
                    var part = piece
                    part.box = box
                    part.doubt(branch.doubts, of: index)
                    matched.append(part)
                    if box != piece.box {
                        for rest in piece.box.subtracting(branch.box) {
                            var other = piece
                            other.box = rest
                            next.append(other)
                        }
                    }
                    // In doubt, the same packets also go on as if the rule did not match.
                    if !branch.doubts.isEmpty { next.append(part) }
                }
                if matched.isEmpty { continue }
                if try passesThrough(branch, matched, chain: chain, depth) { continue }
                let onward = try apply(branch, matched, rule: index, chain: chain, &returned, &accepted, depth)
                if branch.doubts.isEmpty {
                    next += onward
                } else {
                    // The same packets may come on both ways: once is enough.
                    next += onward.filter { piece in
                        !next.contains { $0.box == piece.box && $0.doubts == piece.doubts }
                    }
                }
                guard next.count + returned.count <= (purpose == .marks ? Self.mostMarked : 4096) else {
                    throw WalkLimit(reason: "the rules divide the packets into more than 4,096 sets")
                }
                pieces = next
            }
        }
        return returned + pieces
    }

    private mutating func count(_ pieces: [Piece]) throws(WalkLimit) {
        work += pieces.count
        // Every one of many ranges is looked at.
        for index in pieces.indices {
            work += (pieces[index].box.source.ranges.count + pieces[index].box.destination.ranges.count) / 64
        }
        guard work < Self.mostWork else { throw WalkLimit(reason: "the rules divide the packets too often") }
    }

    /// Settles those in the box as masqueraded; gives the rest.
    private mutating func translated(_ pieces: [Piece], _ box: PacketBox) -> [Piece] {
        pieces.flatMap { piece -> [Piece] in
            guard let common = piece.box.intersection(box) else { return [piece] }
            var part = piece
            part.box = common
            settle(part, .masqueraded, rule: nil)
            return piece.box.subtracting(box).map { rest in
                var other = piece
                other.box = rest
                return other
            }
        }
    }

    /// Whether a jump decides nothing for any packet, so that all of them are simply behind it: then they need not be
    /// divided. Keeps rulesets with thousands of service chains small.
    private mutating func passesThrough(
        _ branch: RuleBranch, _ matched: [Piece], chain: Int, _ depth: Int
    ) throws(WalkLimit) -> Bool {
        guard case .jump(let name) = branch.action, !keepsTrails,
            let target = ruleset.chain(named: name, inTable: ruleset.chains[chain].table)
        else { return false }
        let settled = outcomes.count
        let marked = markings
        var accepted: [Piece] = []
        _ = try walk(target, matched, &accepted, depth: depth + 1)
        if outcomes.count == settled && accepted.isEmpty && markings == marked { return true }
        // It decides something: undo, and walk it with the pieces divided. The steps count twice, which bounds this.
        outcomes.removeLast(outcomes.count - settled)
        return false
    }

    /// What the matching pieces do; gives those that go on to the next rule.
    private mutating func apply(
        _ branch: RuleBranch, _ entering: [Piece], rule: Int, chain: Int, _ returned: inout [Piece],
        _ accepted: inout [Piece], _ depth: Int
    ) throws(WalkLimit) -> [Piece] {
        if case .taken(let name) = branch.action, !ignoresDiversions {
            take(entering, name, rule)
            return []
        }
        let matched = changed(entering, branch, rule)
        if purpose == .marks, branch.action.isTranslation {
            accepted += matched
            return []
        }
        switch branch.action == .queue ? ruleset.queueAction(ofRule: rule) : branch.action {
        case .next, .queue, .taken: return matched
        case .accept:
            if ignoresDiversions { return matched }
            accepted += matched.map { diverted($0, by: rule) }
            return []
        case .return:
            if ignoresDiversions { return matched }
            returned += matched.map { diverted($0, by: rule) }
            return []
        case .drop:
            if ignoresDiversions { return matched }
            if purpose == .marks {
                accepted += matched
                return []
            }
            for piece in matched { settle(piece, .dropped, rule: rule) }
            return []
        case .destinationNat:
            for piece in matched { settle(piece, .destinationTranslated, rule: rule) }
            return []
        case .masquerade:
            for piece in matched { settle(piece, .masqueraded, rule: rule) }
            return []
        case .sourceNat(let addresses):
            for piece in matched { settle(piece, .sourceTranslated(addresses), rule: rule) }
            return []
        case .sourcePorts:
            if ignoresDiversions { return matched }
            for piece in matched { settle(diverted(piece, by: rule), .untranslated, rule: rule) }
            return []
        case .unknown(let name):
            if purpose == .marks {
                markings += 1
                isExact = false
                if !strangers.contains(rule) { strangers.append(rule) }
                return matched
            }
            // It may end the walk, with a translation or without one, or go on.
            return matched.map { piece in
                var piece = piece
                piece.doubt([name], of: rule)
                settle(piece, .sourceTranslated(nil), rule: rule)
                if isLast { settle(diverted(piece, by: rule), .untranslated, rule: nil) }
                return piece
            }
        case .jump(let name), .goto(let name):
            guard let target = ruleset.chain(named: name, inTable: ruleset.chains[chain].table) else {
                throw WalkLimit(reason: "a jump to chain \(name), which does not exist")
            }
            let back = try walk(target, matched, &accepted, depth: depth + 1)
            if case .goto = branch.action, !ignoresDiversions {
                returned += back.map { diverted($0, by: rule) }
                return []
            }
            return back
        }
    }

    /// What never leaves this host again, whatever marks it is given.
    private mutating func take(_ pieces: [Piece], _ name: String, _ rule: Int) {
        guard purpose == .decisions else { return }
        for var piece in pieces {
            piece.doubt([name], of: rule)
            settle(piece, .dropped, rule: rule)
        }
    }

    /// The pieces with the marks that a rule gives them.
    private mutating func changed(_ pieces: [Piece], _ branch: RuleBranch, _ rule: Int) -> [Piece] {
        if branch.effects.isEmpty { return pieces }
        if branch.notrack && purpose == .notrack {
            for piece in pieces { settle(piece, .untranslated, rule: rule) }
        }
        let effects = branch.effects.filter { $0.isMark || purpose == .decisions }
        markings += effects.count
        if !branch.doubts.isEmpty, effects.contains(where: \.isMark) { isExact = false }
        return pieces.map { piece in
            var piece = piece
            for effect in effects { piece.box = piece.box.applying(effect, isUnseen: context.isUnseen) }
            return piece
        }
    }

    private func diverted(_ piece: Piece, by rule: Int) -> Piece {
        var piece = piece
        if piece.diverted == nil { piece.diverted = rule }
        return piece
    }

    private mutating func branches(of index: Int, within box: PacketBox) -> [RuleBranch] {
        let touched = reader.touched
        defer { work += (reader.touched - touched) / 16 }
        return RuleBranch.branches(of: index, in: ruleset, context, &reader, within: box)
    }
}
