internal import HostModel

/// The rule or policy that drops the packets that no earlier rule decides about.
package struct IptablesEnd: Codable, Sendable, Hashable {
    package var chain: String
    /// The rule that drops or rejects, or jumps to a chain that does nothing else; nil: the policy.
    package var line: String?

    package init(chain: String, line: String?) {
        self.chain = chain
        self.line = line
    }

    /// Right before it: a rule that is inserted there gets only the packets that it would drop.
    package var place: IptablesRule.Place { line.map(IptablesRule.Place.before) ?? .last }
}

extension IptablesListing {
    private enum Way {
        case ends(IptablesEnd)
        /// The packets are accepted, or they are dropped in a chain that other rules jump to as well.
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
    /// `matches` describe, ahead of what ends everything, or goes back to the caller. Nil where they are accepted, end in
    /// another chain, or are dropped by a rule that asks for anything: who names a network there means it.
    package func end(of matches: [IptablesRule.Match], inOperatorsChain chain: String) -> IptablesEnd? {
        var walk = EndWalk(self, matches)
        switch walk.follow(chain, depth: 0) {
        case .ends(let end):
            let isMeant = end.line.map { !SavedRule($0).hasNoConditions } ?? false
            return end.chain == chain && !isMeant ? end : nil
        case .open: return nil
        case .returns(let line): return IptablesEnd(chain: chain, line: line)
        }
    }

    private struct EndWalk {
        private let byChain: [String: [SavedRule]]
        private let matches: [IptablesRule.Match]
        private var steps = 0

        init(_ listing: IptablesListing, _ matches: [IptablesRule.Match]) {
            byChain = Dictionary(grouping: listing.lines.map(SavedRule.init), by: \.chain)
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
            return deciding.count == 1 && deciding[0].hasNoConditions
        }

        private func callers(of chain: String) -> Int {
            byChain.values.joined().count { $0.target == chain }
        }
    }
}

extension SavedRule {
    fileprivate var hasNoConditions: Bool { covers([]) }

    /// Whether every packet that the matches describe meets every condition of the rule. A condition that is not known
    /// is not met.
    fileprivate func covers(_ matches: [IptablesRule.Match]) -> Bool {
        var index = Self.firstCondition
        while index < words.count {
            let isInverted = words[index] == "!"
            if isInverted { index += 1 }
            guard words.indices.contains(index) else { return false }
            switch words[index] {
            // What follows the target are its own options.
            case "-j", "-g": return true
            case "-m", "--comment": break
            case let option:
                guard Self.isMet(option, word(index + 1), isInverted, matches) else { return false }
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
                return isInterface(link, meantBy: value) != isInverted
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
