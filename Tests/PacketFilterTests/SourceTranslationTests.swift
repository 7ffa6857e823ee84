import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// One ruleset and the answer wanted, for 10.5.0.0/16 behind lxcbr1 with the uplink up0 (203.0.113.2).
struct TranslationCase: Sendable, CustomTestStringConvertible {
    var name: String
    var extent: SourceTranslation.Extent
    var defect: SourceTranslation.Defect = .none
    var rule: String?
    var eastWest = false
    var rules: @Sendable (inout RulesetBuilder) throws -> Void

    var testDescription: String { name }
}

/// Builds rulesets as the kernel would list them.
struct RulesetBuilder {
    private var transaction = NftTransaction()
    var legacy: [XtTable] = []
    var sets: [NftSet] = []
    var ipsets: [IPSet] = []

    mutating func chain(_ table: NftTableName, _ name: String, _ base: NftBaseChain?, _ rules: [[NftExpression]]) {
        transaction.newTable(table)
        transaction.newChain(name, in: table, base: base)
        for rule in rules { transaction.newRule(in: name, of: table, rule) }
    }

    mutating func postrouting(_ rules: [NftExpression]...) {
        chain(
            NftTableName(.ipv4, "lxc"), "postrouting",
            NftBaseChain(type: "nat", hook: .postrouting, priority: 100), rules)
    }

    mutating func postrouting(in table: NftTableName, priority: Int32 = 100, _ rules: [NftExpression]...) {
        chain(table, "postrouting", NftBaseChain(type: "nat", hook: .postrouting, priority: priority), rules)
    }

    func build() throws -> Ruleset {
        var tables: [String: [UInt8]] = [:]
        var chains: [[UInt8]] = []
        var rules: [[UInt8]] = []
        for message in try NetlinkMessage.split(transaction.encoded()) {
            switch message.header.type {
            case 0x0a00: tables["\(message.bytes[16]) \(message.tableName)"] = message.bytes
            case 0x0a03: chains.append(message.bytes)
            case 0x0a06: rules.append(message.bytes)
            default: continue
            }
        }
        var nft = NftRuleset()
        try nft.addTables(tables.keys.sorted().compactMap { tables[$0] })
        try nft.addChains(chains)
        try nft.addRules(rules)
        nft.sets = sets
        return Ruleset(nft: nft, legacy: legacy, ipsets: ipsets)
    }
}

extension NetlinkMessage {
    fileprivate var tableName: String {
        String(decoding: bytes.dropFirst(24).prefix { $0 != 0 }, as: UTF8.self)
    }
}

