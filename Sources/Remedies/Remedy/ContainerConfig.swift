internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Edits a container's own configuration: its link to a bridge that this host does not have, or its keys of old.
/// LXC itself must load the file afterwards. A running container keeps what it was started with.
struct ContainerConfig: Remedy {
    let id = "container-config"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        guard let name = name(cause, draft) else {
            throw LeftToPerson(why: "the cause names no container", what: [])
        }
        let path = "\(draft.facts.lxcPath)/\(name)/config"
        guard let before = try draft.editable(path) else {
            throw LeftToPerson(why: "there is no \(path)", what: ["lxc-ls"])
        }
        let bytes: [UInt8]
        switch cause.id {
        case "config-links-other-bridge": bytes = try relinked(before.bytes.bytes, path, draft)
        default:
            do throws(ConfigEditError) {
                bytes = try LXCConfig.updatingKeys(in: before.bytes.bytes)
            } catch {
                throw LeftToPerson(why: "\(path) cannot be edited: \(error.message)", what: ["editor \(path)"])
            }
        }
        guard bytes != before.bytes.bytes else {
            throw LeftToPerson(
                why: "\(path) itself does not say so, but a file that it includes", what: ["grep -n include \(path)"])
        }
        try draft.edit(
            path, before, bytes, remedy: id, for: cause,
            risk: "It counts from the container's next start on; nothing changes before.")
        try draft.check(.checkContainer(name: name, path: draft.facts.lxcPath), remedy: id, for: cause)
    }

    /// The container, or the base image for a cause that speaks of the host.
    private func name(_ cause: Cause, _ draft: PlanDraft) -> String? {
        let name = cause.subject.kind == .container ? cause.subject.name : draft.profile.image?.name
        guard let name, !name.isEmpty, !name.hasPrefix("-"), !name.hasPrefix("."), !name.contains("/") else {
            return nil
        }
        return name
    }

    private func relinked(
        _ bytes: [UInt8], _ path: String, _ draft: PlanDraft
    ) throws(LeftToPerson) -> [UInt8] {
        let bridges = draft.profile.networks.map(\.bridge)
        guard let bridge = bridges.first, bridges.count == 1 else {
            throw LeftToPerson(why: "the profile has several bridges, and which one is meant is not known", what: [])
        }
        var result = bytes
        for device in LXCConfig(path: path, bytes: bytes).devices {
            guard let link = device.link, link != bridge else { continue }
            if draft.facts.state.exists(link: link) {
                throw LeftToPerson(
                    why: "\(link) exists on this host, so the container may be there on purpose",
                    what: ["Set the link in \(path) to \(bridge) if it is not"])
            }
            result = LXCConfig.relinking(link, to: bridge, in: result)
        }
        return result
    }
}
