internal import HostModel
package import WireFormats

/// Turns what nfnetlink tells into whether the ruleset has changed, and which tables of it, and passes over the tables of
/// packet proofs.
///
/// Such a table has a name of ours and an owner: nobody else can change it, and it goes without a word when its proof
/// ends. A table with such a name and without an owner hides nothing. Pure.
package struct NftEventReader: Sendable {
    /// The multicast groups to listen to.
    package static let groups = NftEvent.groups
    private static let mostRemembered = 256
    private var tables: Set<NftTableName> = []
    /// The lower half of the generation up to which everything has been heard; nil: of none yet.
    package private(set) var generation: UInt16?

    package init() {}

    package mutating func take(_ messages: [NetlinkMessage]) -> Set<WatchTopic> {
        var touched: Set<WatchTopic> = []
        for message in messages {
            do {
                if let table = changed(try NftEvent(message)) { touched.formUnion([.nftables, .nftTable(table)]) }
            } catch {
                // Whatever it was, nothing that is kept can be relied on.
                touched.insert(.everything)
            }
        }
        return touched
    }

    /// The table that is no longer as it was.
    private mutating func changed(_ event: NftEvent) -> NftTableName? {
        switch event {
        case .other: return nil
        case .generation(let number):
            generation = UInt16(truncatingIfNeeded: number)
            return nil
        case .content(let table): return tables.contains(table) ? nil : table
        case .table(let table, let isNew, let isOwned):
            guard isNew else { return tables.remove(table) == nil ? table : nil }
            guard isOwned, table.name.hasPrefix(ProofNames.tablePrefix) else { return table }
            if tables.count >= Self.mostRemembered { tables = [] }
            tables.insert(table)
            return nil
        }
    }
}
