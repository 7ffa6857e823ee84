internal import HostModel
internal import WireFormats

/// Packets of a network that its rules may let pass in part.
struct AllowedTraffic {
    var context: PacketContext
    var starts: [PacketBox]
    /// The same of everybody else.
    var foreign: [PacketBox] = []
    /// The end of the host that does not matter, and how a walk passes over its conditions.
    var ignored: WritableKeyPath<PacketContext, Bool>?
    var side: WritableKeyPath<PacketContext, PacketContext.Link?>?
    /// Where others have another link than the network.
    var foreignSide: WritableKeyPath<PacketContext, PacketContext.Link?> = \.input
    /// The network's own link: what stays within is no way out.
    var within: PacketContext.Link?
    /// Destinations that a rule for everybody must be about.
    var counted = IntervalSet.all
    /// A rule that accepts these too is about something else.
    var excluded: [PacketBox] = []

    init(context: PacketContext, starts: [PacketBox]) {
        self.context = context
        self.starts = starts
    }
}

/// Looks for rules of a chain that let some of the packets pass, and not all.
struct AllowanceSearch {
    private struct Match {
        var rule: Int
        var boxes: [PacketBox]
        var doubts: [String]
    }

    private let ruleset: Ruleset
    private let traffic: AllowedTraffic
    /// As rules name the network as a source; empty: answers are looked for.
    private let names: [[Substring]]
    /// As rules name it at its own end, whichever that is.
    private let ends: [[Substring]]

    init(_ questions: NetworkQuestions, _ traffic: AllowedTraffic) {
        ruleset = questions.ruleset
        self.traffic = traffic
        let (bridge, network) = (questions.bridge, questions.network.description)
        let isAnswer = traffic.foreignSide == \.output
        ends =
            isAnswer
            ? [
                ["oifname", "\"\(bridge)\""], ["oif", "\"\(bridge)\""], ["-o", bridge[...]], ["daddr", network[...]],
                ["-d", network[...]],
            ]
            : [
                ["iifname", "\"\(bridge)\""], ["iif", "\"\(bridge)\""], ["-i", bridge[...]], ["saddr", network[...]],
                ["-s", network[...]],
            ]
        names = isAnswer ? [] : ends
    }

    /// No interface can have this name, so no rule is about it alone.
    private static let nobody = PacketContext.Link(name: "/")
    /// What is not known of a new packet where rules ask for translated destinations: port forwards are no allowance.
    private static let translation: Set<String> = ["conntrack status", "conntrack", "ct status"]
    /// A rate alone is no purpose.
    private static let rates: Set<String> = ["limit", "match limit", "match hashlimit"]
    /// What traceroute(8) takes, and the packet proof.
    private static let traceroute = IntervalSet(33_434...33_534)

    func first(in chain: Int) throws(WalkLimit) -> Int? {
        var anyLink = traffic.context
        if let ignored = traffic.ignored { anyLink[keyPath: ignored] = true }
        if let rule = try firstForOthers(in: chain) { return rule }
        let accepts = try matches(in: chain, traffic.starts, anyLink, accepting: true)
        guard !accepts.isEmpty else { return nil }
        var others = anyLink
        others[keyPath: traffic.foreignSide] = Self.nobody
        let everybody = Set(try matches(in: chain, traffic.foreign, others, accepting: true).map(\.rule))
        let outside = Set(try matches(in: chain, traffic.starts, traffic.context, accepting: true).map(\.rule))
        let excluded = Set(try matches(in: chain, traffic.excluded, anyLink, accepting: true).map(\.rule))
        var within: Set<Int> = []
        if let link = traffic.within, let side = traffic.side {
            var context = traffic.context
            context[keyPath: side] = link
            within = Set(try matches(in: chain, traffic.starts, context, accepting: true).map(\.rule))
        }
        return accepts.first { accept in
            if excluded.contains(accept.rule) || isAnswer(accept) { return false }
            let isForUplink = outside.contains(accept.rule)
            if everybody.contains(accept.rule) { return isForUplink && isListed(accept) }
            // Out by another link only: what keeps to a tunnel is not to leave by the uplink.
            return isNarrow(accept) || traffic.within != nil && !isForUplink && !within.contains(accept.rule)
        }?.rule
    }

