import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// What rules do besides deciding about packets, found without reading them all.
@Suite struct RulePeculiarityTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var peculiarity: RulePeculiarity
        /// A rule that does it.
        var rule: [NftExpression]
        /// One that looks like it at first sight: it is decoded, and does not.
        var decoy: [NftExpression]
        /// What the doing rule does, said by iptables-legacy.
        var legacy: XtExtension?
        var testDescription: String { "\(peculiarity) by \(rule)" }
    }

    private static func target(_ name: String, _ info: ArraySlice<UInt8> = [0, 0, 0, 0]) -> XtExtension {
        XtExtension(name: name, revision: 0, info: info)
    }

    static let cases: [Case] = [
        Case(
            peculiarity: .clampsSegments, rule: [.target(target("TCPMSS"))],
            decoy: [.conntrack(.state, direction: nil, into: .one)], legacy: target("TCPMSS")),
        Case(
            peculiarity: .setsZone, rule: [.target(target("CT", [0, 0, 5, 0]))], decoy: [.target(target("CT"))],
            legacy: target("CT", [0, 0, 0, 1])),
        Case(
            peculiarity: .setsZone, rule: [.setConntrack(.zone, from: .one)], decoy: [.setConntrack(.mark, from: .one)]),
        Case(
            peculiarity: .fillsUDPChecksums, rule: [.target(target("CHECKSUM"))],
            decoy: [.setPayload(base: .network, offset: 8, length: 1, from: .one)], legacy: target("CHECKSUM")),
        Case(
            peculiarity: .fillsUDPChecksums, rule: [.setPayload(base: .transport, offset: 6, length: 2, from: .one)],
            decoy: [.setPayload(base: .transport, offset: 4, length: 2, from: .one)]),
    ]

    /// Setting 64, and adding 1, leaves packets alive.
    @Test(arguments: [([0, 1], true), ([2, 1], true), ([0, 64], false), ([1, 1], false)] as [([UInt8], Bool)])
    func aLifetimeEndsWhereLittleIsLeft(info: [UInt8], ends: Bool) throws {
        let rule = [NftExpression.target(Self.target("TTL", info[...]))]
        #expect((try Self.ruleset([rule]).firstRule(that: .endsLife) != nil) == ends)
    }

    private static func rule(_ target: XtRule.Target) -> XtRule {
        let any = IPv4Address(value: 0)
        return XtRule(
            source: any, sourceMask: any, destination: any, destinationMask: any, input: .any, output: .any,
            transport: 0, fragment: false, inversions: [], matches: [], target: target)
    }

    private static func ruleset(_ last: [[NftExpression]]) throws -> Ruleset {
        var builder = RulesetBuilder()
        let plain: [NftExpression] = [
            .payload(base: .transport, offset: 6, length: 2, into: .one), .match(target("conntrack")),
            .conntrack(.state, direction: nil, into: .one), .counter(packets: 0, bytes: 0), .verdict(.accept),
        ]
        let base = NftBaseChain(type: "filter", hook: .forward, priority: 0)
        builder.chain(NftTableName(.ipv4, "t"), "c", base, [[NftExpression]](repeating: plain, count: 1000) + last)
        return try builder.build()
    }

    @Test(arguments: cases) func isFoundAmongManyRulesWithoutReadingThem(test: Case) throws {
        let ruleset = try Self.ruleset([test.decoy, test.rule, test.rule])
        var read: [Int] = []
        let found = ruleset.firstRule(that: test.peculiarity) { index in
            read.append(index)
            return ruleset.expressions(ofRule: index)
        }
        #expect(found == 1001)
        #expect(read.allSatisfy { $0 == 1000 || $0 == 1001 })
        // The same as by reading all of them.
        let slow = ruleset.rules.indices.first {
            ruleset.expressions(ofRule: $0).contains(where: test.peculiarity.isDone)
        }
        #expect(found == slow)
        #expect(ruleset.firstRule(that: test.peculiarity) == slow)
    }

    @Test(arguments: cases) func isNotSaidOfRulesThatDoNotDoIt(test: Case) throws {
        #expect(try Self.ruleset([test.decoy]).firstRule(that: test.peculiarity) == nil)
    }

    @Test(arguments: RulePeculiarity.allCases) func nothingIsReadWhereNoRuleMay(peculiarity: RulePeculiarity) throws {
        var reads = 0
        let found = try Self.ruleset([]).firstRule(that: peculiarity) { _ in
            reads += 1
            return []
        }
        #expect(found == nil && reads == 0)
    }

    @Test(arguments: cases.filter { $0.legacy != nil }) func isFoundInLegacyTables(test: Case) throws {
        let legacy = try #require(test.legacy)
        let chain = XtChain(
            name: "FORWARD", hook: .forward, policy: .accept,
            rules: [Self.rule(.verdict(.accept)), Self.rule(.target(legacy))])
        let ruleset = Ruleset(legacy: [XtTable(name: "mangle", chains: [chain])])
        #expect(ruleset.firstRule(that: test.peculiarity) == 1)
    }
}
