internal import ConfigFiles
package import HostAccess
package import HostModel
internal import WireFormats

/// `container-devices {path, container}`: what a container's configuration says of its network devices, and of the
/// rights that network programs in it need.
///
/// Source: lxc.container.conf(5).
package struct ContainerDevicesProbe: Probe {
    package let specification = ProbeSpecification(
        name: "container-devices", summary: "a container's network devices as its configuration describes them",
        parameters: ["path": .string, "container": .string],
        facts: [
            "badAddresses": .strings, "notUp": .strings, "unconnected": .boolean, "types": .strings,
            "leased": .strings, "inactiveNetworks": .strings, "rawForbidden": .strings, "ignoredLimits": .strings,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let place = try ContainerPlace.asked(parameters, reader)
        let (path, name) = (place.path, place.name)
        let config = try ContainerConfigProbe.read(path, name, reader)
        let file = "\(path)/\(name)/config"
        var reading = Reading(config: config, name: name, reader: reader)
        reading.hardwareAddresses()
        reading.flags()
        reading.connection(file)
        try reading.leases()
        try reading.libvirt()
        reading.capabilities()
        try reading.limits(path + "/")
        if reading.observation.evidence.isEmpty {
            reading.observation.evidence.append(
                Evidence(
                    source: file, command: "grep -n lxc.net \(Evidence.quoted(file))",
                    value: "\(config.devices.count) network devices"))
        }
        return reading.observation
    }

    /// One look at one configuration.
    private struct Reading {
        let config: LXCConfig
        let name: String
        let reader: ConfigurationReader
        var observation = Observation()

        /// The line of a device's key: the last one with that value.
        private func entry(_ key: String, _ value: String) -> LXCConfig.Entry? {
            config.entries.last { $0.key.hasPrefix("lxc.net.") && $0.key.hasSuffix("." + key) && $0.value == value }
        }

        private mutating func note(_ fact: String, _ found: [(text: String, entry: LXCConfig.Entry?)]) {
            observation.facts[fact] = .strings(found.map(\.text))
            for item in found.prefix(4) {
                guard let entry = item.entry else { continue }
                observation.evidence.append(Evidence(entry.location, pattern: entry.key, value: item.text))
            }
        }

        /// A group address (its first byte is odd), or none at all. LXC fills in `x` itself.
        mutating func hardwareAddresses() {
            var found: [(String, LXCConfig.Entry?)] = []
            for device in config.devices {
                guard let text = device.hardwareAddress, !text.isEmpty else { continue }
                let filled = String(text.map { $0 == "x" || $0 == "X" ? "0" : $0 })
                guard let address = MACAddress(filled) else {
                    found.append(("\(text) is no hardware address", entry("hwaddr", text)))
                    continue
                }
                guard address.octets[0] & 1 == 1 || filled.allSatisfy({ $0 == "0" || $0 == ":" }) && !text.contains("x")
                else {
                    continue
                }
                found.append(("\(text) is a group's address", entry("hwaddr", text)))
            }
            note("badAddresses", found)
        }

        /// LXC gives an address to a device that it does not bring up. Without an address the system inside does both.
        mutating func flags() {
            let found = config.devices.filter { device in
                !device.addresses.isEmpty && device.flags != "up" && !["empty", "none"].contains(device.type)
            }
            note(
                "notUp",
                found.map { device in
                    let address = device.addresses.first ?? ""
                    return ("\(address) on a device without flags = up", entry("ipv4.address", address))
                })
        }

        mutating func connection(_ file: String) {
            let types = config.devices.map { $0.type ?? "none given" }
            let isUnconnected = types.allSatisfy { $0 == "empty" || $0 == "none" }
            observation.facts["types"] = .strings(types)
            observation.facts["unconnected"] = .boolean(isUnconnected)
            guard isUnconnected else { return }
            guard let type = types.first, let entry = entry("type", type) else {
                observation.evidence.append(
                    Evidence(
                        source: file, command: "grep -n lxc.net \(Evidence.quoted(file))",
                        value: "no network device at all"))
                return
            }
            observation.evidence.append(Evidence(entry.location, pattern: entry.key, value: "type \(type)"))
        }

        /// Static addresses of devices for which the DHCP server notes a lease of another address.
        mutating func leases() throws(ObservationFailure) {
            var found: [(String, LXCConfig.Entry?)] = []
            for device in config.devices where !device.addresses.isEmpty {
                guard let link = device.link, !link.contains("/") else { continue }
                let own = device.addresses.map { String($0.prefix { $0 != "/" }) }
                let noted = try reader.leases(of: link)
                for lease in noted.leases {
                    let address = lease.address.description
                    guard !own.contains(address) else { continue }
                    let isOwn = device.hardwareAddress.map { $0.lowercased() == lease.hardwareAddress.lowercased() }
                    guard isOwn ?? (lease.name == name) else { continue }
                    // A lease outlives its use: where the container runs, what it has counts.
                    if let held = heldAddresses(), !held.contains(address) { continue }
                    found.append(
                        (
                            "\(own[0]) in the configuration, \(address) by DHCP",
                            entry("ipv4.address", device.addresses[0])
                        ))
                    observation.evidence.append(
                        Evidence(
                            SourceLocation(file: noted.file, line: lease.line), pattern: lease.hardwareAddress,
                            value: lease.text))
                    break
                }
            }
            note("leased", found)
        }

        /// The addresses that the container has now; nil where it does not run, or cannot be looked into.
        private func heldAddresses() -> [String]? {
            do {
                let own = try reader.host.residents().residents.filter { $0.name == name }
                return own.isEmpty ? nil : own.flatMap { $0.addresses.map(\.address.description) }
            } catch {
                return nil
            }
        }

        /// Links to a bridge of libvirt's that is not there: its network is defined, and not started.
        mutating func libvirt() throws(ObservationFailure) {
            var found: [(String, LXCConfig.Entry?)] = []
            let wanted = config.devices.compactMap(\.link).filter { $0.hasPrefix("virbr") }
            if wanted.isEmpty {
                note("inactiveNetworks", found)
                return
            }
            let present = try NetworkState(host: reader.host).links().map(\.name)
            for link in wanted where !present.contains(link) {
                for file in try reader.files(["/etc/libvirt/qemu/networks"], suffix: ".xml") {
                    for (number, line) in TextLines(file.bytes).numbered
                    where line.range(ofText: "<bridge name='\(link)'") != nil
                        || line.range(ofText: "<bridge name=\"\(link)\"") != nil
                    {
                        found.append(("\(link) is libvirt's, and not there", entry("link", link)))
                        observation.evidence.append(
                            Evidence(
                                SourceLocation(file: file.path, line: number), pattern: link, value: "defines \(link)"))
                    }
                }
            }
            note("inactiveNetworks", found)
        }

        /// What takes the right to raw sockets away.
        mutating func capabilities() {
            var dropped: [LXCConfig.Entry] = []
            var kept: [LXCConfig.Entry] = []
            for entry in config.entries {
                switch entry.key {
                case "lxc.cap.drop": entry.value.isEmpty ? dropped = [] : dropped.append(entry)
                case "lxc.cap.keep": entry.value.isEmpty ? kept = [] : kept.append(entry)
                default: continue
                }
            }
            func names(_ entry: LXCConfig.Entry) -> [String] { entry.value.lowercased().blankSeparated }
            var found: [(String, LXCConfig.Entry?)] = []
            if let entry = dropped.first(where: { names($0).contains("net_raw") }) {
                found.append(("lxc.cap.drop has net_raw", entry))
            } else if let entry = kept.first, !kept.contains(where: { names($0).contains("net_raw") }) {
                found.append(("lxc.cap.keep has no net_raw", entry))
            }
            if config.value("lxc.sysctl.net.ipv4.ping_group_range") != nil { found = [] }
            note("rawForbidden", found)
        }

        /// Limits of the container's own file in the keys of a cgroup hierarchy that this host does not have.
        mutating func limits(_ directory: String) throws(ObservationFailure) {
            let layout = try CgroupLayout.read(reader)
            var found: [(String, LXCConfig.Entry?)] = []
            for entry in config.entries where entry.location.file.hasPrefix(directory) {
                let isFirst =
                    entry.key.hasPrefix("lxc.cgroup.") && !entry.key.hasPrefix("lxc.cgroup.dir")
                    && entry.key != "lxc.cgroup.relative"
                if layout == .unified, isFirst { found.append(("\(entry.key) is for cgroup v1", entry)) }
                if layout == .legacy, entry.key.hasPrefix("lxc.cgroup2.") {
                    found.append(("\(entry.key) is for cgroup v2", entry))
                }
            }
            note("ignoredLimits", found)
        }
    }
}

/// Which hierarchies of control groups there are. Source: cgroups(7), systemd's CGROUP_DELEGATION.
enum CgroupLayout {
    /// cgroup2 alone, v1 with cgroup2 beside it, v1 alone, or not to be told.
    case unified, hybrid, legacy, unknown

    static func read(_ reader: ConfigurationReader) throws(ObservationFailure) -> CgroupLayout {
        if try reader.exists("/sys/fs/cgroup/cgroup.controllers") { return .unified }
        if try reader.exists("/sys/fs/cgroup/unified") { return .hybrid }
        return try reader.first(["/sys/fs/cgroup/memory", "/sys/fs/cgroup/devices", "/sys/fs/cgroup/systemd"]) == nil
            ? .unknown : .legacy
    }
}
