package import HostModel

/// Neighbour solicitations and advertisements of IPv6, as far as the proof asks and answers.
///
/// Source: RFC 4861 §4.3, §4.4; RFC 4291 §2.7.1.
package enum NeighbourDiscovery {
    private static let solicitation: UInt8 = 135
    private static let advertisement: UInt8 = 136
    /// A message with a lower one may have come through a router, and is ignored (RFC 4861 §7.1).
    private static let hopLimit: UInt8 = 255

    /// The solicited-node multicast address of an address: ff02::1:ffXX:XXXX.
    package static func group(of address: IPv6Address) -> IPv6Address {
        IPv6Address(value: 0xff02_0000_0000_0000_0000_0001_ff00_0000 | address.value & 0xff_ffff)
    }

    /// The Ethernet address of that group (RFC 2464 §7).
    package static func groupHardwareAddress(of address: IPv6Address) -> [UInt8] {
        [0x33, 0x33] + group(of: address).octets.suffix(4)
    }

    /// A solicitation for an address. Its source is the unspecified address, as in RFC 4862 §5.4.2.
    package static func question(for address: IPv6Address) -> [UInt8] {
        packet(solicitation, [0, 0, 0, 0] + address.octets, from: .unspecified, to: group(of: address))
    }

    /// The answer to a solicitation, with the flags S (solicited) and O (override).
    package static func advertisement(
        of address: IPv6Address, at hardwareAddress: [UInt8], to asker: IPv6Address
    ) -> [UInt8] {
        // Option 2 is the target's link-layer address, in units of eight octets.
        packet(
            advertisement, [0x60, 0, 0, 0] + address.octets + [2, 1] + hardwareAddress.prefix(6), from: address,
            to: asker)
    }

    /// The address that a solicitation asks for; nil for another packet.
    package static func asked(_ packet: IPPacket) -> IPv6Address? { target(packet, solicitation) }

    /// The address that an advertisement speaks of; nil for another packet.
    package static func advertised(_ packet: IPPacket) -> IPv6Address? { target(packet, advertisement) }

    private static func target(_ packet: IPPacket, _ wanted: UInt8) -> IPv6Address? {
        guard packet.timeToLive == hopLimit, case .icmpv6(wanted, 0, _, let payload) = Transport(of: packet) else {
            return nil
        }
        return IPv6Address(octets: payload.prefix(16))
    }

    private static func packet(
        _ type: UInt8, _ rest: [UInt8], from source: IPv6Address, to destination: IPv6Address
    ) -> [UInt8] {
        IPPacket(
            source: .v6(source), destination: .v6(destination), identification: 0, timeToLive: hopLimit,
            protocolNumber: 58,
            payload: Segment.icmpv6(type: type, rest: rest, from: source.octets, to: destination.octets)
        ).encoded
    }
}
