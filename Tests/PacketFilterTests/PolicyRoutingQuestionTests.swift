import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

private let forward = NftBaseChain(hook: .forward, priority: 0)
private let masquerade = NftExpression.masquerade(flags: 0, ports: nil)

/// Questions where the routing policy has more to say than one default route. Table 100 leads out by wg0.
@Suite struct PolicyRoutingQuestionTests {
    private func prefix(_ text: String) throws -> IPv4Prefix { try #require(IPv4Prefix(text)) }

    /// The practice host with these rules in the place of that for a mark.
    private func host(_ rules: HostForwarding.FibRule...) throws -> HostForwarding {
        var host = try practiceHost()
        host.rules = [.init(priority: 0, table: 255)] + rules + [.init(priority: 32766, table: 254)]
        return host
    }

    private func out(_ name: String) throws -> [NftExpression] {
        NftExpression.meta(.outputName, equal: try #require(NftValue(interface: name)))
    }

    private func answer(_ question: NetworkQuestion, _ host: HostForwarding) throws -> QuestionAnswer {
        try questions(host) { $0.postrouting(try out("up0") + [masquerade]) }.answer(question)
    }

    @Test func everyPartOfTheContainersThatARuleNamesIsAskedAbout() throws {
        let host = try host(.init(priority: 100, table: 100, source: try prefix("10.5.0.128/25")))
        let translated = try answer(.translated, host)
        #expect(translated.verdict == .counterexample, "\(translated)")
        #expect(try translated.packet.map { try prefix("10.5.0.128/25").contains($0.source) } == true)
        #expect(translated.reason?.contains("wg0") == true)
        // Forwarded by either way.
        let answer = try questions(host) {
            $0.chain(NftTableName(.ipv4, "filter"), "FORWARD", forward, [try out("wg0") + [.verdict(.drop)]])
        }.answer(.forwarded)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(try answer.packet.map { try prefix("10.5.0.128/25").contains($0.source) } == true)
    }

    @Test func containersFromWhichNothingLeadsOutAreACounterexample() throws {
        let host = try host(.init(priority: 100, action: 8, table: 0, source: try prefix("10.5.0.128/25")))
        let answer = try answer(.forwarded, host)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.decidedBy?.hook == "routing")
        #expect(try self.answer(.translated, host).verdict == .proven)
    }

    @Test func destinationsRefusedOnPurposeAreNamed() throws {
        var host = try practiceHost()
        host.routes.append(.init(destination: try prefix("192.0.2.7/32"), kind: .blackhole))
        let answer = try answer(.forwarded, host)
        #expect(answer.verdict == .proven, "\(answer)")
        #expect(
            answer.reason == "not asked about, because no route leads there or one refuses them: 192.0.2.7/32")
        #expect(try self.answer(.forwarded, practiceHost()).reason == nil)
    }

    /// `ip rule add ipproto tcp dport 443 lookup 100`: what it matches is not known.
    @Test func aMatchThatIsNotKnownMattersWhereItLeadsElsewhere() throws {
        let elsewhere = try host(.init(priority: 100, table: 100, hasOtherMatch: true))
        let answer = try answer(.translated, elsewhere)
        #expect(answer.verdict == .undecided, "\(answer)")
        #expect(answer.reason?.contains("100: from all lookup 100") == true)
        for same in [
            try host(.init(priority: 100, table: 254, hasOtherMatch: true)),
            try host(.init(priority: 100, table: 100, source: try prefix("203.0.113.2/32"), hasOtherMatch: true)),
            // As the kernel has it for devices of a VRF.
            try host(.init(priority: 1000, table: 0, hasOtherMatch: true)),
        ] {
            #expect(try self.answer(.translated, same).verdict == .proven)
            #expect(try self.answer(.forwarded, same).verdict == .proven)
        }
    }

    @Test func routesForOneTypeOfServiceAreNotForAll() throws {
        var host = try practiceHost()
        host.routes.append(
            .init(destination: try prefix("0.0.0.0/0"), tos: 16, nextHops: [.init(link: 4)]))
        let answer = try answer(.translated, host)
        #expect(answer.verdict == .undecided, "\(answer)")
        #expect(answer.reason?.contains("type of service") == true)
    }

    /// wg-quick, and a host with several uplinks: their rules do not concern the containers, or lead all of them.
    @Test func commonPoliciesStayProven() throws {
        let several = try host(
            .init(priority: 100, table: 100, source: try prefix("10.9.0.2/32")),
            .init(priority: 101, table: 100, source: try prefix("203.0.113.3/32")))
        #expect(try answer(.translated, several).verdict == .proven)
        #expect(try answer(.forwarded, several).reason == nil)
        var tunnel = try host(
            .init(priority: 100, table: 254, suppressedPrefixLength: 0),
            .init(priority: 101, table: 100, mark: 0xca6c, markMask: .max, isInverted: true))
        tunnel.routes.append(.init(destination: try prefix("10.9.0.0/24"), nextHops: [.init(link: 4)]))
        for question in [NetworkQuestion.translated, .forwarded] {
            let answer = try questions(tunnel) { $0.postrouting([masquerade]) }.answer(question)
            #expect(answer.verdict == .proven, "\(answer)")
        }
    }

    @Test func rulesCountAsWorkToo() throws {
        var host = try practiceHost()
        host.rules = try (0..<6_000 as Range<UInt32>).map { number in
            .init(priority: number, destination: try prefix("\(IPv4Address(value: 0x0b00_0000 + number * 2))/32"))
        }
        host.routes += try (0..<100 as Range<UInt32>).map { number in
            .init(
                destination: try prefix("\(IPv4Address(value: 0x0c00_0000 + number * 2))/32"),
                nextHops: [.init(link: 2)])
        }
        let answer = try answer(.forwarded, host)
        #expect(answer.verdict == .undecided)
        #expect(answer.reason == "there are too many routes and routing rules to look at each")
        host.rules = try (0..<100 as Range<UInt32>).map { number in
            .init(priority: number, source: try prefix("\(IPv4Address(value: 0x0a05_0000 + number * 2))/32"))
        }
        #expect(try self.answer(.forwarded, host).reason == "routing rules tell too many parts of the network apart")
    }
}