    /// The first rule that accepts what everybody sends but the network, which it names.
    private func firstForOthers(in chain: Int) throws(WalkLimit) -> Int? {
        var others = traffic.context
        others[keyPath: traffic.foreignSide] = Self.nobody
        return try matches(in: chain, traffic.foreign, others, accepting: true).first { match in
            let words = ruleset.text(ofRule: match.rule).split(separator: " ")
            return ends.contains { Self.leavesOut($0, words) }
        }?.rule
    }

    /// Whether a rule is about everything but this name: `iifname != "lxcbr1"`, `! -i lxcbr1`, `saddr != { … }`.
    private static func leavesOut(_ name: [Substring], _ words: [Substring]) -> Bool {
        words.indices.contains { index in
            guard words[index] == name[0] else { return false }
            let rest = words[(index + 1)...]
            if index > 0, words[index - 1] == "!" { return rest.first == name[1] }
            guard rest.first == "!=" else { return false }
            let values = rest.dropFirst()
            guard values.first == "{" else { return values.first == name[1] }
            return values.prefix { $0 != "}" }.contains { $0 == name[1] || $0 == name[1] + "," }
        }
    }

    /// The first rule that drops all of the packets and nobody else's.
    func firstClosing(in chain: Int) throws(WalkLimit) -> Int? {
        var others = traffic.context
        others[keyPath: traffic.foreignSide] = Self.nobody
        let everybody = Set(try matches(in: chain, traffic.foreign, others, accepting: false).map(\.rule))
        return try matches(in: chain, traffic.starts, traffic.context, accepting: false).first { match in
            !everybody.contains(match.rule) && !isNarrow(match)
        }?.rule
    }

    /// Whether a rule that is for everybody lets some packets of this network out, for a purpose.
    private func isListed(_ accept: Match) -> Bool {
        guard Self.translation.union(Self.rates).isDisjoint(with: accept.doubts) else { return false }
        let looks = accept.boxes.allSatisfy { box in
            box.transport.isSubset(of: IntervalSet(1))
                || box.transport == IntervalSet(17) && box.destinationPort.isSubset(of: Self.traceroute)
        }
        return !looks && isNarrow(accept)
            && accept.boxes.contains { !$0.destination.isDisjoint(with: traffic.counted) }
    }

    /// Answers that are told by the port that they come from.
    private func isAnswer(_ accept: Match) -> Bool {
        accept.boxes.allSatisfy { box in
            box.sourcePort.isSubset(of: IntervalSet(1...1023)) && box.destinationPort == PacketBox.usedPorts
        }
    }

    /// Whether a rule is about some of the packets, and not all.
    private func isNarrow(_ match: Match) -> Bool {
        guard Self.rates.isSuperset(of: match.doubts),
            let rest = PacketBox.subtract(match.boxes, from: traffic.starts)
        else { return true }
        return !rest.isEmpty
    }

    // MARK: Walking

    private static let mostJumps = 16
    private static let mostSteps = 250_000

    private func matches(
        in chain: Int, _ boxes: [PacketBox], _ context: PacketContext, accepting: Bool
    ) throws(WalkLimit) -> [Match] {
        if boxes.isEmpty { return [] }
        var noLink = context
        if let ignored = traffic.ignored, let side = traffic.side, context[keyPath: ignored] {
            noLink[keyPath: ignored] = false
            noLink[keyPath: side] = nil
        }
        var visit = Visit(
            ruleset, NftRuleReader(ruleset, context), NftRuleReader(ruleset, noLink), accepting: accepting,
            names: context[keyPath: traffic.foreignSide] == Self.nobody ? [] : names)
        try visit.follow(chain, boxes, doubts: [], depth: 0)
        return visit.found
    }

