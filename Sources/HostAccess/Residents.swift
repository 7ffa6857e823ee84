package import HostModel

/// A network namespace with a veth in a bridge: a container, of LXC or not.
package struct Resident: Codable, Sendable, Hashable {
    /// The name by which LXC knows it; nil: not one of LXC's.
    package var name: String?
    /// Where the namespace can be entered: `/proc/PID/ns/net` of the process with the lowest number, or
    /// `/run/netns/NAME` where no process lives in it.
    package var namespace: String
    /// The host's end of the veth.
    package var port: String
    /// The other end, and its index inside.
    package var interface: String
    package var interfaceIndex: Int
    package var hardwareAddress: MACAddress?
    /// Of the other end.
    package var isUp: Bool
    package var addresses: [IPv4Prefix]
    /// The same, with all that belongs to them; nil: not recorded.
    package var heldAddresses: [HeldAddress]?
    /// Of default routes by that interface.
    package var gateways: [IPv4Address]
    /// Whether there is a default route at all, by whatever interface.
    package var hasDefaultRoute: Bool
    /// Of IPv6, with global scope; nil: not asked.
    package var ipv6Addresses: [IPv6Prefix]?
    /// Of default routes of IPv6 by that interface; as a rule link-local ones, from a router advertisement.
    package var ipv6Gateways: [IPv6Address]?
    package var hasIPv6DefaultRoute: Bool?
    /// The largest packet of the interface, and of the host's end, in bytes; nil: not recorded.
    package var mtu: Int?
    package var portMTU: Int?
    /// Whether its interface neither asks by ARP nor answers; nil: not recorded.
    package var isWithoutARP: Bool?

    package init(
        name: String?, namespace: String, port: String, interface: String, interfaceIndex: Int,
        hardwareAddress: MACAddress?, isUp: Bool, addresses: [IPv4Prefix], gateways: [IPv4Address],
        hasDefaultRoute: Bool, heldAddresses: [HeldAddress]? = nil, mtu: Int? = nil, portMTU: Int? = nil
    ) {
        self.heldAddresses = heldAddresses
        self.mtu = mtu
        self.portMTU = portMTU
        self.name = name
        self.namespace = namespace
        self.port = port
        self.interface = interface
        self.interfaceIndex = interfaceIndex
        self.hardwareAddress = hardwareAddress
        self.isUp = isUp
        self.addresses = addresses
        self.gateways = gateways
        self.hasDefaultRoute = hasDefaultRoute
    }

    package var held: [HeldAddress] {
        heldAddresses ?? addresses.map { HeldAddress($0, broadcast: nil) }
    }

    package func addresses(of family: IPFamily) -> [IPPrefix] {
        switch family {
        case .ipv4: addresses.map { IPPrefix($0) }
        case .ipv6: (ipv6Addresses ?? []).map { IPPrefix($0) }
        }
    }

    package func gateways(of family: IPFamily) -> [IPAddress] {
        switch family {
        case .ipv4: gateways.map(IPAddress.v4)
        case .ipv6: (ipv6Gateways ?? []).map(IPAddress.v6)
        }
    }

    package func hasDefaultRoute(of family: IPFamily) -> Bool {
        family == .ipv4 ? hasDefaultRoute : hasIPv6DefaultRoute ?? false
    }

    /// For people: the container's name, or where it is.
    package var title: String { name ?? namespace }
}

/// Everybody at a bridge.
package struct BridgeResidents: Codable, Sendable, Hashable {
    package var residents: [Resident]
    /// Ports whose other end could not be found, with the reason where there is one.
    package var unknownPorts: [String]
    /// Hardware addresses that answer ARP for the gateway's address behind the bridge's ports; nil: not asked.
    package var gatewayAnswers: [MACAddress]?

    package init(residents: [Resident], unknownPorts: [String], gatewayAnswers: [MACAddress]? = nil) {
        self.residents = residents
        self.unknownPorts = unknownPorts
        self.gatewayAnswers = gatewayAnswers
    }
}
