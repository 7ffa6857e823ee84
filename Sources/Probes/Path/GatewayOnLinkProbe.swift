internal import ConfigFiles
package import HostAccess
package import HostModel
internal import WireFormats

/// `gateway-on-link`: whether a host with a lone address (/32, as some providers give it) has a default route, or a
/// configured gateway that the kernel refuses because nothing says that it is on the link.
///
/// Source: ip-route(8), `onlink`; interfaces(5), `pointopoint`; systemd.network(5), `GatewayOnLink=`.
package struct GatewayOnLinkProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "gateway-on-link", summary: "A gateway that is outside the subnet of the uplink's address",
        parameters: [:],
        facts: [
            "lone": .strings, "count": .integer, "hasDefault": .boolean, "gateways": .strings, "files": .strings,
            "ways": .strings,
        ])

    /// A gateway of a configuration file that no address of the same stanza covers.
    private struct Stray {
        var gateway: IPv4Address
        var key: String
        var location: SourceLocation
    }

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let state = NetworkState(host: host)
        let links = try state.links()
        let lone = try state.addresses().filter { address in
            address.address.length == 32 && address.scope == 0 && address.peer == nil
                && links.contains { $0.index == address.link && !$0.isLoopback && $0.kind != "bridge" && !isTunnel($0) }
        }
        let uplink = lone.first.map { links.name($0.link) } ?? ""
        func words(_ one: InterfaceAddress) -> String { "\(one.address) on \(links.name(one.link))" }
        let hasDefault = try state.routes().contains {
            $0.destination.length == 0 && $0.kind == .unicast && $0.table == 254
        }
        var strays: [Stray] = []
        if !lone.isEmpty, !hasDefault {
            let reader = ConfigurationReader(host: host)
            strays = try ifupdown(reader) + networkd(reader)
        }
        var observation = Observation(
            facts: [
                "lone": .strings(lone.map(words)), "count": .integer(lone.count), "hasDefault": .boolean(hasDefault),
                "gateways": .strings(strays.map(\.gateway.description)), "files": .locations(strays.map(\.location)),
                "ways": .strings(strays.map { "\($0.gateway): \(uplink)" }),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETADDR, RTM_GETROUTE", command: "ip -4 address; ip route show default",
                    value: (lone.isEmpty ? "no address stands alone" : lone.map(words).joined(separator: ", "))
                        + (hasDefault ? "; there is a default route" : "; there is no default route"))
            ])
        observation.evidence += strays.map {
            Evidence($0.location, pattern: $0.key, value: "gateway \($0.gateway), on no subnet of this host")
        }
        return observation
    }

    /// Addresses of tunnels stand alone by nature.
    private func isTunnel(_ link: Link) -> Bool {
        ["wireguard", "tun", "ppp", "ipip", "gre", "sit", "vti", "xfrm"].contains(link.kind)
    }

    private func ifupdown(_ reader: ConfigurationReader) throws(ObservationFailure) -> [Stray] {
        var found: [Stray] = []
        for stanza in try IfupdownStanzas(reader).interfaces where stanza.family == "inet" {
            guard let option = stanza.value("gateway"), let gateway = IPv4Address(option.value),
                stanza.value("pointopoint") == nil, let own = stanza.value("address"),
                let address = Self.prefix(own.value, netmask: stanza.value("netmask")?.value),
                !address.contains(gateway)
            else { continue }
            found.append(Stray(gateway: gateway, key: "gateway", location: option.location))
        }
        return found
    }

    /// `203.0.113.2/32`, or an address with a netmask beside it.
    private static func prefix(_ text: String, netmask: String?) -> IPv4Prefix? {
        if text.contains("/") { return IPv4Prefix(text) }
        guard let address = IPv4Address(text) else { return nil }
        guard let netmask else { return IPv4Prefix(address: address, length: 32) }
        if let length = Int(netmask) { return IPv4Prefix(address: address, length: length) }
        return IPv4Address(netmask).flatMap { IPv4Prefix(address: address, netmask: $0) }
    }

    private func networkd(_ reader: ConfigurationReader) throws(ObservationFailure) -> [Stray] {
        var found: [Stray] = []
        for network in try NetworkdFiles.networks(reader) {
            let own = network.addresses.compactMap { IPv4Prefix($0.value) }
            guard !own.isEmpty else { continue }
            let onLink = Set(
                network.file.entries("Route", "GatewayOnLink").filter { SectionFile.boolean($0.value) == true }
                    .map(\.block))
            for entry in network.file.entries where entry.key == "Gateway" && !onLink.contains(entry.block) {
                guard let gateway = IPv4Address(entry.value), !own.contains(where: { $0.contains(gateway) }) else {
                    continue
                }
                found.append(Stray(gateway: gateway, key: "Gateway", location: entry.location))
            }
        }
        return found
    }
}
