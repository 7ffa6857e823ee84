package import HostAccess
package import HostModel
internal import WireFormats

/// `interface-addresses {name}`: the IPv4 addresses of a link, in the order of the kernel. No link has none.
package struct InterfaceAddressesProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "interface-addresses", summary: "The IPv4 addresses that an interface carries",
        parameters: ["name": .string], facts: ["addresses": .strings, "count": .integer])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let name = try parameters.string("name")
        let state = NetworkState(host: host)
        let link = try state.links().named(name)
        let addresses = try link.map { (link) throws(ObservationFailure) in
            try state.addresses().filter { $0.link == link.index }.map(\.address.description)
        }
        let value =
            switch addresses {
            case nil: "there is no link \(name)"
            case let some? where some.isEmpty: "\(name) has no IPv4 address"
            case let some?: some.joined(separator: ", ")
            }
        return Observation(
            facts: ["addresses": .strings(addresses ?? []), "count": .integer(addresses?.count ?? 0)],
            evidence: [
                Evidence(source: "rtnetlink RTM_GETADDR", command: "ip -4 address show dev \(name)", value: value)
            ])
    }
}
