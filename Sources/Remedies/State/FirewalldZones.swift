internal import HostAccess
internal import HostModel
internal import WireFormats

/// Which zone firewalld has put an interface into, as its loaded rules say: `iifname "lxcbr1" goto filter_FWD_trusted`
/// in the chain `filter_FORWARD_ZONES` of its table. Source: firewalld `nftables.py`.
enum FirewalldZones {
    static let table = NftTableName(.inet, "firewalld")
    private static let chain = "filter_FORWARD_ZONES"
    private static let prefix = "filter_FWD_"

    /// By interface; empty where firewalld has no table, or the kernel no nftables.
    static func read(_ host: any Host) throws(HostError) -> [String: String] {
        do throws(HostError) {
            return try zones(host)
        } catch {
            if error.code == .unsupported || error.code == .notPermitted || error.code == .notFound { return [:] }
            throw error
        }
    }

    private static func zones(_ host: any Host) throws(HostError) -> [String: String] {
        var ruleset = NftRuleset()
        let tables = try host.query(.nftTables(.inet))
        do throws(WireError) { try ruleset.addTables(tables) } catch { throw malformed(error) }
        guard ruleset.tables.contains(where: { $0.name == table }) else { return [:] }
        let chains = try host.query(.nftChains(.inet))
        let rules = try host.query(.nftRules(.inet, table: table.name))
        do throws(WireError) {
            try ruleset.addChains(chains)
            try ruleset.addRules(rules)
        } catch {
            throw malformed(error)
        }
        var zones: [String: String] = [:]
        for rule in ruleset.rules {
            let place = ruleset.chains[rule.chain]
            guard place.table == table, place.name == chain else { continue }
            guard let (interface, target) = assignment(ruleset.expressions(of: rule)) else { continue }
            zones[interface] = target
        }
        return zones
    }

    private static func assignment(_ expressions: ArraySlice<NftExpression>) -> (String, String)? {
        var interface: String?
        var zone: String?
        for expression in expressions {
            switch expression {
            case .compare(_, .equal, let value) where interface == nil:
                interface = String(decoding: value.bytes.prefix { $0 != 0 }, as: UTF8.self)
            case .verdict(.goto(let name)) where name.hasPrefix(prefix):
                zone = String(name.dropFirst(prefix.count))
            default: continue
            }
        }
        guard let interface, let zone else { return nil }
        return (interface, zone)
    }

    private static func malformed(_ error: WireError) -> HostError {
        HostError(.malformed, operation: "read table inet firewalld", message: error.description)
    }
}
