package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `stale-flows {network, bridge, address, target}`: flows of containers to the outside that are not translated although
/// the rules would translate them now: they began before the rules were right, and translation is decided once, by the
/// first packet of a flow.
package struct StaleFlowsProbe: Probe {
    package static let name = "stale-flows"

    package init() {}

    package let specification = ProbeSpecification(
        name: name, summary: "Flows that predate the rule which would translate them",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: ["flows": .strings, "count": .integer, "looked": .integer])

    /// More connections than this are not walked through: the kernel would be busy for longer than the answer is worth.
    private static let most = 65_536
    /// So many are named.
    private static let shown = 8

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network").network
        let bridge = try parameters.string("bridge")
        let flows =
            try Self.query(network, bridge, on: host).map { (query) throws(ObservationFailure) in
                try Self.flows(query, on: host)
            } ?? []
        let candidates = flows.filter { flow in
            network.contains(flow.original.source) && !network.contains(flow.original.destination)
                && !flow.isSourceTranslated
        }
        var stale: [ConntrackFlow] = []
        if !candidates.isEmpty {
            let filter = try NetworkFilter(on: host)
            let walk = PacketWalk(ruleset: filter.ruleset, host: filter.forwarding)
            // Equal but for their ports, most of them: a few hundred stand for the rest.
            for flow in candidates.prefix(512) where Self.wouldBeTranslated(flow.original, bridge, walk) {
                stale.append(flow)
            }
        }
        let words = stale.prefix(Self.shown).map(Self.words)
        return Observation(
            facts: [
                "flows": .strings(Array(words)), "count": .integer(stale.count), "looked": .integer(flows.count),
            ],
            evidence: [
                Evidence(
                    source: "ctnetlink IPCTNL_MSG_CT_GET", command: "conntrack -L -s \(network)",
                    value: stale.isEmpty
                        ? "no flow of \(network) that should be translated and is not"
                        : words.joined(separator: ", ") + (stale.count > words.count ? ", …" : ""))
            ])
    }

    /// What the kernel is asked about the flows of a bridge; nil where there are none at all.
    ///
    /// It looks through its whole hash table for the answer, which takes milliseconds: whoever knows that the probe will
    /// be asked can begin with this.
    package static func query(
        _ network: IPv4Prefix, _ bridge: String, on host: any Host
    ) throws(ObservationFailure) -> KernelQuery? {
        let table = try ConntrackTable(on: host)
        guard table.count <= Self.most else {
            throw .notApplicable(
                "\(table.count) connections are too many to look at each; by hand: conntrack -L -s \(network)")
        }
        let links = try NetworkState(host: host).links()
        guard let own = links.named(bridge), links.contains(where: { $0.master == own.index }) else {
            throw .notApplicable("\(bridge) has no ports: nobody has a flow")
        }
        return table.count == 0 ? nil : .untranslatedFlows
    }

    private static func flows(
        _ query: KernelQuery, on host: any Host
    ) throws(ObservationFailure) -> [ConntrackFlow] {
        let messages: [[UInt8]]
        do {
            messages = try host.query(query)
        } catch {
            // A kernel without ctnetlink answers EINVAL (22).
            if error.code == .unsupported || error.errno == 22 {
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

    private static func words(_ flow: ConntrackFlow) -> String {
        let tuple = flow.original
        let name = SamplePacket.Transport(number: tuple.transport)
        guard tuple.transport == 6 || tuple.transport == 17 else {
            return "\(name) \(tuple.source) > \(tuple.destination)"
        }
        return "\(name) \(tuple.source):\(tuple.sourcePort) > \(tuple.destination):\(tuple.destinationPort)"
    }
}
