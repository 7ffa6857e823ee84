package import HostModel

/// A packet of IPv4 (RFC 791) or IPv6 (RFC 8200), whole or cut short by a capture.
///
/// Source and destination are of one family. Extension headers of IPv6 are not taken off: none of ours has any.
package struct IPPacket: Sendable, Hashable {
    package var source: IPAddress
    package var destination: IPAddress
    /// Survives translation: with the nonce it tells one probe from another. The identification of IPv4; the low sixteen
    /// bits of the flow label of IPv6 (RFC 6437).
    package var identification: UInt16
    /// The hop limit of IPv6.
    package var timeToLive: UInt8
    /// IPPROTO_*: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6.
    package var protocolNumber: UInt8
    /// In units of eight bytes; above zero there is no transport header in the payload. Zero in IPv6.
    package var fragmentOffset: UInt16
    /// What follows the header, without link padding; shorter than the header says where the capture was cut.
    package var payload: ArraySlice<UInt8>

    package var family: IPFamily { source.family }

    /// Octets of a header without options.
    package static func headerCount(of family: IPFamily) -> Int { family == .ipv4 ? 20 : 40 }

    /// Reads a packet that starts at its IP header. Nil where that is not one.
    package init?(_ bytes: ArraySlice<UInt8>) {
        let reader = PacketBytes(bytes)
        switch reader.octet(0).map({ $0 >> 4 }) {
        case 4: self.init(version4: reader)
        case 6: self.init(version6: reader)
        default: return nil
        }
    }

    private init?(version4 reader: PacketBytes) {
        guard let first = reader.octet(0) else { return nil }
        let headerLength = Int(first & 0x0f) * 4
        guard headerLength >= 20, reader.count >= headerLength,
            let totalLength = reader.word(2), let identification = reader.word(4), let fragment = reader.word(6),
            let timeToLive = reader.octet(8), let protocolNumber = reader.octet(9),
            let source = reader.longWord(12), let destination = reader.longWord(16)
        else { return nil }
        // Segmentation offload leaves the length of a large packet zero.
        let length = totalLength == 0 ? reader.count : Int(totalLength)
        guard length >= headerLength else { return nil }
        self.source = .v4(IPv4Address(value: source))
        self.destination = .v4(IPv4Address(value: destination))
        self.identification = identification
        self.timeToLive = timeToLive
        self.protocolNumber = protocolNumber
        fragmentOffset = fragment & 0x1fff
        payload = reader.tail(headerLength).prefix(length - headerLength)
    }

    private init?(version6 reader: PacketBytes) {
        guard let label = reader.word(2), let length = reader.word(4), let next = reader.octet(6),
            let hopLimit = reader.octet(7), let source = reader.slice(8, 16).flatMap(IPv6Address.init(octets:)),
            let destination = reader.slice(24, 16).flatMap(IPv6Address.init(octets:))
        else { return nil }
        self.source = .v6(source)
        self.destination = .v6(destination)
        identification = label
        timeToLive = hopLimit
        protocolNumber = next
        fragmentOffset = 0
        let body = reader.tail(40)
        // Segmentation offload and jumbograms leave it zero.
        payload = length == 0 ? body : body.prefix(Int(length))
    }

    /// Both addresses must be of one family.
    package init(
        source: IPAddress, destination: IPAddress, identification: UInt16, timeToLive: UInt8,
        protocolNumber: UInt8, payload: [UInt8]
    ) {
        self.source = source
        self.destination = destination
        self.identification = identification
        self.timeToLive = timeToLive
        self.protocolNumber = protocolNumber
        fragmentOffset = 0
        self.payload = payload[...]
    }

    /// The packet with a header without options. The payload must be below 65,516 bytes; more is cut.
    package var encoded: [UInt8] {
        let body = payload.prefix(65_515)
        return (family == .ipv4 ? header4(body.count) : header6(body.count)) + body
    }

    private func header4(_ count: Int) -> [UInt8] {
        let length = UInt16(20 + count)
        var header: [UInt8] = [
            0x45, 0, UInt8(length >> 8), UInt8(length & 0xff),
            UInt8(identification >> 8), UInt8(identification & 0xff), 0, 0,
            timeToLive, protocolNumber, 0, 0,
        ]
        header += source.octets
        header += destination.octets
        var checksum = InternetChecksum()
        checksum.add(header)
        header[10] = UInt8(checksum.value >> 8)
        header[11] = UInt8(checksum.value & 0xff)
        return header
    }

    private func header6(_ count: Int) -> [UInt8] {
        let length = UInt16(count)
        return [
            0x60, 0, UInt8(identification >> 8), UInt8(identification & 0xff), UInt8(length >> 8),
            UInt8(length & 0xff), protocolNumber, timeToLive,
        ] + source.octets + destination.octets
    }
}
