internal import HostModel
internal import WireFormats

/// Hooks and chains.
extension PacketRun {
    /// What one rule says.
    enum RuleEnd {
        case next, accept, drop
        case `return`
        case jump(String)
        case goto(String)
    }

    private enum ChainEnd {
        case accepted, returned
        case dropped(rule: Int)
    }

    /// Bridge family: the chains up to a priority, or those behind one.
    func bridge(_ hook: NftHook, through last: Int32 = .max, after first: Int32? = nil) -> End {
        for group in walk.plan.bridgeChains(hook) {
            if group.priority > last { continue }
            if let first, group.priority <= first { continue }
            if inAnyOrder(group.chains.map { .chain($0) }, hook) == .stopped { return .stopped }
        }
        return .goesOn
    }

    /// Families ip and inet, iptables-legacy, conntrack and translation.
    func hook(_ hook: NftHook) -> End {
        for group in walk.plan.stations(hook) {
            if inAnyOrder(group, hook) == .stopped { return .stopped }
        }
        return .goesOn
    }

    func pass(_ station: HookPlan.Station, _ hook: NftHook) -> End {
        switch station {
        case .conntrack:
            track()
            return .goesOn
        case .chain(let chain): return base(chain, hook)
        case .translation(let chains): return translate(chains, hook)
        }
    }

    /// The link that rules see. Since Linux 5.7 postrouting knows it too, but not for what a bridge carries on.
    func input(at hook: NftHook) -> HostForwarding.Interface? {
        if let device = state.device { return hook == .netdevEgress ? nil : device }
        return hook == .output || hook == .postrouting && state.outputIsBridged ? nil : state.input
    }

    func output(at hook: NftHook) -> HostForwarding.Interface? {
        if let device = state.device { return hook == .netdevEgress ? device : nil }
        return hook == .prerouting || hook == .input ? nil : state.output
    }

    func track() {
        state.hasMetConntrack = true
        guard ruleset.usesConntrack, state.tracking == .unseen else { return }
        switch state.packet.connectionState {
        case .invalid: state.tracking = .invalid
        case .untracked: state.tracking = .untracked
        default:
            state.tracking = .tracked
            // A rule may have written into the first packet: conntrack keeps what it sees.
            if state.isNew {
                state.keepTuples()
            } else if !state.hasOwnAddresses {
                limit = "a rule writes other addresses or ports into a packet of a known flow before conntrack sees it"
            }
        }
    }

    private func translate(_ chains: [[Int]], _ hook: NftHook) -> End {
        guard state.tracking == .tracked, !state.isLooped else { return .goesOn }
        let isSource = hook == .postrouting || hook == .input
        // Errors about a known flow are mapped with it and never see the rules.
        guard state.isNew || state.packet.connectionState == .related && !state.isError else {
            if hook == .prerouting, let mapped = state.packet.mappedDestination { state.destination = mapped }
            if hook == .postrouting, let mapped = state.packet.mappedSource { state.source = mapped }
            return .goesOn
        }
        for group in chains {
            if inAnyOrder(group.map { .chain($0) }, hook, until: isSource) == .stopped { return .stopped }
            if state.isTranslated(source: isSource) { break }
        }
        return .goesOn
    }

    /// A base chain with its policy.
    private func base(_ chain: Int, _ hook: NftHook) -> End {
        let info = ruleset.chains[chain]
        let family = ruleset.tables[info.table].name.family
        let name = hook.name(in: family)
        path.append(
            PathStep(
                hook: name, family: family.name, table: ruleset.tables[info.table].name.name, chain: info.name,
                reached: true))
        let translated = state.translator
        let mark = state.mark
        let end = follow(chain, hook)
        if hook == .output, state.mark != mark, looksUpRoute(chain) { state.needsRoute = true }
        if limit != nil { return .stopped }
        if let rule = state.translator, rule != translated { path[path.count - 1].rule = ruleset.text(ofRule: rule) }
        switch end {
        case .accepted: return .goesOn
        case .dropped(let rule):
            path[path.count - 1].rule = ruleset.text(ofRule: rule)
            drop(hook: name, chain: chain, rule: rule)
            return .stopped
        case .returned:
            if info.base?.policy == .drop {
                drop(hook: name, chain: chain, rule: nil)
                return .stopped
            }
            return .goesOn
        }
    }

    /// Chains of type `route`, and the table mangle of iptables-legacy (ipt_mangle_out).
    private func looksUpRoute(_ chain: Int) -> Bool {
        let info = ruleset.chains[chain]
        let table = ruleset.tables[info.table]
        return info.base?.type == "route" || table.backend == .iptablesLegacy && table.name.name == "mangle"
    }

