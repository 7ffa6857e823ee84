/// The transport header of a packet, as far as the proof needs it.
package enum Transport: Sendable, Hashable {
    /// RFC 768.
    case udp(source: UInt16, destination: UInt16, payload: ArraySlice<UInt8>)
    /// RFC 9293. `flags`: 2 SYN, 4 RST, 16 ACK.
    case tcp(source: UInt16, destination: UInt16, sequence: UInt32, acknowledgement: UInt32, flags: UInt8)
    /// RFC 792. For echo, `rest` is identifier and sequence number; for errors, `payload` quotes the packet.
    case icmp(type: UInt8, code: UInt8, rest: UInt32, payload: ArraySlice<UInt8>)
    /// RFC 4443; the same fields.
    case icmpv6(type: UInt8, code: UInt8, rest: UInt32, payload: ArraySlice<UInt8>)
    /// Another protocol, a later fragment, or a header that was cut short.
    case other

    package init(of packet: IPPacket) {
        let reader = PacketBytes(packet.payload)
        guard packet.fragmentOffset == 0 else {
            self = .other
            return
        }
        switch packet.protocolNumber {
        case 17:
            guard let source = reader.word(0), let destination = reader.word(2) else { break }
            self = .udp(source: source, destination: destination, payload: reader.tail(8))
            return
        case 6:
            guard let source = reader.word(0), let destination = reader.word(2), let sequence = reader.longWord(4)
            else { break }
            // A quote may hold eight bytes of the segment only (RFC 792).
            self = .tcp(
                source: source, destination: destination, sequence: sequence,
                acknowledgement: reader.longWord(8) ?? 0, flags: reader.octet(13) ?? 0)
            return
        case 1:
            guard let type = reader.octet(0), let code = reader.octet(1), let rest = reader.longWord(4) else { break }
            self = .icmp(type: type, code: code, rest: rest, payload: reader.tail(8))
            return
        case 58:
            guard let type = reader.octet(0), let code = reader.octet(1), let rest = reader.longWord(4) else { break }
            self = .icmpv6(type: type, code: code, rest: rest, payload: reader.tail(8))
            return
        default: break
        }
        self = .other
    }

    /// The packet that an ICMP error quotes; nil for anything else.
    package var quoted: IPPacket? {
        switch self {
        // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
        case .icmp(3...5, _, _, let payload), .icmp(11...12, _, _, let payload): IPPacket(payload)
        // Destination unreachable, packet too big, time exceeded, parameter problem.
        case .icmpv6(1...4, _, _, let payload): IPPacket(payload)
        default: nil
        }
    }
}

/// Datagrams with right checksums, to be carried by an `IPPacket`. `from` and `to` are the octets of both addresses.
package enum Segment {
    /// A UDP datagram (RFC 768).
    package static func udp(
        source: UInt16, destination: UInt16, payload: [UInt8], from: [UInt8], to: [UInt8]
    ) -> [UInt8] {
        let length = UInt16(truncatingIfNeeded: 8 + payload.count)
        var bytes = octets(source) + octets(destination) + octets(length) + [0, 0] + payload
        let sum = InternetChecksum.ofSegment(bytes, protocolNumber: 17, source: from, destination: to)
        // Zero would say that there is no checksum.
        let field = octets(sum == 0 ? 0xffff : sum)
        bytes.replaceSubrange(6..<8, with: field)
        return bytes
    }

    /// A TCP SYN without options (RFC 9293).
    package static func tcpSYN(
        source: UInt16, destination: UInt16, sequence: UInt32, from: [UInt8], to: [UInt8]
    ) -> [UInt8] {
        var bytes = octets(source) + octets(destination)
        bytes += octets(UInt16(sequence >> 16)) + octets(UInt16(sequence & 0xffff))
        bytes += [0, 0, 0, 0, 5 << 4, 2, 0x04, 0, 0, 0, 0, 0]
        let sum = InternetChecksum.ofSegment(bytes, protocolNumber: 6, source: from, destination: to)
        bytes.replaceSubrange(16..<18, with: octets(sum))
        return bytes
    }

    /// An ICMP echo request (RFC 792).
    package static func icmpEcho(identifier: UInt16, sequence: UInt16, payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [8, 0, 0, 0] + octets(identifier) + octets(sequence) + payload
        var checksum = InternetChecksum()
        checksum.add(bytes)
        bytes.replaceSubrange(2..<4, with: octets(checksum.value))
        return bytes
    }

    /// A message of ICMPv6 (RFC 4443): its checksum covers the addresses as well.
    package static func icmpv6(type: UInt8, rest: [UInt8], from: [UInt8], to: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [type, 0, 0, 0] + rest
        let sum = InternetChecksum.ofSegment(bytes, protocolNumber: 58, source: from, destination: to)
        bytes.replaceSubrange(2..<4, with: octets(sum))
        return bytes
    }

    /// An ICMPv6 echo request (RFC 4443 §4.1).
    package static func icmpv6Echo(
        identifier: UInt16, sequence: UInt16, payload: [UInt8], from: [UInt8], to: [UInt8]
    ) -> [UInt8] {
        icmpv6(type: 128, rest: octets(identifier) + octets(sequence) + payload, from: from, to: to)
    }

    private static func octets(_ word: UInt16) -> [UInt8] {
        [UInt8(word >> 8), UInt8(word & 0xff)]
    }
}
