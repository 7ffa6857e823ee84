internal import HostAccess
internal import HostModel

extension PlanDraft {
    /// The file as it may be edited, or nil where there is none and one may be made.
    /// A link, a file of someone else, or one that others may write to is left to a person.
    func editable(_ path: String) throws(LeftToPerson) -> FileContent? {
        switch facts.state.path(path) {
        case .absent:
            try requireDirectory(of: path)
            return nil
        case .file(let content):
            guard content.owner == 0, content.mode & 0o022 == 0 else {
                throw LeftToPerson(
                    why: "\(path) does not belong to root alone, so what it holds cannot be trusted",
                    what: ["chown root \(Shell.quote(path)); chmod go-w \(Shell.quote(path))"])
            }
            return content
        case .symbolicLink(let target):
            throw LeftToPerson(why: "\(path) is a symbolic link to \(target); repairs do not follow links", what: [])
        case .directory:
            throw LeftToPerson(why: "\(path) is a directory", what: [])
        case .other(let words):
            throw LeftToPerson(why: "\(path) cannot be edited: \(words)", what: [])
        }
    }

    func requireDirectory(of path: String) throws(LeftToPerson) {
        let directory = HostState.directory(of: path)
        guard facts.state.path(directory) != .directory else { return }
        throw LeftToPerson(why: "there is no directory \(directory)", what: ["mkdir -p \(Shell.quote(directory))"])
    }

    /// What lxc-net would see, were it started now.
    var lxcNetSettings: LxcNetSettings {
        LxcNetSettings(
            main: facts.state.file(facts.lxcNet.mainFile), settings: facts.state.file(facts.lxcNet.settingsFile),
            files: facts.lxcNet)
    }
}

extension HostState {
    /// The path without its last part: `/etc/default` for `/etc/default/lxc`.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
