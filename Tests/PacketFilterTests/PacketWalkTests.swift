import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// A host as the practice host has it: lxcbr1 10.5.0.1/16, up0 203.0.113.2/24 and 203.0.113.3/24, default by up0.
func practiceHost() throws -> HostForwarding {
    func prefix(_ text: String) throws -> IPv4Prefix { try #require(IPv4Prefix(text)) }
    func local(_ text: String, _ link: UInt32) throws -> HostForwarding.FibRoute {
        HostForwarding.FibRoute(
            destination: try prefix(text), table: 255, kind: .local, nextHops: [.init(link: link)])
    }
    return HostForwarding(
        links: [
            .init(index: 1, name: "lo", isLoopback: true, addresses: [.init(try prefix("127.0.0.1/8"), scope: 254)]),
            .init(
                index: 2, name: "up0",
                addresses: [
                    .init(try prefix("203.0.113.2/24")), .init(try prefix("203.0.113.3/24"), isSecondary: true),
                ]),
            .init(index: 3, name: "lxcbr1", kind: "bridge", addresses: [.init(try prefix("10.5.0.1/16"))]),
            .init(index: 4, name: "wg0", addresses: [.init(try prefix("10.9.0.2/32"))]),
        ],
        routes: [
            try local("127.0.0.0/8", 1), try local("203.0.113.2", 2), try local("203.0.113.3", 2),
            try local("10.5.0.1", 3), try local("10.9.0.2", 4),
            .init(destination: try prefix("10.5.0.0/16"), nextHops: [.init(link: 3)]),
            .init(destination: try prefix("203.0.113.0/24"), nextHops: [.init(link: 2)]),
            .init(
                destination: try prefix("0.0.0.0/0"),
                nextHops: [.init(link: 2, gateway: IPv4Address("203.0.113.1"))]),
            .init(destination: try prefix("0.0.0.0/0"), table: 100, nextHops: [.init(link: 4)]),
        ],
        rules: [
            .init(priority: 0, table: 255), .init(priority: 100, table: 100, mark: 7, markMask: 0xff),
            .init(priority: 32766, table: 254),
        ])
}

/// Questions about 10.5.0.0/16 on the practice host, or another, with these rules.
func questions(
    _ host: HostForwarding? = nil, _ rules: (inout RulesetBuilder) throws -> Void
) throws -> NetworkQuestions {
    var builder = RulesetBuilder()
    try rules(&builder)
    return try questions(of: builder.build(), host)
}

func questions(of ruleset: Ruleset, _ host: HostForwarding? = nil) throws -> NetworkQuestions {
    NetworkQuestions(
        network: try #require(IPv4Prefix("10.5.0.0/16")), bridge: "lxcbr1", address: IPv4Address("10.5.0.1"),
        target: IPv4Address("198.51.100.7"), ruleset: ruleset, host: try host ?? practiceHost())
}

private let dns = "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1"
private let forward = NftBaseChain(hook: .forward, priority: 0)
private let closed = NftBaseChain(hook: .forward, priority: 10, policy: .drop)
private let raw = NftBaseChain(hook: .prerouting, priority: -300)
private let mangle = NftBaseChain(hook: .prerouting, priority: -150)
private let filter = NftTableName(.inet, "filter")
private let masquerade = NftExpression.masquerade(flags: 0, ports: nil)
private func port(_ number: UInt16) -> [NftExpression] {
    [
        .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 17)),
        .payload(base: .transport, offset: 2, length: 2, into: .one), .compare(.one, .equal, NftValue(big16: number)),
    ]
}
private let source = NftBaseChain(type: "nat", hook: .postrouting, priority: 100)
/// Matches by chance.
private let chance = NftExpression.match(
    XtExtension(name: "statistic", revision: 0, info: [UInt8](repeating: 0, count: 32)[...]))
