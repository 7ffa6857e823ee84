/// A captured frame with its link header taken off.
package struct CapturedFrame: Sendable, Hashable {
    /// Link types of captures (`pcap-linktype(7)`).
    package enum LinkType: Sendable, Hashable {
        case ethernet, cooked, cooked2, raw

        /// A value of the file's header, or what `pcap_datalink(3PCAP)` returns. Nil: not one that is read here.
        package init?(_ value: Int32) {
            switch value {
            case 1: self = .ethernet
            case 113: self = .cooked
            case 276: self = .cooked2
            case 12, 101: self = .raw
            default: return nil
            }
        }
    }

    /// PACKET_* of `packet(7)`.
    package enum Direction: Sendable, Hashable {
        case received, sent, unknown
    }

    /// ETH_P_*: 0x0800 IPv4, 0x0806 ARP, 0x86dd IPv6.
    package var protocolNumber: UInt16
    /// Zero where the link header does not say.
    package var interfaceIndex: UInt32
    package var direction: Direction
    package var payload: ArraySlice<UInt8>

    /// Nil where the frame is shorter than its header, or of a protocol without an EtherType.
    package init?(_ bytes: ArraySlice<UInt8>, linkType: LinkType) {
        let reader = PacketBytes(bytes)
        var offset: Int
        switch linkType {
        case .cooked2:
            // LINKTYPE_LINUX_SLL2: protocol, reserved, ifindex, ARPHRD, packet type, address length, address.
            guard let type = reader.word(0), let index = reader.longWord(4), let kind = reader.octet(10),
                reader.count >= 20
            else { return nil }
            protocolNumber = type
            interfaceIndex = index
            direction = Self.direction(UInt16(kind))
            offset = 20
        case .cooked:
            guard let kind = reader.word(0), let type = reader.word(14) else { return nil }
            protocolNumber = type
            interfaceIndex = 0
            direction = Self.direction(kind)
            offset = 16
        case .ethernet:
            guard let type = reader.word(12) else { return nil }
            protocolNumber = type
            interfaceIndex = 0
            direction = .unknown
            offset = 14
        case .raw:
            guard let version = reader.octet(0).map({ $0 >> 4 }), version == 4 || version == 6 else { return nil }
            protocolNumber = version == 4 ? 0x0800 : 0x86dd
            interfaceIndex = 0
            direction = .unknown
            offset = 0
        }
        // Up to two VLAN tags (IEEE 802.1Q, 802.1ad) stand before the packet on a trunk.
        for _ in 0..<2 where protocolNumber == 0x8100 || protocolNumber == 0x88a8 {
            guard let type = reader.word(offset + 2) else { return nil }
            protocolNumber = type
            offset += 4
        }
        payload = reader.tail(offset)
    }

    /// PACKET_OUTGOING is 4; everything else came in.
    private static func direction(_ kind: UInt16) -> Direction {
        kind == 4 ? .sent : .received
    }
}
