internal import ConfigFiles
package import HostAccess
package import HostModel

/// Hardware addresses that more than one container's configuration names: a copy that kept its model's.
package struct ContainerHardwareAddressesProbe: Probe {
    package let specification = ProbeSpecification(
        name: "container-hardware-addresses", summary: "hardware addresses in the configurations of all containers",
        parameters: ["path": .string], facts: ["count": .integer, "duplicates": .strings])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let path = try LXCPath.resolve(try parameters.string("path"), reader).path
        var owners: [String: [LXCConfig.Entry]] = [:]
        var names: [String: [String]] = [:]
        for place in try ContainersProbe.places(path, reader) {
            let name = place.title(in: path)
            let config = try ContainerConfigProbe.read(place.path, place.name, reader)
            for entry in config.entries where entry.key.hasPrefix("lxc.net") && entry.key.hasSuffix(".hwaddr") {
                // LXC fills in every x anew at each start.
                let address = entry.value.lowercased()
                guard !address.contains("x"), names[address]?.last != name else { continue }
                owners[address, default: []].append(entry)
                names[address, default: []].append(name)
            }
        }
        let shared = names.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
        return Observation(
            facts: [
                "count": .integer(names.count),
                "duplicates": .strings(shared.map { "\($0.key): \($0.value.joined(separator: ", "))" }),
            ],
            evidence: [
                Evidence(
                    source: path, command: "grep -H hwaddr \(Evidence.quoted(path))/*/config",
                    value: shared.count == 1
                        ? "one hardware address is given to more than one container"
                        : "\(shared.count) of \(names.count) hardware addresses are given to more than one container")
            ]
                + shared.flatMap { address, _ in
                    (owners[address] ?? []).prefix(4).map { entry in
                        Evidence(entry.location, pattern: "hwaddr", value: entry.value)
                    }
                })
    }
}
