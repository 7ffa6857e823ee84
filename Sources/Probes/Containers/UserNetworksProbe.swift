internal import ConfigFiles
package import HostAccess
package import HostModel
internal import WireFormats

/// `user-networks {}`: what users without privilege may plug into bridges, how much of it is used, and what else keeps
/// their containers from the network.
///
/// Source: lxc-usernet(5): `USER|@GROUP TYPE BRIDGE COUNT`; lxc-user-nic(1), which notes `USER TYPE BRIDGE NIC` in
/// /run/lxc/nics.
package struct UserNetworksProbe: Probe {
    private static let file = "/etc/lxc/lxc-usernet"
    private static let notes = "/run/lxc/nics"
    private static let restriction = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"

    package let specification = ProbeSpecification(
        name: "user-networks", summary: "the quota of users without privilege at bridges, and AppArmor's word on them",
        parameters: [:],
        facts: [
            "entries": .strings, "exhausted": .strings, "strangers": .strings, "restricted": .boolean,
            "longNames": .strings,
        ])

    package init() {}

    private struct Quota {
        var user: String
        var kind: String
        var bridge: String
        var count: Int
        var location: SourceLocation
    }

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let quotas = TextLines(try reader.bytes(Self.file) ?? []).numbered.compactMap { number, line -> Quota? in
            let words = line.prefix { $0 != "#" }.split(separator: " ").flatMap { $0.split(separator: "\t") }
            guard words.count == 4, let count = Int(words[3]) else { return nil }
            return Quota(
                user: String(words[0]), kind: String(words[1]), bridge: String(words[2]), count: count,
                location: SourceLocation(file: Self.file, line: number))
        }
        guard !quotas.isEmpty else { throw .notApplicable("no user without privilege may use a bridge here") }
        var evidence: [Evidence] = []
        func note(_ quota: Quota, _ value: String) {
            evidence.append(Evidence(quota.location, pattern: quota.bridge, value: value))
        }
        let used = TextLines(try reader.bytes(Self.notes) ?? []).numbered.map { $0.text.blankSeparated }
        let links = try NetworkState(host: host).links()
        var exhausted: [String] = []
        var strangers: [String] = []
        for quota in quotas {
            let taken = used.count {
                $0.count > 2 && $0[0] == quota.user && $0[1] == quota.kind && $0[2] == quota.bridge
            }
            if !quota.user.hasPrefix("@"), taken >= quota.count {
                exhausted.append("\(quota.user) has \(taken) of \(quota.count) at \(quota.bridge)")
                note(quota, "\(quota.count) allowed, \(taken) noted in \(Self.notes)")
            }
            if quota.kind == "veth", links.named(quota.bridge) == nil {
                strangers.append("\(quota.bridge) of \(quota.user) does not exist")
                note(quota, "\(quota.bridge) does not exist")
            }
        }
        let restricted = try Self.isRestricted(reader)
        if let restricted { evidence.append(restricted) }
        let long = try Self.longNames(quotas.map(\.user), reader)
        evidence += long.map { Evidence($0.location, pattern: $0.name, value: "uid \($0.user)") }
        if evidence.isEmpty {
            evidence.append(
                Evidence(source: Self.file, command: "cat \(Self.file)", value: "\(quotas.count) entries, none used up")
            )
        }
        return Observation(
            facts: [
                "entries": .strings(quotas.map { "\($0.user) \($0.kind) \($0.bridge) \($0.count)" }),
                "exhausted": .strings(exhausted), "strangers": .strings(strangers),
                "restricted": .boolean(restricted != nil), "longNames": .strings(long.map(\.name)),
            ], evidence: evidence)
    }

    /// AppArmor forbids user namespaces to programs without a profile, and none of LXC's profiles allows them.
    private static func isRestricted(_ reader: ConfigurationReader) throws(ObservationFailure) -> Evidence? {
        guard try reader.bytes(restriction, limit: 64)?.first == 0x31 else { return nil }
        for name in try reader.names("/etc/apparmor.d") where name.range(ofText: "lxc") != nil {
            let path = "/etc/apparmor.d/\(name)"
            guard try reader.status(path)?.kind == .file, let bytes = try reader.bytes(path, limit: 1 << 18) else {
                continue
            }
            for line in TextLines(bytes).numbered where line.text.trimmedBlanks.hasPrefix("userns") { return nil }
        }
        return Evidence(
            source: restriction, command: "sysctl kernel.apparmor_restrict_unprivileged_userns; aa-status",
            value: "1, and no profile of LXC's allows user namespaces")
    }

    /// Users whose id has five digits, where lxc-user-nic made names of them that were too long (before LXC 4).
    private static func longNames(
        _ names: [String], _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> [(name: String, user: Int, location: SourceLocation)] {
        let long = try PasswordFile.entries(reader).filter { $0.user >= 10_000 && names.contains($0.name) }
        guard !long.isEmpty, let major = PackageDatabase.major(try LXCInstallation.read(from: reader.host).version),
            major < 4
        else { return [] }
        return long.map { ($0.name, $0.user, $0.location) }
    }
}
