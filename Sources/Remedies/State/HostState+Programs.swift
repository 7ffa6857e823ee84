internal import HostAccess
internal import HostModel

/// Rules of iptables and programs of others, as changes of a state.
extension HostState {
    func standing(of rule: IptablesRule, wanted: Bool) -> Standing {
        let listing = rules[rule.table] ?? IptablesListing()
        if listing.contains(rule) { return wanted ? .after : .before }
        // Killed between the two: the rule has gone, and its table has not.
        guard wanted else { return isBareTable(of: rule) ? .before : .after }
        guard listing.holds(rule.chain) else {
            return .other("\(rule.table.flavour.program) has no chain \(rule.chain) in \(rule.table.name)")
        }
        if case .before(let neighbour) = rule.place, listing.position(of: rule) == nil {
            return .other("\(rule.chain) has no rule `\(neighbour)`")
        }
        return .before
    }

    /// Whether there is nothing left of a table that the rule made but the table.
    func isBareTable(of rule: IptablesRule) -> Bool {
        rule.makesTable == true && table(rule.table.name) != .absent && rules[rule.table]?.isBare ?? true
    }

    func standing(of rule: NftChainRule, wanted: Bool) -> Standing {
        let isThere = chains[rule.place]?.index(of: rule) != nil
        if isThere == wanted { return .after }
        guard wanted else { return .before }
        guard let listing = chains[rule.place] else { return .other("there is no chain \(rule.place)") }
        if case .before(_, let text) = rule.position, listing.insertion(of: rule) == nil {
            return .other("\(rule.place) has no rule `\(text)`")
        }
        return .before
    }

    /// A check is always to be made. lxc-net runs where its flag is there and so is its bridge.
    func standing(of program: OwnedProgram) -> Standing {
        switch program {
        case .lxcNetStart(let outcome): isUp(outcome) ? .after : .before
        case .lxcNetStop: path(LxcNetFacts.flag) == .absent ? .after : .before
        case .shorewallReload(let reach, let isOpen): openings.contains(reach) == isOpen ? .after : .before
        case .installLXC: path(LXCInstall.program) == .absent ? .before : .after
        case .firewalldAdd(let interface, let zone): standing(of: interface, from: nil, to: zone)
        case .firewalldRemove(let interface, let zone): standing(of: interface, from: zone, to: nil)
        case .daemonReload, .startUnit, .reloadNetworkManager, .checkShorewall, .checkIfupdown, .checkNetplan,
            .checkKeyfile, .checkNetworkManager, .checkDocker, .checkFirewalld, .checkRules, .checkNftables, .checkUnit,
            .checkContainer, .checkDnsmasq:
            .before
        }
    }

    private func standing(of interface: String, from before: String?, to after: String?) -> Standing {
        let zone = zones[interface]
        if zone == after { return .after }
        return zone == before ? .before : .other("\(interface) is in the zone \(zone ?? "none")")
    }

    private func isUp(_ outcome: LxcNetOutcome) -> Bool {
        path(LxcNetFacts.flag) != .absent && isBridge(outcome.bridge)
            && addresses[outcome.bridge, default: []].contains { $0.address == outcome.address }
    }

    mutating func apply(_ program: OwnedProgram) {
        switch program {
        case .lxcNetStart(let outcome):
            let bridge = outcome.bridge
            if case .present(_, _, let ports) = link(bridge) {
                links[bridge] = .present(kind: "bridge", up: true, ports: ports)
            } else {
                apply(Change.createBridge(name: bridge))
                links[bridge] = .present(kind: "bridge", up: true, ports: 0)
            }
            addresses[bridge] = [HeldAddress(outcome.address)]
            apply(Change.setSysctl(key: SysctlName.ipForward, from: "0", to: "1"))
            if outcome.makesTable { tables["lxc"] = .translation(outcome.translated) }
            if path(LxcNetFacts.flag) == .absent { paths[LxcNetFacts.flag] = .file(FileContent(bytes: ByteString([]))) }
        case .lxcNetStop(let outcome):
            paths[LxcNetFacts.flag] = .absent
            // Its script clears away nothing else then.
            guard exists(link: outcome.bridge) else { return }
            if case .present(_, _, 0) = link(outcome.bridge) {
                apply(Change.deleteBridge(name: outcome.bridge))
            } else {
                addresses[outcome.bridge] = []
            }
            if outcome.makesTable { tables["lxc"] = nil }
        case .shorewallReload(let reach, true): openings.insert(reach)
        case .shorewallReload(let reach, false): openings.remove(reach)
        case .installLXC: paths[LXCInstall.program] = .file(FileContent(bytes: ByteString([])))
        case .firewalldAdd(let interface, let zone): zones[interface] = zone
        case .firewalldRemove(let interface, _): zones[interface] = nil
        case .daemonReload, .startUnit, .reloadNetworkManager, .checkShorewall, .checkIfupdown, .checkNetplan,
            .checkKeyfile, .checkNetworkManager, .checkDocker, .checkFirewalld, .checkRules, .checkNftables, .checkUnit,
            .checkContainer, .checkDnsmasq:
            break
        }
    }
}