    private struct Visit {
        private let ruleset: Ruleset
        private var reader: NftRuleReader
        /// For packets that leave by no link that a rule names.
        private var ending: NftRuleReader
        private let accepting: Bool
        private let names: [[Substring]]
        private(set) var found: [Match] = []
        private var steps = 0

        init(
            _ ruleset: Ruleset, _ reader: NftRuleReader, _ ending: NftRuleReader, accepting: Bool, names: [[Substring]]
        ) {
            self.ruleset = ruleset
            self.reader = reader
            self.ending = ending
            self.accepting = accepting
            self.names = names
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
                var isMet = false
                for branch in RuleBranch.branches(of: rule, in: ruleset, reader.context, &reader, within: asked) {
                    let matched = boxes.compactMap { $0.intersection(branch.box) }
                    if matched.isEmpty { continue }
                    isMet = true
                    let unsure = doubts + branch.doubts.filter { !doubts.contains($0) }
                    switch branch.action {
                    case .accept where accepting, .drop where !accepting:
                        found.append(Match(rule: rule, boxes: matched, doubts: unsure))
                    case .jump(let name), .goto(let name):
                        guard let next = ruleset.chain(named: name, inTable: ruleset.chains[chain].table) else {
                            throw WalkLimit(reason: "a jump to chain \(name), which does not exist")
                        }
                        if accepting, ruleset.chains[next].rules.isEmpty, isOfNetwork(rule) {
                            found.append(Match(rule: rule, boxes: matched, doubts: unsure + [Self.empty]))
                        }
                        try follow(next, matched, doubts: unsure, depth: depth + 1)
                    default: continue
                    }
                }
                if accepting, !isMet, isOfNetwork(rule) || isOfAnyNetwork(rule), mayMatchLater(rule) {
                    found.append(Match(rule: rule, boxes: boxes, doubts: doubts + [Self.empty]))
                }
                if endsAll(rule, boxes, asked) { return }
            }
        }

        /// What is filled while the host runs: by dnsmasq, by a script, by hand.
        private static let empty = "what is put there later"

        /// Whether a rule is about what the network sends, as it is listed.
        private func isOfNetwork(_ rule: Int) -> Bool {
            guard !names.isEmpty else { return false }
            let words = ruleset.text(ofRule: rule).split(separator: " ")
            return names.contains { name in
                words.indices.dropLast().contains { words[$0] == name[0] && words[$0 + 1] == name[1] }
                    && !words.indices.contains { words[$0] == "!" && $0 + 1 < words.count && words[$0 + 1] == name[0] }
            }
        }

        /// Whether a rule asks a set for the source, and for no link: nobody is in it now, and anybody may be.
        private mutating func isOfAnyNetwork(_ rule: Int) -> Bool {
            guard !names.isEmpty else { return false }
            let text = ruleset.text(ofRule: rule)
            let words = text.split(separator: " ")
            let asksSource = text.contains("ip saddr @") || text.contains("--match-set ") && text.contains(" src")
            guard asksSource, !["iifname", "iif", "-i"].contains(where: { words.contains($0) }) else { return false }
            return RuleBranch.branches(of: rule, in: ruleset, reader.context, &reader, within: ruleset.everyBox)
                .allSatisfy { ruleset.everyBox.intersection($0.box) == nil }
        }

        /// Whether a rule that meets no packet now accepts what a set or map holds, or packets of IPv6.
        private func mayMatchLater(_ rule: Int) -> Bool {
            let text = ruleset.text(ofRule: rule)
            let isFilled = text.contains("@") || text.contains("--match-set") || text.contains(" vmap ")
            let isIPv6 = text.contains("ip6 ") || text.contains("nfproto ipv6")
            let words = text.split(separator: " ")
            let accepts = words.last == "accept" || words.contains("ACCEPT") || text.contains(" vmap ")
            return (isFilled || isIPv6 && !text.contains("established")) && accepts
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
