internal import HostAccess
internal import HostModel
internal import WireFormats

/// The proof from inside real containers: a real port's attributes, filters and VLANs differ from ours.
extension NetworkProof {
    /// Looks at everybody at the bridge. What cannot be read is left out, with the reason.
    func look(
        at network: Network, _ ground: ProofGround, into transcript: inout ProofTranscript, on host: any ActiveHost
    ) {
        do {
            transcript.residents = try host.residents(
                of: network.bridge, gateway: ground.staysInside(ProofNetwork(network)) ? network.address.address : nil)
        } catch {
            transcript.residentsFailure = error.description
        }
    }

    /// The proof from the named container alone.
    func draft(
        ofContainer name: String, in network: Network, on host: any ActiveHost, reading: any Host
    ) -> ProofDraft {
        var draft = ProofDraft(ProofTranscript(mode: mode, network: network))
        draft.transcript.container = name
        do {
            let ground = try ProofGround(of: draft.transcript.subject, on: reading)
            draft.transcript.ground = ground
            guard ground.obstacle(to: draft.transcript.subject, mode: mode) == nil else { return draft }
            look(at: network, ground, into: &draft.transcript, on: host)
            guard let residents = draft.transcript.residents else {
                draft.transcript.failure = draft.transcript.residentsFailure
                return draft
            }
            guard let resident = residents.residents.first(where: { $0.title == name }) else {
                draft.transcript.failure = "no running container \(name) has a port in \(network.bridge)"
                return draft
            }
            plan(&draft, ground, from: resident, reading: reading)
        } catch {
            draft.transcript.failure = error.description
        }
        return draft
    }

    /// The proof from one of the containers that were found: one with an address of the network, and a route.
    func draft(besides first: ProofTranscript, reading: any Host) -> ProofDraft? {
        guard let ground = first.ground, let residents = first.residents?.residents,
            let resident = residents.first(where: { resident in
                resident.isUp && resident.hasDefaultRoute
                    && resident.addresses.contains { first.network.cidr.contains($0.address) }
            })
        else { return nil }
        var draft = ProofDraft(ProofTranscript(mode: mode, network: first.network, ground: ground))
        draft.transcript.container = resident.title
        plan(&draft, ground, from: resident, reading: reading)
        return draft
    }

    /// What acts on the packets of a real port, where a throw-away container has none.
    private func hazard(at resident: Resident, of network: Network, _ host: any Host) -> String? {
        do {
            let links = try Link.all(in: try host.query(.links()))
            guard let port = links.first(where: { $0.name == resident.port }),
                let bridge = links.first(where: { $0.name == network.bridge })
            else { return "the port \(resident.port) has gone" }
            return try ProofHazards(host: host, family: .ipv4, bridge: bridge, links: links).read(port: port).first
        } catch let error as HostError {
            return error.description
        } catch {
            return "\(error)"
        }
    }

    func plan(
        _ draft: inout ProofDraft, _ ground: ProofGround, from resident: Resident, reading: any Host
    ) {
        let network = draft.transcript.network
        if mode == .fence, let hazard = hazard(at: resident, of: network, reading) {
            draft.transcript.failure = "\(hazard); `--proof wire` would send all the same"
            return
        }
        guard
            let source = resident.addresses.first(where: { $0.address == aim.source })
                ?? resident.addresses.first(where: { network.cidr.contains($0.address) })
                ?? resident.addresses.first
        else {
            draft.transcript.failure = "\(resident.title) has no IPv4 address on \(resident.interface)"
            return
        }
        guard resident.hasDefaultRoute else {
            draft.transcript.failure = "\(resident.title) has no default route"
            return
        }
        draft.transcript.order = order(draft.transcript.subject, ground, from: resident, source)
        draft.waits = true
    }

    private func order(
        _ network: ProofNetwork, _ ground: ProofGround, from resident: Resident, _ source: IPv4Prefix
    ) -> ProbeOrder {
        let chance = (0..<ProofPlan.chanceNeeded).map { _ in UInt8.random(in: 0...255) }
        var order = ProofPlan.order(
            network: network, ground: ground, mode: mode, from: [.v4(source.address)], aim: aim, chance: chance)
        order.addresses = [IPPrefix(source)]
        order.probesAddresses = false
        order.resident = resident
        return order
    }
}
