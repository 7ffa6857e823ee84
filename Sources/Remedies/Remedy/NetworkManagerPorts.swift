internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Keeps NetworkManager off the host's ends of containers' veths, for good: it counts them as its own, and takes one out
/// of the bridge with the next connection that it starts on it.
struct NetworkManagerPorts {
    static let directory = "/etc/NetworkManager/conf.d"
    /// Read after the others, so that it adds to their list. Source: NetworkManager.conf(5).
    static let file = "\(directory)/zz-lxc-doctor.conf"

    let remedy: String
    let cause: Cause

    /// For those of the ports that NetworkManager may configure.
    func leaveAlone(_ ports: [String], _ draft: inout PlanDraft) throws(LeftToPerson) {
        let ports = ports.filter { draft.facts.networkManager.ports.contains($0) }
        guard !ports.isEmpty else { return }
        let before = try draft.editable(Self.file)
        let old = before.map { NetworkManagerConf(path: Self.file, bytes: $0.bytes.bytes).unmanagedDevices } ?? []
        let wanted = try Self.devices(ports, uplinks: draft.facts.uplinks.values.sorted())
        let devices = old + wanted.filter { !old.contains($0) }
        if devices != old {
            var after = before ?? FileContent(bytes: ByteString([]))
            after.bytes = ByteString(NetworkManagerConf.leavingAlone(devices))
            try draft.add(
                .file(path: Self.file, before: before, after: after),
                also: [.run(.reloadNetworkManager(keepingUp: ports))], phase: .persistent, remedy: remedy,
                risk: "NetworkManager configures no veth of this host any more, whoever made it.", for: cause)
        }
        try draft.add(
            .run(.checkNetworkManager(unmanaged: devices)), phase: .persistent, remedy: remedy,
            risk: "None: it only looks.", for: cause)
        let up = ports.map { "ip link set \(Shell.quote($0)) up" }
        let reload = OwnedProgram.reloadNetworkManager(keepingUp: ports)
        try draft.add(
            .run(reload), phase: .persistent, remedy: remedy,
            risk: "NetworkManager takes down what it lets go of: \(ports.joined(separator: ", ")) may be down for an "
                + "instant.",
            for: cause, command: ([reload.command.joined(separator: " ")] + up).joined(separator: "; "))
    }

    /// By what LXC names them where nothing else is said, else one by one; an uplink of the same kind stays managed.
    static func devices(_ ports: [String], uplinks: [String]) throws(LeftToPerson) -> [String] {
        if let name = (ports + uplinks).first(where: { !OwnUnit.isPlain($0) }) {
            throw LeftToPerson(why: "the name \(name) cannot stand in a file of NetworkManager's", what: [])
        }
        let usual = "veth"
        var names = ports.filter { !$0.hasPrefix(usual) }
        var exceptions: [String] = []
        if names.count < ports.count {
            names.insert("\(usual)*", at: 0)
            exceptions = uplinks.filter { $0.hasPrefix(usual) }.map { "except:interface-name:\($0)" }
        }
        return names.map { "interface-name:\($0)" } + exceptions
    }
}

/// NetworkManager on a host, as far as repairs need to know.
package struct NetworkManagerFacts: Codable, Sendable, Hashable {
    /// Veths that it may configure, by what its daemon says of them.
    package var ports: Set<String> = []
    /// Whether nmcli can read a file without the daemon: since 1.40.
    package var readsOffline = false

    package init() {}

    /// `nmcli tool, version 1.42.4`.
    static func readsOffline(version: String?) -> Bool {
        guard let number = version?.split(separator: " ").last else { return false }
        let parts = number.split(separator: ".").compactMap { Int($0) }
        return parts.count > 1 && !parts.lexicographicallyPrecedes([1, 40])
    }
}
