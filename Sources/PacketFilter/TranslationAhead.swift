package import HostModel

/// A ruleset with small differences, for a walk: as it would be, or as it would be without some of its rules.
struct TranslationRevision: Hashable, Sendable {
    /// Rules that are passed over as if they were not there.
    var passedOver: Set<Int> = []
    /// Ahead of this rule there is one more, which masquerades the packets of `ahead`.
    var shadow: Int?
    var ahead: PacketBox?
}

/// Where one rule more gives a network's packets the translation that a rule of nftables keeps them from, and what that
/// rule must leave alone.
package struct TranslationAhead: Hashable, Sendable {
    /// The rule that decides first, as index: the new one goes right ahead of it.
    package var shadow: Int
    /// Where the new rule must not translate to: what rules behind the shadow leave alone on purpose, and what the
    /// question was told to leave out.
    package var exempt: [IPv4Prefix]
}

/// Why that cannot be done, or cannot be proved to be right; a whole clause.
package struct TranslationRefusal: Error, Hashable, Sendable {
    package var reason: String

    init(_ reason: String) { self.reason = reason }
}

extension SourceTranslationQuestion {
    /// What a translation ahead of the rule that shadows it must be like. `leaving`: destinations that are not to be
    /// translated, whatever the rules say. `own`: where that translation is there already, its index; then the ruleset
    /// as it is must prove right.
    ///
    /// Proved over every packet of the network: with the new rule, just those packets are translated that would be,
    /// were the shadow not there; none that another rule lets through untranslated now is among them.
    package func translationAhead(
        in ruleset: Ruleset, leaving: [IPv4Prefix] = [], own: Int? = nil
    ) throws(TranslationRefusal) -> TranslationAhead {
        let search = try ShadowSearch(self, ruleset, leaving: IntervalSet(leaving), own: own)
        let exempt = try search.exemptions()
        try search.prove(exempt)
        return TranslationAhead(shadow: search.shadow, exempt: exempt)
    }
}

/// The rules that let everything of a network out untranslated, and what would become of its packets without them.
private struct ShadowSearch {
    private let question: SourceTranslationQuestion
    private let ruleset: Ruleset
    private let starts: [PacketBox]
    private let leaving: IntervalSet
    private let own: Int?
    /// What becomes of the packets without the new rule.
    private let before: [WalkOutcome]
    /// The same without the shadows as well.
    private let reference: [WalkOutcome]
    /// The first one decides; those behind it would, were it not there.
    private let shadows: [Int]
    let shadow: Int

    /// Other rules that let everything out, one behind the other.
    private static let mostShadows = 8
    /// A rule with more exceptions is nothing that a person can read.
    private static let mostExemptions = 16

    init(
        _ question: SourceTranslationQuestion, _ ruleset: Ruleset, leaving: IntervalSet, own: Int?
    ) throws(TranslationRefusal) {
        let starts = question.starts(ruleset, question.everyPacket, question.context)
        guard starts.strangers.isEmpty else { throw Self.undecided(.unknownConditions(starts.strangers)) }
        guard starts.isExact else { throw Self.undecided(.unknownConditions(["the marks that rules give"])) }
        var revision = TranslationRevision(passedOver: Set(own.map { [$0] } ?? []))
        let before = try Self.walk(question, ruleset, starts.boxes, revision)
        var shadows: [Int] = []
        var reference = before
        while !reference.contains(where: { question.isGood($0) && Self.isPublic($0.box) }) {
            let diverting = reference.compactMap { Self.isPublic($0.box) ? $0.diverted : nil }
            guard shadows.count < Self.mostShadows, let first = diverting.first else {
                throw TranslationRefusal("no rule translates the network, whatever comes first")
            }
            guard let rule = diverting.first(where: { question.letsEverythingOut($0, ruleset) }) else {
                throw TranslationRefusal(
                    "\(ruleset.described(first)) looks at more than the network and the uplink, so it may be meant")
            }
            shadows.append(rule)
            revision.passedOver.insert(rule)
            reference = try Self.walk(question, ruleset, starts.boxes, revision)
        }
        guard let shadow = shadows.first else {
            throw TranslationRefusal("some of the network's packets are translated as it is")
        }
        self.question = question
        self.ruleset = ruleset
        self.starts = starts.boxes
        self.leaving = leaving
        self.own = own
        self.before = before
        self.reference = reference
        self.shadows = shadows
        self.shadow = shadow
    }

    private static func walk(
        _ question: SourceTranslationQuestion, _ ruleset: Ruleset, _ starts: [PacketBox],
        _ revision: TranslationRevision
    ) throws(TranslationRefusal) -> [WalkOutcome] {
        do throws(UndecidedTranslation) {
            let outcomes = try question.walk(
                ruleset, question.context, starts, keepsTrails: true, revision: revision)
            let doubts = Set(outcomes.flatMap(\.doubts))
            guard doubts.isEmpty else { throw .unknownConditions(doubts.sorted { $0.name < $1.name }) }
            return outcomes
        } catch {
            throw undecided(error)
        }
    }

    private static func undecided(_ reason: UndecidedTranslation) -> TranslationRefusal {
        TranslationRefusal(reason.description)
    }

