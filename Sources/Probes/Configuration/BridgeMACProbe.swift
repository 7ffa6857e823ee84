internal import ConfigFiles
package import HostAccess
package import HostModel
internal import WireFormats

/// `bridge-mac {bridge}`: whether the bridge still has the hardware address that lxc-net gave it, and the file by which
/// udev gives links addresses of its own.
///
/// Source: systemd.link(5): the first file that matches applies; files of one name hide each other by directory.
package struct BridgeMACProbe: Probe {
    private static let directories = [
        "/etc/systemd/network", "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network",
        "/lib/systemd/network",
    ]

    package let specification = ProbeSpecification(
        name: "bridge-mac", summary: "the hardware address that lxc-net gives its bridge, and the one it has",
        parameters: ["bridge": .string],
        facts: ["wanted": .string, "mac": .string, "kept": .boolean, "policy": .string, "policyFile": .string])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let reader = ConfigurationReader(host: host)
        let settings = try LXCNetSettings.read(from: host)
        guard settings.installed, settings.useBridge, settings.bridge == bridge else {
            throw .notApplicable("lxc-net does not make \(bridge)")
        }
        guard let script = try reader.bytes(settings.script, limit: 1 << 18),
            String(decoding: script, as: UTF8.self).range(ofText: "LXC_BRIDGE_MAC") != nil,
            let wanted = MACAddress(settings.bridgeMAC)
        else { throw .notApplicable("this lxc-net gives its bridge no hardware address") }
        let state = NetworkState(host: host)
        guard let link = try state.links().named(bridge), let mac = link.mac else {
            throw .notApplicable("there is no bridge \(bridge)")
        }
        var evidence = [
            settings.evidence("LXC_BRIDGE_MAC", value: wanted.description),
            Evidence(
                source: "rtnetlink RTM_GETLINK", command: "ip link show dev \(Evidence.quoted(bridge))",
                value: mac.description),
        ]
        var policy: SectionFile.Entry?
        // Only where somebody has given it another address does it matter who gives addresses.
        if mac != wanted, try state.addressAssignment(of: link) == 3 { policy = try Self.policy(for: link, reader) }
        if let policy { evidence.append(Evidence(policy.location, pattern: policy.key, value: policy.value)) }
        return Observation(
            facts: [
                "wanted": .string(wanted.description), "mac": .string(mac.description), "kept": .boolean(mac == wanted),
                "policy": .string(policy?.value ?? ""), "policyFile": .string(policy?.location.description ?? ""),
            ], evidence: evidence)
    }

    /// `MACAddressPolicy=` of the file that applies to the link, where it sets one.
    private static func policy(
        for link: Link, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> SectionFile.Entry? {
        for file in try reader.files(directories, suffix: ".link") {
            let section = SectionFile(path: file.path, bytes: file.bytes)
            guard matches(section, link) else { continue }
            return section.last("Link", "MACAddressPolicy")
        }
        return nil
    }

    /// Matches by anything but name, kind and driver never hold for a bridge.
    private static func matches(_ file: SectionFile, _ link: Link) -> Bool {
        let entries = file.entries.filter { $0.section == "Match" }
        return !entries.isEmpty
            && entries.allSatisfy { entry in
                let patterns = entry.value.blankSeparated
                switch entry.key {
                case "OriginalName": return patterns.contains { Wildcard.matches($0, link.name) }
                case "Kind", "Driver", "Type": return patterns.contains { Wildcard.matches($0, link.kind) }
                default: return false
                }
            }
    }
}
