package import WireFormats

/// The rules of every backend as one model: tables, chains, rules.
package struct Ruleset: Sendable {
    package enum Backend: String, Sendable, CaseIterable {
        case nft
        case iptablesNft = "iptables-nft"
        case iptablesLegacy = "iptables-legacy"
    }

    package struct Table: Hashable, Sendable {
        package var backend: Backend
        package var name: NftTableName
        package var dormant: Bool

        /// `ip lxc`; for legacy tables `iptables-legacy nat`.
        package var description: String {
            backend == .iptablesLegacy ? "iptables-legacy \(name.name)" : name.description
        }
    }

    package struct Chain: Hashable, Sendable {
        package var table: Int
        package var name: String
        package var base: NftBaseChain?
        /// Indices into `rules`, in the order in which they run.
        package var rules: Range<Int>
    }

    package struct Rule: Hashable, Sendable {
        package enum Body: Hashable, Sendable {
            /// Index into the rules of `nft`.
            case nft(Int)
            indirect case legacy(XtRule)
        }

        package var chain: Int
        /// From 1, as `iptables -S` counts.
        package var number: Int
        package var body: Body
    }

    package private(set) var tables: [Table] = []
    package private(set) var chains: [Chain] = []
    package private(set) var rules: [Rule] = []
    package let nft: NftRuleset
    /// Names of links by their indices, as rules name some.
    let links: [UInt32: String]
    /// By their indices, as rules name them.
    let ipsets: [UInt16: IPSet]
    private let ipsetIndices: [String: UInt16]
    /// The queues that a program of the host reads; nil where that is not known.
    let queueReaders: Set<UInt16>?
    /// Those that a rule adds members to, or takes some from.
    package private(set) var changedIPSets: Set<UInt16> = []
    /// The same of nftables, by their indices in `nft`.
    private var changedSets: Set<Int> = []
    /// Whether a rule leaves packets to a program, or to a target that is not known.
    private(set) var hasStrangers = false
    /// The marks that its rules may give.
    package private(set) var marks = MarkSpace()
    /// What any of the rules may do.
    package private(set) var traits: NftRule.Traits = []
    /// Whether a rule may translate the destination of what comes in.
    package var translatesDestinations: Bool { traits.contains(.translates) }
    /// Whether any rule makes the kernel track connections of IPv4 (nf_ct_netns_get): one that asks conntrack, or
    /// translates. A chain of type `nat` alone does not, and no packet is shown to it then. What is tracked was put
    /// together from its fragments first.
    package private(set) var usesConntrack = false
    /// Tables whose order decides something, and no dump shows it: see `orders`.
    package private(set) var tiedTables: [Int] = []
    /// The table that was made last, as `orders` supposes it.
    var latestTable: Int?
    private var chainIndices: [ChainKey: Int] = [:]
    private var setIndices: [ChainKey: Int] = [:]
    private let knownSets = NftKnownSets()

    private struct ChainKey: Hashable {
        var table: Int
        var name: String
    }

    private static let compatTables: Set<String> = ["filter", "nat", "mangle", "raw", "security"]
    private static let compatChains: Set<String> = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]
    /// Priorities of the tables of iptables at a hook (`linux/netfilter_ipv4.h`).
    private static func legacyPriority(_ table: String, _ hook: NftHook) -> Int32 {
        switch table {
        case "raw": -300
        case "mangle": -150
        case "nat": hook == .prerouting || hook == .output ? -100 : 100
        case "security": 50
        default: 0
        }
    }

    package init(
        nft: NftRuleset = NftRuleset(), legacy: [XtTable] = [], ipsets: [IPSet] = [], links: [UInt32: String] = [:],
        queueReaders: Set<UInt16>? = nil
    ) {
        self.nft = nft
        self.queueReaders = queueReaders
        self.links = links
        self.ipsets = Dictionary(ipsets.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
        ipsetIndices = Dictionary(ipsets.map { ($0.name, $0.index) }, uniquingKeysWith: { first, _ in first })
        addNft()
        for table in legacy { add(table) }
        chainIndices.reserveCapacity(chains.count)
        for (index, chain) in chains.enumerated() {
            chainIndices[ChainKey(table: chain.table, name: chain.name)] = index
        }
        summarise()
    }

    private mutating func summarise() {
        if nft.traits.contains(.changesSets) { findChangedSets() }
        let summary = summary()
        (marks, traits, usesConntrack) = (summary.marks, summary.traits, summary.usesConntrack)
        changedIPSets = summary.changedIPSets
        hasStrangers = summary.hasStrangers
        tiedTables = findTies()
    }

    private mutating func findChangedSets() {
        for rule in rules {
            guard case .nft(let position) = rule.body, nft.rules[position].traits.contains(.changesSets) else {
                continue
            }
            for listed in nft.listedExpressions(of: nft.rules[position]) {
                guard case .setChange(let name, _, _, _, _, _)? = listed.detail,
                    let set = setIndices[ChainKey(table: chains[rule.chain].table, name: name)]
                else { continue }
                changedSets.insert(set)
            }
        }
    }

    private mutating func addNft() {
        var tableIndices: [NftTableName: Int] = [:]
        for table in nft.tables {
            tableIndices[table.name] = tables.count
            tables.append(Table(backend: .nft, name: table.name, dormant: table.flags.contains(.dormant)))
        }
        var sizes = [Int](repeating: 0, count: nft.chains.count)
        for rule in nft.rules where sizes.indices.contains(rule.chain) { sizes[rule.chain] += 1 }
        var next = 0
        for (index, chain) in nft.chains.enumerated() {
            let table: Int
            if let known = tableIndices[chain.table] {
                table = known
            } else {
                table = tables.count
                tableIndices[chain.table] = table
                tables.append(Table(backend: .nft, name: chain.table, dormant: false))
            }
            if chain.base != nil, Self.compatTables.contains(chain.table.name),
                Self.compatChains.contains(chain.name), chain.table.family != .inet
            {
                tables[table].backend = .iptablesNft
            }
            chains.append(
                Chain(table: table, name: chain.name, base: chain.base, rules: next..<next + sizes[index]))
            next += sizes[index]
        }
        rules = [Rule](repeating: Rule(chain: 0, number: 0, body: .nft(0)), count: next)
        var filled = [Int](repeating: 0, count: sizes.count)
        for (index, rule) in nft.rules.enumerated() where sizes.indices.contains(rule.chain) {
            let number = filled[rule.chain]
            rules[chains[rule.chain].rules.lowerBound + number] = Rule(
                chain: rule.chain, number: number + 1, body: .nft(index))
            filled[rule.chain] += 1
        }
        for (index, set) in nft.sets.enumerated() {
            guard let table = tableIndices[set.table] else { continue }
            setIndices[ChainKey(table: table, name: set.name)] = index
        }
    }

    private mutating func add(_ table: XtTable) {
        tables.append(
            Table(backend: .iptablesLegacy, name: NftTableName(.ipv4, table.name), dormant: false))
        for chain in table.chains {
            let base = chain.hook.map { hook in
                NftBaseChain(
                    type: table.name == "nat" ? "nat" : "filter", hook: hook,
                    priority: Self.legacyPriority(table.name, hook), policy: chain.policy == .drop ? .drop : .accept)
            }
            let first = rules.count
            for (index, rule) in chain.rules.enumerated() {
                rules.append(Rule(chain: chains.count, number: index + 1, body: .legacy(rule)))
            }
            chains.append(Chain(table: tables.count - 1, name: chain.name, base: base, rules: first..<rules.count))
        }
    }

    package func chain(named name: String, inTable table: Int) -> Int? {
        chainIndices[ChainKey(table: table, name: name)]
    }

    /// A set of ipset, as lists of sets name it.
    func ipset(named name: String) -> IPSet? { ipsetIndices[name].flatMap { ipsets[$0] } }

    /// The address that every packet has which a rule matches, where one of its first conditions says so.
    func addressTest(ofRule index: Int) -> NftRule.AddressTest? {
        guard case .nft(let position) = rules[index].body else { return nil }
        return nft.rules[position].address
    }

    package func set(named name: String, inTable table: Int) -> NftSet? {
        setIndices[ChainKey(table: table, name: name)].map { nft.sets[$0] }
    }

    /// A set with its elements as ranges, and whether it may have others when a packet meets it. A rule may add some to
    /// every set with a timeout (nft_dynset.c), not only to those that say so.
    func knownSet(named name: String, inTable table: Int) -> (known: NftKnownSet, isChanging: Bool)? {
        guard let index = setIndices[ChainKey(table: table, name: name)] else { return nil }
        return (
            knownSets.set(index, of: nft), nft.sets[index].flags.contains(.dynamic) || changedSets.contains(index)
        )
    }

    /// The base chains of a type that see IPv4 packets at a hook, first to run first.
    ///
    /// Of equal priority the one that was made last runs first. Of different tables no dump shows which that is: see
    /// `orders`.
    package func baseChains(type: String?, hook: NftHook) -> [Int] {
        let found = chains.indices.filter { index in
            guard let base = chains[index].base, base.hook == hook, type == nil || base.type == type else {
                return false
            }
            let table = tables[chains[index].table]
            return !table.dormant && (table.name.family == .ipv4 || table.name.family == .inet)
        }
        return found.sorted { runsBefore($0, $1) }
    }

    /// Whether any chain may translate addresses of IPv4.
    package var translates: Bool {
        [NftHook.prerouting, .input, .output, .postrouting].contains { !baseChains(type: "nat", hook: $0).isEmpty }
    }

    /// The base chains of one family at a hook, first to run first.
    package func baseChains(family: NftFamily, hook: NftHook) -> [Int] {
        let found = chains.indices.filter { index in
            guard let base = chains[index].base, base.hook == hook else { return false }
            let table = tables[chains[index].table]
            return !table.dormant && table.name.family == family
        }
        return found.sorted { runsBefore($0, $1) }
    }

    /// The base chains of single devices, at ingress and egress, first to run first.
    package var deviceChains: [Int] {
        chains.indices.filter { index in
            let table = tables[chains[index].table]
            return !table.dormant && chains[index].base?.isOnDevices(in: table.name.family) == true
        }.sorted { runsBefore($0, $1) }
    }

    /// The backends that hold a base chain, in a fixed order.
    package var backends: [Backend] {
        Backend.allCases.filter { backend in
            chains.contains { $0.base != nil && tables[$0.table].backend == backend }
        }
    }
}
