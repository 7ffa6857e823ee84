package import HostAccess
package import HostModel

/// Who makes a bridge at the next boot, and whether with its address.
package struct BridgeNextBootProbe: Probe {
    package let specification = ProbeSpecification(
        name: "bridge-next-boot", summary: "who will make the bridge and its address at the next boot",
        parameters: ["bridge": .string, "address": .string],
        facts: [
            "creators": .strings, "count": .integer, "creator": .string, "carriesAddress": .boolean,
            "problems": .strings, "addresses": .strings, "lxcNetOff": .boolean,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let wanted = try parameters.prefix("address")
        let anyLength = try !parameters.string("address").contains("/")
        let services = try BootServices(ConfigurationReader(host: host))
        let found = try BridgeCreators(bridge: bridge, services)
        let addresses = found.creators.flatMap(\.addresses)
        var isOff = false
        if found.creators.isEmpty { isOff = try lxcNetIsOff(bridge, services) }
        var observation = Observation(facts: [
            "creators": .strings(found.creators.map(\.name)), "count": .integer(found.creators.count),
            "creator": .string(found.creators.first?.name ?? ""),
            "carriesAddress": .boolean(
                addresses.compactMap(IPv4Prefix.init(_:)).contains {
                    $0 == wanted || (anyLength && $0.address == wanted.address)
                }),
            "problems": .strings(found.problems), "addresses": .strings(addresses),
            "lxcNetOff": .boolean(isOff),
        ])
        observation.evidence = found.creators.map(\.evidence)
        for problem in found.problems {
            observation.evidence.append(
                Evidence(
                    source: "\(services.initSystem.rawValue) boot", command: services.command("lxc-net"), value: problem
                ))
        }
        if observation.evidence.isEmpty {
            observation.evidence.append(
                Evidence(
                    source: "\(services.initSystem.rawValue) boot",
                    command: "grep -rn \(bridge) /etc/default /etc/network /etc/netplan /etc/systemd/network",
                    value: "nothing makes \(bridge)"))
        }
        return observation
    }

    /// Whether lxc-net is told to make this very bridge, and does not start or is told to make none.
    private func lxcNetIsOff(_ bridge: String, _ services: BootServices) throws(ObservationFailure) -> Bool {
        guard try services.state("lxc-net") != .absent else { return false }
        let settings = try LXCNetSettings.read(from: services.reader.host)
        guard settings.bridge == bridge, try !MakinaJob.read(bridge: bridge, services).isPresent else { return false }
        if !settings.useBridge { return true }
        return try !services.starts("lxc-net", wantedBy: ["lxc"])
    }
}
