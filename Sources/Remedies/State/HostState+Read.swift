package import HostAccess
internal import HostModel
internal import WireFormats

extension HostState {
    /// The longest file that a repair edits, in bytes.
    static let fileLimit = 1 << 20

    /// Reads the parts of a host that the scope names.
    package static func read(_ scope: StateScope, from host: any Host) throws(HostError) -> HostState {
        var state = HostState()
        if scope.links { try state.readLinks(host) }
        for key in scope.sysctls { try state.readSysctl(key, host) }
        for path in scope.paths { state.paths[path] = try readPath(path, host) }
        if !scope.tables.isEmpty {
            state.tables = try TranslationTables(host, wholeRulesets: false).states(of: scope.tables)
        }
        if !scope.chains.isEmpty {
            let ruleset = try TranslationTables(host, wholeRulesets: true).ruleset
            for place in scope.chains { state.chains[place] = ruleset.listing(of: place)?.listing }
        }
        if scope.containers { try state.readContainers(host) }
        if scope.flows { state.flows = try host.untranslatedFlows() }
        if scope.zones { state.zones = try FirewalldZones.read(host) }
        for table in scope.rules { state.rules[table] = try host.iptablesRules(table) }
        for reach in scope.openings {
            // Each flavour decides for itself.
            var complaints: [String] = []
            for table in IptablesFlavour.allCases.map({ IptablesTable($0, "filter") }) {
                var listing = state.rules[table]
                if listing == nil { listing = try host.iptablesRules(table) }
                if let complaint = listing.flatMap({ reach.complaint(about: $0) }) { complaints.append(complaint) }
            }
            if complaints.isEmpty { state.openings.insert(reach) }
        }
        return state
    }

    private mutating func readLinks(_ host: any Host) throws(HostError) {
        let linkMessages = try host.query(.links())
        let addressMessages = try host.query(.addresses())
        let links: [Link]
        let dump: [InterfaceAddress]
        do throws(WireError) {
            links = try Link.all(in: linkMessages)
            dump = try InterfaceAddress.all(in: addressMessages)
        } catch {
            throw HostError(.malformed, operation: "read links and addresses", message: error.description)
        }
        var names: [Int: String] = [:]
        for link in links {
            names[link.index] = link.name
            // A proof's own port goes by itself.
            let ports = links.filter { $0.master == link.index && !$0.name.hasPrefix(ProofNames.linkPrefix) }.count
            self.links[link.name] = .present(kind: link.kind, up: link.isUp, ports: ports)
            addresses[link.name] = []
        }
        for link in links {
            if let master = link.master, let name = names[master] { masters[link.name] = name }
        }
        for entry in dump {
            if let name = names[entry.link] { addresses[name, default: []].append(HeldAddress(entry, of: name)) }
        }
    }

    /// Those that LXC knows by a name; one that cannot be entered is left out, and so is not changed.
    private mutating func readContainers(_ host: any Host) throws(HostError) {
        for resident in try host.residents().residents {
            guard let name = resident.name else { continue }
            containers[ContainerInterface(container: name, interface: resident.interface)] = ContainerState(
                port: resident.port, hardwareAddress: resident.hardwareAddress, addresses: resident.held)
        }
    }

    private mutating func readSysctl(_ key: String, _ host: any Host) throws(HostError) {
        guard let path = SysctlName.path(key), let text = try host.readTextIfPresent(path, limit: 4096) else { return }
        sysctls[key] = JournalRun.line(text)
    }

    static func readPath(_ path: String, _ host: any Host) throws(HostError) -> PathState {
        guard let status = try host.statusIfPresent(path, followLinks: false) else { return .absent }
        switch status.kind {
        case .directory: return .directory
        case .link: return .symbolicLink(status.target ?? "")
        case .other: return .other("neither a file nor a directory")
        case .file:
            guard status.size <= fileLimit else { return .other("longer than \(fileLimit) bytes") }
            let bytes = try host.read(path, limit: fileLimit)
            return .file(
                FileContent(
                    bytes: ByteString(bytes), mode: status.mode, owner: status.owner, group: status.group))
        }
    }
}
