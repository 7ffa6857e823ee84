internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Plugs the veth of a running container back into the bridge that its configuration names. The configuration is right
/// already, so that the next start needs no repair; where NetworkManager counts the veth as its own, it is kept off.
struct ContainerPort: Remedy {
    let id = "container-port"
    let isForNetwork = false

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        guard let name = ContainerFile.name(cause, draft) else {
            throw LeftToPerson(why: "the cause names no container", what: [])
        }
        let links = Set(try ContainerFile(name, in: draft).devices.compactMap(\.link))
        guard links.count == 1, let bridge = links.first,
            draft.profile.networks.contains(where: { $0.bridge == bridge })
        else {
            throw LeftToPerson(
                why: "which bridge \(name) belongs to does not follow from its own configuration",
                what: ["lxc-info -n \(Shell.quote(name)) -c lxc.net.0.link"])
        }
        let ports = Self.loose(name, draft)
        for port in ports {
            try Self.plug(port, into: bridge, remedy: id, for: cause, &draft)
        }
        try NetworkManagerPorts(remedy: id, cause: cause).leaveAlone(ports, &draft)
    }

    /// The host's ends of the container's veths that are in no bridge. None where one of its devices is not meant to be
    /// in any: which veth that is does not show from outside.
    static func loose(_ name: String, _ draft: PlanDraft) -> [String] {
        let state = draft.facts.state
        let own = state.file("\(draft.facts.lxcPath)/\(name)/config")?.bytes.bytes ?? []
        let config = LXCConfig(path: name, bytes: own, refusesLegacyKeys: false) { _ in .file([]) }
        guard !config.devices.contains(where: \.isConnectedOtherwise) else { return [] }
        return state.containers.filter { $0.key.container == name && state.masters[$0.value.port] == nil }
            .map(\.value.port).sorted()
    }

    /// The only bridge of the profile.
    static func bridge(_ draft: PlanDraft) throws(LeftToPerson) -> String {
        let bridges = draft.profile.networks.map(\.bridge)
        guard let bridge = bridges.first, bridges.count == 1 else {
            throw LeftToPerson(why: "the profile has several bridges, and which one is meant is not known", what: [])
        }
        return bridge
    }

    static func plug(
        _ port: String, into bridge: String, remedy: String, for cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try draft.add(
            .setMaster(link: port, from: nil, to: bridge), phase: .runtime, remedy: remedy,
            risk: "The container reaches \(bridge), and everybody there reaches the container.", for: cause,
            // It was in no bridge for there was none.
            reversible: !draft.bridgesForGood.contains(bridge))
    }
}