    private func follow(_ first: Int, _ hook: NftHook) -> ChainEnd {
        var chain = first
        var next = ruleset.chains[chain].rules.lowerBound
        var stack: [(chain: Int, next: Int)] = []
        var gotos = 0
        while true {
            guard next < ruleset.chains[chain].rules.upperBound else {
                guard let back = stack.popLast() else { return .returned }
                (chain, next) = back
                continue
            }
            steps += 1
            guard steps < 250_000 else {
                limit = "more than 250,000 rules on the way"
                return .returned
            }
            let rule = next
            next += 1
            switch evaluate(rule, hook) {
            case .next: continue
            case .accept: return .accepted
            case .drop: return .dropped(rule: rule)
            case .return:
                guard let back = stack.popLast() else { return .returned }
                (chain, next) = back
            case .jump(let name):
                guard let target = enter(name, chain) else { return .returned }
                guard stack.count < 16 else {
                    limit = "jumps more than 16 deep"
                    return .returned
                }
                stack.append((chain, next))
                (chain, next) = (target, ruleset.chains[target].rules.lowerBound)
            case .goto(let name):
                guard let target = enter(name, chain) else { return .returned }
                // The kernel refuses loops; a recording may hold one.
                gotos += 1
                guard gotos <= ruleset.chains.count * 17 else {
                    limit = "a loop of gotos"
                    return .returned
                }
                (chain, next) = (target, ruleset.chains[target].rules.lowerBound)
            }
            if limit != nil { return .returned }
        }
    }

    private func enter(_ name: String, _ chain: Int) -> Int? {
        let target = ruleset.chain(named: name, inTable: ruleset.chains[chain].table)
        if target == nil { limit = "a jump to chain \(name), which does not exist" }
        return target
    }

    private func evaluate(_ rule: Int, _ hook: NftHook) -> RuleEnd {
        self.rule = rule
        defer { self.rule = nil }
        switch ruleset.rules[rule].body {
        case .nft(let position): return evaluateNft(ruleset.nft.rules[position], rule, hook)
        case .legacy(let entry): return evaluateLegacy(entry, rule, hook)
        }
    }

    /// A verdict as it ends a rule. What goes to user space may come back or not.
    func end(_ verdict: NftVerdict, rule: Int) -> RuleEnd {
        switch verdict {
        case .accept: return .accept
        case .drop: return .drop
        case .return: return .return
        case .continue, .break: return .next
        case .jump(let name): return .jump(name)
        case .goto(let name): return .goto(name)
        case .queue:
            switch ruleset.queueFate(ofRule: rule) {
            case .dropped: return .drop
            case .accepted: return .accept
            case .unknown: return ask("rule \(rule) queue", "queue") ? .accept : .drop
            }
        case .other(let code): return ask("rule \(rule) verdict", "verdict \(code)") ? .accept : .drop
        }
    }

    // MARK: Translation

    /// Gives `drop` where the kernel has no address to take.
    func masquerade(_ rule: Int) -> RuleEnd {
        guard let output = state.output,
            let address = host.masqueradeAddress(output: output, nextHop: state.nextHop)
        else { return .drop }
        translateSource(rule, [address])
        return .accept
    }

    func translateSource(_ rule: Int, _ addresses: [IPv4Address]) {
        guard state.tracking == .tracked, !state.isSourceTranslated else { return }
        state.isSourceTranslated = true
        state.translator = rule
        if addresses.count == 1, let only = addresses.first {
            state.source = only
        } else if let first = addresses.first {
            state.sourceChoices = addresses
            state.source = first
        }
    }

    func translateDestination(_ rule: Int, _ addresses: [IPv4Address], _ ports: ClosedRange<UInt16>?) {
        guard state.tracking == .tracked, !state.isDestinationTranslated else { return }
        state.isDestinationTranslated = true
        if !addresses.isEmpty {
            state.destination =
                addresses[
                    choose(addresses.count, "rule \(rule) address", "which address is chosen")]
        }
        if let ports, state.hasPorts, !ports.contains(state.destinationPort) {
            state.destinationPort = ports.lowerBound
        }
    }

    /// To this host: its first address on the link that the packet came in by, or loopback.
    func redirect(_ rule: Int, _ ports: ClosedRange<UInt16>?, _ hook: NftHook) -> RuleEnd {
        let address =
            hook == .output
            ? IPv4Address(value: 0x7f00_0001) : state.input?.addresses.first { !$0.isSecondary }?.address.address
        guard let address else { return .drop }
        translateDestination(rule, [address], ports)
        return .accept
    }

    /// The addresses of a range; nil where there are more than 64.
    static func addresses(_ range: ClosedRange<IPv4Address>) -> [IPv4Address]? {
        let count = range.upperBound.value - range.lowerBound.value
        return count < 64 ? (0...count).map { IPv4Address(value: range.lowerBound.value + $0) } : nil
    }
}
