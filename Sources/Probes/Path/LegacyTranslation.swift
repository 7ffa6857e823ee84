internal import HostAccess
internal import HostModel
internal import WireFormats

/// The rule of ip6tables-legacy that translates what a network sends; the same is asked of it as of rules of nftables.
struct LegacyTranslation {
    /// `ip6tables-legacy nat POSTROUTING, rule 1: MASQUERADE`.
    let rule: String

    private static let listing = "/proc/net/ip6_tables_names"

    /// Nil where no rule does. A table that the kernel does not list is not asked for: asking would create it.
    init?(of network: IPv6Prefix, uplinks: Set<String>, on host: any Host) throws(ObservationFailure) {
        let table: LegacyTable<IPv6Address>
        do {
            let names = try host.readTextIfPresent(Self.listing, limit: 4_096) ?? ""
            guard names.split(separator: "\n").contains("nat") else { return nil }
            let raw = try host.legacyTable(LegacyTableName(family: .ipv6, table: "nat"))
            table = try LegacyTable(info: raw.info, entries: raw.entries)
        } catch let error as HostError {
            throw ObservationFailure(error)
        } catch {
            throw .unknown("ip6tables-legacy table nat: \(error)")
        }
        for chain in Self.reached(in: table) {
            for (index, rule) in chain.rules.enumerated() {
                guard case .target(let target) = rule.target, ["MASQUERADE", "SNAT"].contains(target.name),
                    Self.mayMatch(rule, network: network, uplinks: uplinks)
                else { continue }
                self.rule = "ip6tables-legacy nat \(chain.name), rule \(index + 1): \(target.name)"
                return
            }
        }
        return nil
    }

    /// POSTROUTING, and every chain that a packet there may come to.
    private static func reached(in table: LegacyTable<IPv6Address>) -> [LegacyChain<IPv6Address>] {
        var found = table.chains.filter { $0.hook == .postrouting }
        var next = 0
        while next < found.count {
            for rule in found[next].rules {
                guard case .verdict(let verdict) = rule.target else { continue }
                switch verdict {
                case .jump(let name), .goto(let name):
                    if !found.contains(where: { $0.name == name }) {
                        found += table.chains.filter { $0.name == name }
                    }
                default: break
                }
            }
            next += 1
        }
        return found
    }

    /// False where an address or an interface in the rule is certainly another.
    private static func mayMatch(
        _ rule: LegacyRule<IPv6Address>, network: IPv6Prefix, uplinks: Set<String>
    ) -> Bool {
        let mask = ~(network.first.value ^ network.last.value)
        let overlaps = (rule.source.value ^ network.address.value) & rule.sourceMask.value & mask == 0
        let coversAll = overlaps && rule.sourceMask.value & ~mask == 0
        if rule.inversions.contains(.source) ? coversAll : !overlaps { return false }
        let isOutput = uplinks.isEmpty || uplinks.contains(where: rule.output.matches)
        return rule.output == .any || isOutput != rule.inversions.contains(.output)
    }
}
