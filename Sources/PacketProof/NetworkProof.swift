package import HostAccess
package import HostModel
internal import WireFormats

/// The packet proof of every network of a profile.
///
/// It never throws: what could not be done is a probe whose verdict is unknown, with the reason.
package struct NetworkProof: Sendable {
    package let mode: ProofMode
    package let networks: [Network]

    /// How often another address is tried because somebody answered for the first.
    static let tries = 3

    /// `fence` or `wire`; with `off`, there are no probes.
    package init(mode: ProofMode, networks: [Network]) {
        self.mode = mode
        self.networks = networks
    }

    /// Sends, looks and judges.
    package func run(on host: any ActiveHost, reading: (any Host)? = nil) -> ProofReport {
        ProofReport(mode: mode, probes: transcripts(on: host, reading: reading).flatMap { Self.evaluate($0) })
    }

    /// Sends and looks. `reading` answers the questions about the host, where they should be asked through a cache
    /// or a recording.
    package func transcripts(on host: any ActiveHost, reading: (any Host)? = nil) -> [ProofTranscript] {
        guard mode != .off else { return [] }
        // Where nothing is to be translated there is nothing to be proved.
        return networks.filter { $0.nat == .masquerade || $0.nat == .snat }.map { network in
            transcript(of: network, on: host, reading: reading ?? host)
        }
    }

    private func transcript(of network: Network, on host: any ActiveHost, reading: any Host) -> ProofTranscript {
        var transcript = ProofTranscript(mode: mode, network: network)
        do {
            let ground = try ProofGround(of: network, on: reading)
            transcript.ground = ground
            guard ground.obstacle(to: network) == nil else { return transcript }
            var taken = Set(ground.takenAddresses)
            for _ in 0..<Self.tries {
                let chance = (0..<ProofPlan.chanceNeeded).map { _ in UInt8.random(in: 0...255) }
                let addresses = ProofPlan.addresses(of: network, taken: taken, chance: chance[11])
                guard !addresses.isEmpty else {
                    transcript.failure = "there is no free address in \(network.cidr)"
                    return transcript
                }
                let order = ProofPlan.order(
                    network: network, ground: ground, mode: mode, from: addresses, chance: chance)
                transcript.order = order
                let sightings = try host.send(order)
                guard !sightings.takenAddresses.isEmpty else {
                    transcript.sightings = sightings
                    return transcript
                }
                taken.formUnion(sightings.takenAddresses)
            }
            transcript.failure = "every address tried in \(network.cidr) was answered for by somebody"
        } catch {
            transcript.failure = error.description
        }
        return transcript
    }

    /// Judges one network again from what was recorded. `describe` gives the text of a rule that dropped a probe, as
    /// the user would list it; nil leaves its place.
    package static func evaluate(
        _ transcript: ProofTranscript, describe: (Killer) -> String?
    ) -> [ProofProbe] {
        evaluate(transcript).map { probe in
            guard let killer = probe.killer, killer.table != nil, let text = describe(killer) else { return probe }
            var probe = probe
            probe.killer?.text = text
            return probe
        }
    }

    /// Judges one network again from what was recorded.
    package static func evaluate(_ transcript: ProofTranscript) -> [ProofProbe] {
        let network = transcript.network
        guard let ground = transcript.ground else {
            return unknown(transcript, transcript.failure ?? "nothing was recorded")
        }
        if let obstacle = ground.obstacle(to: network) { return unknown(transcript, obstacle) }
        guard let order = transcript.order, let sightings = transcript.sightings else {
            return unknown(transcript, transcript.failure ?? "nothing was sent")
        }
        let probes = ProofEvaluator(network: network, ground: ground, order: order, result: sightings).probes()
        return probes.isEmpty ? unknown(transcript, "the order holds no packet that can be read") : probes
    }

    /// One row for each protocol that could not be tried.
    private static func unknown(_ transcript: ProofTranscript, _ reason: String) -> [ProofProbe] {
        let network = transcript.network
        return ProofProtocol.allCases.map {
            ProofProbe(
                network: network.name, protocol: $0, from: network.cidr.description, to: network.target.description,
                verdict: .unknown, reason: reason)
        }
    }
}
