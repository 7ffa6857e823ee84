internal import ConfigFiles
package import HostAccess
package import HostModel
internal import WireFormats

/// Whether the veths of a running container are plugged into a bridge.
///
/// Source: ip-link(8), IFLA_MASTER and IFLA_LINK_NETNSID of rtnetlink(7). The containers are entered only where a veth
/// that leads into another namespace has no bridge at all.
package struct ContainerPortsProbe: Probe {
    package let specification = ProbeSpecification(
        name: "container-ports", summary: "the host's ends of a running container's veths that are in no bridge",
        parameters: ["path": .string, "container": .string], facts: ["unplugged": .strings, "plugs": .strings])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let place = try ContainerPlace.asked(parameters, reader)
        let (path, name) = (place.path, place.name)
        let loose = try Self.looseVeths(host)
        guard !loose.isEmpty else {
            let evidence = Evidence(
                source: "RTM_GETLINK", command: "ip -d link show type veth",
                value: "every veth that leads into another namespace has a bridge")
            return Observation(facts: ["unplugged": .strings([]), "plugs": .strings([])], evidence: [evidence])
        }
        let config = try ContainerConfigProbe.read(path, name, reader)
        if let device = config.devices.first(where: \.isConnectedOtherwise) {
            throw .notApplicable(
                device.link == nil && device.upScript != nil
                    ? "a script of its own connects it" : "its veth is routed, not bridged")
        }
        let residents: BridgeResidents
        do {
            residents = try host.residents()
        } catch {
            throw ObservationFailure(error)
        }
        let unplugged = residents.residents.filter { $0.name == name && loose.contains($0.port) }
        if unplugged.isEmpty,
            let port = residents.unknownPorts.first(where: { line in
                loose.contains { line.hasPrefix($0 + ":") }
            })
        {
            let parts = port.split(separator: ":", maxSplits: 1)
            throw .unknown(
                "the container at the other end of the veth \(parts[0]) could not be looked into:"
                    + (parts.count == 2 ? parts[1] : " no reason given"))
        }
        // Where its configuration names one bridge, that is where a loose cable belongs: `vethAB12: lxcbr1`.
        let bridges = Set(config.devices.filter { $0.type == "veth" }.compactMap(\.link))
        let plugs = bridges.count == 1 ? unplugged.flatMap { loose in bridges.map { "\(loose.port): \($0)" } } : []
        return Observation(
            facts: ["unplugged": .strings(unplugged.map(\.port).sorted()), "plugs": .strings(plugs.sorted())],
            evidence: unplugged.map { resident in
                Evidence(
                    source: "link \(resident.port)",
                    command: "ip -d link show dev \(Evidence.quoted(resident.port))",
                    value: "the other end is \(resident.interface) in \(name); no master")
            })
    }

    private static func looseVeths(_ host: any Host) throws(ObservationFailure) -> Set<String> {
        do throws(HostError) {
            let messages = try host.query(.links())
            do throws(WireError) {
                let loose = try Link.all(in: messages).filter { link in
                    link.kind == "veth" && link.lowerNamespace != nil && link.master == nil
                }
                return Set(loose.map(\.name))
            } catch {
                throw HostError(.malformed, operation: "read links", message: error.description)
            }
        } catch {
            throw ObservationFailure(error)
        }
    }
}
