internal import HostAccess
internal import HostModel
internal import WireFormats

/// Reading the ground from a host: five netlink questions and one file.
extension ProofGround {
    /// NUD_FAILED: nobody answered. Source: linux/neighbour.h.
    private static let failedNeighbour: UInt16 = 0x20

    init(of network: Network, on host: any Host) throws(HostError) {
        let capabilities = try host.identity().capabilities
        // Without them nothing will be sent, and some of the rest cannot even be read.
        guard Self.missing(in: capabilities).isEmpty else {
            self.init(
                capabilities: capabilities, bridge: nil, addresses: [], takenAddresses: [], route: nil, routeError: nil)
            return
        }
        let links: [Link]
        let addresses: [InterfaceAddress]
        let neighbours: [Neighbour]
        do {
            links = try Link.all(in: try host.query(.links()))
            addresses = try InterfaceAddress.all(in: try host.query(.addresses()))
            neighbours = try Neighbour.all(in: try host.query(.neighbours()))
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(.malformed, operation: "read links and addresses", message: "\(error)")
        }
        let names = Dictionary(links.map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
        let bridge = links.first { $0.name == network.bridge }
        var taken = addresses.map(\.address.address)
        if let bridge {
            taken += neighbours.filter { $0.link == bridge.index && $0.state & Self.failedNeighbour == 0 }
                .compactMap(\.address)
        }
        taken += try DHCPLeases.of(network.bridge, at: network.address.address, on: host).leases.map(\.address)
        let found =
            try bridge.map { (bridge) throws(HostError) in
                try ProofHazards(host: host, bridge: bridge, links: links).read()
            } ?? RuleHazards()
        let (route, routeError) = Self.route(of: network, through: bridge, names, on: host)
        self.init(
            capabilities: capabilities, bridge: bridge.map { Bridge($0, among: links) },
            addresses: addresses.map { LinkAddress(link: names[$0.link] ?? "\($0.link)", address: $0.address) },
            takenAddresses: Set(taken.filter(network.cidr.contains)).sorted(), route: route, routeError: routeError,
            legacyTables: try Self.legacyTables(on: host),
            hazards: found.everywhere,
            otherRoutes: try bridge.map { (bridge) throws(HostError) in
                try EgressSearch(host: host, network: network, bridge: bridge, names: names).others(than: route)
            } ?? [])
        servers = try Self.servers(of: network, on: host)
        bridgeTracker = found.bridgeTracker
        hazardsIntoHost = found.intoHost
        let bridged = try host.readTextIfPresent("/proc/sys/net/bridge/bridge-nf-call-iptables") ?? "0"
        bridgeNetfilter = bridged.hasPrefix("1")
    }

    /// UDP sockets that containers of this network could reach. Source: proc_net_udp of proc(5): `sl
    /// local_address rem_address`, the address a little-endian hexadecimal number.
    private static func servers(of network: Network, on host: any Host) throws(HostError) -> [String] {
        let own = network.address.address.octets.reversed().map { byte in
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

    private static func legacyTables(on host: any Host) throws(HostError) -> [String] {
        let text = try host.readTextIfPresent("/proc/net/ip_tables_names") ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// The kernel's answer for a packet of a container, and why there is none. An error is an answer as well: the
    /// proof itself shows what happens.
    private static func route(
        of network: Network, through bridge: Link?, _ names: [Int: String], on host: any Host
    ) -> (Route?, String?) {
        guard let bridge else { return (nil, nil) }
        let source = lookupSource(network)
        do {
            let route = try lookup(network.target, from: source, through: bridge, names, on: host)
            return (route, route == nil ? "the kernel named no interface" : nil)
        } catch let error as HostError {
            return (nil, words(error))
        } catch {
            return (nil, "\(error)")
        }
    }

    static func lookup(
        _ target: IPv4Address, from source: IPv4Address, through bridge: Link, _ names: [Int: String], on host: any Host
    ) throws -> Route? {
        let answer = try host.query(.routeLookup(destination: target, from: source, inputInterface: bridge.index))
        guard let route = try WireFormats.Route.all(in: answer).first, let link = route.link ?? route.links.first else {
            return nil
        }
        let own = try WireFormats.Route.all(in: try host.query(.routeLookup(destination: target))).first
        return Route(
            uplink: names[link] ?? "\(link)", gateway: route.gateway,
            preferredSource: own?.link == link ? own?.preferredSource : nil)
    }

    /// Any address of a container will do; the last one is least likely to be the host's own.
    static func lookupSource(_ network: Network) -> IPv4Address {
        IPv4Address(value: network.cidr.last.value &- 1)
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
