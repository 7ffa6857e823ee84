internal import ConfigFiles
package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `container-guest {path, container}`: what the system inside a container needs of this host: somebody who answers its
/// DNS, control groups that its init knows, complete checksums for an old DHCP client, rights for its systemd.
package struct ContainerGuestProbe: Probe {
    package let specification = ProbeSpecification(
        name: "container-guest", summary: "what the system inside a container needs of this host",
        parameters: ["path": .string, "container": .string],
        facts: [
            "system": .string, "nameservers": .strings, "dnsProblems": .strings, "oldInit": .boolean,
            "checksumMissing": .boolean, "sandboxBlocked": .boolean, "systemd": .integer,
        ])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let place = try ContainerPlace.asked(parameters, reader)
        let (path, name) = (place.path, place.name)
        let config = try ContainerConfigProbe.read(path, name, reader)
        guard let guest = try GuestSystem(config, directory: "\(path)/\(name)", reader) else {
            throw .notApplicable("the rootfs of \(name) is no directory of this host")
        }
        let names = try GuestNames(guest, config)
        let layout = try CgroupLayout.read(reader)
        let oldInit = guest.needsOldCgroups && layout == .unified
        var checksumMissing = false
        // The rules are read where they matter.
        if guest.hasStrictDHCP, config.devices.contains(where: { $0.type == "veth" && $0.addresses.isEmpty }) {
            checksumMissing = try RulesetState(host: host).ruleset().firstRule(that: .fillsUDPChecksums) == nil
        }
        let sandbox = try Self.sandbox(config, guest)
        var evidence = names.evidence
        if oldInit || checksumMissing, let system = guest.evidence { evidence.append(system) }
        if oldInit {
            evidence.append(
                Evidence(
                    source: "/sys/fs/cgroup/cgroup.controllers", command: "stat -fc %T /sys/fs/cgroup",
                    value: "cgroup2 alone"))
        }
        if checksumMissing {
            evidence.append(
                Evidence(
                    source: "nfnetlink NFT_MSG_GETRULE", command: "nft list ruleset; iptables-save -t mangle",
                    value: "no rule completes UDP checksums"))
        }
        evidence += sandbox.evidence
        if evidence.isEmpty {
            let system = [guest.distribution, guest.version].filter { !$0.isEmpty }.joined(separator: " ")
            evidence.append(Evidence(path: guest.root, value: system.isEmpty ? "a system without a name" : system))
        }
        var facts: [String: FactValue] = [
            "system": .string("\(guest.distribution) \(guest.version)".trimmedBlanks),
            "nameservers": .strings(names.servers), "dnsProblems": .strings(names.problems),
            "oldInit": .boolean(oldInit), "checksumMissing": .boolean(checksumMissing),
            "sandboxBlocked": .boolean(sandbox.isBlocked),
        ]
        if let version = sandbox.systemd { facts["systemd"] = .integer(version) }
        return Observation(facts: facts, evidence: evidence)
    }

    /// systemd 255 and later put networkd and resolved into sandboxes that AppArmor's profile for containers does not
    /// allow, unless nesting is. LXC 6 brings profiles that do.
    private static func sandbox(
        _ config: LXCConfig, _ guest: GuestSystem
    ) throws(ObservationFailure) -> (isBlocked: Bool, systemd: Int?, evidence: [Evidence]) {
        let reader = guest.reader
        let profile = config.value("lxc.apparmor.profile")
        guard try reader.bytes("/sys/module/apparmor/parameters/enabled", limit: 64)?.first == 0x59,
            profile?.value != "unconfined", config.value("lxc.apparmor.allow_nesting")?.value != "1",
            let version = try guest.systemdVersion()
        else { return (false, nil, []) }
        guard version >= 255 else { return (false, version, []) }
        let lxc = try LXCInstallation.read(from: reader.host)
        if let major = PackageDatabase.major(lxc.version), major >= 6 { return (false, version, []) }
        var evidence = [
            Evidence(path: guest.root, value: "systemd \(version)"),
            Evidence(
                source: "/sys/module/apparmor/parameters/enabled", command: "aa-enabled", value: "AppArmor is enabled"),
        ]
        if let profile {
            evidence.append(Evidence(profile.location, pattern: profile.key, value: "profile \(profile.value)"))
        }
        return (true, version, evidence)
    }
}
