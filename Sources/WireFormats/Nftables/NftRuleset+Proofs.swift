internal import HostModel

extension NftRuleset {
    /// Takes the chains of packet proofs off their hooks. They act on the proofs' own probes alone and go with them: a proof
    /// that happens to run is no part of what the host does to packets. Its tables have a name of ours and an owner, so
    /// nobody else can put anything into them.
    package mutating func passOverProofs() {
        let own = tables.filter { $0.flags.contains(.owner) && $0.name.name.hasPrefix(ProofNames.tablePrefix) }
        guard !own.isEmpty else { return }
        let names = Set(own.map(\.name))
        for index in chains.indices where names.contains(chains[index].table) { chains[index].base = nil }
    }
}
