internal import ConfigFiles
package import HostAccess
package import HostModel

/// `container-identity {path, container}`: whether an unprivileged container may have the ids that it maps, and whether
/// its root can get at its rootfs.
///
/// Source: lxc.container.conf(5), lxc.idmap; subuid(5), newuidmap(1); `lxc_map_ids` in `src/lxc/conf.c`: where
/// newuidmap is installed, root too must have the range in /etc/subuid.
package struct ContainerIdentityProbe: Probe {
    package let specification = ProbeSpecification(
        name: "container-identity", summary: "an unprivileged container's id maps, and the way to its rootfs",
        parameters: ["path": .string, "container": .string],
        facts: ["maps": .strings, "uncovered": .strings, "closed": .strings, "reason": .string, "decided": .boolean],
        source: .configuration)

    package init() {}

    private struct Map {
        var isUser: Bool
        var inside: Int
        var outside: Int
        var count: Int
        var entry: LXCConfig.Entry
    }

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let place = try ContainerPlace.asked(parameters, reader)
        let (path, name) = (place.path, place.name)
        let config = try ContainerConfigProbe.read(path, name, reader)
        let maps = config.entries.filter { $0.key == "lxc.idmap" }.compactMap(Self.map)
        guard !maps.isEmpty else { throw .notApplicable("\(name) maps no ids: it is privileged") }
        var evidence = maps.prefix(4).map {
            Evidence($0.entry.location, pattern: "lxc.idmap", value: $0.entry.value)
        }
        var uncovered: [String] = []
        let tool = ["/usr/bin/newuidmap", "/bin/newuidmap", "/usr/local/bin/newuidmap"]
        if try reader.first(tool) != nil {
            // Whose directory it is, starts the containers in it; their own may belong to the mapped root.
            let owner = try reader.status(path)?.owner ?? 0
            for map in maps {
                let file = map.isUser ? "/etc/subuid" : "/etc/subgid"
                let (covered, place) = try Self.covers(map, owner: owner, file: file, reader)
                if covered { continue }
                uncovered.append("\(map.entry.value): not in \(file)")
                evidence.append(
                    Evidence(
                        source: place?.description ?? file, command: "grep -n . \(file)",
                        value: place == nil ? "no line for user \(owner)" : "another range"))
            }
        }
        var closed: [String] = []
        var undecided = ""
        if let root = maps.first(where: { $0.isUser && $0.inside == 0 })?.outside, root != 0,
            let rootfs = config.rootfs?.value,
            let target = ContainerConfigProbe.hostPaths(rootfs, directory: "\(path)/\(name)").last
        {
            let group = maps.first { !$0.isUser && $0.inside == 0 }?.outside
            for part in Self.parts(target) {
                guard let status = try reader.status(part), status.kind == .directory else { break }
                switch Self.mayPass(status, user: root, group: group) {
                case true: continue
                case nil: undecided = "an ACL may let user \(root) through \(part)"
                case false?:
                    closed.append(part)
                    evidence.append(
                        Evidence(
                            source: part, command: "namei -l \(Evidence.quoted(target))",
                            value: "\(status.owner):\(status.group) \(String(status.mode & 0o7777, radix: 8)), "
                                + "closed to user \(root)"))
                }
            }
        }
        return Observation(
            facts: [
                "maps": .strings(maps.map(\.entry.value)), "uncovered": .strings(uncovered), "closed": .strings(closed),
                "reason": .string(undecided), "decided": .boolean(undecided.isEmpty || !closed.isEmpty),
            ], evidence: evidence)
    }

    /// `u 0 100000 65536`.
    private static func map(_ entry: LXCConfig.Entry) -> Map? {
        let words = entry.value.blankSeparated
        guard words.count == 4, ["u", "g", "b"].contains(words[0]), let inside = Int(words[1]),
            let outside = Int(words[2]), let count = Int(words[3]), count > 0, outside >= 0
        else { return nil }
        return Map(isUser: words[0] != "g", inside: inside, outside: outside, count: count, entry: entry)
    }

    /// Whether the owner has the whole range; and the owner's first line.
    private static func covers(
        _ map: Map, owner: Int, file: String, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> (Bool, SourceLocation?) {
        var names = [String(owner)]
        if owner == 0 {
            names.append("root")
        } else if let name = try PasswordFile.name(of: owner, reader) {
            names.append(name)
        }
        // Everybody may map their own id.
        if map.count == 1, map.outside == owner { return (true, nil) }
        var first: SourceLocation?
        for (number, line) in TextLines(try reader.bytes(file) ?? []).numbered {
            let words = line.split(separator: ":").map(String.init)
            guard words.count == 3, names.contains(words[0]), let start = Int(words[1]), let count = Int(words[2])
            else { continue }
            first = first ?? SourceLocation(file: file, line: number)
            if start <= map.outside, map.outside - start <= count - map.count { return (true, first) }
        }
        return (false, first)
    }

    /// `/`, `/var`, … down to the path itself.
    private static func parts(_ path: String) -> [String] {
        var parts = ["/"]
        var so = ""
        for name in path.split(separator: "/").prefix(64) {
            so += "/" + name
            parts.append(so)
        }
        return parts
    }

    /// Whether a user may go through a directory; nil where only an access control list could tell. With one, the bits
    /// of the group show what its entries may have at most. Source: acl(5).
    private static func mayPass(_ status: FileStatus, user: Int, group: Int?) -> Bool? {
        if status.owner == user { return status.mode & 0o100 != 0 }
        if status.group == group { return status.mode & 0o010 != 0 }
        if status.mode & 0o001 != 0 { return true }
        return status.mode & 0o010 != 0 ? nil : false
    }
}

/// `/etc/passwd`. Source: passwd(5).
enum PasswordFile {
    /// The name of a user, from the file alone.
    static func name(of user: Int, _ reader: ConfigurationReader) throws(ObservationFailure) -> String? {
        try entries(reader).first { $0.user == user }?.name
    }

    static func entries(
        _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> [(name: String, user: Int, home: String, location: SourceLocation)] {
        let file = "/etc/passwd"
        return TextLines(try reader.bytes(file) ?? []).numbered.compactMap { number, line in
            let words = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard words.count > 2, let user = Int(words[2]) else { return nil }
            return (words[0], user, words.count > 5 ? words[5] : "", SourceLocation(file: file, line: number))
        }
    }
}
