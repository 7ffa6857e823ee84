internal import Glibc
package import HostAccess
package import HostModel
internal import WireFormats

/// The live host, with the right to send a probe from a throw-away container.
///
/// Questions go to the host that it is given. What `send` makes hangs on descriptors of this object, until the next
/// order or its own end: closing them waits for every processor (RCU), and nobody should wait for that.
package final class ProofHost: ActiveHost {
    private let host: any Host
    private var instruments: Instruments?
    /// Closing a packet socket waits for every processor (RCU): it waits for the end.
    private var spent: [SpentSocket] = []

    /// In the order in which they end: first what sends, then what stops it.
    private final class Instruments {
        let sender: ProofSender
        let local: LocalSender?
        let container: ProofContainer
        let fence: ProofFence?
        let capture: ProofCapture

        init(
            _ sender: consuming ProofSender, _ local: LocalSender?,
            _ container: consuming ProofContainer, _ fence: ProofFence?, _ capture: ProofCapture
        ) {
            self.sender = sender
            self.local = local
            self.container = container
            self.fence = fence
            self.capture = capture
        }
    }

    package init(_ host: any Host) {
        self.host = host
    }

    package func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        try host.answer(request)
    }

    package func send(_ order: ProbeOrder) throws(HostError) -> ProbeSightings {
        guard order.mode != .off else {
            throw HostError(.unsupported, operation: "send", message: "the proof is off")
        }
        instruments = nil
        var capture = try ProofCapture(order: order)
        // It stands before the container can send, and until the container is gone.
        let investigator = order.investigation.map { ProofInvestigator($0, of: order, on: host) }
        let fence = try raiseFence(order, traces: investigator?.mayTrace ?? order.traces)
        var container = try makeContainer(order)
        var result = ProbeSightings(sightings: [], port: container.port, captureDrops: 0)
        if order.probesAddresses {
            let wanted = order.addresses.map(\.address) + [order.local?.peer].compactMap { $0 }
            let taken = try AddressProbe.taken(wanted, in: &container)
            guard taken.isEmpty else {
                result.takenAddresses = taken
                return result
            }
        }
        let local = attachPeer(order, container, &result)
        try container.configure(order)
        let sender = try ProofSender(in: container)
        var seen = try observe(order, sender, local, fence, &capture, result)
        seen.findings = try investigator?.end(order)
        instruments = Instruments(sender, local, container, fence, capture)
        return seen
    }

    private func makeContainer(_ order: ProbeOrder) throws(HostError) -> ProofContainer {
        if let resident = order.resident { return try ProofContainer(resident: resident) }
        return try ProofContainer(order: order)
    }

    package func residents(of bridge: String, gateway: IPv4Address?) throws(HostError) -> BridgeResidents {
        var result = try ResidentReader(host).read(bridge)
        if let gateway, !result.residents.isEmpty {
            let (answers, socket) = try AddressProbe.owners(of: gateway, behind: bridge)
            result.gatewayAnswers = answers
            spent.append(socket)
        }
        return result
    }

    /// Nil where the order has nothing that stays on this host, or where that cannot be: then the rest still can.
    private func attachPeer(
        _ order: ProbeOrder, _ container: borrowing ProofContainer, _ result: inout ProbeSightings
    ) -> LocalSender? {
        guard let local = order.local else { return nil }
        do {
            let sender = try LocalSender(order, local, in: container)
            result.peerPort = sender.peerPort
            return sender
        } catch {
            result.localFailure = error.description
            return nil
        }
    }

    /// In fence mode a must; otherwise its stations are welcome where the kernel can have them.
    private func raiseFence(_ order: ProbeOrder, traces: Bool) throws(HostError) -> ProofFence? {
        do {
            return try ProofFence(order, traces: traces)
        } catch {
            guard order.mode == .wire, error.code == .unsupported else { throw error }
            return nil
        }
    }

    /// Sends everything and reads until every probe's fate is known, or time is up.
    private func observe(
        _ order: ProbeOrder, _ sender: borrowing ProofSender, _ local: LocalSender?, _ fence: ProofFence?,
        _ capture: inout ProofCapture, _ empty: ProbeSightings
    ) throws(HostError) -> ProbeSightings {
        var result = empty
        if order.investigation != nil { result.passes = [] }
        // What is there from before the first probe is none of ours.
        _ = try capture.read(since: 0)
        let start = RealTime.now
        result.startedNanoseconds = start
        for packet in order.packets { try sender.send(packet.bytes) }
        do {
            try local?.send(order, fenced: fence != nil)
        } catch {
            result.localFailure = error.description
        }
        var fates = ProbeFates(order: order, port: result.port, isFenced: fence != nil && result.localFailure == nil)
        let deadline = Deadline(milliseconds: order.waitMilliseconds)
        var descriptors = capture.descriptors + [sender.descriptor]
        descriptors += fence?.descriptors ?? []
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while !fates.areKnown, deadline.milliseconds > 0 {
            let ready = poll(&waiting, nfds_t(waiting.count), deadline.milliseconds)
            guard ready >= 0 || errno == EINTR else { throw HostError(errno: errno, operation: "wait for sightings") }
            result.sightings += fates.take(try read(sender, fence, &capture, start))
            try addKills(fence, &fates, to: &result)
        }
        // Stations of the way that were still on the way to us.
        result.sightings += fates.take(try read(sender, fence, &capture, start))
        try addKills(fence, &fates, to: &result)
        result.captureDrops = try capture.drops()
        return result
    }

    private func addKills(
        _ fence: ProofFence?, _ fates: inout ProbeFates, to result: inout ProbeSightings
    ) throws(HostError) {
        guard let steps = try fence?.readKills() else { return }
        result.kills += fates.take(steps.kills)
        if result.passes != nil { result.passes? += fates.keep(steps.passes) }
    }

    private func read(
        _ sender: borrowing ProofSender, _ fence: ProofFence?, _ capture: inout ProofCapture, _ start: Int
    ) throws(HostError) -> [Sighting] {
        var sightings = try capture.read(since: start)
        sightings += sender.read(since: start)
        if let fence { sightings += try fence.read(since: start) { capture.name($0) } }
        return sightings
    }
}
