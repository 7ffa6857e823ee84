import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

private let nat = NftTableName(.ipv4, "lxc")
private let filter = NftTableName(.inet, "filter")
private let forward = NftBaseChain(hook: .forward, priority: 0)
private let input = NftBaseChain(hook: .input, priority: 0)
private let masquerade = NftExpression.masquerade(flags: 0, ports: nil)
private let source = NftExpression.payload(base: .network, offset: 12, length: 4, into: .one)
private let destination = NftExpression.payload(base: .network, offset: 16, length: 4, into: .one)
private func fromContainers() throws -> [NftExpression] {
    NftExpression.source(in: try #require(IPv4Prefix("10.5.0.0/16")))
}
private func lookup(_ set: String, into: NftRegister? = nil, inverted: Bool = false) -> NftExpression {
    .lookup(set: set, from: .one, into: into, inverted: inverted)
}
private func octet(_ offset: UInt32, _ value: UInt8) -> [NftExpression] {
    [
        .payload(base: .network, offset: offset, length: 1, into: .one),
        .compare(.one, .equal, NftValue(byte: value)),
    ]
}

extension RulesetBuilder {
    /// A set of addresses; of a map where there are contents.
    fileprivate mutating func addresses(
        _ name: String, in table: NftTableName = nat, flags: NftSet.Flags = .interval, isConditional: Bool = false,
        _ prefixes: [(String, NftSetElement.Content?)]
    ) throws {
        var elements: [NftSetElement] = []
        for (text, content) in prefixes {
            let prefix = try #require(IPv4Prefix(text))
            var start = NftSetElement(key: NftValue(prefix.first).bytes, flags: [], content: content)
            start.isConditional = isConditional
            elements.append(start)
            guard prefix.last.value < .max, flags.contains(.interval) else { continue }
            elements.append(NftSetElement(key: NftValue(big32: prefix.last.value + 1).bytes, flags: .intervalEnd))
        }
        sets.append(
            NftSet(
                table: table, name: name, flags: flags, keyType: 7, keyLength: 4, fieldLengths: [], elements: elements))
    }
}

/// Single rules, read for sets of packets and for one: what the kernel makes of them.
@Suite struct RuleReadingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var question = NetworkQuestion.translated
        var verdict: QuestionAnswer.Verdict
        var rules: @Sendable (inout RulesetBuilder) throws -> Void

        var testDescription: String { name }
    }

    @Test(arguments: verdictMaps)
    func theAnswerIsTheKernels(wanted: Case) throws {
        let answer = try questions { try wanted.rules(&$0) }.answer(wanted.question)
        #expect(answer.verdict == wanted.verdict, "\(answer)")
    }

    /// A key that a map does not hold ends the rule.
    static let verdictMaps: [Case] = [
        .init(name: "a verdict map that misses ends the rule", verdict: .counterexample) {
            try $0.addresses("m", [("10.0.0.0/8", .verdict(.accept))])
            $0.postrouting([destination, lookup("m", into: .verdict), masquerade])
        },
        .init(name: "what it sends on is translated behind it", verdict: .proven) {
            try $0.addresses("m", [("10.0.0.0/8", .verdict(.accept)), ("11.0.0.0/8", .verdict(.continue))])
            $0.postrouting([destination, lookup("m", into: .verdict), masquerade], try fromContainers() + [masquerade])
        },
        .init(name: "only that is translated behind it", verdict: .counterexample) {
            try $0.addresses("m", [("198.51.100.0/24", .verdict(.continue))])
            $0.postrouting([destination, lookup("m", into: .verdict), masquerade])
        },
        .init(name: "everything is sent on", verdict: .proven) {
            try $0.addresses("m", [("10.5.0.0/16", .verdict(.continue))])
            $0.postrouting([source, lookup("m", into: .verdict), masquerade])
        },
        .init(name: "elements of a dynamic verdict map decide, or go", question: .forwarded, verdict: .undecided) {
            try $0.addresses("m", in: filter, flags: [.map, .dynamic], [("10.5.0.7/32", .verdict(.drop))])
            $0.chain(filter, "forward", forward, [[source, lookup("m", into: .verdict)]])
        },
        .init(name: "a verdict map that is not there may drop", question: .forwarded, verdict: .undecided) {
            $0.chain(filter, "forward", forward, [[source, lookup("gone", into: .verdict)]])
        },
        .init(name: "a verdict map that is not there may accept", verdict: .undecided) {
            $0.postrouting([source, lookup("gone", into: .verdict)], try fromContainers() + [masquerade])
        },
    ]

    /// One packet at a map that is not there: what it decides is not known.
    @Test func onePacketAtAMapThatIsNotThere() throws {
        let questions = try questions {
            $0.chain(filter, "forward", forward, [[source, lookup("gone", into: .verdict)]])
        }
        let result = questions.walk.walk(try SamplePacket(text: "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"))
        #expect(result.verdict == .undecided)
        #expect(result.reason == "the map gone is not known, nor what it decides")
    }
}
