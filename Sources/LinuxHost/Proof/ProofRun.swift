internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// One order under way, and what was seen of it so far.
final class ProofRun {
    let order: ProbeOrder
    let station: ProofStation
    private(set) var result: ProbeSightings
    private var fates: ProbeFates
    private let isFenced: Bool
    /// Why it could not be sent.
    private var failure: HostError?

    /// `isFenced`: whether a fence stands that stops what goes into the host.
    init(_ order: ProbeOrder, from station: ProofStation, isFenced: Bool) {
        self.order = order
        self.station = station
        self.isFenced = isFenced
        result = ProbeSightings(sightings: [], port: station.port, captureDrops: 0)
        result.peerPort = station.local?.peerPort
        result.localFailure = station.localFailure
        if order.investigation != nil { result.passes = [] }
        fates = ProbeFates(
            order: order, port: station.port, peerPort: result.peerPort, intoHost: false, toPeer: false)
    }

    /// Sends everything; where that fails, it fails for this order. `start`: CLOCK_REALTIME, nanoseconds.
    func send(at start: Int) {
        result.startedNanoseconds = start
        do {
            for (index, packet) in order.packets.enumerated() { try send(packet, index) }
        } catch {
            failure = error
            return
        }
        do {
            try station.local?.send(order, fenced: isFenced)
        } catch {
            result.localFailure = error.description
        }
        let isSent = result.localFailure == nil
        fates = ProbeFates(
            order: order, port: station.port, peerPort: result.peerPort, intoHost: isSent && isFenced, toPeer: isSent)
    }

    private func send(_ packet: ByteString, _ index: Int) throws(HostError) {
        do {
            try station.send(packet.bytes)
        } catch {
            // A rule of the container's own OUTPUT: nobody else refuses root there (NF_DROP, ip_local_out).
            guard order.resident != nil, error.errno == EPERM else { throw error }
            result.refused = (result.refused ?? []) + [index]
        }
    }

    /// Whether no packet has left a real container yet, because its kernel does not know the gateway's hardware address.
    func waitsForTheGateway() throws(HostError) -> Bool {
        guard order.resident != nil, !isOver,
            !result.sightings.contains(where: { $0.interface == station.port && $0.direction == .received })
        else { return false }
        let state = try station.portState()
        return state?.isUp == true && state?.gatewayAnswers == false
    }

    var isOver: Bool { failure != nil || fates.areKnown }

    /// Keeps what is of this order.
    func take(_ sightings: [Sighting]) {
        result.sightings += fates.take(sightings)
    }

    /// Keeps what is of this order.
    func take(kills: [RuleKill], passes: [RuleKill]) {
        result.kills += fates.take(kills)
        if result.passes != nil { result.passes? += fates.keep(passes) }
    }

    /// Nothing was sent, because somebody has these addresses.
    func result(taken: [IPAddress]) -> ProbeSightings {
        result.takenAddresses = taken
        return result
    }

    /// The result, with what is known only at the end.
    func outcome(captureDrops: Int, findings: ProbeFindings?, weakness: String?) -> ProbeOutcome {
        if let failure { return .failure(failure) }
        result.captureDrops = captureDrops
        result.findings = findings
        result.weakness = weakness
        guard !isOver else { return .success(result) }
        do {
            result.portState = try station.portState()
        } catch {
            // The container has gone: then nothing more can be said of it.
            result.portState = nil
        }
        return .success(result)
    }
}
