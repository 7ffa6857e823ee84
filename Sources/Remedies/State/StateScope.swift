package import HostAccess

/// Which parts of a host are to be read into a `HostState`.
package struct StateScope: Sendable, Hashable {
    /// Whether to dump links and addresses.
    package var links = false
    package var sysctls: Set<String> = []
    package var paths: Set<String> = []
    /// Names of nft tables of family ip; empty: nftables is not asked.
    package var tables: Set<String> = []
    package var rules: Set<IptablesTable> = []
    package var chains: Set<NftChainPlace> = []
    /// Networks of which to see whether the rules of iptables leave their way open.
    package var openings: Set<ShorewallReach> = []
    /// Whether to ask for firewalld's zones.
    package var zones = false
    /// Whether to list the flows that are not translated.
    package var flows = false
    /// Whether to look into the running containers.
    package var containers = false

    package init() {}
}

extension StateScope {
    /// Everything that these changes touch.
    init(of changes: [Change]) {
        for change in changes {
            switch change {
            case .createBridge:
                links = true
                // A new link begins with them.
                sysctls.formUnion([SysctlName.defaultForwarding, SysctlName.promoteSecondaries(of: "default")])
            case .deleteBridge, .setLinkUp, .addAddress, .removeAddress, .setMaster: links = true
            case .containerAddress, .containerHardwareAddress: containers = true
            case .setSysctl(let key, _, _): sysctls.insert(key)
            case .createTranslationTable(let table), .deleteTranslationTable(let table): tables.insert(table.name)
            case .file(let path, _, _), .symbolicLink(let path, _, _): paths.insert(path)
            case .forgetFlows: flows = true
            case .restoreImage(let order): paths.insert(order.path)
            case .addRule(let rule), .removeRule(let rule):
                rules.insert(rule.table)
                if rule.makesTable == true { tables.insert(rule.table.name) }
            case .addNftRule(let rule), .removeNftRule(let rule): chains.insert(rule.place)
            case .run(.lxcNetStart), .run(.lxcNetStop):
                links = true
                paths.insert(LxcNetFacts.flag)
            case .run(.shorewallReload(let reach, _)): openings.insert(reach)
            case .run(.installLXC): paths.insert(LXCInstall.program)
            case .run(.firewalldAdd), .run(.firewalldRemove): zones = true
            case .run: break
            }
        }
    }
}
