internal import WireFormats

/// What runs at each hook, first to run first: base chains, and between them conntrack and address translation.
struct HookPlan: Sendable {
    enum Station: Hashable {
        case chain(Int)
        case conntrack
        /// Every nat chain of the hook, by priority; those of equal priority together.
        case translation([[Int]])
    }

    /// Of a device, before and behind all other hooks.
    enum Side { case ingress, egress }

    /// Stations of equal priority together: in which order they were registered no dump shows.
    private var groups: [UInt32: [[Station]]] = [:]
    private var bridge: [UInt32: [(priority: Int32, chains: [Int])]] = [:]

    private let devices: [Side: [String: [(priority: Int32, chains: [Int])]]]

    var hasDeviceChains: Bool { !devices.isEmpty }

    init(_ ruleset: Ruleset, passesDevices: Bool) {
        var ofDevices: [Side: [String: [Int]]] = [:]
        for chain in passesDevices ? [] : ruleset.deviceChains {
            guard let base = ruleset.chains[chain].base else { continue }
            let isEgress =
                ruleset.tables[ruleset.chains[chain].table].name.family == .netdev && base.hook == .netdevEgress
            for device in Set(base.devices) {
                ofDevices[isEgress ? .egress : .ingress, default: [:]][device, default: []].append(chain)
            }
        }
        devices = ofDevices.mapValues { byName in byName.mapValues { Self.ties($0, ruleset) } }
        for number in 0..<5 as Range<UInt32> {
            let hook = NftHook(rawValue: number)
            groups[number] = Self.groups(ruleset, hook)
            bridge[number] = Self.ties(ruleset.baseChains(family: .bridge, hook: hook), ruleset)
        }
    }

    func stations(_ hook: NftHook) -> [[Station]] { groups[hook.rawValue] ?? [] }
    func bridgeChains(_ hook: NftHook) -> [(priority: Int32, chains: [Int])] { bridge[hook.rawValue] ?? [] }

    func chains(of device: String, _ side: Side) -> [(priority: Int32, chains: [Int])] { devices[side]?[device] ?? [] }

    private static func ties(_ chains: [Int], _ ruleset: Ruleset) -> [(priority: Int32, chains: [Int])] {
        var result: [(priority: Int32, chains: [Int])] = []
        for chain in chains {
            let priority = ruleset.chains[chain].base?.priority ?? 0
            if let last = result.last, last.priority == priority {
                result[result.count - 1].chains.append(chain)
            } else {
                result.append((priority, [chain]))
            }
        }
        return result
    }

    private static func groups(_ ruleset: Ruleset, _ hook: NftHook) -> [[Station]] {
        let chains = ruleset.baseChains(type: nil, hook: hook)
        func isNAT(_ chain: Int) -> Bool { ruleset.chains[chain].base?.type == "nat" }
        var ordered: [Int32: [Station]] = [:]
        for group in ties(chains.filter { !isNAT($0) }, ruleset) {
            ordered[group.priority] = group.chains.map { .chain($0) }
        }
        // All nat chains share one hook, whatever their own priorities, which order them among each other.
        if hook != .forward {
            let early = hook == .prerouting || hook == .output
            let nat = ties(chains.filter(isNAT), ruleset).map(\.chains)
            ordered[early ? -100 : 100, default: []].append(.translation(nat))
            if early { ordered[-200, default: []].insert(.conntrack, at: 0) }
        }
        return ordered.sorted { $0.key < $1.key }.map(\.value)
    }
}
