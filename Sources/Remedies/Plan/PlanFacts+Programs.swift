internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes
internal import WireFormats

/// What only programs can tell, and NetworkManager's daemon.
extension PlanFacts {
    /// What a program says when asked for a version; nil where there is no such program, or it knows none.
    static func version(_ program: ProgramName, _ host: any Host) throws(HostError) -> String? {
        do throws(HostError) {
            return try host.programVersion(program)
        } catch {
            guard error.code == .notFound || error.code == .other else { throw error }
            return nil
        }
    }

    /// `bridgeMakers` must have been read.
    mutating func readNetworkManager(_ host: any Host) throws(HostError) {
        if bridgeMakers.values.joined().contains(where: { $0.owner == .networkManager }) {
            networkManager.readsOffline = NetworkManagerFacts.readsOffline(version: try Self.version(.nmcli, host))
        }
        let devices = Set(try host.listIfPresent(NetworkManagerDevice.directory))
        guard !devices.isEmpty else { return }
        for link in try host.links() where link.kind == "veth" && devices.contains(String(link.index)) {
            let text = try host.readTextIfPresent(NetworkManagerDevice.path(of: link.index)) ?? ""
            if NetworkManagerDevice(text: text).isManaged { networkManager.ports.insert(link.name) }
        }
    }

    /// Asked only where its rules are, and no unit could follow it. `state` must have been read.
    mutating func readDocker(_ host: any Host) throws(HostError) {
        let hasRules = IptablesFlavour.allCases.contains { flavour in
            state.rules[IptablesTable(flavour, "filter")]?.policies[FirewallAccept.dockerChain] != nil
        }
        guard hasRules, initSystem != "systemd" else { return }
        dockerVersion = FirewallFacts.docker(version: try Self.version(.dockerd, host))
    }
}
