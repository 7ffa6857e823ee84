internal import Glibc
package import HostAccess
internal import HostModel
internal import WireFormats

/// The live host, with the right to send a probe from a throw-away container.
///
/// Questions go to the host that it is given. Everything it makes hangs on descriptors of one call of `send`.
package final class ProofHost: ActiveHost {
    private let host: any Host

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
        var capture = try ProofCapture(order: order)
        var container = try ProofContainer(order: order)
        let result = ProbeSightings(sightings: [], port: container.port, captureDrops: 0)
        if order.probesAddresses {
            let taken = try AddressProbe.taken(order.addresses.map(\.address), in: container)
            guard taken.isEmpty else {
                var result = result
                result.takenAddresses = taken
                return result
            }
        }
        try container.configure(order)
        let sender = try ProofSender(in: container)
        return try observe(order, sender, &capture, result)
    }

    /// Sends everything and reads until every probe's fate is known, or time is up.
    private func observe(
        _ order: ProbeOrder, _ sender: borrowing ProofSender, _ capture: inout ProofCapture, _ empty: ProbeSightings
    ) throws(HostError) -> ProbeSightings {
        var result = empty
        // What is there from before the first probe is none of ours.
        _ = try capture.read(since: 0)
        let start = RealTime.now
        for packet in order.packets { try sender.send(packet.bytes) }
        var fates = ProbeFates(order: order, port: result.port)
        let deadline = Deadline(milliseconds: order.waitMilliseconds)
        var waiting = (capture.descriptors + [sender.descriptor]).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while !fates.areKnown, deadline.milliseconds > 0 {
            let ready = poll(&waiting, nfds_t(waiting.count), deadline.milliseconds)
            guard ready >= 0 || errno == EINTR else { throw HostError(errno: errno, operation: "wait for sightings") }
            let seen = try capture.read(since: start) + sender.read(since: start)
            result.sightings += fates.take(seen)
        }
        // Stations of the way that were still on the way to us.
        result.sightings += fates.take(try capture.read(since: start) + sender.read(since: start))
        result.captureDrops = try capture.drops()
        return result
    }
}
