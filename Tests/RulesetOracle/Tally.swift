import OracleSupport

/// Counts over a run.
struct Tally {
    var rulesets = 0
    var pairs = 0
    var refused: [String] = []
    var dropped = 0
    var translated = 0
    var leaked = 0
    var local = 0
    var agreed = 0
    var eitherWay = 0
    var undecided: [String: Int] = [:]
    var disagreed = 0
    /// What may be drawn and this kernel does not have.
    var missing: Set<String> = []
    /// Questions about every packet, by their answer.
    var answers: [String: Int] = [:]
    /// Cases that were minimised and printed.
    var kept = 0
    /// Rulesets that hold rules of a backend.
    var backends: [GeneratedTable.Backend: Int] = [:]
    /// How often a rule with a match or target was the one applied to a packet, by backend.
    var features: [String: [GeneratedTable.Backend: Int]] = [:]
    /// How often such a rule dropped or translated a packet.
    var decisive: [String: Int] = [:]

    mutating func draw(_ ruleset: GeneratedRuleset) {
        rulesets += 1
        for backend in GeneratedTable.Backend.allCases where !ruleset.tables(backend).isEmpty {
            backends[backend, default: 0] += 1
        }
        for table in ruleset.tables {
            for rule in table.chains.flatMap(\.rules) {
                for feature in rule.features { features[feature, default: [:]][table.backend, default: 0] += 0 }
            }
        }
    }

    mutating func note(_ outcome: KernelOutcome, _ packet: TestPacket, _ index: RuleIndex) {
        pairs += 1
        switch outcome.fate {
        case .dropped: dropped += 1
        case .local: local += 1
        case .left:
            if outcome.source != packet.sample.source {
                translated += 1
            } else if outcome.link != Ground.bridge, case .container = packet.sender {
                leaked += 1
            }
        }
        var seen: Set<RuleReference> = []
        for place in outcome.applied where seen.insert(place).inserted {
            guard let (rule, backend) = index.rule(place) else { continue }
            for feature in Set(rule.features) { features[feature, default: [:]][backend, default: 0] += 1 }
        }
        for place in [outcome.killer, outcome.translator].compactMap({ $0 }) {
            for feature in Set(index.rule(place)?.rule.features ?? []) { decisive[feature, default: 0] += 1 }
        }
    }

    /// Matches and targets that may be drawn, and that never applied to a packet.
    var silent: [String] {
        IptablesGenerator.everything.union(NftGenerator.everything).union(features.keys).filter { name in
            !missing.contains(name) && (features[name] ?? [:]).values.reduce(0, +) == 0
        }.sorted()
    }

    var undecidedCount: Int { undecided.values.reduce(0, +) }

    func text(seconds: Double) -> String {
        func share(_ count: Int, _ total: Int) -> String { "\(count) (\(total == 0 ? 0 : count * 100 / total) %)" }
        var lines = ["match or target               nft  iptables-nft  legacy  drops or translates"]
        for (name, counts) in features.sorted(by: { $0.key < $1.key }) {
            let columns = GeneratedTable.Backend.allCases.map { counts[$0].map { "\($0)" } ?? "-" }
            lines.append(
                pad(name, 28) + pad(columns[0], 5, left: true) + pad(columns[1], 14, left: true)
                    + pad(columns[2], 8, left: true) + pad("\(decisive[name] ?? 0)", 10, left: true))
        }
        lines.append("")
        lines.append("\(pairs) pairs of \(rulesets) rulesets in \(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s")
        lines.append(
            "backends: "
                + GeneratedTable.Backend.allCases.map { "\($0.rawValue) \(share(backends[$0] ?? 0, rulesets))" }.joined(
                    separator: ", "))
        lines.append(
            "dropped \(share(dropped, pairs)), translated \(share(translated, pairs)), leaked \(share(leaked, pairs)), to the host itself \(share(local, pairs))"
        )
        lines.append(
            "agreed \(agreed), left to chance \(eitherWay), undecided \(share(undecidedCount, pairs)), disagreed \(disagreed), refused rulesets \(refused.count)"
        )
        lines.append(
            "questions about every packet: "
                + answers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        for (reason, count) in undecided.sorted(by: { $0.value > $1.value }).prefix(20) {
            lines.append("  undecided \(count): \(reason)")
        }
        if !missing.isEmpty { lines.append("not in this kernel: \(missing.sorted().joined(separator: ", "))") }
        if !silent.isEmpty { lines.append("never applied to a packet: \(silent.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }

    private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }
}
