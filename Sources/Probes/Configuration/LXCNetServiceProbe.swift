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
            "lost": .string,
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
        let stale = flag == nil ? nil : try staleness(bridge, settings, job, reader)
        let because = stale?.because ?? ""

        var observation = Observation(facts: [
            "installed": .boolean(state != .absent), "enabled": .string(state.rawValue),
            "flag": .boolean(flag != nil), "stale": .boolean(!because.isEmpty), "staleBecause": .string(because),
            "lost": .string(stale?.lost.rawValue ?? ""),
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

    /// What is gone though the flag is there.
    private enum Loss: String {
        /// lxc-net's bridge, the bridge of the makina job, lxc-net's DHCP server beside a bridge that is there.
        case bridge, job, server
    }

    /// Why the flag is wrong; nil where it is not. A flag for another bridge is not judged here.
    private func staleness(
        _ bridge: String, _ settings: LXCNetSettings, _ job: MakinaJob, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> (lost: Loss, because: String)? {
        guard settings.bridge == bridge || job.usesFlag != nil else { return nil }
        let isLxcNets = settings.bridge == bridge && settings.useBridge && !job.isPresent
        guard try reader.linkNames().contains(bridge) else {
            return (isLxcNets ? .bridge : .job, "\(bridge) does not exist")
        }
        guard isLxcNets else { return nil }
        guard let text = try reader.bytes("/run/lxc/dnsmasq.pid", limit: 64) else {
            return (.server, "/run/lxc/dnsmasq.pid does not exist")
        }
        guard let pid = DnsmasqProcess.process(text) else {
            return (.server, "/run/lxc/dnsmasq.pid holds no process id")
        }
        let name = try reader.processName(pid)
        return name == "dnsmasq" ? nil : (.server, "process \(pid) is \(name ?? "gone"), not dnsmasq")
    }
}
