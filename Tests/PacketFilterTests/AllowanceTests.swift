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
private let ping: [NftExpression] = [
    .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 1)),
]
/// `ct status dnat`.
private let portForwards: [NftExpression] = [
    .conntrack(.status, direction: nil, into: .one),
    .bitwise(from: .one, into: .one, mask: NftValue(host32: 32), xor: NftValue(host32: 0)),
    .compare(.one, .notEqual, NftValue(host32: 0)),
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
            name: "some containers by another link", expected: 1,
            rules: [from("10.5.1.0/24") + link(.outputName, "wg0") + accept]),
    ]

    static let others: [AllowanceCase] = [
        AllowanceCase(name: "nothing", rules: []),
        AllowanceCase(name: "answers", rules: [answers]),
        AllowanceCase(name: "pings", rules: [answers, ping + accept, inside + ping + accept]),
        AllowanceCase(name: "other bridges", rules: [link(.inputName, "virbr0") + tcp(443) + accept]),
        AllowanceCase(name: "other networks", rules: [from("192.168.122.0/24") + accept]),
        AllowanceCase(name: "port forwards", rules: [answers, portForwards + accept]),
        AllowanceCase(
            name: "a published port of another program",
            rules: [
                to("172.17.0.2/32") + link(.outputName, "docker0") + tcp(80) + accept
            ]),
        AllowanceCase(name: "another program's own network", rules: [to("10.244.0.0/16") + accept]),
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
}
