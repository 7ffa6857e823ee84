package import HostModel
internal import WireFormats

/// What rules that close the way to the outside leave open on purpose.
package struct OpenEgress: Sendable, Hashable {
    package enum Width: String, Sendable {
        /// HTTPS and names pass, to wherever: a container does what most containers do.
        case most
        /// A few services or destinations, and the rest is closed.
        case listed
    }

    /// Ports that are no service's: what traceroute takes, and the packet proof.
    package static let others = "other UDP (such as port 33434)"

    package var width: Width
    /// Usual services by name, and where not everybody may be asked, destinations: `HTTPS (tcp 443)`, `192.0.2.0/24`.
    package var passing: [String]
    package var stopped: [String]
    /// What stops the first of them.
    package var killer: Killer
    /// Packets that pass.
    package var requests: [SamplePacket]
}

extension NetworkQuestions {
    /// What containers usually ask of the outside. Ports: the registry of IANA.
    private static let services: [(name: String, transport: SamplePacket.Transport, port: UInt16)] = [
        ("HTTPS (tcp 443)", .tcp, 443), ("HTTP (tcp 80)", .tcp, 80), ("DNS (udp 53)", .udp, 53),
        ("DNS (tcp 53)", .tcp, 53), ("QUIC (udp 443)", .udp, 443), ("NTP (udp 123)", .udp, 123),
        ("SSH (tcp 22)", .tcp, 22), ("mail (tcp 25)", .tcp, 25), ("ping", .icmp, 0),
        (OpenEgress.others, .udp, 33_434),
    ]

    /// Closed rules with an opening that somebody made: HTTPS to wherever, or TCP to some destination or port. Nil where
    /// everything usual passes, where nothing of the kind does, and where it is not known.
    ///
    /// What only a part of the network may do does not count. Neither do the openings that firewall programs leave
    /// everybody: pings, DHCP, and what they publish.
    package func openEgress() -> OpenEgress? {
        guard let target else { return nil }
        var (passing, stopped): ([String], [String]) = ([], [])
        var requests: [SamplePacket] = []
        var killer: Killer?
        for service in Self.services {
            let sent = ends.map { request(service.transport, service.port, from: $0, to: target) }
            let results = sent.map(walk.walk)
            if results.allSatisfy({ $0.verdict == .accepted }) {
                passing.append(service.name)
                requests += sent.prefix(1)
                continue
            }
            // What routing drops, or nobody knows, is another matter.
            guard let lost = results.first(where: { $0.verdict == .dropped })?.killer, lost.table != nil else {
                return nil
            }
            stopped.append(service.name)
            killer = killer ?? lost
        }
        guard let killer else { return nil }
        let names = Self.services.map(\.name)
        var open = OpenEgress(
            width: passing.contains(names[2]) ? .most : .listed, passing: passing, stopped: stopped, killer: killer,
            requests: requests)
        if passing.contains(names[0]) {
            // Names that do not pass while nearly all the rest does are no list, but a rule against them.
            return open.width == .most || stopped.count > passing.count ? open : nil
        }
        let openings = isOpened(towards: target) ? openings(to: target) : []
        guard !openings.isEmpty else { return nil }
        open.width = .listed
        open.passing = openings.map(\.words) + passing.filter { $0.hasPrefix("DNS") || $0 == "ping" }
        open.requests = openings.map(\.request)
        return open
    }

    /// Protocols whose usual packets the rules drop for the whole network.
    package func closedServices() -> Set<SamplePacket.Transport> {
        let dropped = ends.map { end in
            Set(
                samples(.forwarded, of: end).filter { packet in
                    let result = walk.walk(packet)
                    return result.verdict == .dropped && result.killer?.table != nil
                }.map(\.protocol))
        }
        return dropped.dropFirst().reduce(dropped.first ?? []) { $0.intersection($1) }
    }

    /// Containers at either end of the network: a rule that is about a part of it treats them differently.
    private var ends: [IPv4Address] {
        let all = containers.ranges
        return [all.first?.lowerBound, all.last?.upperBound].compactMap { $0 }.map(IPv4Address.init(value:))
    }

    private func request(
        _ transport: SamplePacket.Transport, _ port: UInt16, from source: IPv4Address, to destination: IPv4Address
    ) -> SamplePacket {
        SamplePacket(
            inputInterface: bridge, source: source, destination: destination, protocol: transport,
            sourcePort: transport == .icmp ? 8 : 40_000, destinationPort: port)
    }

    /// More openings than these are not named.
    private static let mostOpenings = 4

    /// Whether a rule lets containers out for some purposes only, where a chain drops the rest.
    private func isOpened(towards target: IPv4Address) -> Bool {
        let way = host.decision(source: container, destination: target, input: bridge)
        return way.links.contains { uplink in
            do throws(WalkLimit) { return try allowance(leavingBy: uplink) != nil } catch { return false }
        }
    }

    /// What new connections of TCP pass on the way to a target: destinations where it is not all of them, else ports. Each
    /// was walked through the rules alone, from either end of the network.
    private func openings(to target: IPv4Address) -> [(words: String, request: SamplePacket)] {
        var found: [(words: String, request: SamplePacket)] = []
        for box in passingConnections(to: target) where found.count < Self.mostOpenings {
            let isAnywhere = box.destination.contains(target.value)
            let ports = box.destinationPort
            // A few that are closed leave most of it open: that is no list of what is allowed.
            guard isAnywhere ? ports.count < 1 << 15 : box.destination.count < 1 << 31 else { continue }
            guard let first = box.destination.ranges.first?.lowerBound, let lowest = ports.ranges.first?.lowerBound
            else { continue }
            let port = UInt16(truncatingIfNeeded: [443, 80, 22].first(where: ports.contains) ?? lowest)
            let destination = isAnywhere ? target : IPv4Address(value: first)
            let sent = ends.map { request(.tcp, port, from: $0, to: destination) }
            guard sent.allSatisfy({ walk.walk($0).verdict == .accepted }) else { continue }
            var words = ports.count < PacketBox.usedPorts.count ? "tcp \(Self.words(ports))" : ""
            if !isAnywhere {
                let places = box.destination.prefixes(limit: 3)
                words +=
                    (words.isEmpty ? "everything to " : " to ")
                    + places.map(\.description).joined(separator: ", ")
            }
            if !found.contains(where: { $0.words == words }) { found.append((words, sent[0])) }
        }
        return found
    }

    private static func words(_ ports: IntervalSet) -> String {
        ports.ranges.prefix(3).map {
            $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
        }.joined(separator: ", ")
    }

    /// The new connections that come through every chain by the link that leads to a target.
    private func passingConnections(to target: IPv4Address) -> [PacketBox] {
        do throws(Undecided) {
            var found: [PacketBox] = []
            for way in try uplinks() where way.destinations.contains(target.value) {
                var box = packets(from: way.sources, to: way.destinations.subtracting(IntervalSet(network)))
                box.transport = IntervalSet(6)
                var passage = Passage(boxes: [box])
                let context = context(bridge, way.output.name)
                try enter(&passage, context)
                try pass(&passage, .forward, context)
                try pass(&passage, .postrouting, context)
                found += passage.boxes
            }
            return found
        } catch {
            return []
        }
    }
}
