internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Looks at the containers of a bridge, or of the host, from inside their namespaces, by sockets that are opened there.
struct ResidentReader {
    private let host: any Host
    private static let operation = "look at the containers of a bridge"
    /// More than a bridge can have ports (BR_PORT_BITS is 10).
    private static let mostPorts = 1024
    /// Veths of a whole host that are looked at.
    private static let mostVeths = 4096

    init(_ host: any Host) {
        self.host = host
    }

    /// Everybody at the bridge. A port whose other end cannot be found or read is named, with the reason. `ipv6`: with
    /// what they have of it.
    func read(_ bridge: String, ipv6: Bool = false) throws(HostError) -> BridgeResidents {
        let links = try host.links()
        guard let master = links.first(where: { $0.name == bridge }) else {
            throw HostError(.notFound, operation: Self.operation, message: "there is no link \(bridge)")
        }
        // Without IPv6 the kernel would answer with the addresses of all other families.
        let listing = ipv6 ? try host.readTextIfPresent("/proc/net/if_inet6", limit: 4 << 20) : nil
        return try read(
            links.filter { $0.master == master.index && $0.kind == "veth" }.prefix(Self.mostPorts),
            ipv6: listing != nil)
    }

    /// Those of this host's own links.
    func hardwareAddresses() throws(HostError) -> Set<MACAddress> {
        Set(try host.links().compactMap(\.mac))
    }

    /// Everybody behind a veth of this host.
    func read() throws(HostError) -> BridgeResidents {
        let links = try host.links()
        return try read(links.filter { $0.kind == "veth" && $0.lowerNamespace != nil }.prefix(Self.mostVeths))
    }

    private func read(_ ports: ArraySlice<Link>, ipv6: Bool = false) throws(HostError) -> BridgeResidents {
        let wanted = Set(ports.compactMap(\.lowerNamespace))
        var result = BridgeResidents(residents: [], unknownPorts: [])
        guard !ports.isEmpty else { return result }
        var search = try NamespaceSearch()
        // Processes first: they tell the name.
        let processes = try host.list("/proc").compactMap { Int($0) }.sorted().map { "/proc/\($0)/ns/net" }
        let named = try host.listIfPresent("/run/netns").map { "/run/netns/\($0)" }
        let found = try search.find(wanted, among: processes + named)
        for port in ports {
            guard let place = found.first(where: { $0.identifier == port.lowerNamespace }) else {
                result.unknownPorts.append("\(port.name): its other end is nowhere that could be entered")
                continue
            }
            do {
                let namespace = try search.open(place.path, identifier: place.identifier)
                result.residents.append(try resident(at: port, in: namespace.rawValue, place.path, ipv6: ipv6))
            } catch {
                result.unknownPorts.append("\(port.name): \(error.description)")
            }
        }
        return result
    }

    private func resident(
        at port: Link, in namespace: Int32, _ path: String, ipv6: Bool
    ) throws(HostError) -> Resident {
        var socket = try NetlinkSocket(.route, namespace: namespace)
        let links = try ask(.links(), &socket, Link.all)
        let addresses = try ask(.addresses(), &socket, InterfaceAddress.all)
        let routes = try ask(.routes(), &socket, WireFormats.Route.all)
        guard let link = links.first(where: { $0.index == port.lower }) else {
            throw HostError(.notFound, operation: Self.operation, message: "its other end is not where it should be")
        }
        let defaults = Self.defaults(routes)
        var resident = Resident(
            name: try name(path), namespace: path, port: port.name, interface: link.name,
            interfaceIndex: link.index, hardwareAddress: link.mac, isUp: link.isUp,
            addresses: addresses.filter { $0.link == link.index }.map(\.address),
            gateways: Self.gateways(defaults, by: link), hasDefaultRoute: !defaults.isEmpty,
            heldAddresses: addresses.filter { $0.link == link.index }.map { HeldAddress($0, of: link.name) },
            mtu: link.mtu, portMTU: port.mtu)
        resident.isWithoutARP = link.isWithoutARP
        guard ipv6 else { return resident }
        let others = try ask(.addresses(.ipv6), &socket, LinkAddress<IPv6Address>.all)
        let ways = Self.defaults(try ask(.routes(.ipv6), &socket, InternetRoute<IPv6Address>.all))
        // RT_SCOPE_UNIVERSE: neither link-local nor of the host alone.
        resident.ipv6Addresses = others.filter { $0.link == link.index && $0.scope == 0 }.map(\.address)
        resident.ipv6Gateways = Self.gateways(ways, by: link)
        resident.hasIPv6DefaultRoute = !ways.isEmpty
        return resident
    }

    /// Of the main table; others hold what policy wants of special packets.
    private static func defaults<Address>(_ routes: [InternetRoute<Address>]) -> [InternetRoute<Address>] {
        routes.filter { $0.destination.length == 0 && $0.kind == .unicast && $0.table == 254 }
    }

    private static func gateways<Address>(_ defaults: [InternetRoute<Address>], by link: Link) -> [Address] {
        defaults.filter { $0.links.contains(link.index) }.flatMap { route in
            route.gateway.map { [$0] } ?? route.nextHops.filter { $0.link == link.index }.compactMap(\.gateway)
        }
    }

    private func ask<Value>(
        _ query: KernelQuery, _ socket: inout NetlinkSocket, _ read: ([[UInt8]]) throws(WireError) -> Value
    ) throws(HostError) -> Value {
        let answer = try socket.request(query)
        return try HostError.decoding(Self.operation) { () throws(WireError) in try read(answer) }
    }

    /// LXC puts a container's processes into a control group that has its name. Source: cgroups(7), lxc.container.conf
    /// (lxc.cgroup.dir); `lxc.payload.NAME` since LXC 4, `lxc/NAME` before.
    private func name(_ path: String) throws(HostError) -> String? {
        guard path.hasPrefix("/proc/"), let process = path.split(separator: "/").dropFirst().first else { return nil }
        let text = try host.readTextIfPresent("/proc/\(process)/cgroup") ?? ""
        for line in text.split(separator: "\n") {
            let path = line.split(separator: ":", maxSplits: 2).last ?? ""
            let parts = path.split(separator: "/").map(String.init)
            for (index, part) in parts.enumerated() {
                let prefix = "lxc.payload."
                if part.hasPrefix(prefix), part.count > prefix.count { return String(part.dropFirst(prefix.count)) }
                if part == "lxc", parts.indices.contains(index + 1) { return parts[index + 1] }
            }
        }
        return nil
    }
}
