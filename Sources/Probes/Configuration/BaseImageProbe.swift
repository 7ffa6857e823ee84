internal import ConfigFiles
package import HostAccess
package import HostModel

/// The base image in the layout that makina-states unpacks: `config` beside a `rootfs` that has an init.
package struct BaseImageProbe: Probe {
    package let specification = ProbeSpecification(
        name: "base-image", summary: "the base image that new containers are made from",
        parameters: ["path": .string, "image": .string],
        facts: [
            "present": .boolean, "complete": .boolean, "missing": .strings, "legacyKeys": .strings,
            "directory": .string, "unpackedFlag": .boolean,
        ])

    /// Below the rootfs: what every image has.
    static let rootfsEntries = ["root", "sbin/init", "bin", "etc", "usr"]

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let image = try parameters.string("image")
        guard !image.isEmpty else { throw .notApplicable("the profile names no base image") }
        guard !image.contains("/"), image != ".", image != ".." else {
            throw .unknown("not an image's name: \(image)")
        }
        let reader = ConfigurationReader(host: host)
        let directory = "\(try LXCPath.resolve(try parameters.string("path"), reader).path)/\(image)"
        var observation = Observation(facts: ["directory": .string(directory)])
        guard try reader.isDirectory(directory) else {
            observation.facts.merge([
                "present": .boolean(false), "complete": .boolean(false), "missing": .strings([directory]),
                "legacyKeys": .strings([]), "unpackedFlag": .boolean(false),
            ]) { $1 }
            observation.evidence.append(Evidence(path: directory, value: "absent"))
            return observation
        }
        var missing: [String] = []
        var legacy: [String] = []
        if let bytes = try reader.bytes("\(directory)/config") {
            // Only this file: what it includes belongs to the host, not to the image.
            let config = LXCConfig(path: "\(directory)/config", bytes: bytes, refusesLegacyKeys: false) { _ in
                .file([])
            }
            legacy = config.legacyKeys.map { "config:\($0.location.line) \($0.key)" }
            for key in config.legacyKeys.prefix(4) {
                observation.evidence.append(
                    Evidence(key.location, pattern: key.key, value: "\(key.key) = \(key.value)"))
            }
        } else {
            missing.append("config")
        }
        let rootfs = "\(directory)/rootfs"
        if try reader.isDirectory(rootfs) {
            for entry in Self.rootfsEntries {
                // Its links may point anywhere: they are resolved inside of it.
                let status: FileStatus?
                do {
                    status = try host.statusIfPresent("/" + entry, root: rootfs)
                } catch {
                    throw ObservationFailure(error)
                }
                if status == nil { missing.append("rootfs/\(entry)") }
            }
        } else {
            missing.append("rootfs")
        }
        let flags = try reader.names(directory).filter { $0.hasPrefix(".") && $0.hasSuffix("unpacked") }
        observation.facts.merge([
            "present": .boolean(true), "complete": .boolean(missing.isEmpty), "missing": .strings(missing),
            "legacyKeys": .strings(legacy), "unpackedFlag": .boolean(!flags.isEmpty),
        ]) { $1 }
        observation.evidence.append(
            Evidence(
                source: directory, command: "ls -la \(Evidence.quoted(directory)) \(Evidence.quoted(rootfs))",
                value: missing.isEmpty ? "complete" : "missing: \(missing.joined(separator: ", "))"))
        for flag in flags.prefix(2) {
            observation.evidence.append(Evidence(path: "\(directory)/\(flag)", value: "present"))
        }
        return observation
    }
}
