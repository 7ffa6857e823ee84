internal import HostModel

/// Where a ruleset of iptables ends what nothing before it has decided.
package struct IptablesEnd: Codable, Sendable, Hashable {
    package var chain: String
    /// The rule that drops or rejects, or jumps to a chain that does nothing else; nil: the policy.
    package var line: String?

    package init(chain: String, line: String?) {
        self.chain = chain
        self.line = line
    }

    /// Right ahead of it: what comes there is what it would end, and nothing else.
    package var place: IptablesRule.Place { line.map(IptablesRule.Place.before) ?? .last }
}

extension IptablesListing {
    private enum Way {
        case ends(IptablesEnd)
        /// Accepted, or its end is in a chain that others use as well.
        case open
        /// Back to the caller, by this rule of the chain or at its end.
        case returns(by: String?)
    }

    private static let mostSteps = 10_000
    private static let mostJumps = 16

    /// The first rule that drops everything that `matches` describe, whatever else such a packet is like; or the policy,
    /// where no rule decides about all of them. Nil where they are accepted, or no place is only theirs.
    ///
    /// Rules that decide about some of them (one address, one destination) are passed over: they stand before the end,
    /// and stay in force for whatever is inserted there.
    package func end(of matches: [IptablesRule.Match], in chain: String) -> IptablesEnd? {
        var walk = EndWalk(self, matches)
        switch walk.follow(chain, depth: 0) {
        case .ends(let end): return end
        case .open: return nil
        case .returns: return policies[chain] == "DROP" ? IptablesEnd(chain: chain, line: nil) : nil
        }
    }

    /// The place in a chain that is jumped to for the operator's own rules: behind all that decide about some of what
    /// `matches` describe, ahead of what decides about all of it, or goes back to the caller. Nil where they are accepted,
    /// or end in another chain.
    package func end(of matches: [IptablesRule.Match], inOperatorsChain chain: String) -> IptablesEnd? {
        var walk = EndWalk(self, matches)
        switch walk.follow(chain, depth: 0) {
        case .ends(let end): return end.chain == chain ? end : nil
        case .open: return nil
        case .returns(let line): return IptablesEnd(chain: chain, line: line)
        }
    }

    private struct EndWalk {
        private let byChain: [String: [SavedRuleWords]]
        private let matches: [IptablesRule.Match]
        private var steps = 0

        init(_ listing: IptablesListing, _ matches: [IptablesRule.Match]) {
            byChain = Dictionary(grouping: listing.lines.map(SavedRuleWords.init), by: \.chain)
            self.matches = matches
        }

        mutating func follow(_ chain: String, depth: Int) -> Way {
            guard depth <= IptablesListing.mostJumps else { return .open }
            for rule in byChain[chain, default: []] {
                steps += 1
                guard steps <= IptablesListing.mostSteps else { return .open }
                guard rule.covers(matches) else { continue }
                switch rule.target {
                case "ACCEPT": return .open
                case "RETURN": return .returns(by: rule.line)
                case "DROP", "REJECT": return .ends(IptablesEnd(chain: chain, line: rule.line))
                default:
                    guard byChain[rule.target] != nil else { continue }
                    switch follow(rule.target, depth: depth + 1) {
                    case .returns where rule.isGoto: return .returns(by: rule.line)
                    case .returns: continue
                    case .open: return .open
                    case .ends(let end):
                        if onlyEnds(rule.target) { return .ends(IptablesEnd(chain: chain, line: rule.line)) }
                        return callers(of: rule.target) == 1 ? .ends(end) : .open
                    }
                }
            }
            return .returns(by: nil)
        }

        /// Whether nothing in a chain decides but one rule for everything: a chain that logs and drops.
        private func onlyEnds(_ chain: String) -> Bool {
            let deciding = byChain[chain, default: []].filter {
                ["ACCEPT", "RETURN", "DROP", "REJECT"].contains($0.target) || byChain[$0.target] != nil
            }
            return deciding.count == 1 && deciding[0].looksAtNothing
        }

        private func callers(of chain: String) -> Int {
            byChain.values.joined().count { $0.target == chain }
        }
    }
}

/// A line of iptables-save, as the conditions that it has.
private struct SavedRuleWords {
    let line: String
    private let words: [Substring]

    init(_ line: String) {
        self.line = line
        words = line.split(separator: " ")
    }

    var chain: String { words.count > 1 ? String(words[1]) : "" }

    private var jump: Int? { words.firstIndex { $0 == "-j" || $0 == "-g" } }

    /// Empty: none, the rule only counts.
    var target: String { jump.flatMap { words.indices.contains($0 + 1) ? String(words[$0 + 1]) : nil } ?? "" }

    var isGoto: Bool { jump.map { words[$0] == "-g" } ?? false }

    var looksAtNothing: Bool { covers([]) }

    /// Whether every packet that the matches describe meets every condition of the rule. A condition that is not known
    /// is not met.
    func covers(_ matches: [IptablesRule.Match]) -> Bool {
        var index = 2
        while index < words.count {
            let isInverted = words[index] == "!"
            if isInverted { index += 1 }
            guard words.indices.contains(index) else { return false }
            let option = words[index]
            let value = words.indices.contains(index + 1) ? words[index + 1] : ""
            switch option {
            // What follows the target are its own options.
            case "-j", "-g": return true
            case "-m": break
            case "--comment":
                // A quoted one may hold blanks.
                while value.hasPrefix("\""), words.indices.contains(index + 2), !words[index + 1].hasSuffix("\"") {
                    index += 1
                }
            default: guard Self.isMet(option, value, isInverted, matches) else { return false }
            }
            index += 2
        }
        return true
    }

    private static func isMet(
        _ option: Substring, _ value: Substring, _ isInverted: Bool, _ matches: [IptablesRule.Match]
    ) -> Bool {
        matches.contains { match in
            switch (option, match) {
            case ("-i", .input(let link)), ("-o", .output(let link)):
                let isNamed = value.hasSuffix("+") ? link.hasPrefix(value.dropLast()) : link == value
                return isNamed != isInverted
            case ("-s", .source(let network)):
                guard let prefix = IPv4Prefix(String(value)) else { return false }
                return isInverted ? !prefix.overlaps(network) : prefix.contains(network)
            case ("-p", .udpPort): return !isInverted && value == "udp"
            case ("-p", .tcpPort): return !isInverted && value == "tcp"
            case ("--dport", .udpPort(let port)), ("--dport", .tcpPort(let port)):
                return !isInverted && value == "\(port)"
            case ("--ctstate", .established):
                let states = value.split(separator: ",")
                return !isInverted && states.contains("RELATED") && states.contains("ESTABLISHED")
            default: return false
            }
        }
    }
}
