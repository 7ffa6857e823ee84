import HostModel
import Testing

@testable import WireFormats

@Suite struct NftablesTransactionTests {
    /// The batch that Linux 6.18 accepted, and that `nft list table ip lxc-doctor` then showed as
    /// `ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter packets 0 bytes 0 masquerade` in a chain of
    /// `type nat hook postrouting priority srcnat; policy accept;`. Little-endian.
    private let accepted = """
        1c0000001000010005000000000000000000000a 0800010000000007
        2c000000000a05060600000000000000 02000000 0f0001006c78632d646f63746f720000 0800020000000000
        58000000030a05040700000000000000 02000000 0f0001006c78632d646f63746f720000
        10000300706f7374726f7574696e6700 1400048008000100000000040800020000000064
        0800050000000001 080007006e617400
        c0010000060a050c0800000000000000 02000000 0f0001006c78632d646f63746f720000
        10000200706f7374726f7574696e6700 8c010480
        340001800c0001007061796c6f616400 240002800800010000000001080002000000000108000300 0000000c0800040000000004
        440001800c0001006269747769736500 340002800800010000000001080002000000000108000300 00000004
        0c00048008000100ffff0000 0c0005800800010000000000
        2c00018008000100636d7000 200002800800010000000001 0800020000000000 0c000380080001000a050000
        340001800c0001007061796c6f616400 240002800800010000000001080002000000000108000300 000000100800040000000004
        440001800c0001006269747769736500 340002800800010000000001080002000000000108000300 00000004
        0c00048008000100ffff0000 0c0005800800010000000000
        2c00018008000100636d7000 200002800800010000000001 0800020000000001 0c000380080001000a050000
        2c0001800c000100636f756e74657200 1c0002800c000100 0000000000000000 0c000200 0000000000000000
        1400018009000100 6d61737100000000 04000280
        140000001100010009000000000000000000000a
        """

    @Test func translationTableIsWhatTheKernelAccepted() throws {
        let transaction = NftTransaction.translationTable(
            "lxc-doctor", network: try #require(IPv4Prefix("10.5.0.1/16")), generation: 7)
        #expect(transaction.encoded(firstSequence: 5) == bytes(accepted))
        #expect(transaction.messageCount == 3)
        #expect(!transaction.overflowed)
    }

    @Test func withoutGenerationTheBatchNamesNone() throws {
        let messages = try NetlinkMessage.split(NftTransaction.deletion(of: NftTableName(.ipv4, "x")).encoded())
        #expect(messages.map(\.header.type) == [0x10, 0x0a02, 0x11])
        #expect(messages[0].bytes.count == 20)
        #expect(messages.map(\.header.sequence) == [1, 2, 3])
    }

    @Test func tooLongANameIsNotSent() {
        var transaction = NftTransaction()
        transaction.newTable(NftTableName(.ipv4, String(repeating: "x", count: 70_000)))
        #expect(transaction.overflowed)
    }

    /// What the encoder writes has the shape of the kernel's own dump, so the decoder must read it back.
    static let expressions: [NftExpression] = [
        .payload(base: .transport, offset: 8, length: 8, into: .two),
        .bitwise(from: .one, into: .two, mask: NftValue(big32: 0xffff_0000), xor: NftValue(big32: 1)),
        .compare(.two, .greaterOrEqual, NftValue(big16: 1024)),
        .range(.one, inverted: true, from: NftValue(big16: 1), through: NftValue(big16: 99)),
        .byteOrder(from: .one, into: .one, size: 2, length: 4),
        .immediate(into: .one, NftValue(IPv4Address(value: 0xcb00_7102))),
        .verdict(.accept), .verdict(.drop), .verdict(.return), .verdict(.continue), .verdict(.jump("user")),
        .verdict(.goto("user")), .lookup(set: "s", from: .one, into: nil, inverted: true),
        .lookup(set: "m", from: .one, into: .verdict, inverted: false), .meta(.outputName, into: .one),
        .setMeta(.trace, from: .one), .conntrack(.state, direction: nil, into: .one),
        .conntrack(NftConntrackKey(rawValue: 8), direction: 1, into: .one), .setConntrack(.mark, from: .one),
        .masquerade(flags: 4, ports: NftRegisterPair(low: .one, high: .two)), .masquerade(flags: 0, ports: nil),
        .nat(NftNat(kind: .source, addresses: NftRegisterPair(low: .one, high: .one), flags: 1)),
        .redirect(flags: 0, ports: nil), .reject(type: 0, code: 3), .counter(packets: 5, bytes: 1 << 40),
        .log(NftLog(prefix: "fence", group: 79, snapLength: 128)), .log(NftLog()),
        .limit(NftLimit(rate: 10, unit: 1, burst: 5, ofBytes: false, inverted: true)), .notrack,
        .fib(result: .addressType, flags: 2, into: .one),
        .match(XtExtension(name: "comment", revision: 0, info: [1, 2, 3, 4])),
        .target(XtExtension(name: "MASQUERADE", revision: 0, info: [0, 0, 0, 0])), .other(name: "quota"),
    ]

    @Test(arguments: expressions) func expressionRoundTrips(expression: NftExpression) throws {
        let ruleset = try decode([[expression]])
        #expect(Array(ruleset.expressions(of: ruleset.rules[0])) == [expression])
    }

    /// Another flag than the first one, which no kernel sets yet.
    @Test(arguments: [UInt32(0), 1, 2, 3]) func onlyTheFirstFlagInverts(flags: UInt32) throws {
        var builder = NetlinkAttributeBuilder()
        builder.append(1, text: "lookup")
        builder.nest(2) { data in
            data.append(1, text: "s")
            data.append(2, network: NftRegister.one.rawValue)
            data.append(5, network: flags)
        }
        #expect(
            try NftExpression(decoding: builder.bytes, 0..<builder.bytes.count)
                == .lookup(set: "s", from: .one, into: nil, inverted: flags & 1 == 1))
    }

    @Test func valuesKeepTheirOrder() {
        #expect(NftValue(interface: "lxcbr1")?.bytes == Array("lxcbr1".utf8) + [UInt8](repeating: 0, count: 10))
        #expect(NftValue(interface: "sixteen-bytes-ab") == nil)
        #expect(NftValue(host32: 8).host32 == 8)
        #expect(NftValue(big16: 0x0102).bytes == [1, 2])
        #expect(NftValue((0..<17).map { UInt8($0) }) == nil)
        #expect(NftValue((0..<16).map { UInt8($0) })?.bytes == Array(0..<16))
    }

    private func bytes(_ text: String) -> [UInt8] {
        let digits = text.filter(\.isHexDigit)
        return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
        }
    }
}

/// The messages of one table `ip t` with one chain `c` and these rules.
func messages(_ rules: [[NftExpression]]) throws -> [NetlinkMessage] {
    var transaction = NftTransaction()
    let table = NftTableName(.ipv4, "t")
    transaction.newTable(table)
    transaction.newChain("c", in: table, base: NftBaseChain(type: "nat", hook: .postrouting, priority: 100))
    for rule in rules { transaction.newRule(in: "c", of: table, rule) }
    return try NetlinkMessage.split(transaction.encoded())
}

func decode(_ rules: [[NftExpression]]) throws -> NftRuleset {
    let messages = try messages(rules)
    var ruleset = NftRuleset()
    try ruleset.addTables([messages[1].bytes])
    try ruleset.addChains([messages[2].bytes])
    try ruleset.addRules(messages[3..<messages.count - 1].map(\.bytes))
    return ruleset
}
