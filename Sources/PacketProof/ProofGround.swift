package import HostModel

/// What must be known of a host before a packet is sent: read once, kept in the recording, judged purely.
package struct ProofGround: Codable, Sendable, Hashable {
    /// An address with the link that carries it.
    package struct LinkAddress: Codable, Sendable, Hashable {
        package var link: String
        package var address: IPPrefix
        package init(link: String, address: IPPrefix) {
            self.link = link
            self.address = address
        }
    }

    /// The kernel's own routing answer for a packet from the container, coming in by the bridge.
    package struct Route: Codable, Sendable, Hashable {
        package var uplink: String
        package var gateway: IPAddress?
        /// RTA_PREFSRC of the host's own route to the target, where it has one.
        package var preferredSource: IPAddress?
        package init(uplink: String, gateway: IPAddress?, preferredSource: IPAddress?) {
            self.uplink = uplink
            self.gateway = gateway
            self.preferredSource = preferredSource
        }
    }

    /// Effective capabilities by their names without prefix: `net_admin`.
    package var capabilities: [String]
    /// Nil: there is no link of this name.
    package var bridge: Bridge?
    /// Every address of the host, of the family that is proved.
    package var addresses: [LinkAddress]
    /// Addresses of the subnet that somebody may use: neighbours, leases, configurations.
    package var takenAddresses: [IPAddress]
    /// Nil where the kernel knows no way; `routeError` says why.
    package var route: Route?
    package var routeError: String?
    /// Tables of iptables-legacy, or of ip6tables-legacy, that are loaded (`/proc/net/ip_tables_names`).
    package var legacyTables: [String]
    /// Why fence mode cannot promise that nothing leaves and nothing is remembered.
    package var hazards: [String]?
    /// Where other ways out lead, each with an address that takes it: a second default route, a policy rule.
    package var otherRoutes: [OtherRoute]?

    package struct OtherRoute: Codable, Sendable, Hashable {
        package var target: IPAddress
        package var route: Route
        package init(target: IPAddress, route: Route) {
            self.target = target
            self.route = route
        }
    }

    /// `dhcp` and `dns`, as far as somebody listens for them on the bridge; nil in recordings from before.
    package var servers: [String]?
    /// Packets of this bridge pass the rules of the ip family: by the sysctl bridge-nf-call-iptables, or by its own option.
    package var bridgeNetfilter: Bool?
    /// A rule of the bridge's own family that makes the kernel track bridged connections: packets between containers
    /// would be remembered.
    package var bridgeTracker: String?
    /// Rules on the way into this host that would keep a probe's address.
    package var hazardsIntoHost: [String]?

    package struct Bridge: Codable, Sendable, Hashable {
        package var isBridge: Bool
        /// IFF_UP.
        package var isUp: Bool
        package var mtu: Int
        /// Names of links that are ports of it.
        package var ports: [String]
        /// Those of them that lead off the host, or may: anything but veth and tun.
        package var foreignPorts: [String]
        /// Whether spanning tree is on.
        package var spanningTree: Bool?
        package init(
            isBridge: Bool, isUp: Bool, mtu: Int, ports: [String], foreignPorts: [String], spanningTree: Bool = false
        ) {
            self.isBridge = isBridge
            self.isUp = isUp
            self.mtu = mtu
            self.ports = ports
            self.foreignPorts = foreignPorts
            self.spanningTree = spanningTree
        }
    }

    package init(
        capabilities: [String], bridge: Bridge?, addresses: [LinkAddress], takenAddresses: [IPAddress],
        route: Route?, routeError: String?, legacyTables: [String] = [], hazards: [String] = [],
        otherRoutes: [OtherRoute] = []
    ) {
        self.capabilities = capabilities
        self.bridge = bridge
        self.addresses = addresses
        self.takenAddresses = takenAddresses
        self.route = route
        self.routeError = routeError
        self.legacyTables = legacyTables
        self.hazards = hazards
        self.otherRoutes = otherRoutes
    }

    /// Whether a broadcast on the bridge is known to reach containers only: no port of another kind, and no uplink
    /// among the ports (in a nested host even that is a veth).
    package func staysInside(_ network: ProofNetwork) -> Bool {
        guard let bridge, bridge.foreignPorts.isEmpty, let route else { return false }
        return route.uplink != network.bridge && !bridge.ports.contains(route.uplink)
    }

    /// The namespace needs sys_admin, the veth net_admin, capture and raw sockets net_raw.
    static func missing(in capabilities: [String]) -> [String] {
        ["sys_admin", "net_admin", "net_raw"].filter { !capabilities.contains($0) }
    }

    /// Why nothing can be sent on this network; nil where it can.
    package func obstacle(to network: ProofNetwork, mode: ProofMode) -> String? {
        let missing = Self.missing(in: capabilities)
        if !missing.isEmpty {
            let names = missing.map { "CAP_" + $0.uppercased() }.joined(separator: ", ")
            return "sending a packet from a throw-away container needs \(names)"
        }
        guard let bridge else { return "there is no link \(network.bridge)" }
        guard bridge.isBridge else { return "\(network.bridge) is not a bridge" }
        guard bridge.isUp else { return "\(network.bridge) is not up" }
        if bridge.spanningTree == true {
            return "spanning tree is on for \(network.bridge): a new port forwards only after twice the forward delay"
        }
        guard mode == .fence, let hazard = hazards?.first else { return nil }
        return "\(hazard); `--proof wire` would send all the same"
    }
}
