internal import HostModel
package import WireFormats

/// Turns what nfnetlink tells into whether the ruleset has changed, and passes over the tables of packet proofs.
///
/// Such a table has a name of ours and an owner: nobody else can change it, and it goes without a word when its proof
/// ends. A table with such a name and without an owner hides nothing. Pure.
package struct NftEventReader: Sendable {
    /// The multicast groups to listen to.
    package static let groups = NftEvent.groups
    private static let mostRemembered = 256
    private var tables: Set<NftTableName> = []

    package init() {}

    package mutating func take(_ messages: [NetlinkMessage]) -> Set<WatchTopic> {
        var touched: Set<WatchTopic> = []
        for message in messages {
            do {
                if isChange(try NftEvent(message)) { touched.insert(.nftables) }
            } catch {
                touched.insert(.nftables)
            }
        }
        return touched
    }

    private mutating func isChange(_ event: NftEvent) -> Bool {
        switch event {
        case .generation, .other: return false
        case .content(let table): return !tables.contains(table)
        case .table(let table, let isNew, let isOwned):
            guard isNew else { return tables.remove(table) == nil }
            guard isOwned, table.name.hasPrefix(ProofNames.tablePrefix) else { return true }
            if tables.count >= Self.mostRemembered { tables = [] }
            tables.insert(table)
            return false
        }
    }
}
