internal import ConfigFiles
package import HostAccess
package import HostModel
internal import Probes
internal import WireFormats

extension PlanFacts {
    private static let unitDirectories = [
        "/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
    ]

    /// Asks the host everything that a plan for the profile may need. `session`: the value of `SSH_CONNECTION`;
    /// `causes`: what the plan is for, where some facts are dear and only some causes need them.
    package static func read(
        from host: any Host, profile: Profile, session: String? = nil, causes: [Cause] = []
    ) throws(HostError) -> PlanFacts {
        let net = LxcNetFacts(unit: try unit(host), settingsDirectory: try settingsDirectory(host))
        var scope = StateScope()
        scope.links = true
        scope.zones = true
        scope.containers = true
        scope.sysctls = [SysctlName.ipForward, SysctlName.acceptRedirects]
        for link in try host.listIfPresent("/proc/sys/net/ipv4/conf") {
            scope.sysctls.insert(SysctlName.forwarding(of: link))
        }
        for link in ["all", "default"] + profile.networks.map(\.bridge) {
            scope.sysctls.insert(SysctlName.promoteSecondaries(of: link))
        }
        let edited =
            [
                NetworkManagerPorts.file, LxcNetFacts.flag, LxcNetFacts.enablement, LxcNetFacts.mask, net.mainFile,
                net.settingsFile,
                LxcNetFacts.containerDefaults, SysctlReplay.mainFile, ForwardingPersistent.ufwFile,
                ForwardingPersistent.shorewallFile,
            ] + FirewallFacts.files + ForwardingPersistent.names.map { "\(ForwardingPersistent.directory)/\($0)" }
        for flavour in IptablesFlavour.allCases {
            scope.rules.formUnion(["filter", "nat"].map { IptablesTable(flavour, $0) })
        }
        let firewall = try FirewallFacts.read(host)
        let makers = Self.makers(host, profile)
        let own = profile.networks.flatMap { network in
            let docker = OwnUnit(
                name: DockerUserUnit(network: network, rules: []).name, text: "", wantedBy: "multi-user.target")
            let translation = MasqueradePersistent.unit(network)
            return [docker.path, docker.link, translation.path, translation.link]
                + [MasqueradePersistent.rulesFile(network), BridgePersistent.networkFile(network)]
        }
        let uplinks = try uplinks(host, profile)
        scope.sysctls.formUnion(try ipv6Settings(host))
        if firewall.shorewallVersion != nil {
            scope.openings = Set(
                profile.networks.compactMap { network in
                    uplinks[network.name].map {
                        ShorewallReach(
                            bridge: network.bridge, address: network.address, uplink: $0, target: network.target)
                    }
                })
        }
        let shorewall = firewall.shorewallVersion == nil ? [] : ShorewallZone.files
        let files = edited + own + firewall.nftablesFiles + makers.files + shorewall + MakinaJobRepair.files
        scope.paths = Set(files + files.map { HostState.directory(of: $0) })
        let manager = try packageManager(host)
        scope.paths.insert(LXCInstall.program)
        let lxcPath = try containerPath(host, profile)
        for name in try host.listIfPresent(lxcPath).prefix(mostContainers) where !name.hasPrefix(".") {
            scope.paths.insert("\(lxcPath)/\(name)/config")
        }
        var facts = PlanFacts(state: try HostState.read(scope, from: host), lxcNet: net)
        facts.initSystem = try initSystem(host)
        facts.sysctlFiles = try sysctlFiles(host)
        facts.lxcPath = lxcPath
        facts.packageManager = manager
        if let manager, facts.state.path(LXCInstall.program) == .absent {
            facts.packageCountsAsInstalled = try countsAsInstalled(manager, host)
        }
        facts.firewall = firewall
        facts.bridgeMakers = makers.found
        facts.bridgeMakersUnknown = makers.unknown
        if causes.contains(where: { $0.id == ContainerConfig.linksOther }) { try facts.readMakersOfLinks(host) }
        facts.uplinks = uplinks
        if facts.state.path(LxcNetFacts.flag) != .absent { try facts.readEdits(host) }
        try facts.readIPv6(host, profile)
        try facts.readNetworkManager(host)
        try facts.readDocker(host)
        try facts.readRuleset(host, profile)
        if let legacy = try LegacyExemptions(host) {
            let networks = profile.networks.map(\.cidr)
            facts.translationExemptions += legacy.exemptions(for: networks)
            facts.translationForOthers += legacy.rulesForOthers(than: networks)
        }
        if causes.contains(where: { $0.remedy?.id == ForgetFlows.remedy }) { facts.readFlows(host, profile) }
        if causes.contains(where: { $0.id == Masquerade.shadowed }) { facts.readTranslationPlaces(host, profile) }
        if causes.contains(where: { FirewallAccept.openers.contains($0.remedy?.id ?? "") }) {
            facts.readAllowances(host, profile)
        }
        facts.connections = try Connections.read(host, facts, session: session)
        return facts
    }

