/// Finds the chain that a rule's message names. The kernel lists the rules of one chain after the other, in the order in
/// which it lists the chains: so names are compared as bytes, with this chain and the next ones, before any text is made
/// of them.
struct ChainFinder {
    private struct Key: Hashable {
        var table: NftTableName
        var chain: String
    }

    /// How many chains without a rule may lie between two with some.
    private static let reach = 8

    private let chains: [NftChain]
    private var last = 0
    /// Made when it is first needed.
    private var indices: [Key: Int] = [:]

    init(_ chains: [NftChain]) {
        self.chains = chains
    }

    /// - Parameter bytes: in which both names lie.
    mutating func index(of place: RuleScan.Place, _ bytes: UnsafeRawBufferPointer) throws(WireError) -> Int {
        for index in last..<min(chains.count, last + Self.reach) where Self.holds(chains[index], place, bytes) {
            last = index
            return index
        }
        if indices.isEmpty {
            indices.reserveCapacity(chains.count)
            for (index, chain) in chains.enumerated() { indices[Key(table: chain.table, chain: chain.name)] = index }
        }
        let key = Key(
            table: NftTableName(NftFamily(rawValue: place.family), Self.text(bytes, place.table)),
            chain: Self.text(bytes, place.chain))
        guard let found = indices[key] else {
            throw WireError(.malformed, "rule of chain \(key.chain), which is not listed")
        }
        last = found
        return found
    }

    private static func holds(_ chain: NftChain, _ place: RuleScan.Place, _ bytes: UnsafeRawBufferPointer) -> Bool {
        chain.table.family.rawValue == place.family && equals(chain.name, bytes, place.chain)
            && equals(chain.table.name, bytes, place.table)
    }

    /// Whether an attribute holds just this text, with its NUL.
    private static func equals(_ text: String, _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        let count = text.utf8.count
        guard range.count == count + 1, bytes[range.lowerBound + count] == 0 else { return false }
        return text.utf8.elementsEqual(bytes[range.lowerBound..<range.lowerBound + count])
    }

    private static func text(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self)
    }
}
