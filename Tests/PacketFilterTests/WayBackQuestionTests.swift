import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

private let mangle = NftBaseChain(hook: .prerouting, priority: -150)
private let table = NftTableName(.ipv4, "mangle")
private let masquerade = NftExpression.masquerade(flags: 0, ports: nil)

/// Where the routing policy sends answers. Table 100 leads out by wg0.
@Suite struct WayBackQuestionTests {
    private func prefix(_ text: String) throws -> IPv4Prefix { try #require(IPv4Prefix(text)) }

    private func host(_ rules: HostForwarding.FibRule...) throws -> HostForwarding {
        var host = try practiceHost()
        host.rules = [.init(priority: 0, table: 255)] + rules + [.init(priority: 32766, table: 254)]
        return host
    }

    private func answer(
        _ host: HostForwarding, _ rules: (inout RulesetBuilder) throws -> Void = { _ in }
    ) throws -> QuestionAnswer {
        try questions(host) { builder in
            try rules(&builder)
            builder.postrouting([masquerade])
        }.answer(.answered)
    }

    @Test func answersThatARuleLeadsAwayAreACounterexample() throws {
        let network = try prefix("10.5.0.0/16")
        let rules: [HostForwarding.FibRule] = [
            .init(priority: 50, table: 100, destination: network),
            .init(priority: 50, table: 100, inputInterface: "up0"),
            .init(priority: 50, table: 100, source: try prefix("198.51.100.0/24")),
        ]
        for rule in rules {
            let answer = try answer(try host(rule))
            #expect(answer.verdict == .counterexample, "\(rule): \(answer)")
            #expect(answer.reason == "it leaves by wg0, not by lxcbr1")
            #expect(answer.decidedBy?.hook == "routing")
            #expect(answer.decidedBy?.text == "rule \(rule), default dev wg0 table 100")
            #expect(answer.packet?.source == IPv4Address("198.51.100.7"))
            #expect(answer.packet?.mappedDestination.map(network.contains) == true)
        }
    }

    /// As Tailscale's table may have it: wider than the network, and looked into first.
    @Test func aWiderRouteOfAnEarlierTableCounts() throws {
        var host = try host(.init(priority: 5270, table: 52))
        host.routes.append(.init(destination: try prefix("10.0.0.0/8"), table: 52, nextHops: [.init(link: 4)]))
        let answer = try answer(host)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.decidedBy?.text == "rule 5270: from all lookup 52, 10.0.0.0/8 dev wg0 table 52")
        // In the same table it is less specific than the bridge's own.
        host.routes[host.routes.count - 1].table = 254
        #expect(try self.answer(host).verdict == .proven)
    }

    @Test func answersThatAreRefusedAreACounterexample() throws {
        let refusal = try answer(
            try host(.init(priority: 50, action: 8, table: 0, destination: try prefix("10.5.0.0/16"))))
        #expect(refusal.verdict == .counterexample, "\(refusal)")
        #expect(refusal.reason == "it is dropped")
        #expect(refusal.decidedBy?.text == "rule 50: from all to 10.5.0.0/16 prohibit")
    }

    /// Every container is asked about, and the usual ones are not taken for the one.
    @Test(arguments: [HostForwarding.FibRoute.Kind.blackhole, .unreachable, .prohibit, .local, .unicast])
    func aRouteForOneContainerIsFound(kind: HostForwarding.FibRoute.Kind) throws {
        var host = try practiceHost()
        host.routes.append(
            .init(
                destination: try prefix("10.5.0.2/32"), kind: kind,
                nextHops: kind == .local ? [.init(link: 1)] : kind == .unicast ? [.init(link: 2)] : []))
        let answer = try answer(host)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.mappedDestination == IPv4Address("10.5.0.2"))
        #expect(answer.decidedBy?.text.contains("10.5.0.2/32") == true, "\(answer)")
        #expect(try questions(host) { _ in }.container == IPv4Address("10.5.0.3"))
    }

    /// A rule marks what comes in by the uplink, and a routing rule sends what has the mark into the tunnel.
    @Test func marksOfAnswersCount() throws {
        let host = try host(.init(priority: 60, table: 100, mark: 7, markMask: .max))
        let mark: [NftExpression] = [.immediate(into: .one, NftValue(host32: 7)), .setMeta(.mark, from: .one)]
        func marking(_ link: String) throws -> QuestionAnswer {
            let input = NftExpression.meta(.inputName, equal: try #require(NftValue(interface: link)))
            return try answer(host) { $0.chain(table, "PREROUTING", mangle, [input + mark]) }
        }
        let lost = try marking("up0")
        #expect(lost.verdict == .counterexample, "\(lost)")
        #expect(lost.decidedBy?.text.hasPrefix("rule 60: from all fwmark 0x7/0xffffffff lookup 100") == true)
        // Only what goes out is marked.
        #expect(try answer(host).verdict == .proven)
        #expect(try marking("wg9").verdict == .proven)
    }

    @Test func aMatchThatIsNotKnownMattersWhereItLeadsAnswersElsewhere() throws {
        let answer = try answer(try host(.init(priority: 50, table: 100, inputInterface: "up0", hasOtherMatch: true)))
        #expect(answer.verdict == .undecided, "\(answer)")
        #expect(answer.reason?.contains("50: from all iif up0 lookup 100") == true)
        let same = try host(
            .init(priority: 50, table: 254, hasOtherMatch: true), .init(priority: 60, table: 0, hasOtherMatch: true))
        #expect(try self.answer(same).verdict == .proven)
    }

    /// Rules of hosts with several lines and tunnels on which every answer comes back.
    @Test func commonPoliciesStayProven() throws {
        let network = try prefix("10.5.0.0/16")
        let hosts = [
            try host(
                .init(priority: 40, table: 254, destination: network),
                .init(priority: 50, table: 100, destination: network),
                .init(priority: 51, table: 100, inputInterface: "up0")),
            try host(
                .init(priority: 50, table: 100, source: try prefix("203.0.113.2/32")),
                .init(priority: 51, table: 100, inputInterface: "wg9"),
                .init(priority: 52, table: 100, destination: try prefix("10.6.0.0/16")),
                .init(priority: 53, table: 100, source: try prefix("10.8.0.0/24"), inputInterface: "wg0")),
            try host(
                .init(priority: 50, table: 254, suppressedPrefixLength: 0),
                .init(priority: 51, table: 100, mark: 0xca6c, markMask: .max)),
        ]
        for host in hosts {
            let answer = try answer(host)
            #expect(answer.verdict == .proven, "\(host.rules): \(answer)")
        }
    }

    @Test func workIsBounded() throws {
        var host = try practiceHost()
        host.routes += try (0..<20_000 as Range<UInt32>).map { number in
            .init(
                destination: try prefix("\(IPv4Address(value: 0x0a05_0100 + number * 2))/32"),
                nextHops: [.init(link: 3)])
        }
        let answer = try answer(host)
        #expect(answer.verdict == .undecided)
        #expect(answer.reason == "there are too many routes and routing rules to look at each")
        var many = try self.host()
        many.rules.insert(
            contentsOf: try (0..<100 as Range<UInt32>).map { number in
                .init(priority: number + 1, source: try prefix("\(IPv4Address(value: 0x0808_0000 + number * 2))/32"))
            }, at: 1)
        #expect(try self.answer(many).reason == "routing rules tell too many kinds of answers apart")
    }
}
