package import HostModel

/// What tells one probe's packet from every other: survives source and destination translation.
///
/// Measured: ports and ICMP identifiers are rewritten by `--random-fully`; the IPv4 identification, the payload and
/// the TCP sequence number are not.
package struct ProbeMark: Sendable, Hashable {
    package let protocolNumber: UInt8
    package let identification: UInt16
    /// The container's address, to which answers come back.
    package let source: IPv4Address
    /// The first eight bytes of the payload; of TCP the first four are the sequence number.
    package let nonce: [UInt8]
    /// Of an echo request: identifier and sequence number, as the container sent and gets them back.
    private let echo: UInt32?

    /// The sequence number of a TCP SYN of this order.
    package static func sequence(_ nonce: [UInt8]) -> UInt32 {
        nonce.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The mark of a packet that the planner made; nil where it is not a packet.
    package init?(packet: [UInt8], nonce: [UInt8]) {
        guard let decoded = IPv4Packet(packet[...]) else { return nil }
        protocolNumber = decoded.protocolNumber
        identification = decoded.identification
        source = decoded.source
        self.nonce = nonce
        if case .icmp(8, _, let rest, _) = Transport(of: decoded) { echo = rest } else { echo = nil }
    }

    /// Whether this is the probe itself, translated or not.
    package func matches(_ packet: IPv4Packet) -> Bool {
        packet.protocolNumber == protocolNumber && packet.identification == identification && carries(packet)
    }

    /// Whether this is an ICMP error about the probe.
    package func isQuoted(by packet: IPv4Packet) -> Bool {
        guard let quote = Transport(of: packet).quoted else { return false }
        guard quote.protocolNumber == protocolNumber, quote.identification == identification else { return false }
        // Eight bytes of the transport header are all that a router must quote: then the nonce may be missing.
        switch Transport(of: quote) {
        case .udp(_, _, let payload), .icmp(_, _, _, let payload): return payload.isEmpty || payload.starts(with: nonce)
        case .tcp(_, _, let sequence, _, _): return sequence == Self.sequence(nonce)
        case .other: return false
        }
    }

    /// Whether this is an answer to the probe: an echo reply with the nonce, or a segment that acknowledges
    /// the SYN, back at the container's own address.
    package func isAnswered(by packet: IPv4Packet) -> Bool {
        guard packet.protocolNumber == protocolNumber, packet.destination == source else { return false }
        switch Transport(of: packet) {
        case .icmp(0, _, let rest, let payload): return rest == echo && payload.starts(with: nonce)
        case .tcp(_, _, _, let acknowledgement, let flags):
            return flags & 0x10 != 0 && acknowledgement == Self.sequence(nonce) &+ 1
        default: return false
        }
    }

    private func carries(_ packet: IPv4Packet) -> Bool {
        switch Transport(of: packet) {
        case .udp(_, 67, let payload):
            // DHCP begins with other things; its transaction id is the mark (RFC 2131 §2).
            payload.starts(with: nonce) || payload.dropFirst(4).starts(with: nonce.prefix(4))
        case .udp(_, _, let payload): payload.starts(with: nonce)
        case .icmp(let type, _, _, let payload): type == 8 && payload.starts(with: nonce)
        case .tcp(_, _, let sequence, _, let flags): flags & 0x12 == 2 && sequence == Self.sequence(nonce)
        case .other: false
        }
    }
}
