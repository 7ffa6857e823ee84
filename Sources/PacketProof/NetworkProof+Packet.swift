internal import HostAccess
internal import HostModel

/// The proof with exactly one packet: from a throw-away container that has its source, or from inside the container
/// that has it already.
extension NetworkProof {
    func draft(
        as source: IPv4Address, in network: Network, on host: any ActiveHost, reading: any Host
    ) -> ProofDraft {
        var draft = draft(of: network, .ipv4, reading: reading)
        guard let ground = draft.transcript.ground, draft.taken.contains(.v4(source)) else { return draft }
        look(at: network, ground, into: &draft.transcript, on: host)
        let residents = draft.transcript.residents?.residents ?? []
        guard let resident = residents.first(where: { $0.addresses.contains { $0.address == source } }) else {
            draft.transcript.failure =
                "\(source) is taken, and no container that runs here has it: nobody can send as it"
            return draft
        }
        draft.transcript.failure = nil
        draft.transcript.container = resident.title
        plan(&draft, ground, from: resident, reading: reading)
        return draft
    }
}