    private static let mostContainers = 4096

    private mutating func readEdits(_ host: any Host) throws(HostError) {
        do throws(ObservationFailure) {
            lxcNetEdits = Dictionary(
                try LXCNetEdits(on: host).all.map { ($0.name, $0.words) }, uniquingKeysWith: { first, _ in first })
        } catch {
            // Settings that only a shell could tell are not edited anyway.
            guard case .unknown = error else { return }
        }
    }

    /// No flows where they cannot be listed or judged: then there is nothing to forget.
    private mutating func readFlows(_ host: any Host, _ profile: Profile) {
        for network in profile.networks {
            do throws(ObservationFailure) {
                guard let query = try StaleFlowsProbe.query(network.cidr, network.bridge, on: host) else { continue }
                let stale = try StaleFlows(
                    of: network.cidr, bridge: network.bridge, query: query, most: KernelQuery.mostFlowsForgotten,
                    on: host
                ).flows
                let own = stale.filter { !$0.isOffloaded }.map { TrackedFlow($0) }
                staleFlows[network.name] = own
                offloadedFlows[network.name] = stale.count - own.count
                state.flows.formUnion(own)
            } catch {
                continue
            }
        }
    }

    private mutating func readAllowances(_ host: any Host, _ profile: Profile) {
        for network in profile.networks {
            guard let uplink = uplinks[network.name] else { continue }
            do throws(ObservationFailure) {
                allowances[network.name] = try Allowances.find(for: network, uplink: uplink, on: host)
            } catch {
                switch error {
                case .unknown(let reason), .notApplicable(let reason): allowancesUnknown[network.name] = reason
                }
            }
        }
    }

    private mutating func readTranslationPlaces(_ host: any Host, _ profile: Profile) {
        guard nftablesMissing == nil else { return }
        for network in profile.networks {
            guard let uplink = uplinks[network.name] else { continue }
            do throws(ObservationFailure) {
                let found = try TranslationPlace.find(for: network, uplink: uplink, on: host)
                translationPlaces[network.name] = found
                state.chains[found.rule.place] = found.listing
            } catch {
                switch error {
                case .unknown(let reason), .notApplicable(let reason): translationPlaceless[network.name] = reason
                }
            }
        }
    }

    private struct Makers {
        var found: [String: [BridgeMaker]] = [:]
        var unknown: String?

        var files: [String] { found.values.flatMap { $0 }.flatMap { [$0.file] + ($0.addressFile.map { [$0] } ?? []) } }
    }

    /// Whose files make the bridges. What cannot be read stops only the repairs that need it.
    private static func makers(_ host: any Host, _ profile: Profile) -> Makers {
        var makers = Makers()
        for network in profile.networks {
            do throws(ObservationFailure) {
                makers.found[network.bridge] = try BridgeMaker.all(of: network.bridge, on: host)
            } catch {
                switch error {
                case .unknown(let reason), .notApplicable(let reason): makers.unknown = reason
                }
            }
        }
        return makers
    }

    private static func packageManager(_ host: any Host) throws(HostError) -> PackageManager? {
        for manager in PackageManager.allCases where try host.statusIfPresent(manager.path) != nil {
            // A host of rpm's can have apt-get as well, whose list is then empty.
            if let database = manager.database, try host.statusIfPresent(database)?.size == 0 { continue }
            return manager
        }
        return nil
    }

    private static func countsAsInstalled(_ manager: PackageManager, _ host: any Host) throws(HostError) -> Bool {
        if manager == .dnf { return try version(.rpm, host) != nil }
        guard let path = manager.database, try host.statusIfPresent(path) != nil else { return false }
        let header = manager == .apt ? PackageDatabase.dpkgHeader("lxc") : PackageDatabase.apkHeader("lxc")
        let record = try host.paragraph(with: header, in: path)
        return (manager == .apt ? PackageDatabase.dpkg("lxc", in: record) : PackageDatabase.apk("lxc", in: record))
            != nil
    }

