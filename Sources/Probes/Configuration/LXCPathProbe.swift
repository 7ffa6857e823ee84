internal import ConfigFiles
package import HostAccess
package import HostModel

/// The directory of the containers: the one asked for, or the one LXC would use.
struct LXCPath {
    var path: String
    var decidedBy: String
    var evidence: Evidence

    static func resolve(_ asked: String, _ reader: ConfigurationReader) throws(ObservationFailure) -> LXCPath {
        if !asked.isEmpty {
            var path = asked
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            return LXCPath(
                path: path, decidedBy: "profile",
                evidence: Evidence(source: "profile", command: "ls -ld \(Evidence.quoted(path))", value: path))
        }
        let file = LXCSystemConfig.path
        let effective = LXCSystemConfig(bytes: try reader.bytes(file) ?? []).containerPath
        guard let line = effective.line else {
            return LXCPath(
                path: effective.path, decidedBy: "default",
                evidence: Evidence(source: "default of LXC", command: "lxc-config lxc.lxcpath", value: effective.path))
        }
        let location = SourceLocation(file: file, line: line)
        return LXCPath(
            path: effective.path, decidedBy: location.description,
            evidence: Evidence(location, pattern: "lxc.lxcpath", value: effective.path))
    }
}

/// Whether the directory of the containers is there, whose it is and how much room it has.
package struct LXCPathProbe: Probe {
    package let specification = ProbeSpecification(
        name: "lxc-path", summary: "the directory of the containers, its rights and its room",
        parameters: ["path": .string],
        facts: [
            "path": .string, "decidedBy": .string, "exists": .boolean, "directory": .boolean, "owner": .integer,
            "group": .integer, "mode": .string, "writableByOthers": .boolean, "traversable": .boolean,
            "freeBytes": .integer, "freeInodes": .integer, "readOnly": .boolean,
        ])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let resolved = try LXCPath.resolve(try parameters.string("path"), reader)
        let path = resolved.path
        var observation = Observation(
            facts: ["path": .string(path), "decidedBy": .string(resolved.decidedBy)], evidence: [resolved.evidence])
        guard let status = try reader.status(path) else {
            observation.facts["exists"] = .boolean(false)
            observation.facts["directory"] = .boolean(false)
            observation.evidence.append(Evidence(path: path, value: "absent"))
            return observation
        }
        let octal = String(status.mode & 0o7777, radix: 8)
        let mode = String(repeating: "0", count: max(0, 4 - octal.count)) + octal
        observation.facts.merge([
            "exists": .boolean(true), "directory": .boolean(status.kind == .directory),
            "owner": .integer(status.owner), "group": .integer(status.group), "mode": .string(mode),
            // With the sticky bit others may add but not replace: still not root's own directory.
            "writableByOthers": .boolean(SoleOwner.othersMayWrite(mode: status.mode, group: status.group)),
            "traversable": .boolean(status.mode & 0o001 != 0),
        ]) { $1 }
        observation.show(
            "exists", "directory", "owner", "group", "mode", "writableByOthers", "traversable",
            by: Evidence(
                source: path, command: "stat -c '%u:%g %a' \(Evidence.quoted(path))",
                value: "\(status.owner):\(status.group) \(mode)"))
        let space: FileSystemSpace
        do {
            space = try host.space(path)
        } catch {
            throw ObservationFailure(error)
        }
        observation.facts["freeBytes"] = .integer(space.freeBytes)
        observation.facts["readOnly"] = .boolean(space.readOnly)
        if space.readOnly {
            observation.show(
                "readOnly",
                by: Evidence(
                    source: path, command: "findmnt -T \(Evidence.quoted(path))", value: "on a read-only file system"))
        }
        if let inodes = space.freeInodes { observation.facts["freeInodes"] = .integer(inodes) }
        observation.show(
            "freeBytes", "freeInodes",
            by: Evidence(
                source: path, command: "df -h \(Evidence.quoted(path)); df -i \(Evidence.quoted(path))",
                value:
                    "\(space.freeBytes >> 20) MiB and \(space.freeInodes.map(String.init) ?? "uncounted") inodes free"))
        return observation
    }
}
