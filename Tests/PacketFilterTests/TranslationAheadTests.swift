import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// A translation ahead of the rule that shadows it leaves alone what is exempt, or there is no answer.
@Suite struct TranslationAheadTests {
    private static let network = IPv4Prefix("10.5.0.0/16").unsafelyUnwrapped
    private static let masquerade = NftExpression.masquerade(flags: 0, ports: nil)
    private static let accept = NftExpression.verdict(.accept)
    private static let whole = source("10.5.0.0/16") + NftExpression.destination(notIn: network) + [masquerade]

    private static func prefix(_ text: String) -> IPv4Prefix { IPv4Prefix(text) ?? network }
    private static func source(_ text: String) -> [NftExpression] { NftExpression.source(in: prefix(text)) }
    private static func to(_ text: String) -> [NftExpression] { NftExpression.destination(in: prefix(text)) }
    private static func out(_ name: String) -> [NftExpression] {
        NftValue(interface: name).map { NftExpression.meta(.outputName, equal: $0) } ?? []
    }

    private func ask(
        leaving: [String] = [], own: Int? = nil, _ rules: [[NftExpression]], others: [[NftExpression]] = [],
        target: String? = nil
    ) throws -> Result<TranslationAhead, TranslationRefusal> {
        var builder = RulesetBuilder()
        if !others.isEmpty {
            builder.chain(
                NftTableName(.ipv4, "other"), "postrouting",
                NftBaseChain(type: "nat", hook: .postrouting, priority: 90), others)
        }
        builder.chain(
            NftTableName(.ipv4, "lxc"), "postrouting",
            NftBaseChain(type: "nat", hook: .postrouting, priority: 100), rules)
        let question = SourceTranslationQuestion(
            network: Self.network, bridge: PacketContext.Link(name: "lxcbr1"),
            uplink: PacketContext.Link(name: "up0"), target: target.flatMap { IPv4Address($0) },
            localAddresses: [Self.prefix("203.0.113.2/24"), Self.prefix("10.5.0.1/16")])
        let ruleset = try builder.build()
        let first = ruleset.chains.first { ruleset.tables[$0.table].name.name == "lxc" }?.rules.lowerBound ?? 0
        do {
            var ahead = try question.translationAhead(
                in: ruleset, leaving: leaving.map(Self.prefix), own: own.map { first + $0 })
            ahead.shadow -= first
            return .success(ahead)
        } catch {
            return .failure(error)
        }
    }

    private func refusal(
        _ rules: [[NftExpression]], others: [[NftExpression]] = [], target: String? = nil
    ) throws -> String {
        switch try ask(rules, others: others, target: target) {
        case .success(let ahead):
            Issue.record("\(ahead)")
            return ""
        case .failure(let refusal): return refusal.reason
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var rules: [[NftExpression]]
        var shadow: Int
        var exempt: [String] = []
        var leaving: [String] = []

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "an accept for the network", rules: [source("10.5.0.0/16") + [accept], whole], shadow: 0),
        Case(name: "a return for the uplink", rules: [out("up0") + [.verdict(.return)], whole], shadow: 0),
        Case(
            name: "two of them, one behind the other",
            rules: [source("10.0.0.0/8") + [accept], out("up0") + [.verdict(.return)], whole], shadow: 0),
        Case(
            name: "an exemption ahead of it, by whatever",
            rules: [
                to("192.168.77.0/24") + NftExpression.port(22, protocol: 6) + [accept],
                source("10.5.0.0/16") + [accept],
                whole,
            ], shadow: 1),
        Case(
            name: "a public exemption ahead of it",
            rules: [to("198.51.100.0/24") + [accept], [accept], whole], shadow: 1),
        Case(
            name: "an exemption behind it",
            rules: [source("10.5.0.0/16") + [accept], to("192.168.77.0/24") + [accept], whole], shadow: 0,
            exempt: ["192.168.77.0/24"]),
        Case(
            name: "a translation that leaves private networks out",
            rules: [
                source("10.5.0.0/16") + [accept],
                source("10.5.0.0/16") + NftExpression.destination(notIn: prefix("10.0.0.0/8")) + [masquerade],
            ], shadow: 0, exempt: ["10.0.0.0/8"]),
        Case(
            name: "what the profile exempts", rules: [[accept], whole], shadow: 0, exempt: ["198.51.100.0/24"],
            leaving: ["198.51.100.0/24"]),
    ]