    /// The profile's, else the one that LXC takes.
    static func containerPath(_ host: any Host, _ profile: Profile) throws(HostError) -> String {
        if let path = profile.lxcPath { return path }
        let text = try host.readTextIfPresent(LXCSystemConfig.path) ?? ""
        return LXCSystemConfig(bytes: Array(text.utf8)).containerPath.path
    }

    private mutating func readRuleset(_ host: any Host, _ profile: Profile) throws(HostError) {
        do throws(HostError) {
            let tables = try TranslationTables(host, wholeRulesets: true)
            state.tables = tables.states()
            translatedNatively = tables.translatedNatively()
            translatedByLxcNet = tables.translatedByLxcNet()
            lxcNetRules = tables.lxcNetRules()
            for (chain, listing) in FilterChain.all(in: tables.ruleset) {
                filterChains.append(chain)
                state.chains[chain.place] = listing
            }
            translationExemptions = tables.exemptions(for: profile.networks.map(\.cidr))
            translationForOthers = tables.rulesForOthers(than: profile.networks.map(\.cidr))
            translationShadows = tables.exemptions(
                for: profile.networks.map(\.cidr), thatLetAllOut: Set(uplinks.values))
        } catch {
            guard error.code == .unsupported || error.code == .notPermitted else { throw error }
            nftablesMissing = error.message
        }
    }

    private static func unit(_ host: any Host) throws(HostError) -> String? {
        for directory in unitDirectories {
            let path = "\(directory)/lxc-net.service"
            if try host.statusIfPresent(path, followLinks: false)?.kind == .file { return path }
        }
        return nil
    }

    /// Debian and Ubuntu have `/etc/default`; where only the other one speaks of lxc, it is that.
    private static func settingsDirectory(_ host: any Host) throws(HostError) -> String {
        for directory in ["/etc/default", "/etc/sysconfig"] {
            for name in ["lxc", "lxc-net"] where try host.statusIfPresent("\(directory)/\(name)") != nil {
                return directory
            }
        }
        if try host.statusIfPresent("/etc/default") != nil { return "/etc/default" }
        return try host.statusIfPresent("/etc/sysconfig") != nil ? "/etc/sysconfig" : "/etc/default"
    }

    private static func initSystem(_ host: any Host) throws(HostError) -> String {
        do throws(ObservationFailure) {
            return try InitSystem.detect(on: host) == .systemd ? "systemd" : "other"
        } catch {
            // Nothing that is started at boot can be planned then.
            return "other"
        }
    }

    /// Only files that speak of forwarding or router advertisements: the others cannot override them.
    private static func sysctlFiles(_ host: any Host) throws(HostError) -> [String: String] {
        var paths = [SysctlReplay.mainFile]
        var taken: Set<String> = []
        for directory in SysctlReplay.directories {
            for name in try host.listIfPresent(directory) where name.hasSuffix(".conf") {
                if taken.insert(name).inserted { paths.append("\(directory)/\(name)") }
            }
        }
        var files: [String: String] = [:]
        for path in paths {
            guard try host.statusIfPresent(path)?.kind == .file, let text = try host.readTextIfPresent(path),
                text.contains("forward") || text.contains("accept_ra")
            else { continue }
            files[path] = text
        }
        return files
    }

    /// Where packets to each network's target leave. No route is no uplink, not an error.
    private static func uplinks(_ host: any Host, _ profile: Profile) throws(HostError) -> [String: String] {
        var uplinks: [String: String] = [:]
        for network in profile.networks {
            if let name = network.uplink {
                uplinks[network.name] = name
                continue
            }
            do throws(HostError) {
                let messages = try host.query(.routeLookup(destination: network.target))
                let links = try host.query(.links())
                uplinks[network.name] = name(messages, links)
            } catch {
                // ENETUNREACH and its like: the host has no way there.
                continue
            }
        }
        return uplinks
    }

    private static func name(_ lookup: [[UInt8]], _ links: [[UInt8]]) -> String? {
        do throws(WireError) {
            guard let index = try Route.all(in: lookup).first?.links.first else { return nil }
            return try Link.all(in: links).first { $0.index == index }?.name
        } catch {
            return nil
        }
    }
}
