internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Where the files of a container lie. A container of the LXC path goes by its name; one that lies elsewhere (another
/// `lxc-start -P`, a user's own) goes by its directory, such as `/srv/lxc/web`.
struct ContainerPlace: Hashable {
    /// The directory of containers.
    var path: String
    var name: String

    /// The directory of this one.
    var directory: String { "\(path)/\(name)" }

    /// For people and for subjects: the name alone where that suffices.
    func title(in own: String) -> String { path == own ? name : directory }

    /// The container that a probe is asked about by its parameters `path` and `container`.
    static func asked(
        _ parameters: ProbeParameters, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> ContainerPlace {
        let title = try parameters.string("container")
        if let elsewhere = ContainerPlace(directory: title) { return elsewhere }
        return ContainerPlace(path: try LXCPath.resolve(try parameters.string("path"), reader).path, name: title)
    }

    init(path: String, name: String) {
        self.path = path
        self.name = name
    }

    /// Nil for what is no absolute path of at least two parts, without `.` and `..` in it.
    init?(directory: String) {
        let parts = directory.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 2, parts[0].isEmpty, !parts.dropFirst().contains(where: { ["", ".", ".."].contains($0) })
        else { return nil }
        path = parts.dropLast().joined(separator: "/")
        name = parts[parts.count - 1]
    }
}

/// Containers that are not in the LXC path of the profile.
///
/// Source: `list_active_containers` in `src/lxc/lxccontainer.c`: the monitor of each running container listens on the
/// abstract socket `LXCPATH/NAME/command`; unix(7), proc_net(5). Users' own: lxc.conf(5), lxc-usernet(5).
enum ContainersElsewhere {
    /// Anybody may open sockets by any name, so there is an end to what is believed of them.
    private static let maximum = 64
    private static let sockets = "/proc/net/unix"
    /// __SO_ACCEPTCON of include/uapi/linux/net.h, as the column Flags has it: it listens.
    private static let listens = "00010000"

    /// Sorted by directory.
    static func find(except own: String, _ reader: ConfigurationReader) throws(ObservationFailure) -> [ContainerPlace] {
        guard let recording = reader.host as? RecordingHost else { return try search(except: own, reader) }
        return try recording.derived("containers outside \(own)") { () throws(ObservationFailure) in
            try search(except: own, reader)
        }
    }

    private static func search(
        except own: String, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> [ContainerPlace] {
        var found: Set<ContainerPlace> = []
        for place in try running(reader) + users(reader) where place.path != own {
            guard found.count < maximum else { break }
            // A name without a configuration is no container, or was one.
            guard try reader.exists(place.directory + "/config") else { continue }
            found.insert(place)
        }
        return found.sorted { $0.directory < $1.directory }
    }

    private static func running(_ reader: ConfigurationReader) throws(ObservationFailure) -> [ContainerPlace] {
        guard let bytes = try reader.bytes(sockets, limit: 4 << 20) else { return [] }
        return TextLines(bytes).numbered.compactMap { _, line in
            // Num: RefCount Protocol Flags Type St Inode Path
            let words = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
            guard words.count == 8, words[3] == listens, words[7].hasPrefix("@/"), words[7].hasSuffix("/command")
            else { return nil }
            return ContainerPlace(directory: String(words[7].dropFirst().dropLast("/command".utf8.count)))
        }
    }

    /// Whoever may plug into a bridge keeps containers in a directory of their own, running or not.
    private static func users(_ reader: ConfigurationReader) throws(ObservationFailure) -> [ContainerPlace] {
        let allowed = Set(
            TextLines(try reader.bytes("/etc/lxc/lxc-usernet") ?? []).numbered.compactMap { _, line in
                line.prefix { $0 != "#" }.split(whereSeparator: { $0 == " " || $0 == "\t" }).first.map(String.init)
            })
        guard !allowed.isEmpty else { return [] }
        var places: [ContainerPlace] = []
        for user in try PasswordFile.entries(reader) where allowed.contains(user.name) && user.home.hasPrefix("/") {
            let path = "\(user.home)/.local/share/lxc"
            for name in try reader.names(path).prefix(maximum) where !name.hasPrefix(".") {
                places.append(ContainerPlace(path: path, name: name))
            }
        }
        return places
    }
}
