internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import WireFormats

/// Reads the ruleset of every backend: nftables (iptables-nft with it), and those tables of iptables-legacy that
/// are loaded already. Nothing is created by looking.
struct RulesetState {
    let host: any Host

    func ruleset() throws(ObservationFailure) -> Ruleset {
        guard let recording = host as? RecordingHost else { return try read() }
        return try recording.derived("ruleset") { () throws(ObservationFailure) in try read() }
    }

    private func read() throws(ObservationFailure) -> Ruleset {
        let legacy = try legacyTables()
        let nft = try nft()
        let ipsets = Ruleset.uses(.usesIPSets, nft: nft, legacy: legacy) ? try ipsets() : []
        let readers = Ruleset.uses(.queues, nft: nft, legacy: legacy) ? queueReaders() : nil
        return Ruleset(nft: nft, legacy: legacy, ipsets: ipsets, links: links(), queueReaders: readers)
    }

    /// The queues that programs read, as the first number of each line says; none where the kernel does not have the file
    /// yet. Nil where that cannot be read, as in an older recording. Source: nfnetlink_queue.c, `seq_show`.
    private func queueReaders() -> Set<UInt16>? {
        do {
            let text = try host.readTextIfPresent("/proc/net/netfilter/nfnetlink_queue") ?? ""
            return Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").first.flatMap { UInt16($0) } })
        } catch {
            return nil
        }
    }

    /// Names of links by index: only for people. A recording made before they were asked for has none.
    private func links() -> [UInt32: String] {
        do {
            let links = try Link.all(in: try host.query(.links()))
            return Dictionary(links.map { (UInt32(clamping: $0.index), $0.name) }) { first, _ in first }
        } catch {
            return [:]
        }
    }

    /// None where they cannot be listed: a set that a rule names is then not known.
    private func ipsets() throws(ObservationFailure) -> [IPSet] {
        let messages: [[UInt8]]
        do {
            messages = try host.query(.ipsets)
        } catch {
            // Before Linux 4.20 the kernel refuses this protocol (IPSET_ERR_PROTOCOL); an older recording was not asked.
            return []
        }
        do {
            return try IPSet.all(in: messages)
        } catch {
            throw .unknown("ipset \(KernelQuery.ipsets.name): \(error)")
        }
    }

    /// How often the ruleset is read before it counts as one that never stands still.
    private static let tries = 5

    /// Empty where the kernel has no nftables. Others change the ruleset too, proofs of other runs among them: what a
    /// change overtook is read again.
    private func nft() throws(ObservationFailure) -> NftRuleset {
        for _ in 0..<Self.tries {
            if let ruleset = try readNft() { return ruleset }
            guard let recording = host as? RecordingHost else { break }
            recording.forget { request in
                guard case .netlink(let query) = request else { return false }
                return query.family == .netfilter
            }
        }
        throw .unknown("the nftables ruleset changed while it was read")
    }

    /// Nil where a change overtook it.
    private func readNft() throws(ObservationFailure) -> NftRuleset? {
        var ruleset = NftRuleset()
        guard let tables = try queryIfSupported(.nftTables()) else { return ruleset }
        try decode(.nftTables()) { () throws(WireError) in try ruleset.addTables(tables) }
        if ruleset.tables.isEmpty { return ruleset }
        let chains = try messages(.nftChains())
        try decode(.nftChains()) { () throws(WireError) in try ruleset.addChains(chains) }
        ruleset.passOverProofs()
        guard let generation = ruleset.generations.first, ruleset.generations.count == 1 else { return nil }
        for request in rulesRequests(ruleset) {
            let rules = try messages(request)
            try decode(request) { () throws(WireError) in try ruleset.addRules(rules) }
        }
        let wanted = setsInUse(ruleset)
        if !wanted.isEmpty {
            let sets = try query(.nftSets())
            try decode(.nftSets()) { () throws(WireError) in try ruleset.addSets(sets) }
        }
        var unlisted: [Int] = []
        for (index, set) in ruleset.sets.enumerated() {
            guard wanted[set.table]?.contains(set.name) == true else { continue }
            let request = KernelQuery.nftSetElements(set.table, set: set.name)
            let elements: [[UInt8]]
            do {
                elements = try query(request)
            } catch {
                // A recording may have been made without those of other families: they are then unknown, not empty.
                guard ![.ipv4, .inet, .bridge].contains(set.table.family) else { throw error }
                unlisted.append(index)
                continue
            }
            try decode(request) { () throws(WireError) in try ruleset.addElements(elements, to: index) }
        }
        ruleset.forgetSets(unlisted)
        if ruleset.traits.contains(.offloads) {
            let flowtables = try query(.nftFlowtables())
            try decode(.nftFlowtables()) { () throws(WireError) in try ruleset.addFlowtables(flowtables) }
        }
        if readsTablesApart {
            // A table that went meanwhile gives no rules to tell of it.
            let last = try query(.nftGeneration)
            ruleset.addGeneration(last)
        }
        // Rules of a table that has not changed since may have been listed earlier; nothing may have been listed later.
        return ruleset.generations.allSatisfy { Int16(bitPattern: $0 &- generation) <= 0 } ? ruleset : nil
    }