    @Test(arguments: cases)
    func found(item: Case) throws {
        let ahead = try ask(leaving: item.leaving, item.rules).get()
        #expect(ahead.shadow == item.shadow)
        #expect(ahead.exempt.map(\.description) == item.exempt)
        // Once such a rule is there, it proves right; it is the shadow's place that it has now.
        var rules = item.rules
        let own =
            Self.source("10.5.0.0/16") + NftExpression.destination(notIn: Self.network)
            + ahead.exempt.flatMap { NftExpression.destination(notIn: $0) } + [Self.masquerade]
        rules.insert(own, at: item.shadow)
        #expect(try ask(leaving: item.leaving, own: item.shadow, rules).get().exempt == ahead.exempt)
    }

    @Test func aRuleThatTranslatesWhatIsExemptProvesWrong() throws {
        // Ahead of an exemption that comes first, and ahead of one behind the shadow.
        let site = Self.to("192.168.77.0/24") + [Self.accept]
        for rules in [[Self.whole, site, [Self.accept], Self.whole], [Self.whole, [Self.accept], site, Self.whole]] {
            guard case .failure(let refusal) = try ask(own: 0, rules) else {
                Issue.record("proved")
                continue
            }
            #expect(refusal.reason.contains("192.168.77.0/24 would be translated"), "\(refusal)")
        }
    }

    @Test func aRuleThatTranslatesTooLittleProvesWrong() throws {
        let half = Self.source("10.5.0.0/17") + [Self.masquerade]
        guard case .failure(let refusal) = try ask(own: 0, [half, [Self.accept], Self.whole]) else {
            Issue.record("proved")
            return
        }
        #expect(refusal.reason.contains("would still not be translated"), "\(refusal)")
    }

    @Test func whatMayBeMeantIsRefused() throws {
        let unknown = NftExpression.match(XtExtension(name: "length", revision: 0, info: [0, 0, 0, 0]))
        let net = Self.source("10.5.0.0/16")
        // Half of the network only, one protocol only.
        #expect(try refusal([Self.source("10.5.0.0/17") + [Self.accept], Self.whole]).contains("as it is"))
        #expect(
            try refusal([NftExpression.port(53, protocol: 17) + [Self.accept], Self.whole]).contains("as it is"))
        // Everywhere but to some: it may be that those should be translated, and no other.
        #expect(
            try refusal([
                NftExpression.destination(notIn: Self.prefix("198.51.100.0/24")) + [Self.accept],
                Self.to("198.51.100.0/24") + [Self.accept], Self.whole,
            ]).contains("so it may be meant"))
        #expect(try refusal([net + [.verdict(.drop)], Self.whole]).contains("no rule translates"))
        #expect(try refusal([net + [Self.accept]]).contains("no rule translates"))
        #expect(try refusal([net + [Self.accept], [unknown, Self.accept], Self.whole]).contains("length"))
        // By more than a destination.
        #expect(
            try refusal([
                net + [Self.accept],
                Self.to("192.168.77.0/24") + NftExpression.port(22, protocol: 6) + [Self.accept], Self.whole,
            ]).contains("192.168.77.0/24"))
        // What another chain accepts is not heard where the translation is.
        #expect(
            try refusal([net + [Self.accept], Self.whole], others: [Self.to("192.168.77.0/24") + [Self.accept]])
                .contains("does not hear it"))
        #expect(
            try refusal(
                [net + [Self.accept], Self.to("192.168.0.0/16") + [Self.accept], Self.whole], target: "192.168.1.1"
            ).contains("192.168.1.1"))
    }
}
