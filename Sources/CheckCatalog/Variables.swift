package import HostModel

/// What templates may name: values of the profile, and of the network or container that a check is about.
package struct Variables: Sendable, Hashable {
    package var values: [String: FactValue]

    package init(_ values: [String: FactValue] = [:]) {
        self.values = values
    }

    package subscript(name: String) -> FactValue? { values[name] }

    /// The names that a check of this subject may use, with their types.
    package static func known(for subject: CheckSubject) -> [String: FactType] {
        switch subject {
        case .host: profileNames
        case .network: profileNames.merging(networkNames) { first, _ in first }
        case .container: profileNames.merging(["container.name": .string]) { first, _ in first }
        }
    }

    private static let profileNames: [String: FactType] = [
        "subject.name": .string, "profile.name": .string, "profile.lxcPath": .string, "profile.image": .string,
        "profile.imageWanted": .string, "profile.minimumFreeBytes": .integer, "profile.bridges": .strings,
        "profile.otherBridges": .strings, "profile.translations": .strings, "profile.owners": .strings,
    ]

    private static let networkNames: [String: FactType] = [
        "network.name": .string, "network.bridge": .string, "network.cidr": .string, "network.address": .string,
        "network.addressWithPrefix": .string, "network.prefixLength": .integer, "network.netmask": .string,
        "network.nat": .string, "network.dhcp": .string, "network.dns": .string, "network.uplink": .string,
        "network.target": .string, "network.owner": .string, "network.ipv6": .string,
        "network.translatesIPv6": .boolean,
    ]

    /// The values of a profile, for checks about the host.
    package init(_ chosen: ChosenProfile, hostname: String = "") {
        let profile = chosen.profile
        values = [
            "subject.name": .string(hostname), "profile.name": .string(profile.name),
            "profile.lxcPath": .string(profile.lxcPath ?? ""), "profile.image": .string(profile.image?.name ?? ""),
            "profile.imageWanted": .string((profile.image?.wanted ?? .off).rawValue),
            "profile.minimumFreeBytes": .integer(profile.minimumFreeBytes),
            "profile.bridges": .strings(profile.networks.map(\.bridge)),
            "profile.otherBridges": .strings(chosen.otherBridges),
            "profile.translations": .strings(profile.networks.map(\.nat.rawValue)),
            "profile.owners": .strings(profile.networks.map { ($0.owner ?? .lxc).rawValue }),
        ]
    }

    package func adding(_ network: Network) -> Variables {
        var result = self
        let added: [String: FactValue] = [
            "subject.name": .string(network.name), "network.name": .string(network.name),
            "network.bridge": .string(network.bridge), "network.cidr": .string(network.cidr.description),
            "network.address": .string(network.address.address.description),
            "network.addressWithPrefix": .string(network.address.description),
            "network.prefixLength": .integer(network.address.length),
            "network.netmask": .string(network.address.netmask.description),
            "network.nat": .string(network.nat.rawValue), "network.dhcp": .string(network.dhcp.rawValue),
            "network.dns": .string(network.dns.rawValue), "network.uplink": .string(network.uplink ?? ""),
            "network.target": .string(network.target.description),
            "network.owner": .string((network.owner ?? .lxc).rawValue), "network.ipv6": .string(network.ipv6 ?? ""),
            "network.translatesIPv6": .boolean(network.translatesIPv6),
        ]
        result.values.merge(added) { _, new in new }
        return result
    }

    package func adding(container: String) -> Variables {
        var result = self
        result.values["subject.name"] = .string(container)
        result.values["container.name"] = .string(container)
        return result
    }
}
