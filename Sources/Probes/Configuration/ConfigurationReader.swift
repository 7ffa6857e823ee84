internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Reads files for the configuration probes: what is absent is an answer, what is refused is unknown.
struct ConfigurationReader {
    let host: any Host

    /// A file's bytes; nil where there is none. A link to `/dev/null` reads as empty.
    func bytes(_ path: String, limit: Int = 1 << 20) throws(ObservationFailure) -> [UInt8]? {
        do {
            return try host.read(path, limit: limit)
        } catch {
            if error.code == .notFound { return nil }
            if try link(path) == "/dev/null" { return [] }
            throw ObservationFailure(error)
        }
    }

    /// The paragraph of a file that has a line, empty where none has it; nil where there is no file.
    func paragraph(with line: String, in path: String) throws(ObservationFailure) -> [UInt8]? {
        do {
            return try host.paragraph(with: line, in: path)
        } catch {
            if error.code == .notFound { return nil }
            throw ObservationFailure(error)
        }
    }

    func status(_ path: String, followLinks: Bool = true) throws(ObservationFailure) -> FileStatus? {
        do {
            return try host.statusIfPresent(path, followLinks: followLinks)
        } catch {
            throw ObservationFailure(error)
        }
    }

    func exists(_ path: String) throws(ObservationFailure) -> Bool {
        try status(path) != nil
    }

    func isDirectory(_ path: String) throws(ObservationFailure) -> Bool {
        try status(path)?.kind == .directory
    }

    /// Where a symbolic link points; nil for anything else.
    func link(_ path: String) throws(ObservationFailure) -> String? {
        guard let status = try status(path, followLinks: false), status.kind == .link else { return nil }
        return status.target
    }

    func names(_ directory: String) throws(ObservationFailure) -> [String] {
        do {
            return try host.listIfPresent(directory)
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// The first of some paths that exists.
    func first(_ paths: [String]) throws(ObservationFailure) -> String? {
        for path in paths where try exists(path) { return path }
        return nil
    }

    /// Whether a program lies in one of the usual directories.
    func hasProgram(_ name: String) throws(ObservationFailure) -> Bool {
        try first(
            ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/local/sbin/", "/usr/local/bin/"].map { $0 + name })
            != nil
    }

    /// A file as a shell finds it.
    func shellFile(_ path: String) -> ShellFile {
        do {
            guard let bytes = try bytes(path) else { return .missing }
            return .text(bytes)
        } catch {
            switch error {
            case .unknown(let reason), .notApplicable(let reason): return .unreadable(reason)
            }
        }
    }

    /// A file or directory as `lxc.include` finds it.
    func inclusion(_ path: String) -> LXCConfig.Inclusion {
        do {
            guard let status = try status(path) else { return .missing }
            if status.kind == .directory { return .directory(try names(path)) }
            guard let bytes = try bytes(path) else { return .missing }
            return .file(bytes)
        } catch {
            switch error {
            case .unknown(let reason), .notApplicable(let reason): return .unreadable(reason)
            }
        }
    }

    /// The variables of one shell file; nil where there is no such file.
    func shell(_ path: String, initial: [String: String] = [:]) throws(ObservationFailure) -> ShellEnvironment? {
        guard let bytes = try bytes(path) else { return nil }
        return ShellSettings(path: path, bytes: bytes).evaluate(initial: initial, reader: shellFile)
    }

    /// The files `*suffix` of directories by precedence: a name in an earlier one hides it in later ones; by name.
    func files(_ directories: [String], suffix: String) throws(ObservationFailure) -> [(path: String, bytes: [UInt8])] {
        var chosen: [String: String] = [:]
        for directory in directories {
            for name in try names(directory) where name.hasSuffix(suffix) && chosen[name] == nil {
                chosen[name] = "\(directory)/\(name)"
            }
        }
        var files: [(path: String, bytes: [UInt8])] = []
        for (_, path) in chosen.sorted(by: { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }) {
            if let bytes = try bytes(path) { files.append((path, bytes)) }
        }
        return files
    }
}

extension ShellEnvironment {
    /// A value that must be known; `fallback` where nothing sets it.
    func known(_ name: String, or fallback: String = "") throws(ObservationFailure) -> String {
        switch value(name) {
        case nil: return fallback
        case .known(let text): return text
        case .unknown(let reason): throw .unknown("\(name) is not known: \(reason)")
        }
    }
}

extension Evidence {
    /// A word that a person may paste into a shell: names on the host are not to be trusted.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            ShellSettings.isNameByte(byte) || "/.-_:=,@%+".utf8.contains(byte)
        }
        if isPlain, !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// A line of a file, and how to see it.
    init(_ location: SourceLocation, pattern: String, value: String) {
        self.init(
            source: location.description, command: "grep -n \(Self.quoted(pattern)) \(Self.quoted(location.file))",
            value: value)
    }

    /// A path, and that it is there or not.
    init(path: String, value: String) {
        self.init(source: path, command: "ls -ld \(Self.quoted(path))", value: value)
    }
}

extension FactValue {
    static func locations(_ locations: [SourceLocation]) -> FactValue {
        .strings(locations.map(\.description))
    }
}
