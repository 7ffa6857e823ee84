package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `managed-bridges`: every bridge with an IPv4 address, the program that makes it, and whether its containers are
/// translated. Lists of equal length, but for `translated`, which holds names.
package struct ManagedBridgesProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "managed-bridges", summary: "The bridges of this host, who makes them, and whether they are translated",
        parameters: [:],
        facts: [
            "names": .strings, "addresses": .strings, "owners": .strings, "modes": .strings, "translated": .strings,
        ])

    /// More bridges than this are not looked at.
    private static let most = 256

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let state = NetworkState(host: host)
        let links = try state.links()
        let addresses = try state.addresses()
        let filter = try NetworkFilter(on: host)
        let reader = ConfigurationReader(host: host)
        let owners = try BridgeOwners(filter.ruleset, reader)
        let settings = try LXCNetSettings.read(from: host)
        var facts: [String: [String]] = ["names": [], "addresses": [], "owners": [], "modes": [], "translated": []]
        for link in links.filter({ $0.kind == "bridge" }).prefix(Self.most) {
            guard let address = addresses.first(where: { $0.link == link.index && $0.scope == 0 })?.address else {
                continue
            }
            let owner = try owners.owner(of: link.name, settings)
            facts["names"]?.append(link.name)
            facts["addresses"]?.append(address.description)
            facts["owners"]?.append(owner?.0.rawValue ?? "")
            facts["modes"]?.append((owner?.1 ?? .masquerade).rawValue)
            if Self.isTranslated(link.name, address, filter) { facts["translated"]?.append(link.name) }
        }
        return Observation(
            facts: facts.mapValues { .strings($0) },
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETLINK, nfnetlink NFT_MSG_GETCHAIN",
                    command: "ip -br -4 address show type bridge; nft list chains",
                    value: facts["names"]?.isEmpty == false
                        ? (facts["names"] ?? []).joined(separator: ", ") : "no bridges")
            ])
    }

    /// By any rule, for any of its packets, on the host's own way out.
    private static func isTranslated(_ bridge: String, _ address: IPv4Prefix, _ filter: NetworkFilter) -> Bool {
        let questions = filter.questions(
            network: address.network, bridge: bridge, address: address.address, target: Network.defaultTarget)
        let way = filter.forwarding.decision(
            source: questions.someContainer, destination: Network.defaultTarget, input: bridge)
        return way.links.contains { name in
            guard name != bridge else { return false }
            do {
                return try questions.translation(by: name).translated != .none
            } catch {
                return false
            }
        }
    }
}
