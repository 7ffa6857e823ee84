package import HostModel

/// Packets of an order that stay on this host: into the host itself, and from one container to another.
package struct LocalOrder: Codable, Sendable, Hashable {
    /// Eight bytes that mark the packets into the host. They are stopped behind INPUT in every mode: no server of this
    /// host sees one. The first four are the transaction id of DHCP.
    package var hostNonce: ByteString
    /// Whole IPv4 packets, sent to the bridge's own hardware address.
    package var hostPackets: [ByteString]
    /// The address that the packets between containers go to. Nobody answers there; nil: there are none.
    package var peer: IPv4Address?
    /// Eight bytes that mark the packets to the peer. Those arrive, and what arrives is judged; only where bridged packets
    /// pass the rules of the ip family (br_netfilter) they are stopped at the very end of POSTROUTING, because conntrack
    /// would confirm them next.
    package var peerNonce: ByteString
    package var peerPackets: [ByteString]

    package init(
        hostNonce: ByteString, hostPackets: [ByteString], peer: IPv4Address?, peerNonce: ByteString,
        peerPackets: [ByteString]
    ) {
        self.hostNonce = hostNonce
        self.hostPackets = hostPackets
        self.peer = peer
        self.peerNonce = peerNonce
        self.peerPackets = peerPackets
    }
}
