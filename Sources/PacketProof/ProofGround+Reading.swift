internal import HostAccess
internal import HostModel
internal import WireFormats

/// Reading the ground from a host: five netlink questions and one file.
extension ProofGround {
    /// NUD_FAILED: nobody answered. Source: linux/neighbour.h.
    private static let failedNeighbour: UInt16 = 0x20

    init(of network: ProofNetwork, on host: any Host) throws(HostError) {
        let capabilities = try host.identity().capabilities
        // Without them nothing will be sent, and some of the rest cannot even be read.
        guard Self.missing(in: capabilities).isEmpty else {
            self.init(
                capabilities: capabilities, bridge: nil, addresses: [], takenAddresses: [], route: nil, routeError: nil)
            return
        }
        let links = try host.links()
        let names = Dictionary(links.map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
        let addresses = try Self.addresses(network.family, names, on: host)
        let neighbours = try host.neighbours(AddressFamily(network.family))
        let bridge = links.first { $0.name == network.bridge }
        var taken = addresses.map(\.address.address)
        if let bridge {
            taken += neighbours.filter { $0.link == bridge.index && $0.state & Self.failedNeighbour == 0 }
                .compactMap(\.destination)
        }
        if let own = network.address.address.v4 {
            taken += try DHCPLeases.of(network.bridge, at: own, on: host).leases.map { .v4($0.address) }
        }
        let found =
            try bridge.map { (bridge) throws(HostError) in
                try ProofHazards(host: host, family: network.family, bridge: bridge, links: links).read()
            } ?? RuleHazards(family: network.family)
        let (route, routeError) = Self.route(of: network, through: bridge, names, on: host)
        self.init(
            capabilities: capabilities, bridge: bridge.map { Bridge($0, among: links) }, addresses: addresses,
            takenAddresses: Set(taken.filter(network.cidr.contains)).sorted(), route: route, routeError: routeError,
            legacyTables: try Self.legacyTables(network.family, on: host),
            hazards: found.everywhere,
            otherRoutes: try bridge.map { (bridge) throws(HostError) in
                try EgressSearch(host: host, network: network, bridge: bridge, names: names).others(than: route)
            } ?? [])
        // What stays on this host is sent by IPv4.
        guard let own = network.address.address.v4 else { return }
        servers = try Self.servers(at: own, on: host)
        bridgeTracker = found.bridgeTracker
        hazardsIntoHost = found.intoHost
        let netfilter = try BridgeNetfilter(on: host)
        bridgeNetfilter = bridge.map(netfilter.shows) ?? netfilter.isSet
    }

    private static func addresses(
        _ family: IPFamily, _ names: [Int: String], on host: any Host
    ) throws(HostError) -> [LinkAddress] {
        func name(_ link: Int) -> String { names[link] ?? "\(link)" }
        guard family == .ipv6 else {
            let messages = try host.query(.addresses())
            return try HostError.decoding("read addresses") { () throws(WireError) in
                try InterfaceAddress.all(in: messages)
            }.map { LinkAddress(link: name($0.link), address: IPPrefix($0.address)) }
        }
        // Without IPv6 the kernel would answer with the addresses of all other families.
        guard try host.readTextIfPresent("/proc/net/if_inet6", limit: 4 << 20) != nil else {
            throw HostError(.unsupported, operation: "read IPv6 addresses", message: "the kernel has no IPv6")
        }
        let messages = try host.query(.addresses(.ipv6))
        return try HostError.decoding("read IPv6 addresses") { () throws(WireError) in
            try WireFormats.LinkAddress<IPv6Address>.all(in: messages)
        }.map { LinkAddress(link: name($0.link), address: IPPrefix($0.address)) }
    }

    /// UDP sockets that containers of this network could reach. Source: proc_net_udp of proc(5): `sl
    /// local_address rem_address`, the address a little-endian hexadecimal number.
    private static func servers(at own: IPv4Address, on host: any Host) throws(HostError) -> [String] {
        let own = own.octets.reversed().map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count < 2 ? "0" + digits : digits
        }.joined()
        let text = try host.readTextIfPresent("/proc/net/udp") ?? ""
        let local = Set(
            text.split(separator: "\n").dropFirst().compactMap { line in
                line.split(separator: " ").dropFirst().first.map(String.init)
            })
        return [("dhcp", "0043"), ("dns", "0035")].compactMap { name, port in
            local.contains("00000000:\(port)") || local.contains("\(own):\(port)") ? name : nil
        }
    }

