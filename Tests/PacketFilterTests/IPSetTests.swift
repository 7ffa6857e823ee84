import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// The match `set` of iptables, with the members that ipset has.
@Suite struct IPSetTests {
    private static func number(_ text: String) -> UInt32 { IPv4Address(text)?.value ?? 0 }

    private static func member(
        _ network: String, second: String? = nil, ports: ClosedRange<UInt16>? = nil, transport: UInt8? = nil,
        interface: String? = nil, isException: Bool = false
    ) -> IPSet.Member {
        var member = IPSet.Member()
        for text in [network, second].compactMap({ $0 }) where !text.isEmpty {
            if let prefix = IPv4Prefix(text) { member.addresses.append(prefix.first.value...prefix.last.value) }
        }
        (member.ports, member.transport, member.interface) = (ports, transport, interface)
        member.isException = isException
        return member
    }

    private static let sets: [IPSet] = [
        IPSet(name: "hosts", index: 0, type: "hash:ip", family: 2, members: [member("10.5.0.9/32")]),
        IPSet(
            name: "holes", index: 1, type: "hash:net", family: 2,
            members: [member("198.51.100.0/24"), member("198.51.100.0/28", isException: true)]),
        IPSet(
            name: "services", index: 2, type: "hash:ip,port", family: 2,
            members: [member("198.51.100.7/32", ports: 53...53, transport: 17)]),
        IPSet(
            name: "links", index: 3, type: "hash:net,iface", family: 2,
            members: [member("10.5.0.0/24", interface: "lxcbr1")]),
        {
            var inner = IPSet.Member()
            inner.name = "hosts"
            return IPSet(name: "list", index: 4, type: "list:set", family: 0, members: [inner])
        }(),
        IPSet(name: "sixth", index: 5, type: "hash:ip", family: 10, members: [IPSet.Member()]),
        IPSet(name: "strange", index: 6, type: "hash:planet", family: 2, members: []),
        IPSet(
            name: "wide", index: 7, type: "hash:ip", family: 2, maskLength: 24, members: [member("10.5.0.0/32")]),
        IPSet(name: "ports", index: 8, type: "bitmap:port", family: 0, members: [member("", ports: 50...60)]),
        IPSet(
            name: "pairs", index: 9, type: "hash:net,net", family: 2,
            members: [member("10.5.0.0/24", second: "198.51.100.0/24")]),
        IPSet(
            name: "bits", index: 10, type: "hash:ip", family: 2, bitmask: 0xff00_00ff,
            members: [member("10.0.0.9/32")]),
    ]

    /// `xt_set_info_match_v1`.
    static func match(_ index: UInt16, _ isSource: [Bool], inverted: Bool = false, revision: UInt8 = 1) -> XtExtension {
        var flags: UInt8 = inverted ? 1 : 0
        for (place, source) in isSource.enumerated() where source { flags |= 2 << UInt8(place) }
        let info: [UInt8] = [UInt8(index & 0xff), UInt8(index >> 8), UInt8(isSource.count), flags]
        return XtExtension(name: "set", revision: revision, info: (info + [UInt8](repeating: 0, count: 40))[...])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var index: UInt16
        var isSource: [Bool]
        var packet = "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"
        var holds: Bool?
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        .init(name: "an address", index: 0, isSource: [true], holds: true),
        .init(name: "not the other end", index: 0, isSource: [false], holds: false),
        .init(name: "an exception in a net", index: 1, isSource: [false], holds: false),
        .init(
            name: "beside the exception", index: 1, isSource: [false],
            packet: "udp 10.5.0.9:40000 > 198.51.100.20:53 iif lxcbr1", holds: true),
        .init(name: "an address with a port", index: 2, isSource: [false, false], holds: true),
        .init(
            name: "another protocol", index: 2, isSource: [false, false],
            packet: "tcp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1", holds: false),
        .init(name: "fewer parts than the set has", index: 2, isSource: [false], holds: false),
        .init(name: "a link", index: 3, isSource: [true, true], holds: true),
        .init(name: "a set in a list", index: 4, isSource: [true], holds: true),
        .init(name: "a set of IPv6", index: 5, isSource: [true], holds: false),
        .init(name: "a type that is not known", index: 6, isSource: [true], holds: nil),
        .init(name: "a set that is not there", index: 77, isSource: [true], holds: nil),
        .init(name: "cut to a netmask", index: 7, isSource: [true], holds: true),
        .init(name: "a port alone", index: 8, isSource: [false], holds: true),
        .init(
            name: "a port alone, of icmp", index: 8, isSource: [false],
            packet: "icmp 10.5.0.9 > 198.51.100.7 iif lxcbr1", holds: false),
        .init(name: "cut to a mask of bits", index: 10, isSource: [true], holds: true),
        .init(name: "two nets", index: 9, isSource: [true, false], holds: true),
    ]

