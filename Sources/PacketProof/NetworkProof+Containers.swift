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
                of: network.bridge, gateway: ground.staysInside(network) ? network.address.address : nil)
        } catch {
            transcript.residentsFailure = error.description
        }
    }

    /// The proof from the named container alone.
    func transcript(
        ofContainer name: String, in network: Network, on host: any ActiveHost, reading: any Host
    ) -> ProofTranscript {
        var transcript = ProofTranscript(mode: mode, network: network)
        transcript.container = name
        do {
            let ground = try ProofGround(of: network, on: reading)
            transcript.ground = ground
            guard ground.obstacle(to: network, mode: mode) == nil else { return transcript }
            look(at: network, ground, into: &transcript, on: host)
            guard let residents = transcript.residents else {
                transcript.failure = transcript.residentsFailure
                return transcript
            }
            guard let resident = residents.residents.first(where: { $0.title == name }) else {
                transcript.failure = "no running container \(name) has a port in \(network.bridge)"
                return transcript
            }
            send(from: resident, ground, into: &transcript, on: host)
        } catch {
            transcript.failure = error.description
        }
        return transcript
    }

    /// The proof from one of the containers that were found: one with an address of the network, and a route.
    func transcript(besides first: ProofTranscript, on host: any ActiveHost) -> ProofTranscript? {
        guard let ground = first.ground, let residents = first.residents?.residents,
            let resident = residents.first(where: { resident in
                resident.isUp && resident.hasDefaultRoute
                    && resident.addresses.contains { first.network.cidr.contains($0.address) }
            })
        else { return nil }
        var transcript = ProofTranscript(mode: mode, network: first.network, ground: ground)
        transcript.container = resident.title
        send(from: resident, ground, into: &transcript, on: host)
        return transcript
    }

    private func send(
        from resident: Resident, _ ground: ProofGround, into transcript: inout ProofTranscript,
        on host: any ActiveHost
    ) {
        let network = transcript.network
        guard
            let source = resident.addresses.first(where: { network.cidr.contains($0.address) })
                ?? resident.addresses.first
        else {
            transcript.failure = "\(resident.title) has no IPv4 address on \(resident.interface)"
            return
        }
        guard resident.hasDefaultRoute else {
            transcript.failure = "\(resident.title) has no default route"
            return
        }
        let order = order(network, ground, from: resident, source)
        transcript.order = order
        do {
            let sightings = try host.send(order)
            transcript.sightings = sightings
            let evaluator = ProofEvaluator(network: network, ground: ground, order: order, result: sightings)
            if evaluator.needsAutopsy { transcript.autopsy = autopsy(network, ground, order, on: host) }
        } catch {
            transcript.failure = error.description
        }
    }

    private func order(
        _ network: Network, _ ground: ProofGround, from resident: Resident, _ source: IPv4Prefix
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
