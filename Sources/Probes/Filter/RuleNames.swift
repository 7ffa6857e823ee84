package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// Says a rule that the kernel named by handle or number as the user would list it. Reads the ruleset when it is first
/// needed.
package final class RuleNames {
    private let host: any Host
    private var ruleset: Ruleset?
    private var isRead = false

    package init(_ host: any Host) {
        self.host = host
    }

    /// Reads the ruleset now: before something is added to it for a moment, so that it is seen as of one generation.
    package func prepare() {
        _ = read()
    }

    /// The killer with its text, backend and position; as it was where the rule is not found.
    package func named(_ killer: Killer) -> Killer {
        guard let ruleset = read(), let table = killer.table, let chainName = killer.chain, let family = killer.family,
            let number = NftFamily(name: family),
            let chain = ruleset.chain(
                chainName, table: NftTableName(number, table), isLegacy: killer.backend == "iptables-legacy")
        else { return killer }
        var killer = killer
        let backend = ruleset.tables[ruleset.chains[chain].table].backend
        killer.backend = backend.rawValue
        if killer.rule == nil, killer.handle == nil {
            killer.text = ruleset.policyText(ofChain: chain)
            return killer
        }
        let rule =
            killer.handle.flatMap(UInt64.init).map { ruleset.rule(handle: $0, inChain: chain) }
            ?? killer.rule.flatMap { Int($0) }.flatMap { ruleset.rule(number: $0, inChain: chain) }
        guard let rule else { return killer }
        killer.text = ruleset.text(ofRule: rule)
        killer.rule = ruleset.position(ofRule: rule)
        return killer
    }

    /// Nil where the ruleset cannot be read: then the place must do.
    private func read() -> Ruleset? {
        if isRead { return ruleset }
        isRead = true
        do {
            ruleset = try RulesetState(host: host).ruleset()
        } catch {
            ruleset = nil
        }
        return ruleset
    }
}

extension NftFamily {
    /// By the name that `nft` writes.
    fileprivate init?(name: String) {
        let known: [NftFamily] = [.inet, .ipv4, .arp, .netdev, .bridge, .ipv6]
        guard let family = known.first(where: { $0.name == name }) else { return nil }
        self = family
    }
}
