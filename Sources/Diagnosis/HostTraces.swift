package import HostAccess
package import HostModel
package import Probes

/// What a host shows of the networks that it is meant to have. Read by `HostTraces.read`, judged by `ProfileResolver`.
package struct HostTraces: Sendable, Hashable {
    /// What lxc-net's settings say.
    package struct LXCNet: Sendable, Hashable {
        package var installed: Bool
        package var useBridge: Bool
        package var bridge: String
        /// `10.0.3.1/24`; empty or not an address where the settings are no good.
        package var address: String
        /// `FIRST,LAST`.
        package var dhcpRange: String
        /// `fd42::1/64`; "" where lxc-net makes no IPv6 network.
        package var ipv6: String
        package var translatesIPv6: Bool

        package init(
            installed: Bool, useBridge: Bool, bridge: String, address: String, dhcpRange: String = "",
            ipv6: String = "",
            translatesIPv6: Bool = false
        ) {
            self.installed = installed
            self.useBridge = useBridge
            self.bridge = bridge
            self.address = address
            self.dhcpRange = dhcpRange
            self.ipv6 = ipv6
            self.translatesIPv6 = translatesIPv6
        }
    }

    /// A bridge with an IPv4 address, and who makes it.
    package struct ManagedBridge: Sendable, Hashable {
        package var name: String
        package var address: IPv4Prefix
        /// Nil where nothing on the host tells.
        package var owner: NetworkOwner?
        package var nat: TranslationMode
        /// Whether some rule translates what its containers send to the outside.
        package var isTranslated: Bool

        package init(
            name: String, address: IPv4Prefix, owner: NetworkOwner?, nat: TranslationMode, isTranslated: Bool
        ) {
            self.name = name
            self.address = address
            self.owner = owner
            self.nat = nat
            self.isTranslated = isTranslated
        }
    }

    /// The names of all bridge links.
    package var bridges: [String]
    /// Whether anything of the makina service is installed for the makina bridge.
    package var makinaJob: Bool
    /// A file with settings of that service; nil where there is none.
    package var makinaSettings: String?
    /// Nil where the settings could not be read.
    package var lxcNet: LXCNet?
    /// A container that links the makina bridge; nil where there is none, or where nobody needed to look.
    package var makinaContainer: String?
    /// Beside that one, a container that links lxc-net's own bridge.
    package var lxcNetContainer: String?
    /// Every bridge with who makes it; empty where no profile asks. Nil where they could not be read.
    package var managed: [ManagedBridge]?

    package init(
        bridges: [String] = [], makinaJob: Bool = false, makinaSettings: String? = nil, lxcNet: LXCNet? = nil,
        makinaContainer: String? = nil, lxcNetContainer: String? = nil, managed: [ManagedBridge]? = []
    ) {
        self.bridges = bridges
        self.makinaJob = makinaJob
        self.makinaSettings = makinaSettings
        self.lxcNet = lxcNet
        self.makinaContainer = makinaContainer
        self.lxcNetContainer = lxcNetContainer
        self.managed = managed
    }

    /// Looks, at files and through the probes `bridges` (or `link`), `makina-job`, `lxc-net-settings`, `containers` and
    /// `container-config`. What cannot be seen counts as not there. Containers are looked at only where nothing else
    /// speaks for the makina bridge, and at most 256 of them.
    package static func read(bridge: String, registry: [any Probe], on host: any Host) -> HostTraces {
        let reader = TraceReader(registry: registry, host: host)
        var traces = HostTraces(bridges: reader.bridges(), lxcNet: reader.lxcNet())
        traces.makinaJob = reader.facts("makina-job", ["bridge": bridge])?["present"] == .boolean(true)
        if !traces.bridges.contains(bridge), !traces.makinaJob, traces.lxcNet?.bridge != bridge {
            traces.makinaSettings = reader.first(
                ["/etc/default/lxc-net-makina", "/etc/default/magicbridge_\(bridge)"])
            if traces.makinaSettings == nil { traces.makinaContainer = reader.container(linking: bridge) }
            if traces.makinaContainer != nil, let own = traces.lxcNet, own.installed, own.useBridge {
                traces.lxcNetContainer = reader.container(linking: own.bridge)
            }
        }
        return traces
    }

    /// The bridges with their owners, through the probe `managed-bridges`. It reads the ruleset: only where a profile asks.
    mutating func readManaged(registry: [any Probe], on host: any Host) {
        managed = TraceReader(registry: registry, host: host).managedBridges()
    }
}

private struct TraceReader {
    let registry: [any Probe]
    let host: any Host

    func facts(_ name: String, _ parameters: [String: String]) -> [String: FactValue]? {
        guard let probe = registry.first(where: { $0.specification.name == name }) else { return nil }
        do {
            return try probe.observe(ProbeParameters(parameters.mapValues { .string($0) }), on: host).facts
        } catch {
            return nil
        }
    }

    /// The first of some paths that exists. What is refused is not there.
    func first(_ paths: [String]) -> String? {
        paths.first { path in
            do {
                return try host.statusIfPresent(path) != nil
            } catch {
                return false
            }
        }
    }

    func bridges() -> [String] {
        if case .strings(let names)? = facts("bridges", [:])?["names"] { return names }
        // Without that probe: the names of /proc/net/dev (proc(5)), which follows the network namespace, each asked for
        // its kind.
        let text: String
        do { text = try host.readText("/proc/net/dev") } catch { return [] }
        let names = text.split(separator: "\n").dropFirst(2).compactMap { line -> String? in
            guard let name = line.split(separator: ":").first?.split(separator: " ").first else { return nil }
            return name.hasPrefix("veth") || name == "lo" ? nil : String(name)
        }
        return names.prefix(64).filter { facts("link", ["name": $0])?["kind"] == .string("bridge") }
    }

    func managedBridges() -> [HostTraces.ManagedBridge]? {
        guard let facts = facts("managed-bridges", [:]) else { return nil }
        func list(_ name: String) -> [String] {
            if case .strings(let values)? = facts[name] { return values }
            return []
        }
        let (names, addresses, owners) = (list("names"), list("addresses"), list("owners"))
        let (modes, translated) = (list("modes"), Set(list("translated")))
        guard names.count == addresses.count, names.count == owners.count, names.count == modes.count else {
            return nil
        }
        return names.indices.compactMap { index in
            guard let address = IPv4Prefix(addresses[index]), (1...30).contains(address.length),
                let mode = TranslationMode(rawValue: modes[index])
            else { return nil }
            return HostTraces.ManagedBridge(
                name: names[index], address: address, owner: NetworkOwner(rawValue: owners[index]), nat: mode,
                isTranslated: translated.contains(names[index]))
        }
    }

    func lxcNet() -> HostTraces.LXCNet? {
        guard let facts = facts("lxc-net-settings", [:]) else { return nil }
        func text(_ name: String) -> String {
            if case .string(let text)? = facts[name] { return text }
            return ""
        }
        return HostTraces.LXCNet(
            installed: facts["installed"] == .boolean(true), useBridge: facts["useBridge"] == .boolean(true),
            bridge: text("bridge"), address: text("address"), dhcpRange: text("dhcpRange"), ipv6: text("ipv6"),
            translatesIPv6: facts["translatesIPv6"] == .boolean(true))
    }

    func container(linking bridge: String) -> String? {
        guard case .strings(let names)? = facts("containers", ["path": ""])?["names"] else { return nil }
        return names.prefix(256).first { name in
            guard case .strings(let links)? = facts("container-config", ["path": "", "container": name])?["links"]
            else { return false }
            return links.contains(bridge)
        }
    }
}
