import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

private let masquerade = NftExpression.masquerade(flags: 0, ports: nil)

/// Whom the rules for the containers must not translate.
@Suite struct OthersQuestionTests {
    private func answer(_ rules: [NftExpression]...) throws -> QuestionAnswer {
        var host = try practiceHost()
        let network = try #require(IPv4Prefix("10.6.0.1/16"))
        host.links.append(.init(index: 9, name: "virbr1", kind: "bridge", addresses: [.init(network)]))
        host.routes.append(.init(destination: network.network, nextHops: [.init(link: 9)]))
        host.routes.append(
            .init(
                destination: try #require(IPv4Prefix("10.6.0.1/32")), table: 255, kind: .local,
                nextHops: [.init(link: 9)]))
        return try questions(host) { builder in
            builder.chain(
                NftTableName(.ipv4, "nat"), "POSTROUTING",
                NftBaseChain(type: "nat", hook: .postrouting, priority: 100), rules)
        }.answer(.others)
    }

    private func from(_ text: String) throws -> [NftExpression] {
        NftExpression.source(in: try #require(IPv4Prefix(text)))
    }

    private let out = NftExpression.meta(.outputName, equal: NftValue(interface: "up0") ?? NftValue(byte: 0))

    /// It misses one destination of the containers, and takes the neighbours along.
    @Test func aRuleThatMissesSomeOfTheContainersIsComparedToo() throws {
        let missing = NftExpression.destination(notIn: try #require(IPv4Prefix("192.0.2.4/32")))
        let found = try answer(out + from("10.0.0.0/8") + missing + [masquerade])
        #expect(found.verdict == .counterexample, "\(found)")
        #expect(found.packet?.inputInterface == "virbr1")
    }

    @Test func everyRuleForTheContainersIsCompared() throws {
        let tcp = NftExpression.meta(.transportProtocol, equal: NftValue(byte: 6))
        let found = try answer(from("10.5.0.0/16") + tcp + [masquerade], out + [masquerade])
        #expect(found.verdict == .counterexample, "\(found)")
        #expect(found.packet?.inputInterface == "virbr1")
        // What no packet of the containers comes to is meant for others.
        let own = try answer(
            from("10.5.0.0/16") + NftExpression.destination(notIn: try #require(IPv4Prefix("10.5.0.0/16")))
                + [masquerade], out + [masquerade])
        #expect(own.verdict == .proven, "\(own)")
    }
}
