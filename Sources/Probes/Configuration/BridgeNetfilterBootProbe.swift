internal import ConfigFiles
package import HostAccess
package import HostModel

/// `bridge-netfilter-boot {}`: whether the sysctl files' `net.bridge.bridge-nf-call-*` will take effect at boot.
///
/// The keys exist once the module br_netfilter is loaded. What nobody loads before systemd-sysctl runs keeps the
/// module's default, 1. Source: modules-load.d(5), sysctl.d(5), `br_netfilter_hooks.c`.
package struct BridgeNetfilterBootProbe: Probe {
    private static let key = "net.bridge.bridge-nf-call-iptables"
    private static let moduleDirectories = [
        "/etc/modules-load.d", "/run/modules-load.d", "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d",
        "/lib/modules-load.d",
    ]

    package let specification = ProbeSpecification(
        name: "bridge-netfilter-boot",
        summary: "whether settings of bridge netfilter are applied at boot, after the module is loaded",
        parameters: [:],
        facts: [
            "wanted": .string, "setBy": .string, "now": .string, "module": .string, "applied": .boolean,
            "differs": .boolean,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let replay = try SysctlNextBootProbe.replay(reader)
        guard let outcome = SysctlKey(Self.key).map({ replay.outcome($0, tool: .systemd) }),
            let wanted = outcome.value, let place = outcome.decidedBy
        else {
            throw .notApplicable("no sysctl file sets \(Self.key)")
        }
        let path = "/proc/sys/net/bridge/bridge-nf-call-iptables"
        let now = try reader.bytes(path, limit: 64).map { String(decoding: $0.prefix { $0 != 0x0a }, as: UTF8.self) }
        let loader = try Self.loader(reader)
        // Absent is off.
        let differs = (now ?? "0") != wanted
        return Observation(
            facts: [
                "wanted": .string(wanted), "setBy": .string(place.description), "now": .string(now ?? "absent"),
                "module": .string(loader?.description ?? ""), "applied": .boolean(loader != nil),
                "differs": .boolean(differs),
            ],
            evidence: [
                Evidence(place, pattern: "bridge-nf", value: "\(Self.key) = \(wanted)"),
                Evidence(source: path, command: "cat \(path)", value: now ?? "absent: br_netfilter is not loaded"),
                loader.map { Evidence($0, pattern: "br_netfilter", value: "loads br_netfilter") }
                    ?? Evidence(
                        source: "/etc/modules-load.d",
                        command: "grep -rn br_netfilter /etc/modules /etc/modules-load.d /etc/udev/rules.d",
                        value: "nothing loads br_netfilter before the sysctl files are applied"),
            ])
    }

    /// The line that loads the module at boot, or a udev rule that waits for it.
    private static func loader(_ reader: ConfigurationReader) throws(ObservationFailure) -> SourceLocation? {
        var files = try reader.files(moduleDirectories, suffix: ".conf")
        if let bytes = try reader.bytes("/etc/modules") { files.append(("/etc/modules", bytes)) }
        for file in files {
            for (number, line) in TextLines(file.bytes).numbered where line.blankSeparated.first == "br_netfilter" {
                return SourceLocation(file: file.path, line: number)
            }
        }
        for file in try reader.files(["/etc/udev/rules.d"], suffix: ".rules") {
            for (number, line) in TextLines(file.bytes).numbered
            where !line.hasPrefix("#") && line.range(ofText: "br_netfilter") != nil {
                return SourceLocation(file: file.path, line: number)
            }
        }
        return nil
    }
}
