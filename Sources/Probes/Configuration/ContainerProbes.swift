internal import ConfigFiles
package import HostAccess
package import HostModel

/// The names of the containers: directories of the LXC path that hold a `config`; and the directories of those that lie
/// elsewhere, see ContainersElsewhere.
///
/// Source: `list_defined_containers` in `src/lxc/lxccontainer.c`.
package struct ContainersProbe: Probe {
    package let specification = ProbeSpecification(
        name: "containers", summary: "the containers that are defined below the LXC path",
        parameters: ["path": .string], facts: ["names": .strings, "count": .integer, "elsewhere": .strings])

    package init() {}

    static func names(_ path: String, _ reader: ConfigurationReader) throws(ObservationFailure) -> [String] {
        var names: [String] = []
        for name in try reader.names(path) where !name.hasPrefix(".") {
            if try reader.exists("\(path)/\(name)/config") { names.append(name) }
        }
        return names
    }

    /// All containers: those below `path`, and those elsewhere.
    static func places(_ path: String, _ reader: ConfigurationReader) throws(ObservationFailure) -> [ContainerPlace] {
        try names(path, reader).map { ContainerPlace(path: path, name: $0) }
            + ContainersElsewhere.find(except: path, reader)
    }

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let path = try LXCPath.resolve(try parameters.string("path"), reader).path
        let names: [String]
        if let status = try reader.status(path), status.kind != .directory {
            names = []
        } else {
            names = try Self.names(path, reader)
        }
        let elsewhere = try ContainersElsewhere.find(except: path, reader).map(\.directory)
        var evidence = [
            Evidence(
                source: path, command: "ls -d \(Evidence.quoted(path))/*/config", value: "\(names.count) containers")
        ]
        if !elsewhere.isEmpty {
            evidence.append(
                Evidence(
                    source: "/proc/net/unix, /etc/lxc/lxc-usernet", command: "grep -o '@/.*/command' /proc/net/unix",
                    value: "elsewhere: \(elsewhere.joined(separator: ", "))"))
        }
        return Observation(
            facts: [
                "names": .strings(names + elsewhere), "count": .integer(names.count + elsewhere.count),
                "elsewhere": .strings(elsewhere),
            ], evidence: evidence)
    }
}

/// One container's configuration with its includes: its links, its rootfs, and whether LXC loads it.
package struct ContainerConfigProbe: Probe {
    package let specification = ProbeSpecification(
        name: "container-config", summary: "a container's configuration, with its includes, as LXC would read it",
        parameters: ["path": .string, "container": .string],
        facts: [
            "links": .strings, "noLink": .boolean, "connectedOtherwise": .boolean, "types": .strings,
            "legacyKeys": .strings, "rootfs": .string,
            "rootfsExists": .boolean, "loadable": .boolean, "error": .string, "addresses": .strings,
            "gateways": .strings, "config": .string,
        ], source: .configuration)

    package init() {}

    /// Reads `PATH/NAME/config`. Throws `unknown` where it or an include is refused, `notApplicable` where there is none.
    static func read(
        _ path: String, _ name: String, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> LXCConfig {
        guard let recording = reader.host as? RecordingHost else { return try parse(path, name, reader) }
        return try recording.derived("config of \(path)/\(name)") { () throws(ObservationFailure) in
            try parse(path, name, reader)
        }
    }

    private static func parse(
        _ path: String, _ name: String, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> LXCConfig {
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            throw .unknown("not a container's name: \(name)")
        }
        let file = "\(path)/\(name)/config"
        guard let bytes = try reader.bytes(file) else { throw .notApplicable("\(file) does not exist") }
        var config = LXCConfig(path: file, bytes: bytes, reader: reader.inclusion)
        // Only an old LXC takes them; the package database is read only where that matters.
        if !config.legacyKeys.isEmpty, try LXCInstallation.read(from: reader.host).refusesLegacyKeys == false {
            config = LXCConfig(path: file, bytes: bytes, refusesLegacyKeys: false, reader: reader.inclusion)
        }
        if let unreadable = config.unreadable { throw .unknown(unreadable) }
        return config
    }

    /// The host path behind `lxc.rootfs.path`, for storage that is a path.
    static func hostPaths(_ rootfs: String, directory: String) -> [String] {
        guard let colon = rootfs.firstIndex(of: ":"), !rootfs.hasPrefix("/") else { return [rootfs] }
        let rest = String(rootfs[rootfs.index(after: colon)...])
        switch String(rootfs[..<colon]) {
        case "dir", "btrfs", "loop", "lvm", "nbd": return [rest]
        case "overlay", "overlayfs", "aufs": return rest.split(separator: ":").map(String.init)
        // A dataset's name, not a path: it is mounted here.
        default: return [directory + "/rootfs"]
        }
    }

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let place = try ContainerPlace.asked(parameters, reader)
        let (path, name) = (place.path, place.name)
        let config = try Self.read(path, name, reader)
        let veths = config.devices.filter { $0.type == "veth" }
        let bridged = veths.filter { !$0.isConnectedOtherwise }
        let links = bridged.compactMap(\.link)
        let noLink = bridged.contains { $0.link == nil }
        let legacy = config.legacyKeys.map { "config:\($0.location.line) \($0.key)" }
        let rootfs = config.rootfs?.value ?? ""
        var exists = !rootfs.isEmpty
        for part in Self.hostPaths(rootfs, directory: "\(path)/\(name)") where exists {
            exists = try reader.exists(part)
        }
        var observation = Observation(facts: [
            "links": .strings(links), "noLink": .boolean(noLink),
            "connectedOtherwise": .boolean(!noLink && bridged.count < veths.count),
            "types": .strings(config.devices.map { $0.type ?? "none given" }), "legacyKeys": .strings(legacy),
            "rootfs": .string(rootfs), "rootfsExists": .boolean(exists),
            "loadable": .boolean(config.error == nil), "error": .string(config.error ?? ""),
            "addresses": .strings(config.devices.flatMap(\.addresses)),
            "gateways": .strings(config.devices.compactMap(\.gateway)),
            "config": .string("\(path)/\(name)/config"),
        ])
        for device in config.devices {
            observation.show(
                "links", "noLink", "types",
                by: Evidence(
                    device.location, pattern: "lxc.net",
                    value: "\(device.type ?? "no type"), link \(device.link ?? "none")"))
            guard !device.addresses.isEmpty || device.gateway != nil else { continue }
            observation.show(
                "addresses", "gateways",
                by: Evidence(
                    device.location, pattern: "ipv4",
                    value: "address \(device.addresses.joined(separator: ", ")), gateway \(device.gateway ?? "none")"))
        }
        for key in config.legacyKeys.prefix(8) {
            observation.show(
                "legacyKeys", "loadable", "error",
                by: Evidence(key.location, pattern: key.key, value: "\(key.key) = \(key.value)"))
        }
        if let entry = config.rootfs {
            observation.show(
                "rootfs", "rootfsExists",
                by: Evidence(entry.location, pattern: entry.key, value: "\(rootfs): \(exists ? "present" : "absent")"))
        }
        if let error = config.error {
            observation.show(
                "legacyKeys", "loadable", "error",
                by: Evidence(
                    source: "\(path)/\(name)/config",
                    command: "lxc-info -P \(Evidence.quoted(path)) -n \(Evidence.quoted(name))", value: error))
        }
        return observation
    }
}
