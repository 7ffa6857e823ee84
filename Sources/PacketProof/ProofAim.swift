package import HostModel

/// What a proof is narrowed to, or looks at in addition.
package struct ProofAim: Sendable, Hashable {
    /// Only from inside this container.
    package var container: String?
    /// Instead of the profile's target.
    package var target: IPAddress?
    /// Instead of the usual ports of UDP and TCP.
    package var port: UInt16?
    package var protocols: [ProofProtocol]
    /// Exactly one packet: from this address of IPv4, and from this port where there are ports. Where a container has the
    /// address, it sends.
    package var source: IPv4Address?
    package var sourcePort: UInt16?
    /// Whether running containers are looked at, and one of them sends too.
    package var looksAtContainers: Bool
    /// In wire mode, whether packets may go all the way to the target.
    package var goesAllTheWay: Bool

    package init(
        container: String? = nil, target: IPAddress? = nil, port: UInt16? = nil,
        protocols: [ProofProtocol] = ProofProtocol.allCases, looksAtContainers: Bool = false,
        goesAllTheWay: Bool = false, source: IPv4Address? = nil, sourcePort: UInt16? = nil
    ) {
        self.container = container
        self.target = target
        self.port = port
        self.protocols = protocols
        self.looksAtContainers = looksAtContainers
        self.goesAllTheWay = goesAllTheWay
        self.source = source
        self.sourcePort = sourcePort
    }

    /// The network with the target that is wanted.
    func applied(to network: Network) -> Network {
        var network = network
        switch target {
        case .v4(let target): network.target = target
        case .v6(let target): network.ipv6Target = target
        case nil: break
        }
        return network
    }

    /// Whether packets of a family are wanted.
    func wants(_ family: IPFamily) -> Bool {
        if family == .ipv6, source != nil { return false }
        return target.map { $0.family == family } ?? true
    }
}
