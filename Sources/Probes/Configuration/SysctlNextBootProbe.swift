internal import ConfigFiles
package import HostAccess
package import HostModel

/// What a sysctl key will be after the next boot: by the sysctl files, and after everything else that sets it.
package struct SysctlNextBootProbe: Probe {
    package let specification = ProbeSpecification(
        name: "sysctl-next-boot", summary: "what a sysctl will be after the next boot, and who decides it",
        parameters: ["key": .string],
        facts: [
            "value": .string, "systemd": .string, "procps": .string, "decidedBy": .string, "agrees": .boolean,
            "init": .string, "overridden": .strings, "setters": .strings, "effective": .string,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let text = try parameters.string("key")
        guard let key = SysctlKey(text) else { throw .unknown("\(text) cannot be the name of a kernel parameter") }
        let reader = ConfigurationReader(host: host)
        let services = try BootServices(reader)
        let replay = try Self.replay(reader)
        let systemd = replay.outcome(key, tool: .systemd)
        let procps = replay.outcome(key, tool: .procps)
        let own = services.initSystem == .systemd ? systemd : procps
        let (setters, effective) = try BootSetters(services: services).apply(to: key, value: own.value)

        var observation = Observation(facts: [
            "value": .string(own.value ?? ""), "systemd": .string(systemd.value ?? ""),
            "procps": .string(procps.value ?? ""), "decidedBy": .string(own.decidedBy?.description ?? ""),
            "agrees": .boolean(systemd.value == procps.value), "init": .string(services.initSystem.rawValue),
            "overridden": .strings(own.overridden.map { "\($0.location)=\($0.value ?? "")" }),
            "setters": .strings(setters.map(\.name)), "effective": .string(effective ?? ""),
        ])
        // Both spellings of forwarding, where it is that.
        let last = key.aliases.count > 1 ? "forward" : key.parts.last ?? ""
        if let location = own.decidedBy {
            observation.evidence.append(Evidence(location, pattern: last, value: own.value ?? ""))
        } else {
            observation.evidence.append(
                Evidence(
                    source: "/etc/sysctl.d",
                    command: "grep -rn '\(last)' /etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d",
                    value: "nothing sets \(key)"))
        }
        for assignment in own.overridden.suffix(8) {
            observation.evidence.append(
                Evidence(assignment.location, pattern: last, value: "\(assignment.value ?? "") (overridden)"))
        }
        for setter in setters {
            observation.evidence.append(
                Evidence(
                    source: setter.location?.description ?? setter.name, command: setter.command,
                    value: "\(setter.name) sets \(setter.value) at boot"))
        }
        return observation
    }

    static func replay(_ reader: ConfigurationReader) throws(ObservationFailure) -> SysctlReplay {
        guard let recording = reader.host as? RecordingHost else { return try read(reader) }
        return try recording.derived("sysctl files") { () throws(ObservationFailure) in try read(reader) }
    }

    private static func read(_ reader: ConfigurationReader) throws(ObservationFailure) -> SysctlReplay {
        var listing: [(directory: String, names: [String])] = []
        for directory in SysctlReplay.directories { listing.append((directory, try reader.names(directory))) }
        var files: [SysctlFile] = []
        for path in SysctlReplay.order(listing) {
            // A link to a file that is gone sets nothing, and still hides the name in later directories.
            files.append(SysctlFile(path: path, bytes: try reader.bytes(path) ?? []))
        }
        let main = try reader.bytes(SysctlReplay.mainFile)
        return SysctlReplay(files: files, main: main.map { SysctlFile(path: SysctlReplay.mainFile, bytes: $0) })
    }
}
