import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// Rules that send packets elsewhere than the containers want.
@Suite struct ElsewhereQuestionTests {
    private static let translation = NftBaseChain(type: "nat", hook: .prerouting, priority: -100)

    private func udp(_ port: UInt16) -> [NftExpression] {
        [
            .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 17)),
            .payload(base: .transport, offset: 2, length: 2, into: .one), .compare(.one, .equal, NftValue(big16: port)),
        ]
    }

    private func send(to address: String) throws -> [NftExpression] {
        [
            .immediate(into: .one, NftValue(try #require(IPv4Address(address)))),
            .nat(NftNat(kind: .destination, addresses: NftRegisterPair(low: .one, high: .one))),
        ]
    }

    private func answer(
        _ question: NetworkQuestion, bridgeNetfilter: Bool = false, _ rule: [NftExpression]
    ) throws -> QuestionAnswer {
        var host = try practiceHost()
        host.bridgeNetfilter = bridgeNetfilter
        return try questions(host) {
            $0.chain(NftTableName(.ipv4, "nat"), "PREROUTING", Self.translation, [rule])
        }.answer(question)
    }

    @Test func namesThatAreAskedForElsewhere() throws {
        let sent = try answer(.dns, udp(53) + send(to: "10.5.0.10"))
        #expect(sent.verdict == .counterexample)
        #expect(sent.reason == "it is sent to 10.5.0.10 instead")
        #expect(sent.decidedBy?.chain == "PREROUTING")
        // To another port of this host: it is still this host that hears them.
        #expect(try answer(.dns, udp(53) + [.redirect(flags: 0, ports: nil)]).verdict == .proven)
        #expect(try answer(.dns, udp(80) + send(to: "10.5.0.10")).verdict == .proven)
        #expect(try answer(.dhcp, udp(67) + send(to: "198.51.100.99")).verdict == .counterexample)
    }

    /// Sets of packets keep their addresses: where a rule writes others, nothing is proven of every packet.
    @Test func addressesThatARuleWrites() throws {
        func answer(_ rule: [NftExpression]) throws -> QuestionAnswer {
            try questions {
                $0.chain(NftTableName(.ipv4, "t"), "c", NftBaseChain(hook: .prerouting, priority: -300), [rule])
            }.answer(.dns)
        }
        let address = try #require(IPv4Address("10.5.0.10"))
        let load = NftExpression.immediate(into: .one, NftValue(address))
        let written = try answer([load, .setPayload(base: .network, offset: 16, length: 4, from: .one)])
        #expect(written.verdict == .undecided)
        #expect(written.reason?.contains("writes other addresses") == true)
        // The type of service is nobody's question.
        #expect(try answer([load, .setPayload(base: .network, offset: 0, length: 2, from: .one)]).verdict == .proven)
    }

    /// Only where br_netfilter shows the rules what a bridge carries.
    @Test func containersThatReachSomebodyElse() throws {
        let away = try send(to: "203.0.113.50")
        #expect(try answer(.eastWest, bridgeNetfilter: true, away).verdict == .counterexample)
        #expect(try answer(.eastWest, away).verdict == .proven)
        #expect(
            try answer(.eastWest, bridgeNetfilter: true, udp(80) + send(to: "10.5.0.10")).verdict == .counterexample)
        let outside = NftExpression.destination(in: try #require(IPv4Prefix("198.51.100.0/24")))
        #expect(try answer(.eastWest, bridgeNetfilter: true, outside + away).verdict == .proven)
    }

    /// The questions of a host with one rule that looks a destination up in a map.
    private func mapQuestions(
        _ base: NftBaseChain, _ rule: [NftExpression], _ entries: [(key: String, content: NftSetElement.Content)]
    ) throws -> NetworkQuestions {
        let table = NftTableName(.ipv4, "t")
        return try questions { builder in
            builder.chain(table, "c", base, [[.payload(base: .network, offset: 16, length: 4, into: .one)] + rule])
            builder.sets = [
                NftSet(
                    table: table, name: "m", flags: [], keyType: 7, keyLength: 4, fieldLengths: [],
                    elements: try entries.map { entry in
                        NftSetElement(
                            key: NftValue(try #require(IPv4Address(entry.key))).bytes, flags: [],
                            content: entry.content)
                    })
            ]
        }
    }

    private func address(_ text: String) throws -> NftSetElement.Content {
        .value(NftValue(try #require(IPv4Address(text))).bytes)
    }

    /// What holds for one key of a map need not hold for the next.
    @Test func everyAddressOfAMapIsLookedAt() throws {
        let mapped: [NftExpression] = [
            .lookup(set: "m", from: .one, into: .one, inverted: false),
            .nat(NftNat(kind: .destination, addresses: NftRegisterPair(low: .one, high: .one))),
        ]
        let away = (key: "198.51.100.7", content: try address("198.51.100.99"))
        #expect(try mapQuestions(Self.translation, mapped, [away]).answer(.forwarded).verdict == .proven)
        let answer = try mapQuestions(
            Self.translation, mapped, [away, (key: "9.9.9.9", content: try address("10.5.0.10"))]
        ).answer(.forwarded)
        #expect(answer.verdict == .counterexample)
        #expect(answer.packet?.destination.description == "9.9.9.9")
        #expect(answer.reason == "it is sent to 10.5.0.10 instead")
    }

    @Test(arguments: [(300, QuestionAnswer.Verdict.undecided), (200, .proven)])
    func tooManyAddressesAreNotProven(count: Int, verdict: QuestionAnswer.Verdict) throws {
        let mapped: [NftExpression] = [
            .lookup(set: "m", from: .one, into: .one, inverted: false),
            .nat(NftNat(kind: .destination, addresses: NftRegisterPair(low: .one, high: .one))),
        ]
        let entries = try (0..<count).map { number in
            (key: "9.9.\(number / 256).\(number % 256)", content: try address("9.8.\(number / 256).\(number % 256)"))
        }
        #expect(try mapQuestions(Self.translation, mapped, entries).answer(.forwarded).verdict == verdict)
    }

    /// However many keys a verdict map has.
    @Test(arguments: [100, 3000, 6000])
    func everyVerdictOfAMapCounts(count: Int) throws {
        let jump: [NftExpression] = [.lookup(set: "m", from: .one, into: .verdict, inverted: false)]
        let accepted: [(key: String, content: NftSetElement.Content)] = (0..<count).map { number in
            (key: "9.9.\(number / 256).\(number % 256)", content: .verdict(.accept))
        }
        let forward = NftBaseChain(hook: .forward, priority: 0)
        #expect(try mapQuestions(forward, jump, accepted).answer(.forwarded).verdict == .proven)
        let answer = try mapQuestions(forward, jump, accepted + [(key: "9.8.7.6", content: .verdict(.drop))])
            .answer(.forwarded)
        #expect(answer.verdict == .counterexample)
        #expect(answer.packet?.destination.description == "9.8.7.6")
    }
}
