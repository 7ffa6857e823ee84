package import HostModel

/// One family of a network of containers, as its proof needs it.
package struct ProofNetwork: Sendable, Hashable {
    package let name: String
    package let bridge: String
    /// The bridge's own address with the prefix length of the subnet.
    package let address: IPPrefix
    /// How packets to the outside leave.
    package let nat: TranslationMode
    /// Addresses that `snat` may translate to; empty: any of this host's own.
    package let snat: [IPAddress]
    package let dhcpRange: [IPAddress]
    package let exempt: [IPPrefix]
    /// Where the proof aims.
    package let target: IPAddress

    package var family: IPFamily { address.family }
    /// The subnet without host bits.
    package var cidr: IPPrefix { address.network }

    package init(_ network: Network) {
        name = network.name
        bridge = network.bridge
        address = IPPrefix(network.address)
        nat = network.nat
        snat = network.snat.map(IPAddress.v4)
        dhcpRange = network.dhcpRange.map(IPAddress.v4)
        exempt = network.exempt.map { IPPrefix($0) }
        target = .v4(network.target)
    }

    /// Nil where the profile wants no IPv6 of the network.
    package init?(ipv6 network: Network) {
        guard let prefix = network.ipv6Prefix else { return nil }
        name = network.name
        bridge = network.bridge
        address = IPPrefix(prefix)
        nat = network.ipv6NAT ?? (network.translatesIPv6 ? .masquerade : .routed)
        snat = []
        dhcpRange = []
        exempt = []
        target = .v6(network.ipv6Target ?? Network.defaultIPv6Target)
    }

    /// Whether there is something to prove: of IPv4 a translation. An address of IPv6 may be one that the next router
    /// knows the way to.
    var isProved: Bool {
        switch nat {
        case .masquerade, .snat: true
        case .routed: family == .ipv6
        case .none: false
        }
    }
}
