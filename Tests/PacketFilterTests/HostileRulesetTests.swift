import Glibc
import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

private let filter = NftTableName(.ipv4, "filter")
private let forward = NftBaseChain(hook: .forward, priority: 0)

/// Rulesets that are made to take time or memory: each answer comes soon, and says what it does not know.
@Suite struct HostileRulesetTests {
    private static let packet = "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"

    /// Of this thread's own work: other tests run beside it.
    private static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// Every question, and one packet; gives the answers.
    private func ask(
        _ seconds: Int, _ rules: (inout RulesetBuilder) throws -> Void
    ) throws -> (questions: [QuestionAnswer], packet: WalkResult) {
        var builder = RulesetBuilder()
        try rules(&builder)
        let ruleset = try builder.build()
        let begin = Self.seconds()
        let questions = try questions(of: ruleset)
        let answers = NetworkQuestion.allCases.map(questions.answer)
        let result = questions.walk.walk(try SamplePacket(text: Self.packet))
        #expect(Self.seconds() - begin < Double(seconds))
        return (answers, result)
    }

    @Test func tenThousandChainsAreFollowed() throws {
        let (answers, result) = try ask(20) { builder in
            builder.chain(
                filter, "FORWARD", forward, (0..<10_000).map { [.verdict(.jump("c\($0)"))] } + [[.verdict(.drop)]])
            for number in 0..<10_000 { builder.chain(filter, "c\(number)", nil, [[.counter(packets: 0, bytes: 0)]]) }
        }
        #expect(result.verdict == .dropped)
        #expect(answers.first { $0.question == .forwarded }?.verdict == .counterexample)
    }

    /// Sixteen levels of chains, each jumping ten times to the next: ten to the sixteenth ways.
    @Test func jumpsThatMultiplyAreGivenUp() throws {
        let (answers, result) = try ask(60) { builder in
            builder.chain(filter, "FORWARD", forward, [[.verdict(.jump("c0"))], [.verdict(.drop)]])
            for level in 0..<15 {
                builder.chain(
                    filter, "c\(level)", nil, (0..<10).map { _ in [.verdict(.jump("c\(level + 1)"))] })
            }
            builder.chain(filter, "c15", nil, [[.counter(packets: 0, bytes: 0)]])
        }
        #expect(result.verdict == .undecided)
        #expect(result.reason?.contains("250,000 rules") == true, "\(result.reason ?? "")")
        let answer = answers.first { $0.question == .forwarded }
        #expect(answer?.verdict == .undecided)
        #expect(answer?.reason?.contains("too large") == true, "\(answer?.reason ?? "")")
    }

    @Test(arguments: [NftVerdict.jump("b"), .goto("b")]) func loopsOfChainsAreGivenUp(verdict: NftVerdict) throws {
        let (answers, result) = try ask(20) { builder in
            builder.chain(filter, "FORWARD", forward, [[.verdict(.jump("a"))]])
            builder.chain(filter, "a", nil, [[.verdict(verdict)]])
            builder.chain(filter, "b", nil, [[.verdict(.goto("a"))]])
        }
        #expect(result.verdict == .undecided)
        #expect(answers.first { $0.question == .forwarded }?.verdict == .undecided)
    }

    @Test func aJumpIntoNothingIsNamed() throws {
        let (_, result) = try ask(5) { $0.chain(filter, "FORWARD", forward, [[.verdict(.jump("gone"))]]) }
        #expect(result.reason?.contains("gone") == true)
    }

    /// Rules that divide the packets again and again.
    @Test func packetsThatFallIntoTooManySetsAreGivenUp() throws {
        let (answers, _) = try ask(60) { builder in
            builder.chain(
                filter, "FORWARD", forward,
                try (0..<3_000 as Range<UInt32>).map { number in
                    let source = try #require(
                        IPv4Prefix(address: IPv4Address(value: 0x0a05_0002 + number * 7), length: 32))
                    let target = try #require(
                        IPv4Prefix(address: IPv4Address(value: 0xc633_0000 + number * 13), length: 32))
                    return NftExpression.source(in: source) + NftExpression.destination(in: target)
                        + [number % 2 == 0 ? .verdict(.accept) : .verdict(.drop)]
                })
        }
        let answer = answers.first { $0.question == .forwarded }
        #expect(answer?.verdict == .undecided || answer?.verdict == .counterexample, "\(String(describing: answer))")
    }

    /// 256 ways through 20,000 rules each.
    @Test func waysThatMultiplyAreGivenUp() throws {
        let limit = NftExpression.limit(NftLimit(rate: 1, unit: 1, burst: 5, ofBytes: false, inverted: false))
        let (_, result) = try ask(60) { builder in
            builder.chain(
                filter, "FORWARD", forward,
                (0..<8).map { [limit, .immediate(into: .one, NftValue(host32: $0)), .setMeta(.mark, from: .one)] }
                    + (0..<20_000).map { _ in [.counter(packets: 0, bytes: 0)] })
        }
        #expect(result.verdict == .undecided)
        #expect(result.reason == "depends on what is not known: limit")
    }

    /// That many intervals, eight addresses apart, from 11.0.0.0 on.
    private static func hugeSet(_ count: UInt32) -> NftSet {
        NftSet(
            table: filter, name: "huge", flags: .interval, keyType: 7, keyLength: 4, fieldLengths: [],
            elements: (0..<count).flatMap { number in
                let start = 0x0b00_0000 + number * 8
                return [
                    NftSetElement(key: NftValue(big32: start).bytes, flags: []),
                    NftSetElement(key: NftValue(big32: start + 4).bytes, flags: .intervalEnd),
                ]
            })
    }

    /// 200,000 intervals in one set, asked by every question.
    @Test func aHugeSetIsReadOnce() throws {
        var builder = RulesetBuilder()
        builder.chain(
            filter, "FORWARD", forward,
            [
                [
                    .payload(base: .network, offset: 16, length: 4, into: .one),
                    .lookup(set: "huge", from: .one, into: nil, inverted: false), .verdict(.drop),
                ]
            ])
        builder.sets = [Self.hugeSet(200_000)]
        let ruleset = try builder.build()
        let begin = Self.seconds()
        let questions = try questions(of: ruleset)
        let answer = questions.answer(.forwarded)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.destination == IPv4Address("11.0.0.1"))
        #expect(Self.seconds() - begin < 60)
    }

    /// A thousand rules that look into one set of 100,000 intervals: its elements are put in order once, not for each.
    @Test func aHugeSetThatEveryRuleLooksIntoIsReadOnce() throws {
        let begin = Self.seconds()
        let (answers, result) = try ask(60) { builder in
            builder.chain(
                filter, "FORWARD", forward,
                (0..<1_000 as Range<UInt32>).map { number in
                    [
                        .payload(base: .network, offset: 16, length: 4, into: .one),
                        .lookup(set: "huge", from: .one, into: nil, inverted: number % 2 == 1),
                        .meta(.outputIndex, into: .one), .compare(.one, .equal, NftValue(host32: 900 + number)),
                        .verdict(.drop),
                    ]
                })
            builder.sets = [Self.hugeSet(100_000)]
        }
        #expect(answers.first { $0.question == .forwarded }?.verdict == .proven)
        #expect(result.verdict == .accepted)
        #expect(Self.seconds() - begin < 60)
    }
}
