package import HostAccess
package import HostModel
internal import WireFormats

/// The packet proof of every network of a profile.
///
/// It never throws: what could not be done is a probe whose verdict is unknown, with the reason.
package struct NetworkProof: Sendable {
    package let mode: ProofMode
    package let networks: [Network]
    let aim: ProofAim

    /// How often another address is tried because somebody answered for the first.
    static let tries = 8

    /// `fence` or `wire`; with `off`, there are no probes.
    package init(mode: ProofMode, networks: [Network], aim: ProofAim = ProofAim()) {
        self.aim = aim
        self.mode = mode
        self.networks = networks
    }

    /// Sends, looks and judges.
    package func run(on host: any ActiveHost, reading: (any Host)? = nil) -> ProofReport {
        Self.report(mode, transcripts(on: host, reading: reading)) { $0 }
    }

    /// Judges everything that was recorded. `name` completes a killer that is a rule: its text as the user would list
    /// it.
    package static func report(
        _ mode: ProofMode, _ transcripts: [ProofTranscript], name: (Killer) -> Killer
    ) -> ProofReport {
        var local = transcripts.flatMap { evaluateLocal($0) }
        for index in local.indices {
            guard let killer = local[index].killer, killer.table != nil else { continue }
            local[index].killer = name(killer)
        }
        return ProofReport(
            mode: mode, probes: transcripts.flatMap { evaluate($0, name: name) }, local: local.isEmpty ? nil : local)
    }

    /// Judges the packets of one network that stayed on this host.
    package static func evaluateLocal(_ transcript: ProofTranscript) -> [LocalProbe] {
        guard let ground = transcript.ground, let order = transcript.order, let sightings = transcript.sightings else {
            return []
        }
        var probes: [LocalProbe] = []
        if let local = order.local {
            probes = LocalEvaluator(
                network: transcript.network, ground: ground, order: order, local: local, result: sightings,
                autopsy: transcript.autopsy
            ).probes()
        }
        // An order of a single packet (`prove --packet`) has no rows for packets that were not sent.
        let isAlone = order.local == nil && order.packets.count == 1
        return order.resident == nil && !isAlone
            ? probes + LocalProbe.notSent(transcript.network, ground, order) : probes
    }

    /// Sends and looks. `reading` answers the questions about the host, where they should be asked through a cache
    /// or a recording. What all networks and their containers send goes out together.
    package func transcripts(on host: any ActiveHost, reading: (any Host)? = nil) -> [ProofTranscript] {
        guard mode != .off else { return [] }
        let reading = reading ?? host
        let networks = networks.map(aim.applied)
        var drafts: [ProofDraft]
        if let name = aim.container {
            let all = networks.map { self.drafts(ofContainer: name, in: $0, on: host, reading: reading) }
            // A container is in one of them, as a rule.
            let found = all.filter { $0.contains { $0.transcript.order?.resident != nil } }
            drafts = (found.isEmpty ? all : found).flatMap(\.self)
        } else if let source = aim.source {
            drafts = networks.filter { families(of: $0).contains(.ipv4) && $0.cidr.contains(source) }.map { network in
                draft(as: source, in: network, on: host, reading: reading)
            }
        } else {
            drafts = networks.flatMap { self.drafts(of: $0, on: host, reading: reading) }
        }
        send(&drafts, on: host)
        return drafts.map { finished($0, on: host) }
    }

    /// What is wanted of a network: where nothing is to be translated or routed there is nothing to be proved.
    func families(of network: Network) -> [IPFamily] {
        [IPFamily.ipv4, .ipv6].filter { family in
            aim.wants(family)
                && (family == .ipv4 ? ProofNetwork(network) : ProofNetwork(ipv6: network))?.isProved == true
        }
    }

    /// From a throw-away container, and where containers are looked at from one that runs.
    private func drafts(of network: Network, on host: any ActiveHost, reading: any Host) -> [ProofDraft] {
        var first = families(of: network).map { draft(of: network, $0, reading: reading) }
        guard aim.looksAtContainers else { return first }
        guard let looker = first.firstIndex(where: { $0.transcript.order != nil }),
            let ground = first[looker].transcript.ground
        else {
            lookWithoutSending(at: network, into: &first, on: host)
            return first
        }
        look(at: network, ground, into: &first[looker].transcript, on: host)
        let residents = first[looker].transcript.residents?.residents ?? []
        return first.flatMap { draft in
            [draft] + [self.draft(besides: draft.transcript, from: residents, reading: reading)].compactMap(\.self)
        }
    }

    // MARK: One network

    /// Reads the host and plans; nothing is sent.
    func draft(of network: Network, _ family: IPFamily, reading: any Host) -> ProofDraft {
        var draft = ProofDraft(
            ProofTranscript(mode: mode, network: network, family: family == .ipv6 ? .ipv6 : nil))
        do {
            let ground = try ProofGround(of: draft.transcript.subject, on: reading)
            draft.transcript.ground = ground
            guard ground.obstacle(to: draft.transcript.subject, mode: mode) == nil else { return draft }
            draft.taken = Set(ground.takenAddresses)
            plan(&draft, ground)
        } catch {
            draft.transcript.failure = error.description
        }
        return draft
    }

    /// Chooses addresses and makes the order.
    func plan(_ draft: inout ProofDraft, _ ground: ProofGround) {
        let network = draft.transcript.subject
        let chance = (0..<ProofPlan.chanceNeeded).map { _ in UInt8.random(in: 0...255) }
        let source = aim.source.map(IPAddress.v4)
        let addresses =
            source.map { draft.taken.contains($0) ? [] : [$0] }
            ?? ProofPlan.addresses(of: network, taken: draft.taken, chance: chance[11])
        guard !addresses.isEmpty else {
            draft.transcript.failure =
                aim.source.map { "somebody in \(network.cidr) has the address \($0)" }
                ?? "there is no free address in \(network.cidr)"
            return
        }
        var order = ProofPlan.order(
            network: network, ground: ground, mode: mode, from: addresses, aim: aim, chance: chance)
        // One packet is wanted, and no other. What stays on this host goes by IPv4.
        if aim.source == nil, let own = addresses[0].v4 {
            order.local = LocalPlan.order(
                network: draft.transcript.network, ground: ground, from: own,
                to: peer(in: network, ground, besides: draft.taken.union(addresses), chance[10]),
                chance: (0..<LocalPlan.chanceNeeded).map { _ in UInt8.random(in: 0...255) })
        }
        draft.transcript.order = order
        draft.waits = true
    }

    /// An address for the second container, where a packet to it leaves nothing behind.
    private func peer(
        in network: ProofNetwork, _ ground: ProofGround, besides taken: Set<IPAddress>, _ chance: UInt8
    ) -> IPv4Address? {
        guard mode == .wire || ground.bridgeTracker == nil else { return nil }
        return ProofPlan.addresses(of: network, taken: taken, chance: chance).last?.v4
    }

    // MARK: Sending

    /// Sends what waits, all of it together; where somebody answered for an address, once more with others.
    private func send(_ drafts: inout [ProofDraft], on host: any ActiveHost) {
        for _ in 0..<Self.tries {
            let waiting = drafts.indices.filter { drafts[$0].waits }
            guard !waiting.isEmpty else { return }
            let outcomes = host.send(waiting.compactMap { drafts[$0].transcript.order })
            for (index, outcome) in zip(waiting, outcomes) { take(outcome, into: &drafts[index]) }
        }
        for index in drafts.indices where drafts[index].waits {
            drafts[index].waits = false
            drafts[index].transcript.failure =
                "every address tried in \(drafts[index].transcript.subject.cidr) was answered for by somebody"
        }
    }

    private func take(_ outcome: ProbeOutcome, into draft: inout ProofDraft) {
        draft.waits = false
        switch outcome {
        case .failure(let error): draft.transcript.failure = error.description
        case .success(let sightings) where sightings.takenAddresses.isEmpty: draft.transcript.sightings = sightings
        case .success(let sightings):
            draft.taken.formUnion(sightings.takenAddresses)
            if let ground = draft.transcript.ground { plan(&draft, ground) }
        }
    }

    /// The transcript, with an autopsy where a probe was lost without a known cause.
    private func finished(_ draft: ProofDraft, on host: any ActiveHost) -> ProofTranscript {
        var transcript = draft.transcript
        guard let ground = transcript.ground, let order = transcript.order, let sightings = transcript.sightings else {
            return transcript
        }
        let evaluator = ProofEvaluator(network: transcript.subject, ground: ground, order: order, result: sightings)
        let local = Self.evaluateLocal(transcript)
        if evaluator.needsAutopsy || evaluator.isAnsweredInPart
            || local.contains(where: { $0.arrival == .dropped && $0.killer == nil })
        {
            transcript.autopsy = autopsy(transcript, ground, order, on: host)
        }
        return transcript
    }

    /// Sends the same again with more instruments, and reads the state of the host. Nothing is taken from a cache: what matters
    /// is the state at this moment.
    private func autopsy(
        _ transcript: ProofTranscript, _ ground: ProofGround, _ first: ProbeOrder, on host: any ActiveHost
    ) -> ProofAutopsy {
        let network = transcript.subject
        var autopsy = ProofAutopsy(before: network, ground, on: host)
        let chance = (0..<ProofPlan.chanceNeeded).map { _ in UInt8.random(in: 0...255) }
        var order = ProofPlan.order(
            network: network, ground: ground, mode: mode, from: first.addresses.map(\.address), aim: aim,
            chance: chance)
        order.probesAddresses = false
        order.resident = first.resident
        if first.resident != nil { order.addresses = first.addresses }
        if first.local != nil, let source = first.addresses.first?.address.v4 {
            order.local = LocalPlan.order(
                network: transcript.network, ground: ground, from: source, to: first.local?.peer,
                chance: (0..<LocalPlan.chanceNeeded).map { _ in UInt8.random(in: 0...255) })
        }
        order.investigation = ProbeInvestigation(
            brackets: autopsy.brackets, tracesLegacyTables: !ground.legacyTables.isEmpty)
        autopsy.order = order
        do {
            autopsy.sightings = try host.send(order)
        } catch {
            autopsy.failures.append(error.description)
        }
        autopsy.look(at: network, ground, on: host)
        return autopsy
    }

    /// Judges one network again from what was recorded. `name` completes a killer that is a rule: its text as the user
    /// would list it.
    package static func evaluate(_ transcript: ProofTranscript, name: (Killer) -> Killer) -> [ProofProbe] {
        evaluate(transcript).map { probe in
            guard let killer = probe.killer, killer.table != nil else { return probe }
            var probe = probe
            probe.killer = name(killer)
            return probe
        }
    }

    /// Judges one network again from what was recorded.
    package static func evaluate(_ transcript: ProofTranscript) -> [ProofProbe] {
        judge(transcript).map { probe in
            var probe = probe
            probe.container = transcript.container
            return probe
        }
    }

    private static func judge(_ transcript: ProofTranscript) -> [ProofProbe] {
        let network = transcript.subject
        guard let ground = transcript.ground else {
            return unknown(transcript, transcript.failure ?? "nothing was recorded")
        }
        if let obstacle = ground.obstacle(to: network, mode: transcript.mode) { return unknown(transcript, obstacle) }
        guard let order = transcript.order, let sightings = transcript.sightings else {
            return unknown(transcript, transcript.failure ?? "nothing was sent")
        }
        let probes = ProofEvaluator(
            network: network, ground: ground, order: order, result: sightings, autopsy: transcript.autopsy
        ).probes()
        return probes.isEmpty ? unknown(transcript, "the order holds no packet that can be read") : probes
    }

    /// One row for each protocol that could not be tried.
    private static func unknown(_ transcript: ProofTranscript, _ reason: String) -> [ProofProbe] {
        let network = transcript.subject
        return ProofProtocol.allCases.map {
            ProofProbe(
                network: network.name, protocol: $0, from: network.cidr.description, to: network.target.description,
                verdict: .unknown, reason: reason)
        }
    }
}