    private var readsTablesApart: Bool { (host as? RecordingHost)?.readsTablesApart ?? false }

    /// In the order of the tables either way, as the kernel lists them all. Those of packet proofs decide nothing.
    private func rulesRequests(_ ruleset: NftRuleset) -> [KernelQuery] {
        guard readsTablesApart else { return [.nftRules()] }
        return ruleset.tables.filter { !$0.isOfProof }.map { .nftRules(of: $0.name) }
    }

    /// The sets that rules look into, in tables whose chains see IPv4 packets, at the hooks of a device too; of others
    /// only those without a name, which are part of the rules' own text.
    private func setsInUse(_ ruleset: NftRuleset) -> [NftTableName: Set<String>] {
        guard ruleset.traits.contains(.usesSets) else { return [:] }
        let tables = Set(
            ruleset.chains.compactMap { chain in
                chain.base != nil && [.ipv4, .inet, .bridge, .netdev].contains(chain.table.family) ? chain.table : nil
            })
        var names: [NftTableName: Set<String>] = [:]
        for rule in ruleset.rules where rule.traits.contains(.usesSets) {
            let table = ruleset.chains[rule.chain].table
            let isSeen = tables.contains(table)
            for case .lookup(let set, _, _, _) in ruleset.expressions(of: rule)
            where isSeen || set.hasPrefix(NftSet.anonymousPrefixes.set) || set.hasPrefix(NftSet.anonymousPrefixes.map) {
                names[table, default: []].insert(set)
            }
        }
        return names
    }

    /// The loaded tables. Any other would be created by asking for it.
    private func legacyTables() throws(ObservationFailure) -> [XtTable] {
        let listed: String
        do {
            listed = try host.readTextIfPresent("/proc/net/ip_tables_names") ?? ""
        } catch {
            if error.code == .notPermitted {
                throw .unknown("reading iptables-legacy tables needs root: \(error)")
            }
            throw ObservationFailure(error)
        }
        let loaded = Set(listed.split(separator: "\n").map(String.init))
        var tables: [XtTable] = []
        for name in ["raw", "mangle", "nat", "filter", "security"] where loaded.contains(name) {
            let reply: (info: [UInt8], entries: [UInt8])
            do {
                reply = try host.legacyTable(LegacyTableName(family: .ipv4, table: name))
            } catch {
                throw ObservationFailure(error)
            }
            do {
                tables.append(try XtTable(info: reply.info, entries: reply.entries))
            } catch {
                throw .unknown("iptables-legacy table \(name): \(error)")
            }
        }
        return tables
    }

    private func queryIfSupported(_ query: KernelQuery) throws(ObservationFailure) -> [[UInt8]]? {
        do {
            return try host.query(query)
        } catch {
            // Without nf_tables in the kernel nfnetlink answers EINVAL (22).
            if error.code == .unsupported || error.errno == 22 { return nil }
            throw failure(error)
        }
    }

    private func query(_ query: KernelQuery) throws(ObservationFailure) -> [[UInt8]] {
        try messages(query).map(Array.init)
    }

    private func messages(_ query: KernelQuery) throws(ObservationFailure) -> NetlinkMessages {
        do {
            return try host.messages(query)
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: HostError) -> ObservationFailure {
        error.code == .notPermitted
            ? .unknown("reading nftables rules needs CAP_NET_ADMIN: \(error)") : ObservationFailure(error)
    }

    private func decode(_ query: KernelQuery, _ body: () throws(WireError) -> Void) throws(ObservationFailure) {
        do {
            try body()
        } catch {
            throw .unknown("nfnetlink \(query.name): \(error)")
        }
    }
}
