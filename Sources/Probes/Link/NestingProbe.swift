package import HostAccess
package import HostModel
internal import WireFormats

/// `nesting {network, bridge}`: whether this host is itself a container whose own network is the one it would give out.
package struct NestingProbe: Probe {
    /// Files by which a container knows that it is one. Source: https://systemd.io/CONTAINER_INTERFACE.
    private static let marks = ["/run/systemd/container", "/run/host/container-manager", "/run/.containerenv"]

    package init() {}

    package let specification = ProbeSpecification(
        name: "nesting", summary: "Whether this host is a container in a network that it claims for its own containers",
        parameters: ["network": .string, "bridge": .string],
        facts: ["container": .string, "overlaps": .strings])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network").network
        let bridge = try parameters.string("bridge")
        let reader = ConfigurationReader(host: host)
        guard let mark = try reader.first(Self.marks) else { throw .notApplicable("this host is no container") }
        let kind = try reader.bytes(mark, limit: 4_096).map {
            String(decoding: $0.prefix { $0 != 0x0a }, as: UTF8.self)
        }
        let state = NetworkState(host: host)
        let links = try state.links()
        let own = links.named(bridge)?.index
        let overlaps = try state.addresses().filter { address in
            address.link != own && address.address.length > 0
                && links.first { $0.index == address.link }?.kind != "bridge"
                && network.overlaps(address.address)
        }.map { "\(links.name($0.link)) \($0.address)" }
        return Observation(
            facts: ["container": .string(kind ?? ""), "overlaps": .strings(overlaps)],
            evidence: [
                Evidence(source: mark, command: "cat \(mark)", value: kind ?? "present"),
                Evidence(
                    source: "rtnetlink RTM_GETADDR", command: "ip -4 address show",
                    value: overlaps.isEmpty
                        ? "the network that this host is in is another than \(network)"
                        : "inside \(network): \(overlaps.joined(separator: ", "))"),
            ])
    }
}
