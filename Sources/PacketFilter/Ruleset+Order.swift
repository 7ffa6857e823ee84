internal import WireFormats

/// Base chains of equal priority at one hook.
extension Ruleset {
    /// More tables than these that stand at the same places, and nothing is said of sets of packets.
    private static let mostTables = 8

    /// Of equal priority, what was registered last runs first (nf_hook_entries_grow): of one table the later chain.
    func runsBefore(_ left: Int, _ right: Int) -> Bool {
        func key(_ chain: Int) -> (Int32, Int, Int) {
            (chains[chain].base?.priority ?? 0, chains[chain].table == latestTable ? 0 : 1, -chain)
        }
        return key(left) < key(right)
    }

    /// The ruleset once for each table that may have been made last, of those whose order matters; the ruleset itself
    /// where none does.
    func orders() throws(WalkLimit) -> [Ruleset] {
        guard latestTable == nil else { return [self] }
        guard tiedTables.count <= Self.mostTables else {
            throw WalkLimit(
                reason: "more than \(Self.mostTables) tables have chains of equal priority, and their order matters")
        }
        return tiedTables.isEmpty
            ? [self]
            : tiedTables.map { table in
                var copy = self
                copy.latestTable = table
                return copy
            }
    }

    /// The tables whose order decides something, in words.
    var tiedNames: String { tiedTables.map { tables[$0].description }.joined(separator: ", ") }

    /// Tables with chains of equal priority at one hook that both may translate, or of which one changes what the other
    /// may look at.
    func findTies() -> [Int] {
        struct Place: Hashable {
            var hook: NftHook
            var priority: Int32
            var translates: Bool
        }
        var places: [Place: Set<Int>] = [:]
        for chain in chains where !chain.rules.isEmpty {
            guard let base = chain.base, !tables[chain.table].dormant,
                [.ipv4, .inet].contains(tables[chain.table].name.family)
            else { continue }
            places[Place(hook: base.hook, priority: base.priority, translates: base.type == "nat"), default: []]
                .insert(chain.table)
        }
        var tied: Set<Int> = []
        var changing: Set<Int>?
        for (place, tables) in places where tables.count > 1 {
            if !place.translates {
                let known = changing ?? tablesThatChange()
                changing = known
                if tables.isDisjoint(with: known) { continue }
            }
            tied.formUnion(tables)
        }
        return tied.sorted()
    }

    /// Tables with a rule that gives marks or zones, keeps packets from being tracked, or writes into them.
    private func tablesThatChange() -> Set<Int> {
        Set(
            rules.indices.lazy.filter { !self.traits(ofRule: $0).isDisjoint(with: [.changesMarks, .setsZones]) }.map {
                self.chains[self.rules[$0].chain].table
            })
    }
}
