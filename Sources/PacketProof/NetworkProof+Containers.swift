internal import HostAccess
internal import HostModel
internal import WireFormats

/// The proof from inside real containers: a real port's attributes, filters and VLANs differ from ours.
extension NetworkProof {
    /// Looks at everybody at the bridge, and where `asking` asks there who has the gateway's address. What cannot be read
    /// is left out, with the reason.
    func look(
        at network: Network, _ ground: ProofGround, into transcript: inout ProofTranscript, on host: any ActiveHost,
        asking: Bool = true
    ) {
        let asks = asking && ground.staysInside(ProofNetwork(network))
        do {
            transcript.residents = try host.residents(
                of: network.bridge, gateway: asks ? network.address.address : nil,
                ipv6: families(of: network).contains(.ipv6))
        } catch {
            transcript.residentsFailure = error.description
        }
    }

    /// Where only what would be done to a probe forbids sending one, the containers can be read all the same.
    func lookWithoutSending(at network: Network, into drafts: inout [ProofDraft], on host: any ActiveHost) {
        guard let index = drafts.firstIndex(where: { $0.transcript.family != .ipv6 }),
            let ground = drafts[index].transcript.ground,
            ground.obstacle(to: drafts[index].transcript.subject, mode: .wire) == nil
        else { return }
        look(at: network, ground, into: &drafts[index].transcript, on: host, asking: false)
    }

    /// The proof from the named container alone. Of IPv6 only where it has that, or where IPv6 is what was asked for: a
    /// container without is no fault.
    func drafts(
        ofContainer name: String, in network: Network, on host: any ActiveHost, reading: any Host
    ) -> [ProofDraft] {
        var drafts: [ProofDraft] = []
        for family in families(of: network) {
            let draft = draft(ofContainer: name, in: network, family, on: host, reading: reading)
            let resident = draft.transcript.residents?.residents.first { $0.title == name }
            let isAsked = family == .ipv4 || aim.target != nil || resident?.addresses(of: family).isEmpty == false
            if isAsked || drafts.isEmpty { drafts.append(draft) }
        }
        return drafts
    }

    private func draft(
        ofContainer name: String, in network: Network, _ family: IPFamily, on host: any ActiveHost, reading: any Host
    ) -> ProofDraft {
        var draft = ProofDraft(ProofTranscript(mode: mode, network: network, family: family == .ipv6 ? .ipv6 : nil))
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

    /// The proof from one of the containers that were found: one with an address of the network, and a route. Nil where
    /// none has, or where the throw-away container cannot send either.
    func draft(besides first: ProofTranscript, from residents: [Resident], reading: any Host) -> ProofDraft? {
        let subject = first.subject
        guard let ground = first.ground, ground.obstacle(to: subject, mode: mode) == nil,
            let resident = residents.first(where: { resident in
                resident.isUp && resident.hasDefaultRoute(of: subject.family)
                    && resident.addresses(of: subject.family).contains { subject.cidr.contains($0.address) }
            })
        else { return nil }
        var draft = ProofDraft(
            ProofTranscript(mode: mode, network: first.network, family: first.family, ground: ground))
        draft.transcript.container = resident.title
        plan(&draft, ground, from: resident, reading: reading)
        return draft
    }

    /// What acts on the packets of a real port, where a throw-away container has none.
    private func hazard(at resident: Resident, of network: ProofNetwork, _ host: any Host) -> String? {
        do {
            let links = try host.links()
            guard let port = links.first(where: { $0.name == resident.port }),
                let bridge = links.first(where: { $0.name == network.bridge })
            else { return "the port \(resident.port) has gone" }
            return try ProofHazards(host: host, family: network.family, bridge: bridge, links: links)
                .read(port: port).first
        } catch {
            return error.description
        }
    }

    func plan(
        _ draft: inout ProofDraft, _ ground: ProofGround, from resident: Resident, reading: any Host
    ) {
        let network = draft.transcript.subject
        if mode == .fence, let hazard = hazard(at: resident, of: network, reading) {
            draft.transcript.failure = "\(hazard); `--proof wire` would send all the same"
            return
        }
        let addresses = resident.addresses(of: network.family)
        guard
            let source = addresses.first(where: { $0.address.v4 == aim.source && aim.source != nil })
                ?? addresses.first(where: { network.cidr.contains($0.address) }) ?? addresses.first
        else {
            draft.transcript.failure =
                "\(resident.title) has no \(network.family.title) address on \(resident.interface)"
            return
        }
        guard resident.hasDefaultRoute(of: network.family) else {
            let kind = network.family == .ipv4 ? "default route" : "default route of IPv6"
            draft.transcript.failure = "\(resident.title) has no \(kind)"
            return
        }
        draft.transcript.order = order(network, ground, from: resident, source)
        draft.waits = true
    }

    private func order(
        _ network: ProofNetwork, _ ground: ProofGround, from resident: Resident, _ source: IPPrefix
    ) -> ProbeOrder {
        let chance = (0..<ProofPlan.chanceNeeded).map { _ in UInt8.random(in: 0...255) }
        var order = ProofPlan.order(
            network: network, ground: ground, mode: mode, from: [source.address], aim: aim, chance: chance)
        order.addresses = [source]
        order.probesAddresses = false
        order.resident = resident
        return order
    }
}
