internal import ConfigFiles
package import HostAccess
package import HostModel

/// Whether lxc-net will make this bridge at the next boot, and whether its flag tells the truth now.
package struct LXCNetServiceProbe: Probe {
    package let specification = ProbeSpecification(
        name: "lxc-net-service", summary: "lxc-net at boot, and its flag network_up",
        parameters: ["bridge": .string],
        facts: [
            "installed": .boolean, "enabled": .string, "flag": .boolean, "stale": .boolean, "staleBecause": .string,
            "effective": .boolean, "pulledBy": .string,
        ])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let reader = ConfigurationReader(host: host)
        let services = try BootServices(reader)
        let settings = try LXCNetSettings.read(from: host)
        let state = try services.state("lxc-net")
        let starts = try services.starts("lxc-net", wantedBy: ["lxc"])
        let flag = try reader.first(["/run/lxc/network_up", "/var/run/lxc/network_up"])
        let job = try MakinaJob.read(bridge: bridge, services)
        let because = flag == nil ? "" : try staleness(bridge, settings, job, reader)

        var observation = Observation(facts: [
            "installed": .boolean(state != .absent), "enabled": .string(state.rawValue),
            "flag": .boolean(flag != nil), "stale": .boolean(!because.isEmpty), "staleBecause": .string(because),
            "effective": .boolean(starts && settings.useBridge && settings.bridge == bridge),
            "pulledBy": .string(starts && state != .enabled ? "lxc.service" : ""),
        ])
        observation.evidence = [
            services.evidence("lxc-net", state),
            settings.evidence("USE_LXC_BRIDGE", value: settings.useBridge ? "true" : "not true"),
            settings.evidence("LXC_BRIDGE", value: settings.bridge),
            Evidence(path: flag ?? "/run/lxc/network_up", value: flag == nil ? "absent" : "present"),
        ]
        if !because.isEmpty {
            observation.evidence.append(
                Evidence(source: flag ?? "", command: "ip link show \(bridge)", value: because))
        }
        return observation
    }

    /// Why the flag is wrong, or nothing. A flag for another bridge is not judged here.
    private func staleness(
        _ bridge: String, _ settings: LXCNetSettings, _ job: MakinaJob, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> String {
        guard settings.bridge == bridge || job.usesFlag != nil else { return "" }
        guard try reader.linkNames().contains(bridge) else { return "\(bridge) does not exist" }
        guard settings.bridge == bridge, settings.useBridge, !job.isPresent else { return "" }
        guard let text = try reader.bytes("/run/lxc/dnsmasq.pid", limit: 64) else {
            return "/run/lxc/dnsmasq.pid does not exist"
        }
        guard let pid = DnsmasqProcess.process(text) else { return "/run/lxc/dnsmasq.pid holds no process id" }
        let name = try reader.processName(pid)
        return name == "dnsmasq" ? "" : "process \(pid) is \(name ?? "gone"), not dnsmasq"
    }
}
