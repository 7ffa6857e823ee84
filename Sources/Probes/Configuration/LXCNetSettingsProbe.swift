package import HostAccess
package import HostModel

/// The settings that lxc-net would start with.
package struct LXCNetSettingsProbe: Probe {
    package let specification = ProbeSpecification(
        name: "lxc-net-settings", summary: "lxc-net's settings, as its shell would read them",
        parameters: [:],
        facts: [
            "installed": .boolean, "script": .string, "useBridge": .boolean, "bridge": .string, "address": .string,
            "network": .string, "dhcpRange": .string, "dhcpMax": .integer, "sourced": .boolean,
            "settingsFile": .string, "consistent": .boolean, "problems": .strings, "usesNftables": .boolean,
            "ipv6": .string, "translatesIPv6": .boolean,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let settings = try LXCNetSettings.read(from: host)
        let address = settings.address?.description ?? ""
        var observation = Observation(facts: [
            "installed": .boolean(settings.installed), "script": .string(settings.script),
            "useBridge": .boolean(settings.useBridge), "bridge": .string(settings.bridge),
            "address": .string(address), "network": .string(settings.network?.description ?? ""),
            "dhcpRange": .string(settings.dhcpRangeText), "dhcpMax": .integer(settings.dhcpMax),
            "sourced": .boolean(settings.sourced), "settingsFile": .string(settings.settingsFile),
            "consistent": .boolean(settings.consistent), "problems": .strings(settings.problems),
            "usesNftables": .boolean(settings.usesNftables), "ipv6": .string(settings.ipv6),
            "translatesIPv6": .boolean(settings.translatesIPv6),
        ])
        observation.evidence = [
            settings.evidence("USE_LXC_BRIDGE", value: settings.useBridge ? "true" : "not true"),
            settings.evidence("LXC_BRIDGE", value: settings.bridge),
            settings.evidence("LXC_ADDR", value: address),
            settings.evidence("LXC_NETWORK", value: settings.network?.description ?? "none"),
            settings.evidence("LXC_DHCP_RANGE", value: settings.dhcpRangeText),
        ]
        for problem in settings.problems {
            observation.evidence.append(
                Evidence(source: settings.settingsFile, command: "cat \(settings.settingsFile)", value: problem))
        }
        return observation
    }
}
