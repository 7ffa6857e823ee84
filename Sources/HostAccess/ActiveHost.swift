package import HostModel

/// A host on which packets may be sent from a throw-away container, and seen.
///
/// Everything it makes is bound to descriptors of this process: when the process dies, at whatever instant, the
/// kernel takes it all away.
package protocol ActiveHost: Host {
    /// Sends the packets of the order and returns every sighting of them.
    func send(_ order: ProbeOrder) throws(HostError) -> ProbeSightings
}

/// What to send, from where, and where to look.
package struct ProbeOrder: Codable, Sendable, Hashable {
    /// The bridge that the throw-away container is attached to.
    package var bridge: String
    /// The container's address with the prefix length of the subnet.
    package var address: IPv4Prefix
    package var gateway: IPv4Address
    /// A permanent neighbour entry for the gateway: no ARP is asked.
    package var gatewayMAC: MACAddress
    /// The bridge's MTU, for both ends of the veth.
    package var mtu: Int
    package var mode: ProofMode
    /// Eight bytes that mark every packet of this order.
    package var nonce: ByteString
    /// Whole IPv4 packets, in the order in which they are sent.
    package var packets: [ByteString]
    /// How long to wait for sightings after the last packet was sent.
    package var waitMilliseconds: Int

    package init(
        bridge: String, address: IPv4Prefix, gateway: IPv4Address, gatewayMAC: MACAddress, mtu: Int,
        mode: ProofMode, nonce: ByteString, packets: [ByteString], waitMilliseconds: Int
    ) {
        self.bridge = bridge
        self.address = address
        self.gateway = gateway
        self.gatewayMAC = gatewayMAC
        self.mtu = mtu
        self.mode = mode
        self.nonce = nonce
        self.packets = packets
        self.waitMilliseconds = waitMilliseconds
    }
}

/// One packet seen somewhere.
package struct Sighting: Codable, Sendable, Hashable {
    package enum Direction: String, Codable, Sendable {
        case received, sent
        /// Seen by the fence, which is on the way out.
        case fenced
        /// Arrived in the throw-away container (an ICMP error, say).
        case returned
    }
    /// `lxcbr1`; `container` for what came back into the throw-away container.
    package var interface: String
    package var direction: Direction
    /// Since the first packet was sent.
    package var microseconds: Int
    /// From the IPv4 header on.
    package var packet: ByteString

    package init(interface: String, direction: Direction, microseconds: Int, packet: ByteString) {
        self.interface = interface
        self.direction = direction
        self.microseconds = microseconds
        self.packet = packet
    }
}

/// Everything that was seen of one order.
package struct ProbeSightings: Codable, Sendable, Hashable {
    package var sightings: [Sighting]
    /// The name of the host-side port of the veth.
    package var port: String
    /// Packets that the capture lost (`pcap_stats(3PCAP)`): above zero, an absence proves nothing.
    package var captureDrops: Int

    package init(sightings: [Sighting], port: String, captureDrops: Int) {
        self.sightings = sightings
        self.port = port
        self.captureDrops = captureDrops
    }
}
