import HostModel
import Testing

@testable import WireFormats

@Suite struct NftablesDecodingTests {
    @Test func rulesKeepTheirOrderAndTheirExpressions() throws {
        let ruleset = try decode([[.masquerade(flags: 0, ports: nil)], [], [.notrack, .verdict(.accept)]])
        #expect(ruleset.tables.map(\.name.description) == ["ip t"])
        #expect(ruleset.chains[0].base?.priority == 100)
        #expect(ruleset.chains[0].base?.type == "nat")
        #expect(ruleset.rules.map { ruleset.expressions(of: $0).count } == [1, 0, 2])
        #expect(Array(ruleset.expressions(of: ruleset.rules[2])) == [.notrack, .verdict(.accept)])
    }

    @Test func flowtablesAreRead() throws {
        var builder = NetlinkAttributeBuilder(header: [2, 0, 0, 0])
        builder.append(1, text: "t")
        builder.append(2, text: "fast")
        builder.nest(3) { hook in
            hook.append(1, network: UInt32(0))
            hook.append(2, network: UInt32(5))
            hook.nest(3) { devices in
                devices.append(1, text: "up0")
                devices.append(1, text: "up1")
            }
        }
        let message = NetlinkMessage(type: 0x0a16, flags: 0, payload: builder.bytes)
        var ruleset = NftRuleset()
        try ruleset.addFlowtables([message.bytes])
        #expect(
            ruleset.flowtables == [
                NftFlowtable(
                    table: NftTableName(.ipv4, "t"), name: "fast", priority: 5, devices: ["up0", "up1"])
            ])
        #expect(
            try decode([[.other(name: "flow_offload")]]).rules[0].traits == [
                .offloads, .usesConntrack, .isBeyondIptables,
            ])
    }

    /// What a rule may do is seen without reading it.
    @Test func traitsAreSeen() throws {
        func traits(_ expressions: [NftExpression]) throws -> NftRule.Traits {
            try decode([expressions]).rules[0].traits
        }
        func xt(_ name: String) -> XtExtension { XtExtension(name: name, revision: 1, info: [0, 0, 0, 0]) }
        #expect(try traits([.meta(.mark, into: .one)]) == [])
        #expect(try traits([.setMeta(.mark, from: .one)]) == .changesMarks)
        #expect(
            try traits([.setConntrack(.mark, from: .one)]) == [
                .changesMarks, .usesConntrack, .setsZones, .isBeyondIptables,
            ])
        #expect(try traits([.target(xt("TCPMSS"))]) == .writesOptions)
        #expect(try traits([.target(xt("CHECKSUM"))]) == .writesHeaders)
        #expect(try traits([.target(xt("CT"))]) == .setsZones)
        #expect(
            try traits([.setPayload(base: .transport, offset: 6, length: 2, from: .one)]) == [
                .writesHeaders, .isBeyondIptables,
            ])
        #expect(try traits([.payload(base: .transport, offset: 6, length: 2, into: .one)]) == [])
        #expect(try traits([.target(xt("MARK"))]) == .changesMarks)
        #expect(try traits([.target(xt("CONNMARK"))]) == [.changesMarks, .usesConntrack])
        #expect(try traits([.target(xt("SET"))]) == .usesIPSets)
        #expect(try traits([.match(xt("set"))]) == .usesIPSets)
        #expect(try traits([.match(xt("conntrack"))]) == .usesConntrack)
        #expect(try traits([.lookup(set: "s", from: .one, into: nil, inverted: false)]) == .usesSets)
        #expect(try traits([.redirect(flags: 0, ports: nil)]) == [.translates, .isBeyondIptables])
        #expect(try traits([.target(xt("DNAT"))]) == .translates)
        #expect(try traits([.target(xt("NETMAP"))]) == [.translates, .translatesSource])
        #expect(try traits([.target(xt("SNAT"))]) == .translatesSource)
        #expect(try traits([.target(xt("MASQUERADE"))]) == .translatesSource)
        let masquerade = NftExpression.masquerade(flags: 0, ports: nil)
        #expect(try traits([masquerade, .verdict(.accept)]) == [.translatesSource, .isBeyondIptables])
        #expect(try traits([.reject(type: 0, code: 3)]) == .isBeyondIptables)
        #expect(try traits([.notrack]) == .isBeyondIptables)
        #expect(try traits([.other(name: "numgen")]) == .isBeyondIptables)
        let plain = NftExpression.source(in: try #require(IPv4Prefix("10.5.0.0/17"))) + [.counter(packets: 0, bytes: 0)]
        #expect(try traits(plain + [.match(xt("comment")), .verdict(.accept)]) == [])
        #expect(try traits(plain + [.verdict(.drop)]) == .ends)
        for verdict in [NftVerdict.queue, .other(5), .other(-6)] { #expect(try traits([.verdict(verdict)]) == .ends) }
        for verdict in [NftVerdict.continue, .break, .return, .jump("c"), .goto("c")] {
            #expect(try traits([.verdict(verdict)]) == [], "\(verdict)")
        }
        #expect(try traits([.immediate(into: .one, NftValue(host32: 0))]) == [])
    }

    /// Rules of a large dump stand in one piece of memory, with others before and behind them.
    @Test func rulesAreReadWhereTheyLieInAChunk() throws {
        let rules = try messages([[.notrack], [.masquerade(flags: 0, ports: nil)], [.verdict(.drop)]])[3...5]
        var dump = NetlinkMessages()
        var chunk = [UInt8](repeating: 0xff, count: 12)
        for rule in rules {
            dump.note(chunk.count..<chunk.count + rule.bytes.count)
            chunk += rule.bytes
        }
        dump.close(chunk + [0xff, 0xff])
        var ruleset = try decode([])
        try ruleset.addRules(dump)
        #expect(
            ruleset.rules.map { Array(ruleset.expressions(of: $0)) } == [
                [.notrack], [.masquerade(flags: 0, ports: nil)], [.verdict(.drop)],
            ])
        // One that says that it is longer than its place is refused, whatever lies behind it.
        dump.note(0..<rules[3].bytes.count - 4)
        dump.close(rules[3].bytes)
        #expect(throws: WireError.self) { try ruleset.addRules(dump) }
    }

    /// The kernel lists rules in the order of their chains, some of which have none.
    @Test func everyRuleFindsItsChain() throws {
        var batch = NftTransaction()
        let table = NftTableName(.ipv4, "t")
        let names = (0..<40).map { "chain-\($0)" }
        for name in names { batch.newChain(name, in: table, base: nil) }
        // Forward by less and by more than is looked ahead, and back.
        let order = [0, 0, 1, 9, 30, 39, 2, 2, 39]
        for index in order { batch.newRule(in: names[index], of: table, [.notrack]) }
        batch.newRule(in: "chain-3", of: NftTableName(.inet, "t"), [.notrack])
        let messages = try NetlinkMessage.split(batch.encoded()).dropFirst().dropLast().map(\.bytes)
        var ruleset = NftRuleset()
        try ruleset.addChains(Array(messages.prefix(40)))
        try ruleset.addRules(Array(messages.dropFirst(40).dropLast()))
        #expect(ruleset.rules.map(\.chain) == order)
        #expect(throws: WireError.self) { try ruleset.addRules(Array(messages.suffix(1))) }
    }

    @Test func theAddressThatARuleBeginsWithIsKept() throws {
        let load = NftExpression.payload(base: .network, offset: 16, length: 4, into: .one)
        let same = NftExpression.compare(.one, .equal, NftValue(big32: 0x0a60_0001))
        let rules = try decode([
            [load, same, .verdict(.accept)], [load, .compare(.one, .notEqual, NftValue(big32: 1))],
            [.payload(base: .network, offset: 12, length: 2, into: .one), same],
            [.payload(base: .transport, offset: 16, length: 4, into: .one), same], [same, load],
            [load, .compare(.two, .equal, NftValue(big32: 1))],
        ]).rules
        #expect(rules[0].address == NftRule.AddressTest(isSource: false, address: 0x0a60_0001))
        #expect(rules.dropFirst().allSatisfy { $0.address == nil })
        let transport: [NftExpression] = [
            .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 6)),
        ]
        #expect(try decode([transport + [load, same]]).rules[0].address?.address == 0x0a60_0001)
        // What a rule does before the test, it does to every packet.
        #expect(try decode([[.setMeta(.mark, from: .two), load, same]]).rules[0].address == nil)
    }

    /// What cannot be decoded ends the rule, by name, where it is met.
    @Test func aBrokenExpressionIsNotKnown() throws {
        var message = try messages([[.conntrack(.state, direction: nil, into: .one), .verdict(.accept)]])[3].bytes
        // NFTA_CT_DREG becomes too short.
        let key = try #require(message.firstRange(of: [8, 0, 1, 0]))
        message[key.lowerBound] = 5
        var ruleset = try decode([])
        try ruleset.addRules([message])
        let found = Array(ruleset.expressions(of: ruleset.rules[0]))
        #expect(found.count == 1, "\(found)")
        guard case .other(let name)? = found.first else {
            Issue.record("\(found)")
            return
        }
        #expect(name.hasPrefix("malformed"))
    }

    @Test func ruleOfAnUnlistedChainIsAnError() throws {
        let messages = try messages([[.notrack]])
        var ruleset = NftRuleset()
        #expect(throws: WireError.self) { try ruleset.addRules([messages[3].bytes]) }
    }

    @Test func commentComesFromUserData() {
        #expect(NftRuleset.comment(in: [0, 3, 0x68, 0x69, 0]) == "hi")
        #expect(NftRuleset.comment(in: [7, 1, 0xff, 0, 2, 0x61, 0]) == "a")
        for broken in [[0], [0, 9, 1], [], [0, 255]] as [ArraySlice<UInt8>] {
            #expect(NftRuleset.comment(in: broken) == "")
        }
    }

    /// Cut anywhere, with the length patched so that the cut is not simply seen in the header: an error or a value,
    /// never a trap.
    @Test func everyPrefixOfARuleIsSurvived() throws {
        let whole = try messages([NftablesTransactionTests.expressions])[3].bytes
        var errors = 0
        for length in 0..<whole.count {
            var cut = Array(whole[..<length])
            if length >= 4 {
                cut.replaceSubrange(0..<4, with: withUnsafeBytes(of: UInt32(length)) { Array($0) })
            }
            var ruleset = try decode([])
            do { try ruleset.addRules([cut]) } catch { errors += 1 }
        }
        #expect(errors > whole.count / 2)
    }

    /// Every byte set to its extremes: lengths that point outside, types that do not exist.
    @Test(arguments: [0x00, 0x01, 0x7f, 0xff] as [UInt8])
    func everyChangedByteOfARuleIsSurvived(value: UInt8) throws {
        let whole = try messages([NftablesTransactionTests.expressions])[3].bytes
        let empty = try decode([])
        var refused = 0
        for index in 16..<whole.count {
            var changed = whole
            changed[index] = value
            var ruleset = empty
            do {
                try ruleset.addRules([changed])
                #expect(ruleset.rules.count == 1)
            } catch { refused += 1 }
        }
        #expect(refused > 0)
    }

    @Test(arguments: [0, 1, 2]) func everyPrefixOfTablesAndChainsIsSurvived(kind: Int) throws {
        let whole = try messages([[]])[1 + min(kind, 1)].bytes
        for length in 0..<whole.count {
            var cut = Array(whole[..<length])
            if length >= 4 {
                cut.replaceSubrange(0..<4, with: withUnsafeBytes(of: UInt32(length)) { Array($0) })
            }
            var ruleset = NftRuleset()
            #expect(throws: (any Error).self, "\(length)") {
                switch kind {
                case 0: try ruleset.addTables([cut + []])
                case 1: try ruleset.addChains([cut])
                default: try ruleset.addSets([cut])
                }
                // A cut at the end of an attribute may leave a whole message; then it is one row.
                if !ruleset.tables.isEmpty || !ruleset.chains.isEmpty || !ruleset.sets.isEmpty {
                    throw WireError(.truncated, "row")
                }
            }
        }
    }
}
