internal import ConfigFiles
package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `foreign-routing {network, bridge}`: policy rules that somebody else than systemd-networkd made, on a host where
/// networkd would delete them.
///
/// Without `ManageForeignRoutingPolicyRules=no` networkd removes, whenever it starts, every rule that is not in its own
/// files. Rules of the kernel (RTPROT_KERNEL) and networkd's own (RTPROT_STATIC) are left out here.
/// Source: networkd.conf(5).
package struct ForeignRoutingProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "foreign-routing", summary: "Policy rules that systemd-networkd did not make and may delete",
        parameters: ["network": .string, "bridge": .string],
        facts: [
            "runs": .boolean, "kept": .boolean, "rules": .strings, "count": .integer, "concern": .strings,
            "setting": .string,
        ])

    private static let directories = [
        "/etc/systemd/networkd.conf.d", "/run/systemd/networkd.conf.d", "/usr/local/lib/systemd/networkd.conf.d",
        "/usr/lib/systemd/networkd.conf.d",
    ]

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network")
        let bridge = try parameters.string("bridge")
        let reader = ConfigurationReader(host: host)
        // networkd keeps its state there while it runs.
        let isRunning = try reader.exists("/run/systemd/netif/state")
        let state = isRunning ? .enabled : try BootServices(reader).state("systemd-networkd")
        guard state == .enabled else {
            throw .notApplicable("systemd-networkd does not run here")
        }
        let (setting, isKept) = try Self.setting(reader)
        let foreign = try NetworkState(host: host).rules().filter { rule in
            guard let maker = rule.maker, rule.priority != 0, rule.priority < 32766 else { return false }
            return maker != 2 && maker != 4
        }.map(HostForwardingState.rule)
        let concern = foreign.filter { rule in
            rule.inputInterface == bridge
                || [rule.source, rule.destination].contains { $0.map(network.overlaps) ?? false }
        }
        let words = foreign.map(\.description)
        return Observation(
            facts: [
                "runs": .boolean(isRunning), "kept": .boolean(isKept), "rules": .strings(words),
                "count": .integer(words.count), "concern": .strings(concern.map(\.description)),
                "setting": .string(setting?.location.description ?? ""),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETRULE", command: "ip -details rule",
                    value: words.isEmpty ? "no rule of anybody else" : words.joined(separator: ", ")),
                setting.map { Evidence($0.location, pattern: $0.key, value: "\($0.key)=\($0.value)") }
                    ?? Evidence(
                        source: "/etc/systemd/networkd.conf",
                        command: "systemd-analyze cat-config systemd/networkd.conf",
                        value: "ManageForeignRoutingPolicyRules is not set: yes"),
            ])
    }

    /// The last assignment, as systemd reads it: the main file first, then the drop-ins by name.
    private static func setting(
        _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> (SectionFile.Entry?, isKept: Bool) {
        var files: [(path: String, bytes: [UInt8])] = []
        if let path = try reader.first(["/etc/systemd/networkd.conf", "/usr/lib/systemd/networkd.conf"]),
            let bytes = try reader.bytes(path)
        {
            files.append((path, bytes))
        }
        files += try reader.files(directories, suffix: ".conf")
        var last: SectionFile.Entry?
        for file in files {
            last =
                SectionFile(path: file.path, bytes: file.bytes).last("Network", "ManageForeignRoutingPolicyRules")
                ?? last
        }
        return (last, last.flatMap { SectionFile.boolean($0.value) } == false)
    }
}