/// struct ipt_TTL_info.
private func lifetime(_ mode: UInt8, _ amount: UInt8) -> NftExpression {
    .target(XtExtension(name: "TTL", revision: 0, info: [mode, amount]))
}
private let clamp = NftExpression.target(XtExtension(name: "TCPMSS", revision: 0, info: [0xb0, 0x04]))
private func longer(than length: UInt16) -> [NftExpression] {
    [
        .payload(base: .network, offset: 2, length: 2, into: .one),
        .compare(.one, .greater, NftValue(big16: length)),
    ]
}
private func snat(_ text: String) -> [NftExpression] {
    [
        .immediate(into: .one, NftValue(IPv4Address(text) ?? IPv4Address(value: 0))),
        .nat(NftNat(kind: .source, addresses: NftRegisterPair(low: .one, high: .one))),
    ]
}
private func setMark(_ value: UInt32) -> [NftExpression] {
    [.immediate(into: .one, NftValue(host32: value)), .setMeta(.mark, from: .one)]
}
private let zone: [NftExpression] = [
    .immediate(into: .one, NftValue(host32: 5)), .setConntrack(.zone, from: .one),
]
private func state(_ bits: UInt32) -> [NftExpression] {
    [
        .conntrack(.state, direction: nil, into: .one),
        .bitwise(from: .one, into: .one, mask: NftValue(host32: bits), xor: NftValue(host32: 0)),
        .compare(.one, .notEqual, NftValue(host32: 0)),
    ]
}

struct WalkCase: Sendable, CustomTestStringConvertible {
    var name: String
    var packet: String
    var verdict: WalkResult.Verdict
    var source: String?
    var uplink: String?
    var killer: String?
    var rules: @Sendable (inout RulesetBuilder) throws -> Void
    var testDescription: String { name }
}

