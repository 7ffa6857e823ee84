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

    // MARK: Who can come in from outside

    /// A host with one more rule, which translates these.
    private func incoming(_ source: String, _ change: (inout HostForwarding) throws -> Void = { _ in }) throws
        -> QuestionAnswer
    {
        var host = try practiceHost()
        try change(&host)
        return try questions(host) { builder in
            builder.chain(
                NftTableName(.ipv4, "nat"), "POSTROUTING",
                NftBaseChain(type: "nat", hook: .postrouting, priority: 100), [try from(source) + [masquerade]])
        }.answer(.others)
    }

    /// The rule of another network of this host, whose bridge is gone or down: by the default route alone nobody of it
    /// comes in.
    @Test func hostsOfPrivateNetworksThatNoRouteLeadsTo() throws {
        #expect(try incoming("192.168.122.0/24").verdict == .proven)
        let routed = try incoming("192.168.122.0/24") { host in
            host.routes.append(
                .init(
                    destination: try #require(IPv4Prefix("192.168.0.0/16")),
                    nextHops: [.init(link: 2, gateway: IPv4Address("203.0.113.9"))]))
        }
        #expect(routed.packet?.description == "udp 192.168.122.1:40000 > 10.5.0.2:53 iif up0")
        #expect(routed.verdict == .counterexample)
        let near = try incoming("192.168.122.0/24") { host in
            host.links[1].addresses.append(.init(try #require(IPv4Prefix("192.168.122.2/24"))))
        }
        #expect(near.packet?.description == "udp 192.168.122.1:40000 > 10.5.0.2:53 iif up0")
    }

    /// Neither the subnet's own two addresses nor this host's.
    @Test(
        arguments: [
            ("203.0.113.0/32", nil), ("203.0.113.255/32", nil), ("203.0.113.2/32", nil),
            ("203.0.113.0/24", "203.0.113.1"), ("198.51.100.0/24", "198.51.100.1"),
        ] as [(String, String?)])
    func onlyHostsSend(source: String, shown: String?) throws {
        let found = try incoming(source)
        #expect(found.verdict == (shown == nil ? .proven : .counterexample), "\(found)")
        #expect(found.packet?.source.description == shown)
    }
}
