import HostModel
import Testing

@testable import PacketFilter

@Suite struct IntervalSetTests {
    private func prefix(_ text: String) throws -> IntervalSet {
        IntervalSet(try #require(IPv4Prefix(text)))
    }

    @Test func touchingRangesBecomeOne() {
        #expect(IntervalSet([5...9, 0...4, 20...30, 25...26]).ranges == [0...9, 20...30])
        #expect(IntervalSet([0...UInt32.max, 3...4]) == .all)
    }

    @Test(arguments: [IntervalSet.all, .empty, IntervalSet(0...0), IntervalSet([1...2, 7...UInt32.max])])
    func complementIsItsOwnInverse(set: IntervalSet) {
        #expect(set.complement.complement == set)
        #expect(set.intersection(set.complement).isEmpty)
        #expect(set.union(set.complement) == .all)
    }

    @Test func subtractionLeavesPrefixes() throws {
        let rest = try prefix("10.5.0.0/16").subtracting(try prefix("10.5.0.0/17"))
        #expect(rest.prefixes().map(\.description) == ["10.5.128.0/17"])
        #expect(try prefix("10.5.0.0/24").isSubset(of: try prefix("10.5.0.0/16")))
        #expect(try prefix("10.5.0.0/16").isDisjoint(with: try prefix("10.6.0.0/16")))
        #expect(IntervalSet.all.prefixes().map(\.description) == ["0.0.0.0/0"])
        #expect(IntervalSet(1...6).prefixes().map(\.length) == [32, 31, 31, 32])
    }

    @Test func boxesSplitWithoutOverlap() throws {
        let box = PacketBox(source: try prefix("10.5.0.0/16"))
        let hole = PacketBox(
            source: try prefix("10.5.3.0/24"), destination: try prefix("8.0.0.0/8"), transport: IntervalSet(6...6))
        let rest = box.subtracting(hole)
        #expect(rest.count == 3)
        for (index, left) in rest.enumerated() {
            #expect(left.intersection(hole) == nil)
            for right in rest[(index + 1)...] { #expect(left.intersection(right) == nil) }
        }
        #expect(PacketBox.subtract(rest + [hole], from: [box]) == [])
        #expect(box.subtracting(PacketBox()) == [])
    }
}