@Suite struct PacketWalkTests {
    static let cases: [WalkCase] = [
        .init(name: "no rules", packet: dns, verdict: .accepted, source: "10.5.0.9", uplink: "up0") { _ in },
        .init(
            name: "masquerading takes the first address beside the gateway", packet: dns, verdict: .accepted,
            source: "203.0.113.2", uplink: "up0"
        ) { $0.postrouting([masquerade]) },
        .init(name: "an accept ends its own base chain only", packet: dns, verdict: .dropped, killer: "policy drop") {
            $0.chain(NftTableName(.inet, "lxc"), "forward", forward, [[.verdict(.accept)]])
            $0.chain(filter, "forward", closed, [])
        },
        .init(name: "a drop is final", packet: dns, verdict: .dropped, killer: "drop") {
            $0.chain(NftTableName(.inet, "lxc"), "forward", forward, [[.verdict(.drop)]])
            $0.chain(filter, "forward", NftBaseChain(hook: .forward, priority: 10), [[.verdict(.accept)]])
        },
        .init(
            name: "a return from a base chain meets the policy", packet: dns, verdict: .dropped, killer: "policy drop"
        ) {
            $0.chain(filter, "forward", closed, [[.verdict(.return)], [.verdict(.accept)]])
        },
        .init(
            name: "an unset source may only ask everybody", packet: "udp 0.0.0.0:68 > 10.5.0.1:67 iif lxcbr1",
            verdict: .dropped,
            killer: "the source or destination is no address that may come from outside (martian)"
        ) { _ in },
        .init(
            name: "an unset source asks everybody", packet: "udp 0.0.0.0:68 > 255.255.255.255:67 iif lxcbr1",
            verdict: .accepted
        ) { builder in
            // `fib saddr . iif oif missing drop`: no route is looked up for it.
            let missing: [NftExpression] = [
                .fib(result: .interfaceIndex, flags: 1 | 8 | 32, into: .one), .compare(.one, .equal, NftValue(byte: 0)),
                .verdict(.drop),
            ]
            builder.chain(filter, "raw", raw, [missing])
        },
        .init(
            name: "every host is in 224.0.0.1", packet: "udp 10.5.0.9:5353 > 224.0.0.1:5353 iif lxcbr1",
            verdict: .accepted
        ) { _ in },
        .init(
            name: "of other groups it is not known", packet: "udp 10.5.0.9:5353 > 224.0.0.251:5353 iif lxcbr1",
            verdict: .undecided
        ) { _ in },
        .init(
            name: "a zone undoes that a packet is not tracked", packet: dns, verdict: .accepted, source: "203.0.113.2",
            uplink: "up0"
        ) {
            $0.chain(filter, "raw", raw, [[.notrack], zone])
            $0.postrouting([masquerade])
        },
        .init(
            name: "notrack behind a zone is passed over", packet: dns, verdict: .accepted, source: "203.0.113.2",
            uplink: "up0"
        ) {
            $0.chain(filter, "raw", raw, [zone, [.notrack]])
            $0.postrouting([masquerade])
        },
        .init(
            name: "what is not tracked is not translated", packet: dns, verdict: .accepted, source: "10.5.0.9",
            uplink: "up0"
        ) {
            $0.chain(filter, "early", raw, [[.notrack]])
            $0.postrouting([masquerade])
        },
        .init(name: "before conntrack every state is invalid", packet: dns, verdict: .dropped) {
            $0.chain(filter, "early", raw, [state(1) + [.verdict(.drop)]])
        },
        .init(
            name: "a known flow is not translated anew", packet: dns + " ct established", verdict: .accepted,
            source: "10.5.0.9", uplink: "up0"
        ) { $0.postrouting([masquerade]) },
        .init(
            name: "a mark that a rule sets chooses the route", packet: dns, verdict: .accepted, source: "10.9.0.2",
            uplink: "wg0"
        ) {
            $0.chain(filter, "mark", mangle, [port(53) + setMark(7)])
            $0.postrouting([masquerade])
        },
        .init(
            name: "a mark of its own does too", packet: dns + " mark 7", verdict: .accepted, source: "10.5.0.9",
            uplink: "wg0"
        ) { _ in },
        .init(name: "ports are compared", packet: dns, verdict: .accepted, source: "10.5.0.9", uplink: "up0") {
            $0.chain(filter, "forward", forward, [port(54) + [.verdict(.drop)]])
        },
        .init(name: "a limit is taken both ways", packet: dns, verdict: .undecided) {
            $0.chain(
                filter, "forward", forward,
                [
                    [
                        .limit(NftLimit(rate: 1, unit: 1, burst: 1, ofBytes: false, inverted: false)),
                        .verdict(.drop),
                    ]
                ])
        },
        .init(
            name: "a limit that decides nothing does not matter", packet: dns, verdict: .accepted,
            source: "10.5.0.9", uplink: "up0"
        ) {
            let limit = NftExpression.limit(NftLimit(rate: 1, unit: 1, burst: 1, ofBytes: false, inverted: false))
            $0.chain(filter, "forward", forward, Array(repeating: [limit, .log(NftLog())], count: 40))
        },
        .init(
            name: "a doubt ahead of a certain mismatch does not matter", packet: dns, verdict: .accepted,
            source: "10.5.0.9", uplink: "up0"
        ) {
            $0.chain(
                filter, "forward", forward,
                [[.other(name: "mystery")] + port(54) + [.verdict(.drop)]])
        },
        .init(name: "a jump loop is given up", packet: dns, verdict: .undecided) {
            $0.chain(filter, "a", nil, [[.verdict(.jump("a"))]])
            $0.chain(filter, "forward", forward, [[.verdict(.jump("a"))]])
        },
        .init(name: "a goto loop is given up", packet: dns, verdict: .undecided) {
            $0.chain(filter, "a", nil, [[.verdict(.goto("a"))]])
            $0.chain(filter, "forward", forward, [[.verdict(.goto("a"))]])
        },
        .init(
            name: "to the host itself: no forward chain", packet: "udp 10.5.0.9:40000 > 10.5.0.1:53 iif lxcbr1",
            verdict: .accepted, source: "10.5.0.9"
        ) { $0.chain(filter, "forward", closed, []) },
        .init(
            name: "the last hop of its lifetime", packet: dns + " ttl 1", verdict: .dropped,
            killer: "its time to live is 1: this hop was the last"
        ) { _ in },
        .init(
            name: "one hop is gone before the hook forward", packet: dns + " ttl 2", verdict: .dropped,
            killer: "@nh,64,8 0x1 drop"
        ) {
            $0.chain(
                filter, "forward", forward,
                [
                    [
                        .payload(base: .network, offset: 8, length: 1, into: .one),
                        .compare(.one, .equal, NftValue(byte: 1)), .verdict(.drop),
                    ]
                ])
        },
        .init(name: "a length that is told", packet: dns + " length 60", verdict: .dropped) {
            $0.chain(
                filter, "forward", forward,
                [[.meta(.length, into: .one), .compare(.one, .equal, NftValue(host32: 60)), .verdict(.drop)]])
        },
        .init(name: "a length that is not told", packet: dns, verdict: .undecided) {
            $0.chain(
                filter, "forward", forward,
                [[.meta(.length, into: .one), .compare(.one, .equal, NftValue(host32: 60)), .verdict(.drop)]])
        },
        .init(
            name: "the user of the socket", packet: "udp 203.0.113.2:1 > 198.51.100.7:53 uid 1000", verdict: .dropped
        ) {
            $0.chain(
                filter, "output", NftBaseChain(hook: .output, priority: 0),
                [
                    [
                        .meta(NftMetaKey(rawValue: 10), into: .one),
                        .compare(.one, .notEqual, NftValue(host32: 0)), .verdict(.drop),
                    ]
                ])
        },
        .init(
            name: "the mark of a known flow", packet: dns + " ct established ct-mark 7", verdict: .dropped
        ) {
            $0.chain(
                filter, "forward", forward,
                [
                    [
                        .conntrack(.mark, direction: nil, into: .one), .compare(.one, .equal, NftValue(host32: 7)),
                        .verdict(.drop),
                    ]
                ])
        },
        .init(
            name: "of one table the later chain of a priority runs first", packet: dns, verdict: .accepted,
            source: "203.0.113.3", uplink: "up0"
        ) {
            $0.chain(filter, "a", source, [snat("203.0.113.2")])
            $0.chain(filter, "b", source, [snat("203.0.113.3")])
        },
        .init(name: "of two tables no dump shows which runs first", packet: dns, verdict: .undecided) {
            $0.chain(NftTableName(.ipv4, "a"), "a", source, [snat("203.0.113.2")])
            $0.chain(NftTableName(.ipv4, "b"), "b", source, [snat("203.0.113.3")])
        },
        .init(
            name: "which does not matter where both come to the same", packet: dns, verdict: .accepted,
            source: "203.0.113.2", uplink: "up0"
        ) {
            $0.chain(NftTableName(.ipv4, "a"), "a", source, [snat("203.0.113.2")])
            $0.chain(NftTableName(.ipv4, "b"), "b", source, [[masquerade]])
        },
        .init(name: "of two marks of equal priority either may stay", packet: dns, verdict: .undecided) {
            $0.chain(NftTableName(.ipv4, "a"), "a", mangle, [setMark(7)])
            $0.chain(NftTableName(.ipv4, "b"), "b", mangle, [setMark(8)])
        },
        .init(
            name: "a nat chain sees nothing where nothing is tracked", packet: dns, verdict: .accepted,
            source: "10.5.0.9", uplink: "up0"
        ) { $0.postrouting([.verdict(.drop)]) },
        .init(name: "and drops where anything is", packet: dns, verdict: .dropped) {
            $0.postrouting(state(8) + [.verdict(.drop)])
        },
        .init(
            name: "a known flow whose packets a rule writes into", packet: dns + " ct established", verdict: .undecided
        ) {
            let write: [NftExpression] = [
                .immediate(into: .one, NftValue(big16: 54)),
                .setPayload(base: .transport, offset: 2, length: 2, from: .one),
            ]
            $0.chain(filter, "raw", raw, [write])
            $0.postrouting([masquerade])
        },
        .init(
            name: "who has no address yet passes rpfilter", packet: "udp 0.0.0.0:68 > 255.255.255.255:67 iif lxcbr1",
            verdict: .dropped
        ) {
            $0.chain(
                filter, "raw", raw,
                [[.match(XtExtension(name: "rpfilter", revision: 0, info: [0, 0, 0, 0])), .verdict(.drop)]])
        },
        .init(
            name: "an error belongs to the flow that it is about",
            packet: "icmp 198.51.100.7 > 203.0.113.2 type 3 code 3 iif up0 ct related direction reply "
                + "mapped-destination 10.5.0.9", verdict: .accepted, source: "198.51.100.7", uplink: "lxcbr1"
        ) {
            $0.postrouting([masquerade])
            $0.chain(filter, "forward", closed, [state(4) + [.verdict(.accept)]])
        },
        .init(
            name: "of which it does not tell the protocol",
            packet: "icmp 198.51.100.7 > 10.5.0.9 type 3 code 3 iif up0 ct related direction reply",
            verdict: .undecided
        ) {
            $0.chain(
                filter, "forward", forward,
                [
                    [
                        .conntrack(NftConntrackKey(rawValue: 10), direction: 0, into: .one),
                        .compare(.one, .equal, NftValue(byte: 1)), .verdict(.drop),
                    ]
                ])
        },
        .init(
            name: "not every kernel tracks what a bridge carries", packet: "udp 10.5.0.9:1 > 10.5.0.10:1 iif lxcbr1",
            verdict: .undecided
        ) {
            $0.chain(NftTableName(.bridge, "b"), "forward", forward, [state(8) + [.verdict(.drop)]])
        },
        .init(name: "ingress of the port that it comes in by", packet: dns + " port wg0", verdict: .dropped) {
            $0.chain(
                NftTableName(.netdev, "d"), "in",
                NftBaseChain(hook: .netdevIngress, priority: 0, devices: ["wg0"]), [port(53) + [.verdict(.drop)]])
        },
        .init(name: "egress of the uplink", packet: dns, verdict: .dropped) {
            $0.chain(
                NftTableName(.netdev, "d"), "out",
                NftBaseChain(hook: .netdevEgress, priority: 0, devices: ["up0"]), [port(53) + [.verdict(.drop)]])
        },
        .init(
            name: "a rule that may end its life", packet: dns + " ttl 64", verdict: .undecided
        ) {
            $0.chain(filter, "c", mangle, [[chance, lifetime(0, 1)]])
        },
        .init(name: "a rule that may prolong its life", packet: dns, verdict: .accepted, uplink: "up0") {
            $0.chain(filter, "c", mangle, [[chance, lifetime(1, 1)]])
        },
        .init(name: "a rule that shortens a life nobody told of", packet: dns, verdict: .undecided) {
            $0.chain(filter, "c", mangle, [[lifetime(2, 60)]])
        },
        .init(
            name: "a SYN that gets an option", packet: "tcp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1 length 40",
            verdict: .dropped
        ) {
            $0.chain(filter, "c", mangle, [[clamp]])
            $0.chain(filter, "forward", forward, [longer(than: 43) + [.verdict(.drop)]])
        },
        .init(
            name: "a SYN that has the option", packet: "tcp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1 length 60",
            verdict: .accepted, uplink: "up0"
        ) {
            $0.chain(filter, "c", mangle, [[clamp]])
            $0.chain(filter, "forward", forward, [longer(than: 60) + [.verdict(.drop)]])
        },
        .init(
            name: "a source of this host from outside", packet: "udp 203.0.113.2:1 > 10.5.0.9:1 iif up0",
            verdict: .dropped, killer: "the source 203.0.113.2 has no route back (martian)"
        ) { _ in },
    ]

