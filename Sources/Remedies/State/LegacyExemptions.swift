internal import HostAccess
internal import HostModel
internal import WireFormats

/// Rules of iptables-legacy that keep traffic untranslated on purpose.
enum LegacyExemptions {
    /// The rules of the nat table that accept or return in POSTROUTING, or in a chain that it jumps to, and may concern
    /// one of the networks, as text. A table that is not listed is not asked for: asking would create it.
    static func read(_ host: any Host, for networks: [IPv4Prefix]) throws(HostError) -> [String] {
        let names = try host.readTextIfPresent("/proc/net/ip_tables_names") ?? ""
        guard names.split(separator: "\n").contains("nat") else { return [] }
        let raw = try host.legacyTable(LegacyTableName(family: .ipv4, table: "nat"))
        let table: XtTable
        do throws(WireError) {
            table = try XtTable(info: raw.info, entries: raw.entries)
        } catch {
            throw HostError(.malformed, operation: "read iptables-legacy nat", message: error.description)
        }
        return exemptions(in: table, for: networks)
    }

    private static func exemptions(in table: XtTable, for networks: [IPv4Prefix]) -> [String] {
        var order = table.chains.indices.filter { table.chains[$0].hook == .postrouting }
        var found: [String] = []
        var next = 0
        while next < order.count {
            let chain = table.chains[order[next]]
            next += 1
            for (number, rule) in chain.rules.enumerated() {
                if rule.inversions.contains(.source),
                    let source = IPv4Prefix(address: rule.source, netmask: rule.sourceMask),
                    networks.contains(where: { source.contains($0) })
                {
                    let place = "rule \(number + 1) of iptables-legacy -t nat \(chain.name)"
                    found.append("\(place) (all sources but \(source))")
                }
                guard case .verdict(let verdict) = rule.target else { continue }
                switch verdict {
                case .accept, .return:
                    guard concerns(rule, networks) else { continue }
                    found.append("rule \(number + 1) of iptables-legacy -t nat \(chain.name)")
                case .jump(let name), .goto(let name):
                    let target = table.chains.firstIndex { $0.name == name }
                    if let target, !order.contains(target) { order.append(target) }
                default: break
                }
            }
        }
        return found
    }

    private static func concerns(_ rule: XtRule, _ networks: [IPv4Prefix]) -> Bool {
        guard !rule.inversions.contains(.source),
            let source = IPv4Prefix(address: rule.source, netmask: rule.sourceMask)
        else { return true }
        return networks.contains { $0.overlaps(source) }
    }
}
