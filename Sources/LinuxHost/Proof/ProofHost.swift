internal import Glibc
package import HostAccess
package import HostModel
internal import WireFormats

/// The live host, with the right to send probes from throw-away containers.
///
/// Requests are answered by the host that it is given. What `send` makes is bound to descriptors of this object: one capture,
/// one fence for all orders of a call, and one container for all orders that are sent from there.
package final class ProofHost: ActiveHost {
    private let host: any Host
    private var resources = Resources()

    /// What is open, in the order in which it is closed: what sends before what stops packets.
    private final class Resources {
        var spent: [SharedSocket] = []
        var stations: [ProofStation] = []
        var fences: [ProofFence] = []
        var capture: ProofCapture?
        /// The capture that is being opened. Setting up its ring waits for an RCU grace period, so it is done in the background.
        var opening: Background<ProofTap>?
    }

    package init(_ host: any Host) {
        self.host = host
    }

    package func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        try host.answer(request)
    }

    /// Begins to open the capture, which takes longer than all the rest.
    package func prepare() {
        guard resources.opening == nil, resources.capture == nil else { return }
        resources.opening = Background { () throws(HostError) in try ProofTap(device: "any") }
    }

    /// Closes everything in the background, because closing waits for RCU grace periods: only the end of the process has to
    /// wait for that. What sends is closed before what stops packets.
    package func close() {
        for station in resources.stations { station.giveUp() }
        let instruments = Parts([resources.spent, resources.stations, resources.fences])
        let capture = Parts([[resources.capture].compactMap(\.self), [resources.opening].compactMap(\.self)])
        resources = Resources()
        for parts in [instruments, capture] {
            _ = BackgroundThread {
                while !parts.all.isEmpty { parts.all.removeFirst() }
            }
        }
    }

    /// Owns what is to be closed, so that the background thread releases the last references.
    private final class Parts {
        var all: [[AnyObject]]
        init(_ all: [[AnyObject]]) {
            self.all = all
        }
    }

    package func residents(of bridge: String, gateway: IPv4Address?, ipv6: Bool) throws(HostError) -> BridgeResidents {
        let question = try gateway.map { (gateway) throws(HostError) in
            try AddressQuestion(gateway, behind: bridge)
        }
        if let question { resources.spent.append(question.socket) }
        var result = try ResidentReader(host).read(bridge, ipv6: ipv6)
        guard let question, !result.residents.isEmpty else { return result }
        let owners = question.owners()
        // Another interface of this host may answer for it (arp_ignore 0, ip-sysctl.rst): nobody has stolen anything.
        let own = owners.isEmpty ? [] : try ResidentReader(host).hardwareAddresses()
        result.gatewayAnswers = owners.filter { !own.contains($0) }
        return result
    }

    // MARK: Sending

    package func send(_ orders: [ProbeOrder]) -> [ProbeOutcome] {
        do throws(HostError) {
            guard let mode = orders.first?.mode, mode != .off else {
                throw HostError(.unsupported, operation: "send", message: "the proof is off")
            }
            return try send(orders, mode)
        } catch {
            let others = orders.filter { $0.family == .ipv4 }
            guard error.code == .unsupported, !others.isEmpty, others.count < orders.count else {
                return orders.map { _ in .failure(error) }
            }
            // A kernel may lack for IPv6 what it has for IPv4.
            var outcomes = send(others)[...]
            return orders.map { $0.family == .ipv4 ? outcomes.removeFirst() : .failure(error) }
        }
    }

    private func send(_ orders: [ProbeOrder], _ mode: ProofMode) throws(HostError) -> [ProbeOutcome] {
        prepare()
        // The fence is up before a container can send, and until the containers are gone.
        let investigated = orders.first { $0.investigation != nil }
        let investigator = investigated.flatMap { order in
            order.investigation.map { ProofInvestigator($0, of: order, on: host) }
        }
        let (fence, weakness) = try raiseFence(
            orders, mode, traces: investigator?.mayTrace ?? orders.allSatisfy(\.traces))
        var outcomes: [ProbeOutcome?] = orders.map { _ in nil }
        var runs: [Int: ProofRun] = [:]
        for (index, order) in orders.enumerated() {
            do throws(HostError) {
                runs[index] = ProofRun(order, from: try station(for: order), isFenced: fence != nil)
            } catch {
                outcomes[index] = .failure(error)
            }
        }
        for (index, run) in runs {
            do throws(HostError) {
                let taken = run.order.probesAddresses ? run.station.takenAddresses() : []
                if taken.isEmpty {
                    try run.station.configure()
                } else {
                    outcomes[index] = .success(run.result(taken: taken))
                    runs[index] = nil
                }
            } catch {
                outcomes[index] = .failure(error)
                runs[index] = nil
            }
        }
        if !runs.isEmpty {
            let capture = try capture(for: runs.values.map(\.order))
            try observe(runs.sorted { $0.key < $1.key }.map(\.value), fence, capture)
            for run in runs.values { try run.station.forget() }
            let drops = try capture.drops()
            let findings = try investigator?.end(orders[0])
            for (index, run) in runs {
                outcomes[index] = run.outcome(captureDrops: drops, findings: findings, weakness: weakness)
            }
        }
        let missing = HostError(.other, operation: "send", message: "the order has no outcome")
        return outcomes.map { $0 ?? .failure(missing) }
    }

    /// The container that an order is sent from: one that is there, or a new one.
    private func station(for order: ProbeOrder) throws(HostError) -> ProofStation {
        if let station = resources.stations.first(where: { $0.serves(order) }) { return station }
        let station = try ProofStation(order)
        resources.stations.append(station)
        return station
    }

    /// In fence mode a fence is required. In wire mode its posts only add evidence: where the kernel cannot have them, the
    /// result says so (`weakness`).
    private func raiseFence(
        _ orders: [ProbeOrder], _ mode: ProofMode, traces: Bool
    ) throws(HostError) -> (ProofFence?, weakness: String?) {
        do {
            let fence = try ProofFence(orders, traces: traces)
            resources.fences.append(fence)
            return (fence, nil)
        } catch {
            guard mode == .wire, error.code == .unsupported else { throw error }
            return (nil, "this kernel has no nftables tables with an owner (Linux 5.12)")
        }
    }

    private func capture(for orders: [ProbeOrder]) throws(HostError) -> ProofCapture {
        if let opening = resources.opening {
            resources.capture = try ProofCapture(orders: orders, opening)
            resources.opening = nil
        }
        guard let capture = resources.capture else {
            throw HostError(.other, operation: "capture", message: "it was not opened")
        }
        try capture.narrow(to: orders)
        return capture
    }

    /// Sends everything and reads until it is known of every probe where it went, or time is up.
    private func observe(
        _ runs: [ProofRun], _ fence: ProofFence?, _ capture: ProofCapture
    ) throws(HostError) {
        // Discards what was captured before the first probe.
        _ = try capture.read(since: 0)
        let start = RealTime.now
        for run in runs { run.send(at: start) }
        try wait(runs.map(\.order.waitMilliseconds).max() ?? 0, runs, fence, capture, start)
        // Somebody in the container had asked for the gateway before us, in vain: what is sent meanwhile waits for the
        // next question, a second after the last (retrans_time_ms, arp(7)).
        for run in runs where try run.waitsForTheGateway() {
            return try wait(Self.neighbourMilliseconds, runs, fence, capture, start)
        }
    }

    private static let neighbourMilliseconds = 1100

    private func wait(
        _ milliseconds: Int, _ runs: [ProofRun], _ fence: ProofFence?, _ capture: ProofCapture, _ start: Int
    ) throws(HostError) {
        let deadline = Deadline(milliseconds: milliseconds)
        let descriptors = capture.descriptors + runs.map(\.station.descriptor) + (fence?.descriptors ?? [])
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while !runs.allSatisfy(\.isOver), deadline.milliseconds > 0 {
            let ready = poll(&waiting, nfds_t(waiting.count), deadline.milliseconds)
            guard ready >= 0 || errno == EINTR else { throw HostError(errno: errno, operation: "wait for sightings") }
            try read(runs, fence, capture, start)
        }
        // Reads what was logged just before the end.
        try read(runs, fence, capture, start)
    }

    private func read(
        _ runs: [ProofRun], _ fence: ProofFence?, _ capture: ProofCapture, _ start: Int
    ) throws(HostError) {
        var sightings = try capture.read(since: start)
        if let fence { sightings += try fence.read(since: start) { capture.name($0) } }
        let steps = try fence?.readKills()
        for run in runs {
            run.take(sightings + run.station.read(since: start))
            if let steps { run.take(kills: steps.kills, passes: steps.passes) }
        }
    }
}
