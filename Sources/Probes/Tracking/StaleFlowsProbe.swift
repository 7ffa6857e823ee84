package import HostAccess
package import HostModel
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
        // Equal but for their ports, most of them: a few hundred stand for the rest.
        let found = try Self.query(network, bridge, on: host).map { (query) throws(ObservationFailure) in
            try StaleFlows(of: network, bridge: bridge, query: query, most: 512, on: host)
        }
        let stale = found?.flows ?? []
        let words = stale.prefix(Self.shown).map(\.original.words)
        return Observation(
            facts: [
                "flows": .strings(Array(words)), "count": .integer(stale.count), "looked": .integer(found?.looked ?? 0),
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
}
