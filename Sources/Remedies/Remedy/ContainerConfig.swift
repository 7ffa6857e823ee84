internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes

/// Edits a container's own configuration: a link to a bridge that this host does not have, a veth without any, or its
/// keys of old. That a bridge is absent now says nothing about what was meant: a link is changed only where its name shows
/// that it was not this operator's choice (`FormerBridge`), and no file of the host's and no hook may make it. LXC itself must load the file afterwards. A running container is plugged into its bridge at once;
/// everything else it keeps as it was started with.
struct ContainerConfig: Remedy {
    let id = "container-config"
    let isForNetwork = false
    static let linksOther = "config-links-other-bridge"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        guard let name = ContainerFile.name(cause, draft) else {
            throw LeftToPerson(why: "the cause names no container", what: [])
        }
        let file = try ContainerFile(name, in: draft)
        var bytes = file.content.bytes.bytes
        switch cause.id {
        case Self.linksOther: bytes = try relinked(bytes, file.path, draft)
        case "config-no-link": bytes = LXCConfig.linkingLooseDevices(to: try ContainerPort.bridge(draft), in: bytes)
        default:
            do throws(ConfigEditError) {
                bytes = try LXCConfig.updatingKeys(in: bytes)
            } catch {
                throw LeftToPerson(
                    why: "\(file.path) cannot be edited: \(error.message)", what: ["editor \(file.path)"])
            }
        }
        if cause.id != "config-legacy-keys" {
            for port in ContainerPort.loose(name, draft) {
                try ContainerPort.plug(port, into: try ContainerPort.bridge(draft), remedy: id, for: cause, &draft)
            }
        }
        try file.write(bytes, remedy: id, for: cause, &draft)
    }

    private func relinked(
        _ bytes: [UInt8], _ path: String, _ draft: PlanDraft
    ) throws(LeftToPerson) -> [UInt8] {
        let bridge = try ContainerPort.bridge(draft)
        var result = bytes
        for device in LXCConfig(path: path, bytes: bytes).devices {
            guard let link = device.link, link != bridge else { continue }
            let reason =
                claim(to: link, in: path, draft).map { "\($0), so the container may be there on purpose" }
                ?? FormerBridge(of: bridge, in: draft).doubt(link)
            if let reason {
                throw LeftToPerson(
                    why: reason, what: ["Set the link in \(path) to \(bridge) if that is where it belongs"],
                    withoutCommands: true)
            }
            result = LXCConfig.relinking(link, to: bridge, in: result)
        }
        return result
    }

    /// What speaks for a link of the container's that is not the profile's bridge; nil: nothing that is known.
    private func claim(to link: String, in path: String, _ draft: PlanDraft) -> String? {
        let facts = draft.facts
        if facts.state.exists(link: link) { return "\(link) exists on this host" }
        if draft.lxcNetSettings.makes(bridge: link) { return "lxc-net makes \(link) on this host" }
        if let maker = facts.bridgeMakers[link]?.first { return "\(maker.file) makes \(link)" }
        if let place = facts.linkedNamedAt[link] { return "\(place) names \(link)" }
        if let hook = facts.containerHooks[path] { return "a program of its own may make \(link) (\(hook))" }
        return facts.linkedMakersUnknown[link].map { "whether this host makes \(link) is not known: \($0)" }
    }
}

/// The configuration file of one container, as it may be edited.
struct ContainerFile {
    let name: String
    let path: String
    let content: FileContent

    init(_ name: String, in draft: PlanDraft) throws(LeftToPerson) {
        self.name = name
        path = "\(draft.facts.lxcPath)/\(name)/config"
        guard let content = try draft.editable(path) else {
            throw LeftToPerson(why: "there is no \(path)", what: ["lxc-ls"])
        }
        self.content = content
    }

    /// The container, or the base image for a cause that speaks of the host.
    static func name(_ cause: Cause, _ draft: PlanDraft) -> String? {
        let name = cause.subject.kind == .container ? cause.subject.name : draft.profile.image?.name
        guard let name, !name.isEmpty, !name.hasPrefix("-"), !name.hasPrefix("."), !name.contains("/") else {
            return nil
        }
        return name
    }

    /// Every container whose configuration may be edited, by name.
    static func all(_ draft: PlanDraft) -> [ContainerFile] {
        let prefix = draft.facts.lxcPath + "/"
        var files: [ContainerFile] = []
        for path in draft.facts.state.paths.keys.sorted() where path.hasPrefix(prefix) && path.hasSuffix("/config") {
            let name = String(path.dropFirst(prefix.count).dropLast("/config".count))
            guard !name.contains("/"), !name.hasPrefix("-") else { continue }
            do throws(LeftToPerson) {
                files.append(try ContainerFile(name, in: draft))
            } catch {
                // Somebody else's: nothing of it may be believed, and nothing of it is edited.
                continue
            }
        }
        return files
    }

    /// Its devices by the file alone, without what it includes.
    var devices: [LXCConfig.Device] {
        LXCConfig(path: path, bytes: content.bytes.bytes, refusesLegacyKeys: false) { _ in .file([]) }.devices
    }

    func write(
        _ bytes: [UInt8], remedy: String, for cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        guard bytes != content.bytes.bytes else {
            throw LeftToPerson(
                why: "\(path) itself does not say so, but a file that it includes", what: ["grep -n include \(path)"])
        }
        try draft.edit(
            path, content, bytes, remedy: remedy, for: cause,
            risk: "It counts from the container's next start on; nothing changes before.")
        try draft.check(.checkContainer(name: name, path: draft.facts.lxcPath), remedy: remedy, for: cause)
    }
}