    @Test(arguments: cases)
    func walks(wanted: WalkCase) throws {
        var builder = RulesetBuilder()
        try wanted.rules(&builder)
        let walk = PacketWalk(ruleset: try builder.build(), host: try practiceHost())
        let result = walk.walk(try SamplePacket(text: wanted.packet))
        #expect(result.verdict == wanted.verdict, "\(result)")
        #expect(result.uplink == wanted.uplink || wanted.verdict != .accepted, "\(result)")
        if let source = wanted.source { #expect(result.sourceAfter?.description == source) }
        if let killer = wanted.killer { #expect(result.killer?.text == killer) }
    }

    /// What a rule queues is dropped where no program reads the queue, unless it says to go on then.
    @Test(
        arguments: [
            (3, 1, 0, [], .dropped, .counterexample), (3, 1, 0, [4], .dropped, .counterexample),
            (3, 2, 0, [4], .undecided, .undecided), (3, 1, 0, nil, .undecided, .undecided),
            (3, 1, 1, [], .accepted, .proven), (3, 1, 1, [3], .undecided, .undecided),
        ] as [(UInt16, UInt16, UInt16, Set<UInt16>?, WalkResult.Verdict, QuestionAnswer.Verdict)])
    func queuesThatNobodyReads(
        first: UInt16, count: UInt16, flags: UInt16, readers: Set<UInt16>?, wanted: WalkResult.Verdict,
        answer: QuestionAnswer.Verdict
    ) throws {
        // struct xt_NFQ_info_v3.
        let info: [UInt8] = [UInt8(first), 0, UInt8(count), 0, UInt8(flags), 0]
        var (compat, native) = (RulesetBuilder(), RulesetBuilder())
        let target = NftExpression.target(XtExtension(name: "NFQUEUE", revision: 3, info: info[...]))
        compat.chain(filter, "forward", forward, [[target]])
        native.chain(filter, "forward", forward, [])
        var nft = try native.build().nft
        try nft.addRules([Self.queueRule(first, count, flags)])
        for ruleset in [try compat.build().nft, nft].map({ Ruleset(nft: $0, queueReaders: readers) }) {
            #expect(ruleset.traits.contains(.queues))
            let questions = try questions(of: ruleset)
            #expect(questions.walk.walk(try SamplePacket(text: dns)).verdict == wanted)
            #expect(questions.answer(.forwarded).verdict == answer, "\(questions.answer(.forwarded))")
        }
    }

    /// NFT_MSG_NEWRULE with the expression `queue` and nothing else: NFTA_QUEUE_NUM, _TOTAL, _FLAGS.
    private static func queueRule(_ first: UInt16, _ count: UInt16, _ flags: UInt16) -> [UInt8] {
        // nfgenmsg of NFPROTO_INET.
        var rule = NetlinkAttributeBuilder(header: [1, 0, 0, 0])
        rule.append(1, text: filter.name)
        rule.append(2, text: "forward")
        rule.nest(4) { list in
            list.nest(1) { element in
                element.append(1, text: "queue")
                element.nest(2) { data in
                    data.append(1, network: first)
                    data.append(2, network: count)
                    data.append(3, network: flags)
                }
            }
        }
        return NetlinkMessage(type: 0x0a06, flags: 0, payload: rule.bytes).bytes
    }

    @Test func forwardingThatIsOffDrops() throws {
        var host = try practiceHost()
        host.links[2].forwarding = false
        let result = PacketWalk(ruleset: Ruleset(), host: host).walk(try SamplePacket(text: dns))
        #expect(result.killer?.text == "net.ipv4.conf.lxcbr1.forwarding is 0")
    }

    @Test func theReversePathFilterDropsWhatComesByTheWrongLink() throws {
        var host = try practiceHost()
        host.links[1].reversePathFilter = 1
        let packet = try SamplePacket(text: "udp 10.5.0.9:1 > 198.51.100.7:1 iif up0")
        #expect(PacketWalk(ruleset: Ruleset(), host: host).walk(packet).killer?.hook == "routing")
        host.links[1].reversePathFilter = 2
        #expect(PacketWalk(ruleset: Ruleset(), host: host).walk(packet).verdict == .accepted)
    }

    @Test func bridgedPacketsSeeTheIPChainsOnlyWithBridgeNetfilter() throws {
        var builder = RulesetBuilder()
        builder.chain(filter, "forward", closed, [])
        let ruleset = try builder.build()
        var host = try practiceHost()
        let packet = try SamplePacket(text: "udp 10.5.0.9:1 > 10.5.0.10:1 iif lxcbr1")
        #expect(PacketWalk(ruleset: ruleset, host: host).walk(packet).verdict == .accepted)
        host.bridgeNetfilter = true
        #expect(PacketWalk(ruleset: ruleset, host: host).walk(packet).verdict == .dropped)
    }

    /// `ip link set lxcbr1 type bridge nf_call_iptables 1`.
    @Test func aBridgeShowsItsPacketsByAnOptionOfItsOwn() throws {
        var builder = RulesetBuilder()
        builder.chain(filter, "forward", closed, [])
        let ruleset = try builder.build()
        var host = try practiceHost()
        let packet = try SamplePacket(text: "udp 10.5.0.9:1 > 10.5.0.10:1 iif lxcbr1")
        for (option, verdict, answer) in [
            (nil, .accepted, .proven), (false, .accepted, .proven), (true, .dropped, .counterexample),
        ] as [(Bool?, WalkResult.Verdict, QuestionAnswer.Verdict)] {
            host.links[2].callsIptables = option
            #expect(PacketWalk(ruleset: ruleset, host: host).walk(packet).verdict == verdict)
            let questions = try questions(host) { $0.chain(filter, "forward", closed, []) }
            #expect(questions.answer(.eastWest).verdict == answer)
        }
    }

    private let whole: [NftExpression] = {
        guard let network = IPv4Prefix(address: IPv4Address(value: 0x0a05_0000), length: 16) else { return [] }
        return NftExpression.source(in: network) + NftExpression.destination(notIn: network)
    }()

    @Test func everythingIsProvenWhereEverythingIsInOrder() throws {
        let questions = try questions { $0.postrouting(whole + [masquerade]) }
        for question in NetworkQuestion.allCases {
            let answer = questions.answer(question)
            #expect(answer.verdict == .proven, "\(answer)")
        }
    }

    @Test func nothingIsProvenWhereSomethingElseActs() throws {
        var host = try practiceHost()
        host.outsideModel = ["XDP on up0"]
        let questions = try questions(host) { $0.postrouting(whole + [masquerade]) }
        for question in NetworkQuestion.allCases {
            #expect(questions.answer(question).verdict == .undecided)
            #expect(questions.answer(question).reason?.contains("XDP on up0") == true)
        }
    }

    /// Nobody translates back what conntrack does not see.
    @Test func anAnswerThatIsNotTrackedStaysAtTheHost() throws {
        let up0 = NftExpression.meta(.inputName, equal: try #require(NftValue(interface: "up0")))
        let lost = try questions {
            $0.chain(filter, "raw", raw, [up0 + [.notrack]])
            $0.postrouting(whole + [masquerade])
        }.answer(.answered)
        #expect(lost.verdict == .counterexample, "\(lost)")
        #expect(lost.reason?.contains("keeps it from being tracked") == true)
        #expect(lost.decidedBy?.text.contains("notrack") == true)
        let zoned = try questions {
            $0.chain(filter, "raw", raw, [up0 + zone])
            $0.postrouting(whole + [masquerade])
        }.answer(.answered)
        #expect(zoned.verdict == .undecided, "\(zoned)")
    }

    /// Whichever table was made last: a rule that lets packets out stands beside one that translates them.
    @Test func nothingIsProvenWhereTheOrderOfTablesDecides() throws {
        let first = NftTableName(.ipv4, "a")
        let second = NftTableName(.ipv4, "b")
        let undecided = try questions {
            $0.chain(first, "a", source, [whole + snat("203.0.113.2")])
            $0.chain(second, "b", source, [whole + snat("192.0.2.9")])
        }.answer(.translated)
        #expect(undecided.verdict == .undecided, "\(undecided)")
        #expect(undecided.reason?.contains("equal priority") == true, "\(undecided)")
        let proven = try questions {
            $0.chain(first, "a", source, [[.verdict(.accept)]])
            $0.chain(second, "b", source, [whole + [masquerade]])
        }.answer(.translated)
        #expect(proven.verdict == .proven, "\(proven)")
        let marked = try questions {
            $0.chain(first, "a", mangle, [setMark(7)])
            $0.chain(second, "b", mangle, [setMark(0)])
            $0.postrouting(NftExpression.meta(.mark, equal: NftValue(host32: 0)) + whole + [masquerade])
        }.answer(.translated)
        #expect(marked.verdict == .undecided, "\(marked)")
    }

    @Test func aLeakShowsThePacketTheRuleThatLetsItOutAndTheOneMeantForIt() throws {
        let questions = try questions { $0.postrouting([.verdict(.accept)], whole + [masquerade]) }
        let answer = questions.answer(.translated)
        #expect(answer.verdict == .counterexample)
        #expect(answer.packet?.description == "udp 10.5.0.2:40000 > 198.51.100.7:53 iif lxcbr1")
        #expect(answer.decidedBy?.text == "accept")
        #expect(answer.shouldHaveCaught?.text == "ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 masquerade")
    }

    @Test func onePortThatIsBlockedIsACounterexample() throws {
        let questions = try questions {
            $0.chain(filter, "forward", forward, [port(25) + [.verdict(.drop)]])
        }
        #expect(questions.answer(.forwarded).packet?.destinationPort == 25)
        #expect(questions.answer(.answered).packet?.destinationPort == 25)
    }

    @Test func anUnknownMatchOfADropIsNamed() throws {
        let questions = try questions {
            $0.chain(filter, "forward", forward, [[.other(name: "mystery"), .verdict(.drop)]])
        }
        let answer = questions.answer(.forwarded)
        #expect(answer.verdict == .undecided)
        #expect(answer.reason?.contains("mystery") == true)
    }

    @Test func whoComesToTheContainersIsNotTranslatedByAccident() throws {
        let answer = try questions { $0.postrouting([masquerade]) }.answer(.others)
        #expect(answer.verdict == .counterexample)
        #expect(answer.decidedBy?.text == "masquerade")
    }

    /// 192.168.7.0/24 behind eth1 is routed, not translated: a rule for every source catches it too.
    @Test func anotherNetworkIsNotTranslatedByTheRuleForTheContainers() throws {
        var host = try practiceHost()
        let lan = try #require(IPv4Prefix("192.168.7.1/24"))
        host.links.append(.init(index: 9, name: "eth1", addresses: [.init(lan)]))
        host.routes.append(.init(destination: lan.network, nextHops: [.init(link: 9)]))
        let up0 = NftExpression.meta(.outputName, equal: try #require(NftValue(interface: "up0")))
        let answer = try questions(host) { $0.postrouting(up0 + [masquerade]) }.answer(.others)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.inputInterface == "eth1")
        #expect(answer.reason?.contains("by the rule for the containers") == true)
        #expect(answer.decidedBy?.text.contains("masquerade") == true)
        let own = try questions(host) { $0.postrouting(whole + [masquerade]) }.answer(.others)
        #expect(own.verdict == .proven, "\(own)")
        // Who has a rule of its own is translated on purpose.
        let both = try questions(host) {
            $0.postrouting(NftExpression.source(in: lan) + [masquerade], whole + [masquerade])
        }.answer(.others)
        #expect(both.verdict == .proven, "\(both)")
    }

    @Test func whatIsSentElsewhereOnTheWayInIsNotForwarded() throws {
        let translation = NftBaseChain(type: "nat", hook: .prerouting, priority: -100)
        let redirect = try questions {
            $0.chain(filter, "dstnat", translation, [port(53) + [.redirect(flags: 0, ports: nil)]])
        }.answer(.forwarded)
        #expect(redirect.verdict == .counterexample, "\(redirect)")
        #expect(redirect.reason == "it is sent to 10.5.0.1 instead")
        #expect(redirect.decidedBy?.text.contains("redirect") == true)
        // A service of a cluster, which has a private address.
        let service = try questions {
            $0.chain(
                filter, "dstnat", translation,
                [
                    NftExpression.destination(in: try #require(IPv4Prefix("10.96.0.1/32"))) + [
                        .immediate(into: .one, NftValue(try #require(IPv4Address("10.5.0.9")))),
                        .nat(NftNat(kind: .destination, addresses: NftRegisterPair(low: .one, high: .one))),
                    ]
                ])
        }.answer(.forwarded)
        #expect(service.verdict == .proven, "\(service)")
    }
}
