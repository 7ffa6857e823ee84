package import HostModel

/// An IPv4 packet (RFC 791), whole or cut short by a capture.
package struct IPv4Packet: Sendable, Hashable {
    package var source: IPv4Address
    package var destination: IPv4Address
    /// Survives translation: with the nonce it tells one probe from another.
    package var identification: UInt16
    package var timeToLive: UInt8
    /// IPPROTO_*: 1 ICMP, 6 TCP, 17 UDP.
    package var protocolNumber: UInt8
    /// In units of eight bytes; above zero there is no transport header in the payload.
    package var fragmentOffset: UInt16
    /// What follows the header, without link padding; shorter than the header says where the capture was cut.
    package var payload: ArraySlice<UInt8>

    /// Reads a packet that starts at the IPv4 header. Nil where that is not one.
    package init?(_ bytes: ArraySlice<UInt8>) {
        let reader = PacketBytes(bytes)
        guard let first = reader.octet(0), first >> 4 == 4 else { return nil }
        let headerLength = Int(first & 0x0f) * 4
        guard headerLength >= 20, reader.count >= headerLength,
            let totalLength = reader.word(2), let identification = reader.word(4), let fragment = reader.word(6),
            let timeToLive = reader.octet(8), let protocolNumber = reader.octet(9),
            let source = reader.longWord(12), let destination = reader.longWord(16)
        else { return nil }
        // Segmentation offload leaves the length of a large packet zero.
        let length = totalLength == 0 ? reader.count : Int(totalLength)
        guard length >= headerLength else { return nil }
        self.source = IPv4Address(value: source)
        self.destination = IPv4Address(value: destination)
        self.identification = identification
        self.timeToLive = timeToLive
        self.protocolNumber = protocolNumber
        fragmentOffset = fragment & 0x1fff
        payload = reader.tail(headerLength).prefix(length - headerLength)
    }

    package init(
        source: IPv4Address, destination: IPv4Address, identification: UInt16, timeToLive: UInt8,
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

    /// The packet with a 20-byte header and its checksum. The payload must be below 65,516 bytes; more is cut.
    package var encoded: [UInt8] {
        let body = payload.prefix(65_515)
        let length = UInt16(20 + body.count)
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
        return header + body
    }
}
