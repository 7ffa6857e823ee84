internal import WireFormats

/// Which chains may end a packet's way.
extension Ruleset {
    /// Whether a chain has a rule, or a policy that drops.
    func decides(_ chain: Int) -> Bool { !chains[chain].rules.isEmpty || chains[chain].base?.policy == .drop }

    /// Whether a chain stands at the very priority of the translation of its hook: which of them runs first no dump
    /// shows.
    func isBesideTranslation(_ chain: Int) -> Bool {
        guard let base = chains[chain].base else { return false }
        return base.priority == NatSide.place(base.hook)
    }

    /// Whether a nat chain of a hook may drop a packet: by its policy, by a rule, or by one whose verdict is not known.
    /// Hardly any does: iptables refuses it.
    func translationMayDrop(at hook: NftHook) -> Bool {
        var open = baseChains(type: "nat", hook: hook)
        if open.contains(where: { chains[$0].base?.policy == .drop }) { return true }
        guard anyRule(besideTranslationAt: hook, mayDrop) else { return false }
        var seen = Set(open)
        while let chain = open.popLast() {
            for index in chains[chain].rules {
                for verdict in verdicts(ofRule: index) {
                    switch verdict {
                    case .accept, .return, .continue, .break: continue
                    case .drop, .queue, .other: return true
                    case .jump(let name), .goto(let name):
                        if let next = self.chain(named: name, inTable: chains[chain].table), seen.insert(next).inserted
                        {
                            open.append(next)
                        }
                    }
                }
            }
        }
        return false
    }

    /// What is told of rules without decoding them, of those that may drop. Of iptables-nft, jumps, translations and
    /// accepts are none of it.
    private static let dropping: NftRule.Traits = [
        .ends, .queues, .usesSets, .changesMarks, .usesIPSets, .hasOtherTarget, .isBeyondIptables, .usesConntrack,
    ]

    private func mayDrop(_ rule: Int) -> Bool {
        if case .nft(let position) = rules[rule].body, nft.rules[position].traits.isDisjoint(with: Self.dropping) {
            return false
        }
        return verdicts(ofRule: rule).contains { verdict in
            switch verdict {
            case .drop, .queue, .other: true
            default: false
            }
        }
    }

    /// How a rule may end; `drop` also stands for what is not known.
    private func verdicts(ofRule index: Int) -> Set<NftVerdict> {
        switch rules[index].body {
        case .legacy(let entry):
            switch entry.target {
            case .verdict(let verdict): return [verdict]
            case .target(let xt): return Self.mayDrop(XtTarget(xt)) ? [.drop] : []
            }
        case .nft(let position):
            var found: Set<NftVerdict> = []
            for expression in nft.expressions(of: nft.rules[position]) {
                switch expression {
                case .verdict(let verdict): found.insert(verdict)
                case .reject: found.insert(.drop)
                case .target(let xt): if Self.mayDrop(XtTarget(xt)) { found.insert(.drop) }
                case .other(let name): if name == "queue" || name == "synproxy" { found.insert(.drop) }
                case .lookup(let name, _, .verdict?, _):
                    guard let set = set(named: name, inTable: chains[rules[index].chain].table),
                        !set.flags.contains(.dynamic)
                    else {
                        found.insert(.drop)
                        continue
                    }
                    for case .verdict(let verdict)? in set.elements.map(\.content) { found.insert(verdict) }
                default: continue
                }
            }
            return found
        }
    }

    private static func mayDrop(_ target: XtTarget) -> Bool {
        switch target {
        case .reject, .tproxy, .synproxy, .other: true
        default: false
        }
    }
}
