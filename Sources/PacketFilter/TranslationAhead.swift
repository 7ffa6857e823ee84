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
}

extension SourceTranslationQuestion {
    /// Other rules that let everything out, one behind the other.
    private static let mostShadows = 8
    /// A rule with more exceptions is nothing that a person can read.
    private static let mostExemptions = 16

    /// What a translation ahead of the rule that shadows it must be like. `own`: where that translation is there
    /// already, its index; then the ruleset as it is must prove right.
    ///
    /// Proved over every packet of the network: with the new rule, just those packets are translated that would be,
    /// were the shadow not there; none that another rule lets through untranslated now is among them.
    package func translationAhead(
        in ruleset: Ruleset, leaving: [IPv4Prefix] = [], own: Int? = nil
    ) throws(TranslationRefusal) -> TranslationAhead {
        let answer: Result<TranslationAhead, TranslationRefusal>
        do {
            answer = try translationAhead(ruleset, IntervalSet(leaving), own)
        } catch {
            throw TranslationRefusal(reason: error.description)
        }
        return try answer.get()
    }

    private func translationAhead(
        _ ruleset: Ruleset, _ leaving: IntervalSet, _ own: Int?
    ) throws(UndecidedTranslation) -> Result<TranslationAhead, TranslationRefusal> {
        let starts = starts(ruleset, everyPacket, context)
        guard starts.isExact else { throw .unknownConditions(["the marks that rules give"]) }
        func walk(_ revision: TranslationRevision) throws(UndecidedTranslation) -> [WalkOutcome] {
            let outcomes = try self.walk(ruleset, context, starts.boxes, keepsTrails: true, revision: revision)
            let doubts = Set(outcomes.flatMap(\.doubts))
            guard doubts.isEmpty else { throw .unknownConditions(doubts.sorted()) }
            return outcomes
        }

        // The shadows, and what would become of the packets without them.
        let without = TranslationRevision(passedOver: Set(own.map { [$0] } ?? []))
        let before = try walk(without)
        var shadows: [Int] = []
        var wanted = without
        var reference = before
        while !reference.contains(where: { isGood($0) && isPublic($0.box) }) {
            let diverting = reference.compactMap { isPublic($0.box) ? $0.diverted : nil }
            guard shadows.count < Self.mostShadows, let first = diverting.first else {
                return refuse("no rule translates the network, whatever comes first")
            }
            guard let rule = diverting.first(where: { letsEverythingOut($0, ruleset) }) else {
                return refuse(
                    "\(ruleset.described(first)) looks at more than the network and the uplink, so it may be meant")
            }
            shadows.append(rule)
            wanted.passedOver.insert(rule)
            reference = try walk(wanted)
        }
        guard let shadow = shadows.first else { return refuse("some of the network's packets are translated as it is") }
        if let wrong = reference.first(where: { !isGood($0) && $0.result != .untranslated }) {
            return refuse("\(wrong.rule.map(ruleset.described) ?? "a policy") drops, or translates to a wrong address")
        }
        if let rule = reference.lazy.compactMap({ isGood($0) ? $0.diverted : nil })
            .first(where: { !shadows.contains($0) && !letsEverythingOut($0, ruleset) })
        {
            return refuse("\(ruleset.described(rule)) exempts some packets, and the chain that translates does not hear it")
        }

        // What rules behind the shadow leave alone: by destination only, or nobody could say so in one rule.
        let left = reference.filter { $0.result == .untranslated }
        let taken = before.filter { $0.diverted == shadow }.map(\.box)
        let kept = left.compactMap { outcome in taken.contains { $0.intersection(outcome.box) != nil } ? outcome : nil }
        if let hole = kept.first(where: { $0.diverted == nil && isPublic($0.box) }) {
            return refuse(
                "behind it no rule translates what goes to \(Self.text(hole.box.destination)), and none leaves it out")
        }
        var exempt = leaving
        for outcome in kept { exempt = exempt.union(outcome.box.destination) }
        let rest = try subtract(left.map(\.box), from: taken.compactMap { $0.intersection(PacketBox(destination: exempt)) })
        if let part = rest.first(where: { !$0.destination.isSubset(of: leaving) }), let rule = kept.first?.diverted {
            return refuse(
                "\(ruleset.described(rule)) keeps some packets to \(Self.text(part.destination)) untranslated, and not all")
        }
        if let target, exempt.contains(target.value) { return refuse("\(target) is among what is exempt") }
        let joined = exempt.union(IntervalSet(network))
        let prefixes = (joined.ranges.count < exempt.ranges.count ? joined : exempt).prefixes()
        guard prefixes.count <= Self.mostExemptions else {
            return refuse("more than \(Self.mostExemptions) networks are exempt from translation")
        }

        // The proof.
        var real = TranslationRevision()
        if own == nil {
            real.shadow = shadow
            real.ahead = PacketBox(
                source: IntervalSet(network),
                destination: IntervalSet(prefixes).union(IntervalSet(network)).complement)
        }
        let after = try walk(real)
        let translated = after.filter(isGood).map(\.box)
        let expected = reference.filter(isGood).map(\.box)
        if let box = try subtract(expected, from: translated).first {
            return refuse("packets to \(Self.text(box.destination)) would be translated that are exempt")
        }
        if let box = try subtract(translated, from: expected).first(where: { !$0.destination.isSubset(of: leaving) }) {
            return refuse("packets to \(Self.text(box.destination)) would still not be translated")
        }
        for outcome in before where outcome.result == .untranslated {
            guard let rule = outcome.diverted, !shadows.contains(rule) else { continue }
            if translated.contains(where: { $0.intersection(outcome.box) != nil }) {
                return refuse("\(ruleset.described(rule)) exempts some packets, and they would be translated")
            }
        }
        return .success(TranslationAhead(shadow: shadow, exempt: prefixes))
    }

    private func refuse(_ reason: String) -> Result<TranslationAhead, TranslationRefusal> {
        .failure(TranslationRefusal(reason: reason))
    }

    private func isPublic(_ box: PacketBox) -> Bool {
        !box.destination.isDisjoint(with: Self.privateDestinations.complement)
    }

    /// Whether a rule accepts or returns each packet from the network to the outside, whatever else it is like.
    private func letsEverythingOut(_ rule: Int, _ ruleset: Ruleset) -> Bool {
        var reader = NftRuleReader(ruleset, context)
        return RuleBranch.branches(of: rule, in: ruleset, context, &reader, within: everyPacket).contains { branch in
            (branch.action == .accept || branch.action == .return) && branch.doubts.isEmpty
                && everyPacket.subtracting(branch.box).isEmpty
        }
    }

    /// `192.168.77.0/24`, of many the first few.
    private static func text(_ destinations: IntervalSet) -> String {
        let prefixes = destinations.prefixes(limit: 4).map(\.description)
        return prefixes.prefix(3).joined(separator: ", ") + (prefixes.count > 3 ? " and others" : "")
    }
}

extension Ruleset {
    fileprivate func described(_ rule: Int) -> String { "\(place(ofRule: rule)) (\(text(ofRule: rule)))" }
}

extension IntervalSet {
    fileprivate init(_ prefixes: [IPv4Prefix]) {
        self.init(prefixes.map { $0.first.value...$0.last.value })
    }
}
