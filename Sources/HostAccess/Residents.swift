package import HostModel

/// A network namespace with a veth in a bridge: a container, of LXC or not.
package struct Resident: Codable, Sendable, Hashable {
    /// The name by which LXC knows it; nil: not one of LXC's.
    package var name: String?
    /// A process in the namespace, the one with the lowest number.
    package var process: Int
    /// The host's end of the veth.
    package var port: String
    /// The other end, and its index inside.
    package var interface: String
    package var interfaceIndex: Int
    package var hardwareAddress: MACAddress?
    /// Of the other end.
    package var isUp: Bool
    package var addresses: [IPv4Prefix]
    /// Of default routes by that interface.
    package var gateways: [IPv4Address]
    /// Whether there is a default route at all, by whatever interface.
    package var hasDefaultRoute: Bool

    package init(
        name: String?, process: Int, port: String, interface: String, interfaceIndex: Int,
        hardwareAddress: MACAddress?, isUp: Bool, addresses: [IPv4Prefix], gateways: [IPv4Address],
        hasDefaultRoute: Bool
    ) {
        self.name = name
        self.process = process
        self.port = port
        self.interface = interface
        self.interfaceIndex = interfaceIndex
        self.hardwareAddress = hardwareAddress
        self.isUp = isUp
        self.addresses = addresses
        self.gateways = gateways
        self.hasDefaultRoute = hasDefaultRoute
    }

    /// For people: the container's name, or a process of it.
    package var title: String { name ?? "process \(process)" }
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
