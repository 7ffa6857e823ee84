internal import ConfigFiles
package import HostAccess
package import HostModel

/// `container-twins {path, bridge}`: containers of a bridge that are configured to have one address, or that will ask
/// DHCP for one as the same machine.
package struct ContainerTwinsProbe: Probe {
    /// Containers beyond this number are not compared.
    private static let maximum = 1_024

    package let specification = ProbeSpecification(
        name: "container-twins", summary: "containers whose configurations give them the same address or machine-id",
        parameters: ["path": .string, "bridge": .string],
        facts: ["containers": .integer, "addresses": .strings, "inRange": .strings, "machineIds": .strings],
        source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let path = try LXCPath.resolve(try parameters.string("path"), reader).path
        let bridge = try parameters.string("bridge")
        var addresses: [String: [(name: String, entry: LXCConfig.Entry?)]] = [:]
        var machines: [String: [(name: String, file: String)]] = [:]
        var count = 0
        for place in try ContainersProbe.places(path, reader).prefix(Self.maximum) {
            let name = place.title(in: path)
            let config: LXCConfig
            do {
                config = try ContainerConfigProbe.read(place.path, place.name, reader)
            } catch {
                // It vanished meanwhile; what cannot be read is unknown as a whole.
                if case .notApplicable = error { continue }
                throw error
            }
            let devices = config.devices.filter { $0.link == bridge }
            guard !devices.isEmpty else { continue }
            count += 1
            for text in devices.flatMap(\.addresses) {
                let address = String(text.prefix { $0 != "/" && $0 != " " })
                let entry = config.entries.last { $0.key.hasSuffix("ipv4.address") && $0.value == text }
                addresses[address, default: []].append((name, entry))
            }
            // Only who asks DHCP is known there by its machine-id.
            guard devices.contains(where: { $0.addresses.isEmpty }),
                let guest = try GuestSystem(config, directory: place.directory, reader),
                let bytes = try guest.read("/etc/machine-id", limit: 256)
            else { continue }
            let id = String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
            guard id.utf8.count == 32 else { continue }
            machines[id, default: []].append((name, guest.root + "/etc/machine-id"))
        }
        guard count > 0 else { throw .notApplicable("no container is configured for \(bridge)") }
        return try judge(bridge, count, addresses, machines, reader)
    }

    private func judge(
        _ bridge: String, _ count: Int, _ addresses: [String: [(name: String, entry: LXCConfig.Entry?)]],
        _ machines: [String: [(name: String, file: String)]], _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> Observation {
        var evidence: [Evidence] = []
        let doubled = addresses.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
        for item in doubled.prefix(4) {
            for owner in item.value.prefix(4) {
                guard let entry = owner.entry else { continue }
                evidence.append(Evidence(entry.location, pattern: entry.key, value: entry.value))
            }
        }
        let settings = try LXCNetSettings.read(from: reader.host)
        var inRange: [String] = []
        if settings.installed, settings.bridge == bridge, settings.dhcpRange.count == 2 {
            for (text, owners) in addresses.sorted(by: { $0.key < $1.key }) {
                guard let address = IPv4Address(text), address >= settings.dhcpRange[0],
                    address <= settings.dhcpRange[1]
                else { continue }
                inRange.append("\(text) of \(owners.map(\.name).joined(separator: ", "))")
                if inRange.count == 1 {
                    evidence.append(settings.evidence("LXC_DHCP_RANGE", value: settings.dhcpRangeText))
                    if let entry = owners[0].entry {
                        evidence.append(Evidence(entry.location, pattern: entry.key, value: entry.value))
                    }
                }
            }
        }
        let twins = machines.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
        for item in twins.prefix(4) {
            for owner in item.value.prefix(4) {
                evidence.append(
                    Evidence(
                        source: owner.file, command: "cat \(Evidence.quoted(owner.file))", value: Self.short(item.key)))
            }
        }
        if evidence.isEmpty {
            evidence.append(
                Evidence(
                    source: "configurations of \(count) containers", command: "grep -n ipv4.address */config",
                    value: "no address and no machine-id twice"))
        }
        return Observation(
            facts: [
                "containers": .integer(count),
                "addresses": .strings(doubled.map { "\($0.key): \($0.value.map(\.name).joined(separator: ", "))" }),
                "inRange": .strings(inRange),
                "machineIds": .strings(
                    twins.map { "\(Self.short($0.key)): \($0.value.map(\.name).joined(separator: ", "))" }),
            ], evidence: evidence)
    }

    /// A machine-id is not for reports: machine-id(5).
    private static func short(_ id: String) -> String { "\(id.prefix(8))…" }
}
