internal import HostAccess
internal import HostModel

/// Ports of bridges and interfaces of running containers, as changes of a state.
extension HostState {
    /// Whether a change speaks of something that has gone by itself, with all that was changed of it: the switches of an
    /// interface, or a container that was stopped.
    func hasGone(_ change: Change) -> Bool {
        switch change {
        case .setSysctl(let key, _, _): sysctls[key] == nil
        case .setMaster(let link, _, _): !exists(link: link)
        case .containerAddress(let interface, _, _), .containerHardwareAddress(let interface, _, _):
            containers[interface] == nil
        default: false
        }
    }

    func standing(ofPort link: String, from before: String?, to after: String?) -> Standing {
        guard exists(link: link) else { return .other("there is no link \(link)") }
        let now = masters[link]
        if now == after { return .after }
        guard now == before else { return .other("\(link) is a port of \(now ?? "no bridge")") }
        if let after, !isBridge(after) { return .other("there is no bridge \(after)") }
        return .before
    }

    /// The names of a bridge's ports, as text.
    func ports(of bridge: String) -> String {
        masters.filter { $0.value == bridge && !$0.key.hasPrefix(ProofNames.linkPrefix) }.map(\.key).sorted()
            .joined(separator: ", ")
    }

    mutating func plug(_ link: String, into bridge: String?) {
        for (name, difference) in [(masters[link], -1), (bridge, 1)] {
            guard let name, case .present(let kind, let up, let ports) = self.link(name) else { continue }
            links[name] = .present(kind: kind, up: up, ports: ports + difference)
        }
        masters[link] = bridge
    }

    func standing(of interface: ContainerInterface, before: HeldAddress, after: HeldAddress) -> Standing {
        guard let state = containers[interface] else { return notRunning(interface) }
        // Both at once: killed between the two.
        if state.holds(before) { return .before }
        if state.holds(after) { return .after }
        return .other("\(interface.interface) of \(interface.container) does not have \(before)")
    }

    func standing(of interface: ContainerInterface, before: MACAddress, after: MACAddress) -> Standing {
        guard let state = containers[interface] else { return notRunning(interface) }
        if state.hardwareAddress == after { return .after }
        if state.hardwareAddress == before { return .before }
        return .other("\(interface.interface) of \(interface.container) does not have \(before)")
    }

    private func notRunning(_ interface: ContainerInterface) -> Standing {
        .other("\(interface.container) does not run, or has no \(interface.interface) behind a veth")
    }
}

extension ContainerState {
    /// Whatever broadcast address goes with it: that of a restarted container is LXC's.
    fileprivate func holds(_ address: HeldAddress) -> Bool {
        addresses.contains { $0.address == address.address }
    }
}
