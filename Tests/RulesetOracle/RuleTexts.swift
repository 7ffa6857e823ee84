import HostAccess
import LinuxHost
import PacketFilter
import Probes

/// Every rule of this namespace as the product lists it, chain by chain, as the tools list them: for a test that holds
/// the two against each other.
enum RuleTexts {
    /// `== nft inet filter forward`, then a line for each rule.
    static func run() throws {
        let ruleset = try FilterModel(reading: RecordingHost(LiveHost())).ruleset
        for chain in ruleset.chains {
            let table = ruleset.tables[chain.table]
            let family = table.backend == .nft ? " \(table.name.family.name)" : ""
            print("== \(table.backend.rawValue)\(family) \(table.name.name) \(chain.name)")
            for rule in chain.rules { print(ruleset.text(ofRule: rule)) }
        }
    }
}
