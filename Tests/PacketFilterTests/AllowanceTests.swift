import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// A chain that drops by its policy, and the rule of it that lets the network out for some purposes only.
struct AllowanceCase: Sendable, CustomTestStringConvertible {
    var name: String
    /// From 1; nil: there is none.
    var expected: Int?
    var policy = NftBaseChain.Policy.drop
    var rules: [[NftExpression]]
    /// In the chain that rules jump to.
    var out: [[NftExpression]] = []

    var testDescription: String { name }
}

private func from(_ text: String) -> [NftExpression] {
    IPv4Prefix(text).map { NftExpression.source(in: $0) } ?? [.other(name: text)]
}
private func to(_ text: String) -> [NftExpression] {
    IPv4Prefix(text).map { NftExpression.destination(in: $0) } ?? [.other(name: text)]
}
private func link(_ key: NftMetaKey, _ name: String) -> [NftExpression] {
    NftValue(interface: name).map { NftExpression.meta(key, equal: $0) } ?? [.other(name: name)]
}
private let inside = link(.inputName, "lxcbr1")
private let outside = link(.outputName, "up0")
private func tcp(_ port: UInt16) -> [NftExpression] { NftExpression.port(port, protocol: 6) }
/// `DPORT-LAST`, of UDP or TCP.
private func ports(_ range: ClosedRange<UInt16>, protocol number: UInt8) -> [NftExpression] {
    [
        .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: number)),
        .payload(base: .transport, offset: 2, length: 2, into: .one),
        .range(
            .one, inverted: false, from: NftValue(big16: range.lowerBound), through: NftValue(big16: range.upperBound)),
    ]
}
private func sourcePort(_ port: UInt16) -> [NftExpression] {
    [
        .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 6)),
        .payload(base: .transport, offset: 0, length: 2, into: .one), .compare(.one, .equal, NftValue(big16: port)),
    ]
}
private let ping: [NftExpression] = [
    .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 1)),
]
/// `ct status dnat`.
private let portForwards: [NftExpression] = [
    .conntrack(.status, direction: nil, into: .one),
    .bitwise(from: .one, into: .one, mask: NftValue(host32: 32), xor: NftValue(host32: 0)),
    .compare(.one, .notEqual, NftValue(host32: 0)),
]
/// `-m limit`, whatever it says.
private let rate: [NftExpression] = [
    .match(XtExtension(name: "limit", revision: 0, info: [UInt8](repeating: 0, count: 40)[...]))
]
private let strange: [NftExpression] = [.match(XtExtension(name: "string", revision: 1, info: [0, 0, 0, 0]))]
private let accept: [NftExpression] = [.verdict(.accept)]
private let drop: [NftExpression] = [.verdict(.drop)]
private let answers = NftExpression.established + accept