    private static func legacyTables(_ family: IPFamily, on host: any Host) throws(HostError) -> [String] {
        let text = try host.readTextIfPresent("/proc/net/\(family.netfilterName)_tables_names") ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// The kernel's answer for a packet of a container, and why there is none. An error is an answer as well: the
    /// proof itself shows what happens.
    private static func route(
        of network: ProofNetwork, through bridge: Link?, _ names: [Int: String], on host: any Host
    ) -> (Route?, String?) {
        guard let bridge else { return (nil, nil) }
        let source = lookupSource(network)
        do {
            let route = try lookup(network.target, from: source, through: bridge, names, on: host)
            return (route, route == nil ? "the kernel named no interface" : nil)
        } catch {
            return (nil, words(error))
        }
    }

    static func lookup(
        _ target: IPAddress, from source: IPAddress, through bridge: Link, _ names: [Int: String], on host: any Host
    ) throws(HostError) -> Route? {
        switch (target, source) {
        case (.v4(let target), .v4(let source)): try lookup(to: target, source, bridge, names, host)
        case (.v6(let target), .v6(let source)): try lookup(to: target, source, bridge, names, host)
        default: nil
        }
    }

    private static func lookup<Address: InternetAddress>(
        to target: Address, _ source: Address, _ bridge: Link, _ names: [Int: String], _ host: any Host
    ) throws(HostError) -> Route? {
        let found: InternetRoute<Address>? = try host.route(to: target, from: source, inputInterface: bridge.index)
        guard let route = found, let link = route.link ?? route.links.first else { return nil }
        let own: InternetRoute<Address>? = try host.route(to: target)
        return Route(
            uplink: names[link] ?? "\(link)", gateway: route.gateway.map { IPAddress($0) },
            preferredSource: own?.link == link ? own?.preferredSource.map { IPAddress($0) } : nil)
    }

    /// Any address of a container will do; the last one is least likely to be the host's own.
    static func lookupSource(_ network: ProofNetwork) -> IPAddress {
        IPAddress(network.family, number: network.cidr.last.number &- 1)
    }

    static let prohibited = "prohibited by a routing rule"
    static let unreachable = "refused (forwarding is off, or an unreachable route)"

    /// What the errors of a lookup mean; each has more than one reason. Source: net/ipv4/route.c, fib_semantics.c.
    static func words(_ error: HostError) -> String {
        switch error.errno {
        // EACCES, EINVAL, ENETUNREACH, EHOSTUNREACH.
        case 13: prohibited
        case 22: "refused (reverse path filter, an address of this host as source, or a blackhole route)"
        case 101: "there is no route"
        case 113: unreachable
        default: error.message
        }
    }
}

extension ProofGround.Bridge {
    /// Kinds of link that lead into a container or a virtual machine, not off the host.
    private static let containerKinds: Set<String> = ["veth", "tun"]

    fileprivate init(_ link: Link, among links: [Link]) {
        let ports = links.filter { $0.master == link.index }
        self.init(
            isBridge: link.kind == "bridge", isUp: link.isUp, mtu: link.mtu, ports: ports.map(\.name),
            foreignPorts: ports.filter { !Self.containerKinds.contains($0.kind) }.map(\.name),
            spanningTree: link.bridge?.spanningTree ?? false)
    }
}
