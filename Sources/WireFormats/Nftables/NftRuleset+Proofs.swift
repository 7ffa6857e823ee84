internal import HostModel

extension NftRuleset {
    /// Takes the chains of packet proofs off their hooks. They act on the proofs' own probes alone and go with them: a proof
    /// that happens to run is no part of what the host does to packets. Its tables have a name of ours and an owner, so
    /// nobody else can put anything into them.
    package mutating func passOverProofs() {
        let own = tables.filter(\.isOfProof)
        guard !own.isEmpty else { return }
        let names = Set(own.map(\.name))
        for index in chains.indices where names.contains(chains[index].table) { chains[index].base = nil }
    }
}

extension NftTable {
    /// Whether a packet proof has made it, for itself.
    package var isOfProof: Bool { flags.contains(.owner) && name.name.hasPrefix(ProofNames.tablePrefix) }
}