@Suite("What rules allow while they drop the rest") struct AllowanceTests {
    static let lists: [AllowanceCase] = [
        AllowanceCase(name: "one port", expected: 2, rules: [answers, inside + tcp(443) + accept]),
        AllowanceCase(
            name: "one port, ahead of a rule that ends all", expected: 1, policy: .accept,
            rules: [
                inside + tcp(22) + accept, drop,
            ]),
        AllowanceCase(name: "one port for everybody", expected: 1, rules: [tcp(443) + accept]),
        AllowanceCase(name: "one destination", expected: 1, rules: [inside + to("192.0.2.0/24") + accept]),
        AllowanceCase(name: "private destinations", expected: 1, rules: [inside + to("10.0.0.0/8") + accept]),
        AllowanceCase(name: "one container", expected: 2, rules: [answers, from("10.5.92.18/32") + accept]),
        AllowanceCase(name: "what is not understood", expected: 1, rules: [inside + strange + accept]),
        AllowanceCase(
            name: "one port, in another chain", expected: 1, rules: [inside + [.verdict(.jump("out"))]],
            out: [tcp(22) + accept]),
        AllowanceCase(name: "another link only", expected: 1, rules: [inside + link(.outputName, "wg0") + accept]),
        AllowanceCase(
            name: "another link only, that is not there", expected: 2,
            rules: [inside + outside + drop, inside + link(.outputName, "tun9") + accept]),
        AllowanceCase(
            name: "one private destination, told by the network", expected: 1,
            rules: [from("10.5.0.0/16") + to("192.168.10.5/32") + accept]),
        AllowanceCase(
            name: "the network by another link", expected: 1,
            rules: [from("10.5.0.0/16") + link(.outputName, "wg0") + accept]),
        AllowanceCase(name: "private destinations for everybody", expected: 1, rules: [to("192.168.0.0/16") + accept]),
        AllowanceCase(name: "pings of the containers alone", expected: 1, rules: [inside + ping + accept]),
        AllowanceCase(
            name: "IPv6 alone", expected: 1,
            rules: [
                inside + [.meta(.networkProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 10))] + accept
            ]),
        AllowanceCase(
            name: "a chain that is filled later", expected: 1, rules: [inside + [.verdict(.jump("later"))]]),
        AllowanceCase(
            name: "some containers by another link", expected: 1,
            rules: [from("10.5.1.0/24") + link(.outputName, "wg0") + accept]),
    ]

    static let others: [AllowanceCase] = [
        AllowanceCase(name: "nothing", rules: []),
        AllowanceCase(name: "answers", rules: [answers]),
        AllowanceCase(name: "pings", rules: [answers, ping + accept]),
        AllowanceCase(name: "traceroutes", rules: [answers, ports(33_434...33_523, protocol: 17) + accept]),
        AllowanceCase(name: "some of everything in a minute", rules: [answers, rate + accept]),
        AllowanceCase(name: "answers that their port tells", rules: [inside + sourcePort(80) + accept]),
        AllowanceCase(name: "a port forward", rules: [to("10.5.0.10/32") + tcp(80) + accept]),
        AllowanceCase(name: "other bridges", rules: [link(.inputName, "virbr0") + tcp(443) + accept]),
        AllowanceCase(name: "other networks", rules: [from("192.168.122.0/24") + accept]),
        AllowanceCase(name: "port forwards", rules: [answers, portForwards + accept]),
        AllowanceCase(
            name: "a published port of another program",
            rules: [
                to("172.17.0.2/32") + link(.outputName, "docker0") + tcp(80) + accept
            ]),
        AllowanceCase(name: "another link's own network", rules: [to("10.9.0.2/32") + accept]),
        AllowanceCase(
            name: "containers among themselves",
            rules: [
                inside + link(.outputName, "lxcbr1") + accept
            ]),
        AllowanceCase(name: "everything, behind the end", rules: [drop, inside + tcp(443) + accept]),
        AllowanceCase(
            name: "one port where nothing is dropped", policy: .accept, rules: [inside + tcp(443) + accept]),
        AllowanceCase(name: "everything", rules: [inside + accept, inside + tcp(443) + accept]),
    ]

    private func found(_ item: AllowanceCase) throws -> String? {
        let table = NftTableName(.inet, "filter")
        let questions = try questions { builder in
            builder.chain(table, "out", nil, item.out)
            builder.chain(table, "later", nil, [])
            builder.chain(
                table, "forward", NftBaseChain(hook: .forward, priority: 0, policy: item.policy), item.rules)
        }
        return try questions.allowance(leavingBy: "up0").map { rule in
            let chain = questions.ruleset.chains[questions.ruleset.rules[rule].chain]
            return "\(chain.name) \(questions.ruleset.rules[rule].number)"
        }
    }

    @Test("are found", arguments: lists) func areFound(item: AllowanceCase) throws {
        #expect(try found(item) == "\(item.out.isEmpty ? "forward" : "out") \(try #require(item.expected))")
    }

    @Test("are not seen where there are none", arguments: others) func areNotSeen(item: AllowanceCase) throws {
        #expect(try found(item) == nil)
    }

    /// What marks the permitted packets stands elsewhere.
    @Test func byMark() throws {
        let mark: [NftExpression] = [.immediate(into: .one, NftValue(host32: 7)), .setMeta(.mark, from: .one)]
        let marked: [NftExpression] = [
            .meta(.mark, into: .one), .compare(.one, .equal, NftValue(host32: 7)), .verdict(.accept),
        ]
        let questions = try questions { builder in
            builder.chain(
                NftTableName(.inet, "mangle"), "prerouting", NftBaseChain(hook: .prerouting, priority: -150),
                [inside + tcp(443) + mark])
            builder.chain(
                NftTableName(.inet, "filter"), "forward",
                NftBaseChain(hook: .forward, priority: 0, policy: .drop), [marked])
        }
        let rule = try #require(try questions.allowance(leavingBy: "up0"))
        #expect(questions.ruleset.chains[questions.ruleset.rules[rule].chain].name == "forward")
    }

    /// A proxy of the host takes what is let out.
    @Test func byProxy() throws {
        let questions = try questions { builder in
            builder.chain(
                NftTableName(.ipv4, "nat"), "prerouting",
                NftBaseChain(type: "nat", hook: .prerouting, priority: -100),
                [inside + tcp(80) + [.immediate(into: .one, NftValue(big16: 3128)), .redirect(flags: 0, ports: nil)]])
            builder.chain(
                NftTableName(.inet, "filter"), "forward",
                NftBaseChain(hook: .forward, priority: 0, policy: .drop), [answers])
        }
        let rule = try #require(try questions.allowance(leavingBy: "up0"))
        #expect(questions.ruleset.chains[questions.ruleset.rules[rule].chain].name == "prerouting")
    }

    /// `expected`: the rule, from 1, in a chain that drops the rest.
    @Test(
        arguments: [
            (link(.outputName, "lxcbr1") + to("10.5.0.10/32") + answers, 1),
            (to("10.5.0.0/24") + answers, 1), (link(.outputName, "lxcbr1") + answers, nil), (answers, nil),
            // Port forwards.
            (to("10.5.0.10/32") + tcp(80) + accept, nil),
            (link(.outputName, "docker0") + to("172.17.0.2/32") + answers, nil),
        ] as [([NftExpression], Int?)])
    func ofAnswers(rule: [NftExpression], expected: Int?) throws {
        let questions = try questions { builder in
            builder.chain(
                NftTableName(.inet, "filter"), "forward",
                NftBaseChain(hook: .forward, priority: 0, policy: .drop), [rule])
        }
        let found = try questions.answersAllowance(comingBy: "up0")
        #expect(found.map { questions.ruleset.rules[$0].number } == expected)
    }

    @Test(
        arguments: [
            ([inside + drop], 1), ([inside + ports(67...67, protocol: 17) + accept, inside + drop], 2),
            ([from("10.5.0.10/32") + ports(53...53, protocol: 17) + accept], 1),
            ([inside + [.other(name: "ether")] + ports(67...67, protocol: 17) + accept], 1),
            // Only some of it is open, and nobody has closed the rest for these containers.
            ([inside + ports(67...67, protocol: 17) + accept], nil), ([answers], nil), ([drop], nil),
            ([link(.inputName, "virbr0") + drop], nil), ([inside + accept], nil),
            ([from("192.0.2.0/24") + tcp(53) + accept], nil),
        ] as [([[NftExpression]], Int?)])
    func ofRequests(rules: [[NftExpression]], expected: Int?) throws {
        let questions = try questions { builder in
            builder.chain(
                NftTableName(.inet, "filter"), "input",
                NftBaseChain(hook: .input, priority: 0, policy: .drop), rules)
        }
        let found = try questions.requestsDecision()
        #expect(found.map { questions.ruleset.rules[$0].number } == expected)
    }
}
