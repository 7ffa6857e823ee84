package import HostAccess
package import HostModel
internal import PacketFilter
package import WireFormats

/// Flows of containers to the outside that are not translated although the rules would translate them now: they began
/// before the rules were right, and translation is decided once, by the first packet of a flow.
package struct StaleFlows {
    package private(set) var flows: [ConntrackFlow] = []
    /// How many flows were looked at.
    package private(set) var looked = 0

    /// - Parameters:
    ///   - query: as `StaleFlowsProbe.query` gives it.
    ///   - most: no more untranslated flows than this are judged.
    package init(
        of network: IPv4Prefix, bridge: String, query: KernelQuery, most: Int, on host: any Host
    ) throws(ObservationFailure) {
        let all = try Self.untranslated(query, on: host)
        looked = all.count
        let candidates = all.filter { flow in
            network.contains(flow.original.source) && !network.contains(flow.original.destination)
                && !flow.isSourceTranslated
        }
        guard !candidates.isEmpty else { return }
        let filter = try NetworkFilter(on: host)
        let walk = PacketWalk(ruleset: filter.ruleset, host: filter.forwarding)
        flows = candidates.prefix(most).filter { Self.wouldBeTranslated($0.original, bridge, walk) }
    }

    private static func untranslated(
        _ query: KernelQuery, on host: any Host
    ) throws(ObservationFailure) -> [ConntrackFlow] {
        let messages: [[UInt8]]
        do {
            messages = try host.query(query)
        } catch {
            if error.isMissingSubsystem {
                throw .notApplicable("the kernel does not list its connections (nf_conntrack_netlink)")
            }
            throw ObservationFailure(error)
        }
        do {
            return try ConntrackFlow.all(in: messages)
        } catch {
            throw .unknown("nfnetlink \(query.name): \(error)")
        }
    }

    /// What the rules would do with the first packet of that flow today.
    private static func wouldBeTranslated(_ tuple: ConntrackFlow.Tuple, _ bridge: String, _ walk: PacketWalk) -> Bool {
        let packet = SamplePacket(
            inputInterface: bridge, source: tuple.source, destination: tuple.destination,
            protocol: SamplePacket.Transport(number: tuple.transport),
            sourcePort: tuple.transport == 1 ? 8 : tuple.sourcePort,
            destinationPort: tuple.transport == 1 ? 0 : tuple.destinationPort)
        let result = walk.walk(packet)
        guard result.verdict == .accepted, !result.isLocal else { return false }
        let sources = result.sourceAfter.map { [$0] } ?? result.sourceChoices ?? []
        return !sources.isEmpty && !sources.contains(tuple.source)
    }
}

extension ConntrackFlow.Tuple {
    /// `udp 10.5.0.9:514 > 198.51.100.7:514`.
    package var words: String {
        let name = SamplePacket.Transport(number: transport)
        guard transport == 6 || transport == 17 else { return "\(name) \(source) > \(destination)" }
        return "\(name) \(source):\(sourcePort) > \(destination):\(destinationPort)"
    }
}