    private static func isPublic(_ box: PacketBox) -> Bool {
        !box.destination.isDisjoint(with: SourceTranslationQuestion.privateDestinations.complement)
    }

    private func subtract(_ others: [PacketBox], from boxes: [PacketBox]) throws(TranslationRefusal) -> [PacketBox] {
        do throws(UndecidedTranslation) {
            return try question.subtract(others, from: boxes)
        } catch {
            throw Self.undecided(error)
        }
    }

    /// What the new rule must leave out: by destination only, or nobody could say so in one rule.
    func exemptions() throws(TranslationRefusal) -> [IPv4Prefix] {
        if let wrong = reference.first(where: { !question.isGood($0) && $0.result != .untranslated }) {
            throw TranslationRefusal(
                "\(wrong.rule.map(ruleset.described) ?? "a policy") drops, or translates to a wrong address")
        }
        let unheard = reference.lazy.compactMap { question.isGood($0) ? $0.diverted : nil }
            .first { !shadows.contains($0) && !question.letsEverythingOut($0, ruleset) }
        if let unheard {
            throw TranslationRefusal(
                "\(ruleset.described(unheard)) exempts some packets, and the chain that translates does not hear it")
        }
        let left = reference.filter { $0.result == .untranslated }
        let taken = before.filter { $0.diverted == shadow }.map(\.box)
        let kept = left.filter { outcome in taken.contains { $0.intersection(outcome.box) != nil } }
        if let hole = kept.first(where: { $0.diverted == nil && Self.isPublic($0.box) }) {
            throw TranslationRefusal(
                "behind it no rule translates what goes to \(hole.box.destination.words), and none leaves it out")
        }
        let exempt = kept.reduce(leaving) { $0.union($1.box.destination) }
        let there = taken.compactMap { $0.intersection(PacketBox(destination: exempt)) }
        let rest = try subtract(left.map(\.box), from: there)
        if let part = rest.first(where: { !$0.destination.isSubset(of: leaving) }), let rule = kept.first?.diverted {
            throw TranslationRefusal(
                "\(ruleset.described(rule)) keeps some packets to \(part.destination.words) untranslated, and not all")
        }
        if let target = question.target, exempt.contains(target.value) {
            throw TranslationRefusal("\(target) is among what is exempt")
        }
        // 10.0.0.0/8 reads better than its eight parts around the network.
        let joined = exempt.union(IntervalSet(question.network))
        let prefixes = (joined.ranges.count < exempt.ranges.count ? joined : exempt).prefixes()
        guard prefixes.count <= Self.mostExemptions else {
            throw TranslationRefusal("more than \(Self.mostExemptions) networks are exempt from translation")
        }
        return prefixes
    }

    /// That the rule, as it is or as it would be, translates just what it should.
    func prove(_ exempt: [IPv4Prefix]) throws(TranslationRefusal) {
        var real = TranslationRevision()
        if own == nil {
            let network = IntervalSet(question.network)
            real.shadow = shadow
            real.ahead = PacketBox(
                source: network, destination: IntervalSet(exempt).union(network).complement)
        }
        let after = try Self.walk(question, ruleset, starts, real)
        let translated = after.filter(question.isGood).map(\.box)
        let expected = reference.filter(question.isGood).map(\.box)
        if let box = try subtract(expected, from: translated).first {
            throw TranslationRefusal("packets to \(box.destination.words) would be translated that are exempt")
        }
        if let box = try subtract(translated, from: expected).first(where: { !$0.destination.isSubset(of: leaving) }) {
            throw TranslationRefusal("packets to \(box.destination.words) would still not be translated")
        }
        for outcome in before where outcome.result == .untranslated {
            guard let rule = outcome.diverted, !shadows.contains(rule),
                translated.contains(where: { $0.intersection(outcome.box) != nil })
            else { continue }
            throw TranslationRefusal("\(ruleset.described(rule)) exempts some packets, and they would be translated")
        }
    }
}

extension SourceTranslationQuestion {
    /// Whether a rule accepts or returns each packet from the network to the outside, whatever else it is like.
    fileprivate func letsEverythingOut(_ rule: Int, _ ruleset: Ruleset) -> Bool {
        var reader = NftRuleReader(ruleset, context)
        return RuleBranch.branches(of: rule, in: ruleset, context, &reader, within: everyPacket).contains { branch in
            (branch.action == .accept || branch.action == .return) && branch.doubts.isEmpty
                && everyPacket.subtracting(branch.box).isEmpty
        }
    }
}

extension Ruleset {
    fileprivate func described(_ rule: Int) -> String { "\(place(ofRule: rule)) (\(text(ofRule: rule)))" }
}

extension IntervalSet {
    fileprivate init(_ prefixes: [IPv4Prefix]) {
        self.init(prefixes.map { $0.first.value...$0.last.value })
    }

    /// As addresses, `192.168.77.0/24`; of many the first few.
    fileprivate var words: String {
        let found = prefixes(limit: 4).map(\.description)
        return found.prefix(3).joined(separator: ", ") + (found.count > 3 ? " and others" : "")
    }
}
