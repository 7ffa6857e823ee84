import Foundation
import HostAccess
import HostModel
import OracleSupport
import PacketFilter
import Probes
import Testing

/// Finding rules by what their bytes hold, against what their texts say.
@Suite struct RuleMentionTests {
    private static func ruleset(_ path: String) throws -> Ruleset {
        let kept = try JSONDecoder().decode(OracleCase.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        return try FilterModel(reading: ReplayHost(kept.transcript)).ruleset
    }

    /// The words that a rule's text names links by, and the addresses in it.
    private static func names(_ text: String) -> (links: [String], addresses: [IPv4Address]) {
        let words = text.split { " \"{},".contains($0) }.map(String.init)
        let keys: Set = ["-i", "-o", "iifname", "oifname", "iif", "oif"]
        let links = words.indices.dropFirst().filter { keys.contains(words[$0 - 1]) }.map { words[$0] }
        let addresses = words.flatMap { $0.split(whereSeparator: { "/-:".contains($0) }) }.compactMap {
            IPv4Address(String($0))
        }
        return (links.filter { $0 != "!=" && !$0.hasSuffix("*") && !$0.hasSuffix("+") }, addresses)
    }

    /// Nothing that a text names is passed over, in any notation that the random rulesets have.
    @Test(arguments: OracleCaseTests.cases) func whatATextNamesIsFound(path: String) throws {
        let ruleset = try Self.ruleset(path)
        let nowhere = try #require(IPv4Address("192.0.2.251"))
        for index in ruleset.rules.indices {
            let text = ruleset.text(ofRule: index)
            let (links, addresses) = Self.names(text)
            for link in links {
                #expect(ruleset.rules(thatMayName: link, or: nowhere).contains(index), "\(link): \(text)")
            }
            for address in addresses {
                #expect(ruleset.rules(thatMayName: "nolink", or: address).contains(index), "\(address): \(text)")
            }
        }
    }

    /// Or there would be no point in it: most rules name neither.
    @Test func theRestIsPassedOver() throws {
        let nowhere = try #require(IPv4Address("192.0.2.251"))
        var (all, found, linked) = (0, 0, 0)
        for path in OracleCaseTests.cases {
            let ruleset = try Self.ruleset(path)
            all += ruleset.rules.count
            found += ruleset.rules(thatMayName: "nolink", or: nowhere).count
            linked += ruleset.rules.indices.count { !Self.names(ruleset.text(ofRule: $0)).links.isEmpty }
        }
        #expect(linked > 0)
        #expect(found * 2 < all, "\(found) of \(all)")
    }

    @Test func anAddressOfZerosIsEverywhere() throws {
        let ruleset = try Self.ruleset(try #require(OracleCaseTests.cases.first))
        let all = ruleset.rules(thatMayName: "nolink", or: IPv4Address(value: 0))
        #expect(all.count == ruleset.rules.count)
    }
}
