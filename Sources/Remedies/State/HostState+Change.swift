package import HostAccess
internal import HostModel

/// Where a host stands towards a change.
package enum Standing: Sendable, Hashable {
    /// As the change expects it.
    case before
    /// The change, or someone else, has been there already.
    case after
    /// Neither; in words.
    case other(String)
}

extension HostState {
    /// Whether the state is the one that the change starts from, the one that it leads to, or neither.
    package func standing(of change: Change) -> Standing {
        switch change {
        case .createBridge(let name):
            switch link(name) {
            case .absent: .before
            case .present("bridge", _, _): .after
            case .present(let kind, _, _): .other("\(name) is a link of kind \(kind.isEmpty ? "physical" : kind)")
            }
        case .deleteBridge(let name):
            switch link(name) {
            case .absent: .after
            case .present("bridge", _, 0): .before
            case .present("bridge", _, _): .other("\(name) has ports of others: \(ports(of: name))")
            case .present: .other("\(name) is not a bridge")
            }
        case .setLinkUp(let name, let wanted):
            switch link(name) {
            case .absent: .other("there is no link \(name)")
            case .present(_, let up, _): up == wanted ? .after : .before
            }
        case .setMaster(let name, let before, let after): standing(ofPort: name, from: before, to: after)
        case .containerAddress(let interface, let before, let after):
            standing(of: interface, before: before, after: after)
        case .containerHardwareAddress(let interface, let before, let after):
            standing(of: interface, before: before, after: after)
        case .addAddress(let name, let address):
            if !exists(link: name) {
                .other("there is no link \(name)")
            } else {
                has(address, name) ? .after : .before
            }
        case .removeAddress(let name, let address):
            has(address, name) ? .before : .after
        case .setSysctl(let key, let from, let to):
            switch sysctls[key] {
            case to: .after
            case from: .before
            case let value?: .other("\(key) is \(value)")
            case nil: .other("there is no \(key)")
            }
        case .createTranslationTable(let table): standing(of: table, wanted: true)
        case .deleteTranslationTable(let table): standing(of: table, wanted: false)
        case .file(let path, let before, let after):
            standing(
                of: path, before: before.map(PathState.file) ?? .absent, after: after.map(PathState.file) ?? .absent)
        case .symbolicLink(let path, let before, let after):
            standing(
                of: path, before: before.map(PathState.symbolicLink) ?? .absent,
                after: after.map(PathState.symbolicLink) ?? .absent)
        case .addRule(let rule): standing(of: rule, wanted: true)
        case .removeRule(let rule): standing(of: rule, wanted: false)
        case .addNftRule(let rule): standing(of: rule, wanted: true)
        case .removeNftRule(let rule): standing(of: rule, wanted: false)
        case .forgetFlows(let flows): flows.contains(where: self.flows.contains) ? .before : .after
        case .restoreImage(let order): standing(of: order.path, before: .absent, after: .directory)
        case .run(let program): standing(of: program)
        }
    }

    /// Whatever else belongs to the address there.
    private func has(_ address: HeldAddress, _ link: String) -> Bool {
        addresses[link, default: []].contains { $0.address == address.address }
    }

    private func standing(of table: TranslationTable, wanted: Bool) -> Standing {
        switch self.table(table.name) {
        case .absent: wanted ? .before : .after
        case .translation(table.network): wanted ? .after : .before
        case .translation, .other: .other("table ip \(table.name) holds something else")
        }
    }

    private func standing(of path: String, before: PathState, after: PathState) -> Standing {
        let now = self.path(path)
        if now == after { return .after }
        if now == before { return .before }
        switch now {
        case .absent: return .other("\(path) does not exist")
        case .file: return .other("\(path) holds something else, or has another owner or mode")
        case .symbolicLink(let target): return .other("\(path) is a symbolic link to \(target)")
        case .directory: return .other("\(path) is a directory")
        case .other(let words): return .other("\(path) is \(words)")
        }
    }

    /// Makes the change in this value, with its side effects in the kernel.
    package mutating func apply(_ change: Change) {
        switch change {
        case .createBridge(let name):
            links[name] = .present(kind: "bridge", up: false, ports: 0)
            addresses[name] = []
            sysctls[SysctlName.forwarding(of: name)] = sysctls[SysctlName.defaultForwarding]
            sysctls[SysctlName.promoteSecondaries(of: name)] = sysctls[SysctlName.promoteSecondaries(of: "default")]
        case .deleteBridge(let name):
            links[name] = nil
            addresses[name] = nil
            sysctls[SysctlName.forwarding(of: name)] = nil
            sysctls[SysctlName.promoteSecondaries(of: name)] = nil
        case .setLinkUp(let name, let up):
            if case .present(let kind, _, let ports) = link(name) {
                links[name] = .present(kind: kind, up: up, ports: ports)
            }
        case .setMaster(let name, _, let bridge): plug(name, into: bridge)
        case .containerAddress(let interface, let before, let after):
            containers[interface]?.addresses.removeAll { $0.address == before.address }
            containers[interface]?.addresses.append(after)
        case .containerHardwareAddress(let interface, _, let after): containers[interface]?.hardwareAddress = after
        case .addAddress(let link, let address):
            addresses[link, default: []].append(address)
        case .removeAddress(let link, let address):
            addresses[link, default: []].removeAll { $0.address == address.address }
        case .setSysctl(let key, _, let value):
            setSysctl(key, to: value)
        case .createTranslationTable(let table):
            tables[table.name] = .translation(table.network)
        case .deleteTranslationTable(let table):
            tables[table.name] = nil
        case .file(let path, _, let after):
            paths[path] = after.map(PathState.file) ?? .absent
        case .symbolicLink(let path, _, let after):
            paths[path] = after.map(PathState.symbolicLink) ?? .absent
        case .addRule(let rule):
            rules[rule.table, default: IptablesListing()].insert(rule)
            if rule.makesTable == true { tables[rule.table.name] = .other }
        case .removeRule(let rule):
            rules[rule.table, default: IptablesListing()].remove(rule)
            if isBareTable(of: rule) { tables[rule.table.name] = nil }
        case .addNftRule(let rule): chains[rule.place]?.insert(rule)
        case .removeNftRule(let rule): chains[rule.place]?.remove(rule)
        case .forgetFlows(let flows): self.flows.subtract(flows)
        case .restoreImage(let order): paths[order.path] = .directory
        case .run(let program): apply(program)
        }
    }

    private mutating func setSysctl(_ key: String, to value: String) {
        let changes = sysctls[key] != value
        sysctls[key] = value
        guard changes, key == SysctlName.ipForward || key == SysctlName.ipv6Forwarding else { return }
        if key == SysctlName.ipv6Forwarding {
            for other in sysctls.keys where SysctlName.isSwitchOfIPv6(other) { sysctls[other] = value }
            return
        }
        for other in sysctls.keys where other.hasPrefix("net.ipv4.conf.") && other.hasSuffix(".forwarding") {
            sysctls[other] = value
        }
        if sysctls[SysctlName.acceptRedirects] != nil {
            sysctls[SysctlName.acceptRedirects] = value == "0" ? "1" : "0"
        }
    }
}
