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

    @Test(arguments: verdictMaps + sets + masks + packetTypes + options)
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

    /// `ip ttl 63 ip dscp != { cs1, cs2 } accept`, or another TTL.
    private static func classes(_ flags: NftSet.Flags, inverted: Bool) -> Case {
        .init(name: "two conditions of one name\(inverted ? "" : ", not inverted")", verdict: .undecided) {
            $0.sets.append(
                NftSet(
                    table: nat, name: "classes", flags: flags, keyType: 0, keyLength: 1, fieldLengths: [],
                    elements: [0x20, 0x40].map { NftSetElement(key: [$0], flags: []) }))
            $0.postrouting(
                octet(8, 63) + [
                    .payload(base: .network, offset: 1, length: 1, into: .one), lookup("classes", inverted: inverted),
                    .verdict(.accept),
                ], try fromContainers() + [masquerade])
        }
    }

    /// Sets whose elements are not certain.
    static let sets: [Case] = [
        classes([.anonymous, .constant], inverted: true), classes([.anonymous, .constant], inverted: false),
        .init(name: "a set that is known", verdict: .proven) {
            try $0.addresses("s", [("10.5.0.0/16", nil)])
            $0.postrouting([source, lookup("s"), masquerade])
        },
        .init(name: "an element with a limit", verdict: .undecided) {
            try $0.addresses("s", isConditional: true, [("10.5.0.0/16", nil)])
            $0.postrouting([source, lookup("s"), masquerade])
        },
        .init(name: "an element with a limit holds for all that is not in it", verdict: .proven) {
            try $0.addresses("s", isConditional: true, [("10.6.0.0/16", nil)])
            $0.postrouting([source, lookup("s", inverted: true), masquerade])
        },
        .init(name: "a mark with a limit", question: .forwarded, verdict: .undecided) {
            $0.sets.append(
                NftSet(
                    table: filter, name: "marks", flags: [], keyType: 0, keyLength: 4, fieldLengths: [],
                    elements: [
                        NftSetElement(key: NftValue(host32: 0).bytes, flags: [], content: nil, isConditional: true)
                    ]))
            $0.chain(filter, "forward", forward, [[.meta(.mark, into: .one), lookup("marks"), .verdict(.drop)]])
        },
    ]

    /// NFT_MSG_NEWRULE: `ip saddr`, and `update @seen { ip saddr }` (NFTA_RULE_*, NFTA_EXPR_*, NFTA_DYNSET_*).
    private static let updating: [UInt8] = {
        var rule = NetlinkAttributeBuilder(header: [NftFamily.ipv4.rawValue, 0, 0, 0])
        rule.append(1, text: nat.name)
        rule.append(2, text: "pre")
        rule.nest(4) { list in
            list.nest(1) { source.encode(into: &$0) }
            list.nest(1) { element in
                element.append(1, text: "dynset")
                element.nest(2) { data in
                    data.append(1, text: "seen")
                    data.append(3, network: UInt32(1))
                    data.append(4, network: UInt32(1))
                }
            }
        }
        var message: [UInt8] = []
        message.appendHost(UInt32(rule.bytes.count + 16))
        message.appendHost(UInt32(0x0a06))
        return message + [UInt8](repeating: 0, count: 8) + rule.bytes
    }()

    /// A rule may add elements to a set that has a timeout and does not say that it changes.
    @Test(arguments: [false, true]) func setsThatRulesChange(isChanged: Bool) throws {
        var builder = RulesetBuilder()
        try builder.addresses("seen", flags: .timeout, [])
        builder.postrouting([source, lookup("seen"), .verdict(.accept)], try fromContainers() + [masquerade])
        builder.chain(nat, "pre", NftBaseChain(hook: .prerouting, priority: -300), [])
        var nft = try builder.build().nft
        if isChanged { try nft.addRules([Self.updating]) }
        let questions = try questions(of: Ruleset(nft: nft))
        let answer = questions.answer(.translated)
        #expect(answer.verdict == (isChanged ? .undecided : .proven), "\(answer)")
        let packet = questions.walk.walk(try SamplePacket(text: "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"))
        #expect(packet.verdict == (isChanged ? .undecided : .accepted), "\(packet)")
    }

    /// `ip saddr & MASK OPERATOR VALUE masquerade`.
    private static func mask(
        _ mask: String, _ comparison: NftComparison, _ value: String, _ verdict: QuestionAnswer.Verdict
    ) -> Case {
        .init(name: "ip saddr & \(mask) \(comparison) \(value)", verdict: verdict) {
            $0.postrouting([
                source,
                .bitwise(
                    from: .one, into: .one, mask: NftValue(try #require(IPv4Address(mask))), xor: NftValue(big32: 0)),
                .compare(.one, comparison, NftValue(try #require(IPv4Address(value)))), masquerade,
            ])
        }
    }

    /// Bytes of which no bit is kept are zeros, and compared.
    static let masks: [Case] = [
        mask("255.255.0.0", .equal, "10.5.0.0", .proven), mask("255.255.0.0", .equal, "10.5.1.0", .counterexample),
        mask("255.255.0.0", .notEqual, "10.5.1.0", .proven),
        mask("255.255.0.0", .notEqual, "10.5.0.0", .counterexample), mask("0.0.0.0", .equal, "0.0.0.0", .proven),
        mask("0.0.0.0", .equal, "0.0.0.1", .counterexample), mask("0.0.0.0", .notEqual, "0.0.0.1", .proven),
        mask("0.0.0.0", .less, "0.0.0.1", .proven), mask("0.0.0.0", .greater, "0.0.0.1", .counterexample),
    ]

    private static func packetType(_ comparison: NftComparison, _ type: UInt8) -> [NftExpression] {
        [.meta(.packetType, into: .one), .compare(.one, comparison, NftValue(byte: type))]
    }

    /// `--pkt-type`: struct xt_pkttype_info.
    private static func packetTypeMatch(_ type: UInt8, inverted: Bool = false) -> NftExpression {
        .match(XtExtension(name: "pkttype", revision: 0, info: [type, 0, 0, 0, inverted ? 1 : 0, 0, 0, 0]))
    }

    /// A container without an address asks everybody; all else is for this host alone.
    static let packetTypes: [Case] = [
        .init(name: "broadcasts dropped", question: .dhcp, verdict: .counterexample) {
            $0.chain(filter, "input", input, [packetType(.equal, 1) + [.verdict(.drop)]])
        },
        .init(name: "all but what is for the host dropped", question: .dhcp, verdict: .counterexample) {
            $0.chain(filter, "input", input, [packetType(.notEqual, 0) + [.verdict(.drop)]])
        },
        .init(name: "multicasts dropped", question: .dhcp, verdict: .proven) {
            $0.chain(filter, "input", input, [packetType(.equal, 2) + [.verdict(.drop)]])
        },
        .init(name: "broadcasts dropped, of names", question: .dns, verdict: .proven) {
            $0.chain(filter, "input", input, [packetType(.equal, 1) + [.verdict(.drop)]])
        },
        .init(name: "broadcasts dropped by a match", question: .dhcp, verdict: .counterexample) {
            $0.chain(filter, "input", input, [[packetTypeMatch(1), .verdict(.drop)]])
        },
        .init(name: "all but broadcasts dropped by a match", question: .dhcp, verdict: .counterexample) {
            $0.chain(filter, "input", input, [[packetTypeMatch(1, inverted: true), .verdict(.drop)]])
        },
        .init(name: "broadcasts redirected", question: .dhcp, verdict: .counterexample) {
            $0.chain(
                nat, "PREROUTING", NftBaseChain(type: "nat", hook: .prerouting, priority: -100),
                [packetType(.equal, 1) + [.redirect(flags: 0, ports: nil)]])
        },
        .init(name: "what is for others dropped on a bridge", question: .eastWest, verdict: .undecided) {
            $0.chain(
                NftTableName(.bridge, "b"), "forward", forward, [packetType(.equal, 3) + [.verdict(.drop)]])
        },
    ]

    /// `-p tcp`, and `--tcp-option` (struct xt_tcp).
    private static func tcp(option: UInt8) -> NftExpression {
        .match(
            XtExtension(name: "tcp", revision: 0, info: [0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, option, 0, 0, 0]))
    }

    /// `-p tcp --tcp-option 8 -j MASQUERADE`, and everything else is translated for certain.
    private static func option(_ option: UInt8, _ verdict: QuestionAnswer.Verdict) -> Case {
        .init(name: "option \(option) of TCP", verdict: verdict) {
            $0.postrouting(
                [tcp(option: option), masquerade],
                [.meta(.transportProtocol, into: .one), .compare(.one, .notEqual, NftValue(byte: 6)), masquerade])
        }
    }

    static let options = [option(0, .proven), option(8, .undecided)]

    /// What is not known may fill the register that is compared next, as an `and` of two registers does (Linux 6.13).
    @Test(arguments: [true, false]) func registersBehindWhatIsNotKnown(accepts: Bool) throws {
        let questions = try questions {
            $0.chain(
                filter, "forward", forward,
                [
                    [
                        source, .other(name: "bitwise"),
                        .compare(.one, .equal, NftValue(big32: accepts ? 0x0a05_0009 : 0x0b00_0000)), .verdict(.drop),
                    ]
                ])
        }
        #expect(questions.answer(.forwarded).verdict == .undecided)
        let packet = questions.walk.walk(try SamplePacket(text: "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"))
        #expect(packet.verdict == .undecided, "\(packet)")
    }

    /// So may a map that is not there.
    @Test func theDataOfAMapThatIsNotThere() throws {
        let questions = try questions {
            $0.chain(
                filter, "forward", forward,
                [
                    [
                        source, lookup("gone", into: .one), .compare(.one, .equal, NftValue(big32: 0x0b00_0000)),
                        .verdict(.drop),
                    ]
                ])
        }
        let packet = questions.walk.walk(try SamplePacket(text: "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"))
        #expect(packet.verdict == .undecided, "\(packet)")
    }

    /// A map of 65 ranges asked for a number that is not known: each may be meant, and none is passed over.
    @Test(arguments: [64, 65] as [UInt32]) func moreElementsThanAreTried(count: UInt32) throws {
        let questions = try questions {
            $0.sets.append(
                NftSet(
                    table: filter, name: "lengths", flags: [.map], keyType: 0, keyLength: 4, fieldLengths: [],
                    elements: (0..<count).map {
                        NftSetElement(
                            key: NftValue(host32: $0).bytes, flags: [],
                            content: .verdict($0 == 64 ? .drop : .accept))
                    }))
            $0.chain(
                filter, "forward", forward,
                [[.meta(.length, into: .one), lookup("lengths", into: .verdict), .verdict(.accept)]])
        }
        let packet = questions.walk.walk(try SamplePacket(text: "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"))
        #expect(packet.verdict == (count == 64 ? .accepted : .undecided), "\(packet)")
        if count == 65 { #expect(packet.reason?.contains("more than 64 elements") == true) }
    }
}
