package import HostModel

/// What tells one probe's packet from every other: survives source and destination translation.
///
/// Measured: ports and ICMP identifiers are rewritten by `--random-fully`; the identification (of IPv6, the flow label),
/// the payload and the TCP sequence number are not.
package struct ProbeMark: Sendable, Hashable {
    package let protocolNumber: UInt8
    package let identification: UInt16
    /// The container's address, to which answers come back.
    package let source: IPAddress
    /// The first eight bytes of the payload; of TCP the first four are the sequence number.
    package let nonce: [UInt8]
    /// Of an echo request: identifier and sequence number, as the container sent and gets them back.
    private let echo: UInt32?

    /// The sequence number of the TCP SYN that carries a nonce: its first four bytes.
    package static func sequence(_ nonce: [UInt8]) -> UInt32 {
        nonce.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The mark of a packet that the planner made; nil where it is not a packet.
    package init?(packet: [UInt8], nonce: [UInt8]) {
        guard let decoded = IPPacket(packet[...]) else { return nil }
        protocolNumber = decoded.protocolNumber
        identification = decoded.identification
        source = decoded.source
        self.nonce = nonce
        switch Transport(of: decoded) {
        case .icmp(8, _, let rest, _), .icmpv6(128, _, let rest, _): echo = rest
        default: echo = nil
        }
    }

    /// Whether this is the probe itself, translated or not.
    package func matches(_ packet: IPPacket) -> Bool {
        packet.protocolNumber == protocolNumber && packet.identification == identification && carries(packet)
    }

    /// Whether this is an ICMP error about the probe.
    package func isQuoted(by packet: IPPacket) -> Bool {
        guard let quote = Transport(of: packet).quoted else { return false }
        guard quote.protocolNumber == protocolNumber, quote.identification == identification else { return false }
        // A router must quote eight bytes of the transport only: compare as much of the nonce as it did.
        switch Transport(of: quote) {
        case .udp(_, _, let payload), .icmp(_, _, _, let payload), .icmpv6(_, _, _, let payload):
            return payload.starts(with: nonce.prefix(payload.count))
        case .tcp(_, _, let sequence, _, _): return sequence == Self.sequence(nonce)
        case .other: return false
        }
    }

    /// Whether this is an answer to the probe: an echo reply with the nonce, or a segment that acknowledges
    /// the SYN, back at the container's own address.
    package func isAnswered(by packet: IPPacket) -> Bool {
        guard packet.protocolNumber == protocolNumber, packet.destination == source else { return false }
        switch Transport(of: packet) {
        case .icmp(0, _, let rest, let payload), .icmpv6(129, _, let rest, let payload):
            return rest == echo && payload.starts(with: nonce)
        case .tcp(_, _, _, let acknowledgement, let flags):
            return flags & 0x10 != 0 && acknowledgement == Self.sequence(nonce) &+ 1
        default: return false
        }
    }

    private func carries(_ packet: IPPacket) -> Bool {
        switch Transport(of: packet) {
        case .udp(_, 67, let payload):
            // DHCP begins with other things; its transaction id is the mark (RFC 2131 §2).
            payload.starts(with: nonce) || payload.dropFirst(4).starts(with: nonce.prefix(4))
        case .udp(_, _, let payload): payload.starts(with: nonce)
        case .icmp(let type, _, _, let payload): type == 8 && payload.starts(with: nonce)
        case .icmpv6(let type, _, _, let payload): type == 128 && payload.starts(with: nonce)
        case .tcp(_, _, let sequence, _, let flags): flags & 0x12 == 2 && sequence == Self.sequence(nonce)
        case .other: false
        }
    }
}
