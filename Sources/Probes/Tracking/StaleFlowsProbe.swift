package import HostAccess
package import HostModel
internal import WireFormats

/// `stale-flows {network, bridge, address, target}`: flows of containers to the outside that are not translated although
/// the rules would translate them now: they began before the rules were right, and translation is decided once, by the
/// first packet of a flow.
package struct StaleFlowsProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "stale-flows", summary: "Flows that predate the rule which would translate them",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: ["flows": .strings, "count": .integer, "looked": .integer])

    /// More connections than this are not walked through: the kernel would be busy for longer than the answer is worth.
    private static let most = 65_536
    /// So many are named.
    private static let shown = 8

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network").network
        let bridge = try parameters.string("bridge")
        let table = try ConntrackTable(on: host)
        guard table.count <= Self.most else {
            throw .notApplicable(
                "\(table.count) connections are too many to look at each; by hand: conntrack -L -s \(network)")
        }
        // The kernel looks through its whole hash table, which takes milliseconds: not where nobody could have a flow.
        let links = try NetworkState(host: host).links()
        guard let own = links.named(bridge), links.contains(where: { $0.master == own.index }) else {
            throw .notApplicable("\(bridge) has no ports: nobody has a flow")
        }
        // Equal but for their ports, most of them: a few hundred stand for the rest.
        let found = table.count == 0 ? nil : try StaleFlows(of: network, bridge: bridge, most: 512, on: host)
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
}
