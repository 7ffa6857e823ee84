internal import WireFormats

/// What runs at each hook, first to run first: base chains, and between them conntrack and address translation.
struct HookPlan: Sendable {
    enum Station: Hashable {
        case chain(Int)
        case conntrack
        /// Every nat chain of the hook, by priority.
        case translation([Int])
    }

    private var stations: [UInt32: [Station]] = [:]
    private var bridge: [UInt32: [Int]] = [:]

    init(_ ruleset: Ruleset) {
        for number in 0..<5 as Range<UInt32> {
            let hook = NftHook(rawValue: number)
            stations[number] = Self.stations(ruleset, hook)
            bridge[number] = ruleset.baseChains(family: .bridge, hook: hook)
        }
    }

    func stations(_ hook: NftHook) -> [Station] { stations[hook.rawValue] ?? [] }
    func bridgeChains(_ hook: NftHook) -> [Int] { bridge[hook.rawValue] ?? [] }

    private static func stations(_ ruleset: Ruleset, _ hook: NftHook) -> [Station] {
        let chains = ruleset.baseChains(type: nil, hook: hook)
        let nat = chains.filter { ruleset.chains[$0].base?.type == "nat" }
        var ordered: [(priority: Int64, order: Int, station: Station)] = []
        for chain in chains where ruleset.chains[chain].base?.type != "nat" {
            ordered.append((Int64(ruleset.chains[chain].base?.priority ?? 0), chain, .chain(chain)))
        }
        // All nat chains share one hook, whatever their own priorities, which order them among each other.
        if hook != .forward {
            let early = hook == .prerouting || hook == .output
            ordered.append((early ? -100 : 100, nat.min() ?? Int.max, .translation(nat)))
            if early { ordered.append((-200, -1, .conntrack)) }
        }
        ordered.sort { ($0.priority, $0.order) < ($1.priority, $1.order) }
        return ordered.map(\.station)
    }
}
