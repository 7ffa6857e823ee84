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