    private func ruleset(_ rules: [[NftExpression]]) throws -> Ruleset {
        var builder = RulesetBuilder()
        builder.chain(NftTableName(.ipv4, "filter"), "FORWARD", NftBaseChain(hook: .forward, priority: 0), rules)
        return Ruleset(nft: try builder.build().nft, ipsets: Self.sets)
    }

    @Test(arguments: cases) func membership(wanted: Case) throws {
        for inverted in [false, true] {
            let match = NftExpression.match(Self.match(wanted.index, wanted.isSource, inverted: inverted))
            let result = PacketWalk(ruleset: try ruleset([[match, .verdict(.drop)]]), host: try practiceHost()).walk(
                try SamplePacket(text: wanted.packet))
            let expected: WalkResult.Verdict =
                wanted.holds.map { $0 != inverted ? .dropped : .accepted } ?? .undecided
            #expect(result.verdict == expected, "\(result)")
        }
    }

    @Test func questionsLookIntoSetsAndRulesAreNamedAsPeopleKnowThem() throws {
        let drop: [NftExpression] = [.match(Self.match(2, [false, false])), .verdict(.drop)]
        let questions = NetworkQuestions(
            network: try #require(IPv4Prefix("10.5.0.0/16")), bridge: "lxcbr1", address: IPv4Address("10.5.0.1"),
            target: nil, ruleset: try ruleset([drop]), host: try practiceHost())
        let answer = questions.answer(.forwarded)
        #expect(answer.packet?.description == "udp 10.5.0.2:40000 > 198.51.100.7:53 iif lxcbr1", "\(answer)")
        #expect(answer.decidedBy?.text == "-A FORWARD -m set --match-set services dst,dst -j DROP")
        let strange = NetworkQuestions(
            network: try #require(IPv4Prefix("10.5.0.0/16")), bridge: "lxcbr1", address: nil, target: nil,
            ruleset: try ruleset([[.match(Self.match(6, [true])), .verdict(.drop)]]), host: try practiceHost())
        #expect(strange.answer(.forwarded).reason?.contains("set strange") == true)
    }

    /// Sets of packets are not cut: of a set with a mask nothing is proven.
    @Test(arguments: [7, 10] as [UInt16]) func setsWithAMaskAreNotGuessed(index: UInt16) throws {
        let questions = NetworkQuestions(
            network: try #require(IPv4Prefix("10.5.0.0/16")), bridge: "lxcbr1", address: IPv4Address("10.5.0.1"),
            target: nil, ruleset: try ruleset([[.match(Self.match(index, [true])), .verdict(.drop)]]),
            host: try practiceHost())
        #expect(questions.answer(.forwarded).verdict != .proven)
    }

    /// A recording may say that a list holds itself, thousands of times.
    @Test func aListThatHoldsItselfIsNotFollowed() throws {
        var members: [IPSet.Member] = []
        for name in ["list"] + (0..<3_000).flatMap({ _ in ["list", "other"] }) {
            var member = IPSet.Member()
            member.name = name
            members.append(member)
        }
        let lists = [
            IPSet(name: "list", index: 0, type: "list:set", family: 0, members: members),
            IPSet(name: "other", index: 1, type: "list:set", family: 0, members: members),
        ]
        let nft = try ruleset([[.match(Self.match(0, [true])), .verdict(.drop)]]).nft
        let walk = PacketWalk(ruleset: Ruleset(nft: nft, ipsets: lists), host: try practiceHost())
        #expect(walk.walk(try SamplePacket(text: cases0)).verdict == .undecided)
    }

    /// What a rule adds to on the way may hold anything by then.
    @Test func aSetThatRulesChangeIsNotKnown() throws {
        let add: [UInt8] = [0, 0, 1, 2, 0xff, 0xff, 0, 0]
        let target = NftExpression.target(XtExtension(name: "SET", revision: 1, info: add[...]))
        let walk = PacketWalk(
            ruleset: try ruleset([[target], [.match(Self.match(0, [true])), .verdict(.drop)]]),
            host: try practiceHost())
        #expect(walk.walk(try SamplePacket(text: cases0)).verdict == .undecided)
    }

    private let cases0 = "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"

    /// Revisions 3 and 4 compare counters too: where they do, nothing is said.
    @Test func countersAreNotCompared() throws {
        for revision in [3, 4] as [UInt8] {
            var xt = Self.match(0, [true], revision: revision)
            for counts in [false, true] {
                if counts { xt.info[revision == 3 ? 8 : 16] = 1 }
                guard case .ipset(let match) = XtMatch(xt) else {
                    Issue.record("\(XtMatch(xt))")
                    continue
                }
                #expect(match.hasMore == counts)
                #expect(match.isSource == [true])
            }
        }
    }
}