private let subnet = prefix("10.5.0.0/16")
private func prefix(_ text: String) -> IPv4Prefix {
    IPv4Prefix(text) ?? IPv4Prefix("0.0.0.0/0") ?? subnet
}
private let masquerade = NftExpression.masquerade(flags: 0, ports: nil)
private let counter = NftExpression.counter(packets: 0, bytes: 0)
private func from(_ text: String) -> [NftExpression] { NftExpression.source(in: prefix(text)) }
private func to(_ text: String) -> [NftExpression] { NftExpression.destination(in: prefix(text)) }
private func out(_ name: String) throws -> [NftExpression] {
    NftExpression.meta(.outputName, equal: try #require(NftValue(interface: name)))
}
private func input(_ name: String) throws -> [NftExpression] {
    NftExpression.meta(.inputName, equal: try #require(NftValue(interface: name)))
}
private let whole = from("10.5.0.0/16") + NftExpression.destination(notIn: subnet)
private func snat(_ address: String) throws -> [NftExpression] {
    [
        .immediate(into: .one, NftValue(try #require(IPv4Address(address)))),
        .nat(NftNat(kind: .source, addresses: NftRegisterPair(low: .one, high: .one))),
    ]
}
/// `snat to :1024-65535`.
private let portsOnly: [NftExpression] = [
    .immediate(into: .one, NftValue(big16: 1024)), .immediate(into: .two, NftValue(big16: 65535)),
    .nat(NftNat(kind: .source, addresses: nil, ports: NftRegisterPair(low: .one, high: .two), flags: 2)),
]
/// The same of iptables: one range whose only flag is NF_NAT_RANGE_PROTO_SPECIFIED.
private let legacyPortsOnly = XtRule.Target.target(
    XtExtension(
        name: "SNAT", revision: 0, info: [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0xff, 0xff, 0, 0, 0, 0])
)
private let unknownMatch = NftExpression.match(XtExtension(name: "length", revision: 0, info: [0, 0, 0, 0]))
private let xtMasquerade = NftExpression.target(
    XtExtension(name: "MASQUERADE", revision: 0, info: ArraySlice(repeating: 0, count: 24)))
private let raw = NftBaseChain(hook: .prerouting, priority: -300)
private func legacyRule(
    _ source: String, out: String? = nil, _ target: XtRule.Target
) -> XtRule {
    XtRule(
        source: prefix(source).first, sourceMask: prefix(source).netmask, destination: IPv4Address(value: 0),
        destinationMask: IPv4Address(value: 0), input: .any,
        output: out.map { XtInterface(prefix: $0, isWildcard: false) } ?? .any, transport: 0, fragment: false,
        inversions: [], matches: [], target: target)
}
private let legacyMasquerade = XtRule.Target.target(
    XtExtension(name: "MASQUERADE", revision: 0, info: ArraySlice(repeating: 0, count: 24)))
private func legacyNat(_ rules: [XtRule]) -> XtTable {
    XtTable(
        name: "nat", chains: [XtChain(name: "POSTROUTING", hook: .postrouting, policy: .accept, rules: rules)])
}

@Suite struct SourceTranslationTests {
    static let cases: [TranslationCase] = [
        .init(
            name: "lxc-net", extent: .all, rule: "ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade"
        ) { $0.postrouting(whole + [counter, masquerade]) },
        .init(name: "no rules at all", extent: .none, defect: .missing) { _ in },
        .init(name: "empty chain", extent: .none, defect: .missing) { $0.postrouting() },
        .init(name: "inet family", extent: .all) { $0.postrouting(in: NftTableName(.inet, "f"), whole + [masquerade]) },
        .init(name: "ip6 family does not count", extent: .none, defect: .missing) {
            $0.postrouting(in: NftTableName(.ipv6, "f"), [masquerade])
        },
        .init(name: "everything by the right uplink", extent: .all) { $0.postrouting(try out("up0") + [masquerade]) },
        .init(name: "no destination, so containers too", extent: .all, eastWest: true) {
            $0.postrouting(from("10.5.0.0/16") + [masquerade])
        },
        .init(name: "snat to an own address", extent: .all) { $0.postrouting(whole + (try snat("203.0.113.2"))) },
        .init(
            name: "snat to a foreign address", extent: .none, defect: .wrongSource, rule: "snat to 192.0.2.99",
            eastWest: true
        ) {
            $0.postrouting(try snat("192.0.2.99"))
        },
        .init(
            name: "snat to the bridge's own address", extent: .none, defect: .wrongSource, rule: "snat to 10.5.0.1",
            eastWest: true
        ) { $0.postrouting(try snat("10.5.0.1")) },
        .init(name: "snat to loopback", extent: .none, defect: .wrongSource, eastWest: true) {
            $0.postrouting(try snat("127.0.0.1"))
        },
        .init(name: "snat of ports only", extent: .none, defect: .missing) { $0.postrouting(whole + portsOnly) },
        .init(name: "snat of ports only ends it", extent: .none, defect: .shadowed) {
            $0.postrouting(whole + portsOnly, whole + [masquerade])
        },
        .init(
            name: "legacy snat of ports only", extent: .some, defect: .shadowed,
            rule: "-A POSTROUTING -s 10.5.0.0/16 -p tcp -j SNAT --to-source :1024-65535", eastWest: true
        ) {
            var tcp = legacyRule("10.5.0.0/16", legacyPortsOnly)
            tcp.transport = 6
            $0.legacy = [legacyNat([tcp, legacyRule("10.5.0.0/16", legacyMasquerade)])]
        },
        .init(name: "an earlier wrong snat wins", extent: .none, defect: .wrongSource, eastWest: true) {
            $0.postrouting(in: NftTableName(.ipv4, "b"), priority: 100, whole + [masquerade])
            $0.postrouting(in: NftTableName(.ipv4, "a"), priority: 50, try snat("192.0.2.99"))
        },
        .init(
            name: "accept before", extent: .none, defect: .shadowed, rule: "ip saddr 10.5.0.0/16 accept"
        ) { $0.postrouting(from("10.5.0.0/16") + [.verdict(.accept)], whole + [masquerade]) },
        .init(name: "accept in another nat chain", extent: .all) {
            $0.postrouting(in: NftTableName(.ipv4, "a"), priority: 0, [.verdict(.accept)])
            $0.postrouting(whole + [masquerade])
        },
        .init(name: "return in a user chain", extent: .none, defect: .shadowed, rule: "return") {
            $0.chain(
                NftTableName(.ipv4, "lxc"), "user", nil, [[.verdict(.return)], whole + [masquerade]])
            $0.postrouting([.verdict(.jump("user"))])
        },
        .init(name: "by a jump", extent: .all) {
            $0.chain(NftTableName(.ipv4, "lxc"), "user", nil, [whole + [masquerade]])
            $0.postrouting((try out("up0")) + [.verdict(.jump("user"))])
        },
        .init(name: "by a goto", extent: .all) {
            $0.chain(NftTableName(.ipv4, "lxc"), "user", nil, [whole + [masquerade]])
            $0.postrouting([.verdict(.goto("user"))], [.verdict(.drop)])
        },
        .init(name: "after a jump that comes back", extent: .all) {
            $0.chain(NftTableName(.ipv4, "lxc"), "user", nil, [[.verdict(.return)]])
            $0.postrouting([.verdict(.jump("user"))], whole + [masquerade])
        },
        .init(name: "wrong uplink", extent: .none, defect: .wrongInterface, rule: "oifname \"wlan0\" masquerade") {
            $0.postrouting(try out("wlan0") + [masquerade])
        },
        .init(name: "another bridge's rule is not ours", extent: .none, defect: .missing) {
            $0.postrouting(try input("virbr0") + [masquerade])
        },
        .init(name: "another live subnet's rule is not ours", extent: .none, defect: .missing) {
            $0.postrouting(from("172.17.0.0/16") + [masquerade])
        },
        .init(name: "half of the subnet", extent: .some, defect: .wrongSubnet, eastWest: true) {
            $0.postrouting(from("10.5.0.0/17") + [masquerade])
        },
        .init(name: "two halves", extent: .all, eastWest: true) {
            $0.postrouting(from("10.5.0.0/17") + [masquerade], from("10.5.128.0/17") + [masquerade])
        },
        .init(name: "a subnet that no link has", extent: .none, defect: .wrongSubnet) {
            $0.postrouting(from("10.0.3.0/24") + [masquerade])
        },
        .init(name: "some destinations shadowed", extent: .some, defect: .shadowed) {
            $0.postrouting(to("198.51.100.0/24") + [.verdict(.accept)], whole + [masquerade])
        },
        .init(name: "private destinations exempted", extent: .all) {
            $0.postrouting(to("192.168.0.0/16") + [.verdict(.accept)], whole + [masquerade])
        },
        .init(name: "only one protocol", extent: .some, defect: .missing, eastWest: true) {
            $0.postrouting(NftExpression.meta(.transportProtocol, equal: NftValue(byte: 6)) + [masquerade])
        },
        .init(name: "notrack", extent: .none, defect: .notrack, rule: "iifname \"lxcbr1\" notrack") {
            $0.postrouting(whole + [masquerade])
            $0.chain(NftTableName(.ipv4, "r"), "pre", raw, [try input("lxcbr1") + [.notrack]])
        },
        .init(name: "notrack for another bridge", extent: .all) {
            $0.postrouting(whole + [masquerade])
            $0.chain(NftTableName(.ipv4, "r"), "pre", raw, [try input("docker0") + [.notrack]])
        },
        .init(name: "drops in a filter chain", extent: .all) {
            $0.postrouting(whole + [masquerade])
            $0.chain(
                NftTableName(.ipv4, "f"), "post", NftBaseChain(hook: .postrouting, priority: 10),
                [[.verdict(.drop)]])
        },
        .init(name: "dropped in the nat chain", extent: .none, defect: .shadowed, rule: "drop") {
            $0.postrouting([.verdict(.drop)], whole + [masquerade])
        },
        .init(name: "twice is once", extent: .all) { $0.postrouting(whole + [masquerade], whole + [masquerade]) },
        .init(name: "iptables-nft", extent: .all, rule: "-A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE")
        {
            $0.chain(
                NftTableName(.ipv4, "nat"), "POSTROUTING",
                NftBaseChain(type: "nat", hook: .postrouting, priority: 100), [whole + [counter, xtMasquerade]])
        },
        .init(
            name: "iptables-legacy", extent: .all, rule: "-A POSTROUTING -s 10.5.0.0/16 -j MASQUERADE", eastWest: true
        ) {
            $0.legacy = [legacyNat([legacyRule("10.5.0.0/16", legacyMasquerade)])]
        },
        .init(
            name: "legacy accept before", extent: .none, defect: .shadowed,
            rule: "-A POSTROUTING -s 10.5.0.0/16 -j ACCEPT"
        ) {
            $0.legacy = [
                legacyNat([legacyRule("10.5.0.0/16", .verdict(.accept)), legacyRule("10.5.0.0/16", legacyMasquerade)])
            ]
        },
        .init(name: "legacy accept, nft masquerade", extent: .all) {
            $0.postrouting(whole + [masquerade])
            $0.legacy = [legacyNat([legacyRule("0.0.0.0/0", .verdict(.accept))])]
        },
        .init(name: "legacy wrong uplink", extent: .none, defect: .wrongInterface) {
            $0.legacy = [legacyNat([legacyRule("10.5.0.0/16", out: "wlan0", legacyMasquerade)])]
        },
        .init(name: "an unknown match that does not matter", extent: .all) {
            $0.postrouting([unknownMatch] + whole + [masquerade], whole + [masquerade])
        },
        .init(name: "an unknown match of another subnet", extent: .all) {
            $0.postrouting(from("172.17.0.0/16") + [unknownMatch, .verdict(.accept)], whole + [masquerade])
        },
        .init(name: "only new connections", extent: .all) {
            $0.postrouting(
                [
                    .conntrack(.state, direction: nil, into: .one),
                    .bitwise(from: .one, into: .one, mask: NftValue(host32: 8), xor: NftValue(host32: 0)),
                    .compare(.one, .notEqual, NftValue(host32: 0)),
                ] + whole + [masquerade])
        },
        .init(name: "only established connections", extent: .none, defect: .missing) {
            $0.postrouting(
                [
                    .conntrack(.state, direction: nil, into: .one),
                    .bitwise(from: .one, into: .one, mask: NftValue(host32: 2), xor: NftValue(host32: 0)),
                    .compare(.one, .notEqual, NftValue(host32: 0)),
                ] + whole + [masquerade])
        },
    ]

    private func question() throws -> SourceTranslationQuestion {
        SourceTranslationQuestion(
            network: subnet, bridge: .init(name: "lxcbr1", index: 2), uplink: .init(name: "up0", index: 4),
            target: IPv4Address("198.51.100.7"),
            localAddresses: ["127.0.0.1/8", "10.5.0.1/16", "172.17.0.1/16", "203.0.113.2/24"].map(prefix))
    }

    @Test(arguments: cases) func answers(item: TranslationCase) throws {
        var builder = RulesetBuilder()
        try item.rules(&builder)
        let ruleset = try builder.build()
        let answer = try question().answer(ruleset)
        #expect(answer.translated == item.extent)
        #expect(answer.defect == item.defect)
        #expect(answer.eastWest == item.eastWest)
        #expect((answer.counterexample == nil) == (item.extent == .all))
        if let rule = item.rule { #expect(answer.rule.map(ruleset.text(ofRule:)) == rule) }
    }

    @Test func exemptionsAreNamed() throws {
        var builder = RulesetBuilder()
        builder.postrouting(to("192.168.0.0/16") + [.verdict(.accept)], whole + [masquerade])
        #expect(try question().answer(builder.build()).exempted.map(\.description) == ["192.168.0.0/16"])
    }

    @Test func exemptionAroundTheSubnetIsOnePrefix() throws {
        var builder = RulesetBuilder()
        builder.postrouting(from("10.5.0.0/16") + NftExpression.destination(notIn: prefix("10.0.0.0/8")) + [masquerade])
        #expect(try question().answer(builder.build()).exempted.map(\.description) == ["10.0.0.0/8"])
    }

    /// Thousands of service chains that decide nothing, with a match that is not known.
    @Test func manyServiceChainsDoNotDivideThePackets() throws {
        var builder = RulesetBuilder()
        let table = NftTableName(.ipv4, "nat")
        let base = NftBaseChain(type: "nat", hook: .postrouting, priority: 100)
        var jumps: [[NftExpression]] = []
        for index in 0..<5000 {
            builder.chain(table, "SVC-\(index)", nil, [[unknownMatch, .verdict(.return)]])
            let address = IPv4Address(value: 0x0a60_0000 + UInt32(index) * 2)
            jumps.append(
                NftExpression.bytes(.network, at: 16, equal: NftValue(address)) + [.verdict(.jump("SVC-\(index)"))])
        }
        builder.chain(table, "POSTROUTING", base, jumps + [whole + [masquerade]])
        #expect(try question().answer(builder.build()).translated == .all)
    }

    @Test func privateTargetIsNoExemption() throws {
        var builder = RulesetBuilder()
        builder.postrouting(to("192.168.0.0/16") + [.verdict(.accept)], whole + [masquerade])
        var question = try question()
        question.target = IPv4Address("192.168.1.1")
        let answer = try question.answer(builder.build())
        #expect(answer.translated == .some)
        #expect(answer.defect == .shadowed)
    }

    @Test func unknownMatchThatMattersIsUndecided() throws {
        var builder = RulesetBuilder()
        builder.postrouting([unknownMatch, .verdict(.accept)], whole + [masquerade])
        let ruleset = try builder.build()
        #expect(throws: UndecidedTranslation.unknownConditions(["match length"])) { try question().answer(ruleset) }
    }

    @Test func anAddressThatCannotBeToldIsUndecided() throws {
        var builder = RulesetBuilder()
        builder.postrouting(
            whole + [
                .loaded(name: "hash", into: .one),
                .nat(NftNat(kind: .source, addresses: NftRegisterPair(low: .one, high: .one))),
            ])
        let ruleset = try builder.build()
        #expect(throws: UndecidedTranslation.self) { try question().answer(ruleset) }
    }

    /// It may translate to anything, or let packets out as they are.
    @Test func aTargetThatIsNotKnownIsUndecidedAheadOfAnotherToo() throws {
        var builder = RulesetBuilder()
        let unknown = NftExpression.target(XtExtension(name: "FULLCONENAT", revision: 0, info: []))
        builder.postrouting(whole + [unknown], whole + [masquerade])
        let ruleset = try builder.build()
        #expect(throws: UndecidedTranslation.self) { try question().answer(ruleset) }
    }

    @Test func anAddressOfAnotherBridgeIsUndecided() throws {
        var builder = RulesetBuilder()
        builder.postrouting(try snat("172.17.0.1"))
        let ruleset = try builder.build()
        var question = try question()
        #expect(try question.answer(ruleset).translated == .all)
        question.inward = IntervalSet(prefix("172.17.0.1/32"))
        #expect(throws: UndecidedTranslation.self) { try question.answer(ruleset) }
    }

    /// An uplink without an address borrows one (inet_select_addr): here that of the bridge.
    @Test func whatMasqueradingBorrowsCounts() throws {
        var host = try practiceHost()
        let position = try #require(host.links.firstIndex { $0.name == "up0" })
        host.links[position].addresses = []
        let rules: @Sendable (inout RulesetBuilder) throws -> Void = { $0.postrouting(whole + [masquerade]) }
        let borrowing = try questions(host, rules).answer(.translated)
        #expect(borrowing.verdict == .counterexample, "\(borrowing)")
        #expect(
            borrowing.reason
                == "it leaves by up0 as 10.5.0.1, an address of the containers' own subnet, to which no answer comes")
        // One for all, on no link in particular, is borrowed on purpose.
        host.links[0].addresses.append(.init(prefix("10.255.0.1/32")))
        #expect(try questions(host, rules).answer(.translated).verdict == .proven)
        host.links[0].addresses.removeLast()
        host.links.insert(
            .init(index: 9, name: "docker0", kind: "bridge", addresses: [.init(prefix("172.17.0.1/16"))]), at: 1)
        let other = try questions(host, rules).answer(.translated)
        #expect(other.verdict == .undecided && other.reason?.contains("172.17.0.1") == true, "\(other)")
    }

    @Test func markCountsOnlyWhereSomethingSetsIt() throws {
        var builder = RulesetBuilder()
        let unmarked = NftExpression.meta(.mark, equal: NftValue(host32: 0))
        builder.postrouting(unmarked + whole + [masquerade])
        #expect(try question().answer(builder.build()).translated == .all)
        builder.chain(
            NftTableName(.ipv4, "m"), "pre", NftBaseChain(hook: .prerouting, priority: -150),
            [[.immediate(into: .one, NftValue(host32: 1)), .setMeta(.mark, from: .one)]])
        // Every packet has it by then.
        let answer = try question().answer(builder.build())
        #expect(answer.translated == .none)
        #expect(answer.defect == .missing)
    }

    /// The kernel refuses loops; a recording may hold one.
    @Test func jumpLoopEnds() throws {
        var builder = RulesetBuilder()
        builder.chain(NftTableName(.ipv4, "lxc"), "a", nil, [[.verdict(.jump("b"))]])
        builder.chain(NftTableName(.ipv4, "lxc"), "b", nil, [[.verdict(.jump("a"))]])
        builder.postrouting([.verdict(.jump("a"))])
        let ruleset = try builder.build()
        #expect(throws: UndecidedTranslation.self) { try question().answer(ruleset) }
    }

    @Test func backendsAndMakersAreNamed() throws {
        var builder = RulesetBuilder()
        builder.postrouting(whole + [masquerade])
        builder.legacy = [legacyNat([])]
        let ruleset = try builder.build()
        #expect(ruleset.backends == [.nft, .iptablesLegacy])
        #expect(try question().answer(ruleset).makers.map { ruleset.tables[$0].description } == ["ip lxc"])
    }
}
