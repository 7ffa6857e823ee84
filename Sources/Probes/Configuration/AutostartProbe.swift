internal import ConfigFiles
package import HostAccess
package import HostModel

/// `autostart {path, bridge, address}`: whether containers that start at boot do so after their bridge is made.
package struct AutostartProbe: Probe {
    /// Configurations beyond this number are not read.
    private static let maximum = 1_024
    /// The unit behind each creator of bridges that `BridgeCreators` names.
    private static let units = [
        "lxc-net": "lxc-net", "makina-job": MakinaJob.service, "systemd-networkd": "systemd-networkd",
        "netplan": "systemd-networkd", "ifupdown": "networking", "networkmanager": "NetworkManager",
    ]

    package let specification = ProbeSpecification(
        name: "autostart", summary: "whether containers start at boot after their bridge is made",
        parameters: ["path": .string, "bridge": .string, "address": .string],
        facts: ["containers": .strings, "makers": .strings, "ordered": .boolean, "order": .string],
        source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let bridge = try parameters.string("bridge")
        let services = try BootServices(reader)
        guard try services.starts("lxc") else { throw .notApplicable("lxc.service starts no containers at boot") }
        let path = try LXCPath.resolve(try parameters.string("path"), reader).path
        var waiting: [String] = []
        var evidence: [Evidence] = []
        for name in try ContainersProbe.names(path, reader).prefix(Self.maximum) {
            let config = try ContainerConfigProbe.read(path, name, reader)
            guard let start = config.value("lxc.start.auto"), start.value == "1",
                config.devices.contains(where: { $0.link == bridge })
            else { continue }
            waiting.append(name)
            if evidence.count < 4 { evidence.append(Evidence(start.location, pattern: start.key, value: "1")) }
        }
        guard !waiting.isEmpty else { throw .notApplicable("no container of \(bridge) starts at boot") }
        let makers = try BridgeCreators(bridge: bridge, services).creators.compactMap { Self.units[$0.name] }
        guard !makers.isEmpty else { throw .notApplicable("nothing makes \(bridge) at boot") }
        var order = UnitOrder.unordered
        // One maker that comes first is enough.
        for maker in makers where order != .before { order = try services.order(maker, relativeTo: "lxc") }
        evidence.append(
            Evidence(
                source: "\(services.initSystem.rawValue) units", command: "systemctl show -p After lxc.service",
                value: order == .before
                    ? "the bridge is made first"
                    : "nothing makes lxc.service wait for \(makers.joined(separator: ", "))"))
        return Observation(
            facts: [
                "containers": .strings(waiting), "makers": .strings(makers), "ordered": .boolean(order == .before),
                "order": .string(order.rawValue),
            ], evidence: evidence)
    }
}
