internal import HostAccess
internal import HostModel
internal import WireFormats

/// Rules of iptables-legacy that keep traffic untranslated on purpose.
struct LegacyExemptions {
    /// The nat table.
    private let table: XtTable

    /// Rules of the nat table that are about everybody but one of the networks, as text: who wrote them did not forget it.
    func rulesForOthers(than networks: [IPv4Prefix]) -> [String] {
        table.chains.filter { $0.hook == .postrouting || $0.hook == nil }.flatMap { chain in
            chain.rules.enumerated().compactMap { number, rule in
                guard rule.inversions.contains(.source),
                    let source = IPv4Prefix(address: rule.source, netmask: rule.sourceMask),
                    networks.contains(where: { source.contains($0) })
                else { return nil }
                return "rule \(number + 1) of iptables-legacy -t nat \(chain.name) (all sources but \(source))"
            }
        }
    }

    /// Nil where the table is not loaded: asking would create it.
    init?(_ host: any Host) throws(HostError) {
        let names = try host.readTextIfPresent("/proc/net/ip_tables_names") ?? ""
        guard names.split(separator: "\n").contains("nat") else { return nil }
        let raw = try host.legacyTable(LegacyTableName(family: .ipv4, table: "nat"))
        do throws(WireError) {
            table = try XtTable(info: raw.info, entries: raw.entries)
        } catch {
            throw HostError(.malformed, operation: "read iptables-legacy nat", message: error.description)
        }
    }

    /// The rules that accept or return in POSTROUTING, or in a chain that it jumps to, and may concern one of the
    /// networks, as text.
    func exemptions(for networks: [IPv4Prefix]) -> [String] {
        var order = table.chains.indices.filter { table.chains[$0].hook == .postrouting }
        var found: [String] = []
        var next = 0
        while next < order.count {
            let chain = table.chains[order[next]]
            next += 1
            for (number, rule) in chain.rules.enumerated() {
                guard case .verdict(let verdict) = rule.target else { continue }
                switch verdict {
                case .accept, .return:
                    guard Self.concerns(rule, networks) else { continue }
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
