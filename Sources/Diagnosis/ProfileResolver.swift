package import CheckCatalog
package import HostAccess
package import HostModel
package import Probes

/// Decides what the host is meant to be.
///
/// `--profile`; else `/etc/lxc-doctor/profile.yaml`; else `makina` where the host shows any trace of it or no lxc-net
/// network is configured; else `lxc-net`.
package enum ProfileResolver {
    package static let systemFile = "/etc/lxc-doctor/profile.yaml"

    /// Reads what it needs from the host and decides.
    package static func choose(
        requested: String?, builtIn: [ProfileEntry], registry: [any Probe], on host: any Host
    ) throws(ProfileError) -> ChosenProfile {
        var traces = HostTraces.read(
            bridge: makina(builtIn)?.networks.first?.bridge ?? "", registry: registry, on: host)
        func complete(_ entry: ProfileEntry?) {
            guard case .derived(let name)? = entry?.values, name != "lxc-net" else { return }
            traces.readManaged(registry: registry, on: host)
        }
        if let requested, requested.contains("/") || requested.hasSuffix(".yaml") {
            guard let entry = try file(requested, on: host, named: true) else {
                throw .file(path: requested, problem: "there is no such file")
            }
            complete(entry)
            return try resolve(requested: entry, because: "--profile \(requested)", builtIn: builtIn, traces: traces)
        }
        if let requested {
            guard let entry = builtIn.first(where: { $0.name == requested }) else {
                throw .unknownName(
                    requested, suggestion: Suggestion.nearest(to: requested, among: builtIn.map(\.name)))
            }
            complete(entry)
            return try resolve(requested: entry, because: "--profile \(requested)", builtIn: builtIn, traces: traces)
        }
        let entry = try file(systemFile, on: host, named: false)
        complete(entry)
        return try resolve(requested: entry, because: systemFile, builtIn: builtIn, traces: traces)
    }

    /// Pure: the choice for what was asked and seen.
    package static func resolve(
        requested: ProfileEntry?, because: String, builtIn: [ProfileEntry], traces: HostTraces
    ) throws(ProfileError) -> ChosenProfile {
        if let requested {
            switch requested.values {
            case .fixed(let profile): return chosen(profile, because, traces)
            case .derived("lxc-net"): return chosen(try lxcNet(traces), because, traces)
            case .derived("auto"): return chosen(try everyBridge(requested.name, traces), because, traces)
            case .derived(let other):
                guard let owner = NetworkOwner(rawValue: other) else {
                    throw .notDerivable(name: requested.name, problem: "nothing derives \"\(other)\"")
                }
                return chosen(try networks(of: owner, requested.name, traces), because, traces)
            }
        }
        guard let makina = makina(builtIn), let network = makina.networks.first else {
            throw .notDerivable(name: "makina", problem: "it is not built in")
        }
        if let trace = trace(of: network, traces) {
            // One container for it and one for lxc-net's own bridge: that does not suffice to change the host.
            let other = trace == Self.containerTrace(network, traces) ? traces.lxcNetContainer : nil
            return chosen(
                makina, trace + (other.map { ", and container \($0) lxc-net's own bridge" } ?? ""), traces,
                supported: other == nil)
        }
        guard let settings = traces.lxcNet else {
            return chosen(makina, "lxc-net's settings could not be read", traces, supported: false)
        }
        guard settings.installed, settings.useBridge else {
            return chosen(
                makina, "no lxc-net network is configured, nor any other trace found", traces, supported: false)
        }
        do {
            return chosen(try lxcNet(traces), "lxc-net is configured for \(settings.bridge)", traces)
        } catch {
            return chosen(makina, "lxc-net's settings give no network", traces, supported: false)
        }
    }

    /// What on the host speaks for the makina network.
    private static func trace(of network: Network, _ traces: HostTraces) -> String? {
        if traces.bridges.contains(network.bridge) { return "\(network.bridge) exists" }
        if traces.makinaJob { return "the lxc-net-makina job is installed" }
        if let path = traces.makinaSettings { return "\(path) exists" }
        if let settings = traces.lxcNet, settings.installed {
            if settings.bridge == network.bridge { return "lxc-net is configured for \(network.bridge)" }
            if let address = IPv4Prefix(settings.address), address.network == network.cidr {
                return "lxc-net is configured for \(network.cidr)"
            }
        }
        return containerTrace(network, traces)
    }

    private static func containerTrace(_ network: Network, _ traces: HostTraces) -> String? {
        traces.makinaContainer.map { "container \($0) links \(network.bridge)" }
    }

    /// The network that lxc-net makes, and serves with DHCP and DNS by its own dnsmasq.
    private static func lxcNet(_ traces: HostTraces) throws(ProfileError) -> Profile {
        guard let settings = traces.lxcNet else {
            throw .notDerivable(name: "lxc-net", problem: "lxc-net's settings could not be read")
        }
        guard settings.installed else {
            throw .notDerivable(name: "lxc-net", problem: "lxc-net is not installed on this host")
        }
        guard !settings.bridge.isEmpty, let address = IPv4Prefix(settings.address), (1...30).contains(address.length)
        else {
            throw .notDerivable(
                name: "lxc-net",
                problem: "its settings give no network (bridge \"\(settings.bridge)\", address \"\(settings.address)\")"
            )
        }
        let range = settings.dhcpRange.split(separator: ",").compactMap { IPv4Address(String($0)) }
        return Profile(
            name: "lxc-net",
            networks: [
                Network(
                    name: settings.bridge, bridge: settings.bridge, address: address, dhcp: .required,
                    dhcpRange: range.count == 2 ? range : [], dns: .required,
                    ipv6: settings.ipv6.isEmpty ? nil : settings.ipv6,
                    ipv6NAT: translation(settings))
            ])
    }

    /// The networks of another program, as its bridges and rules show them.
    private static func networks(
        of owner: NetworkOwner, _ name: String, _ traces: HostTraces
    ) throws(ProfileError) -> Profile {
        let own = try managed(name, traces).filter { $0.owner == owner }
        guard !own.isEmpty else {
            throw .notDerivable(name: name, problem: "no bridge of \(owner.rawValue) was found on this host")
        }
        return Profile(name: name, networks: distinct(own.map(network)))
    }

    /// Every bridge whose containers are translated, or are meant to be.
    private static func everyBridge(_ name: String, _ traces: HostTraces) throws(ProfileError) -> Profile {
        var found = try managed(name, traces).filter { bridge in
            bridge.isTranslated || (bridge.owner != nil && bridge.nat == .masquerade)
        }.map(network)
        // What lxc-net is to make belongs to it even where the bridge is missing.
        if let settings = traces.lxcNet, settings.installed, settings.useBridge,
            !found.contains(where: { $0.bridge == settings.bridge })
        {
            found += try lxcNet(traces).networks
        }
        guard !found.isEmpty else {
            throw .notDerivable(name: name, problem: "no bridge of this host translates what its containers send")
        }
        return Profile(name: name, networks: distinct(found))
    }

    private static func managed(
        _ name: String, _ traces: HostTraces
    ) throws(ProfileError) -> [HostTraces.ManagedBridge] {
        guard let managed = traces.managed else {
            throw .notDerivable(
                name: name, problem: "the bridges and rules of this host could not be read; it needs root")
        }
        return managed
    }

    private static func network(_ bridge: HostTraces.ManagedBridge) -> Network {
        // Docker gives addresses itself; the others run a dnsmasq.
        let service: Wanted = bridge.owner == .docker ? .off : .optional
        return Network(
            name: bridge.name, bridge: bridge.name, address: bridge.address, nat: bridge.nat, dhcp: service,
            dns: service, owner: bridge.owner)
    }

    /// Two bridges with one subnet cannot both be judged: the first stays.
    private static func distinct(_ networks: [Network]) -> [Network] {
        var kept: [Network] = []
        for network in networks where !kept.contains(where: { $0.cidr.overlaps(network.cidr) }) { kept.append(network) }
        return kept
    }

    /// Without LXC_IPV6_NAT lxc-net leaves IPv6 untranslated, whatever the addresses are: so it was meant.
    private static func translation(_ settings: HostTraces.LXCNet) -> TranslationMode? {
        settings.ipv6.isEmpty ? nil : settings.translatesIPv6 ? .masquerade : .routed
    }

    /// Where lxc-net makes a network's bridge it also starts a DHCP and DNS server for it, and containers count on that:
    /// what is optional in the profile is then required on this host.
    private static func served(_ network: Network, _ traces: HostTraces) -> Network {
        guard let settings = traces.lxcNet, settings.installed, settings.useBridge, settings.bridge == network.bridge
        else { return network }
        var network = network
        if network.ipv6 == nil, !settings.ipv6.isEmpty {
            network.ipv6 = settings.ipv6
            network.ipv6NAT = translation(settings)
        }
        guard network.dhcp == .optional else { return network }
        let range = settings.dhcpRange.split(separator: ",").compactMap { IPv4Address(String($0)) }
        network.dhcp = .required
        if network.dns == .optional { network.dns = .required }
        if network.dhcpRange.isEmpty && range.count == 2 { network.dhcpRange = range }
        return network
    }

    private static func makina(_ builtIn: [ProfileEntry]) -> Profile? {
        for entry in builtIn where entry.name == "makina" {
            if case .fixed(let profile) = entry.values { return profile }
        }
        return nil
    }

    private static func chosen(
        _ profile: Profile, _ because: String, _ traces: HostTraces, supported: Bool = true
    ) -> ChosenProfile {
        var profile = profile
        profile.networks = profile.networks.map { served($0, traces) }
        let own = Set(profile.networks.map(\.bridge))
        return ChosenProfile(
            profile: profile, because: because, supported: supported,
            otherBridges: traces.bridges.filter { !own.contains($0) })
    }

    /// Nil where there is no such file. A file that the user names may also belong to that user.
    private static func file(
        _ path: String, on host: any Host, named: Bool
    ) throws(ProfileError) -> ProfileEntry? {
        var trusted = TrustedFile(host: host)
        if named {
            do { trusted.owners.insert(try host.identity().effectiveUser) } catch {
                // Then only root's files are taken.
            }
        }
        let bytes: [UInt8]?
        do { bytes = try trusted.read(path) } catch { throw .file(path: path, problem: error.text) }
        guard let bytes else { return nil }
        do { return try ProfileEntry.read(bytes, file: path) } catch { throw .malformed(error) }
    }
}
