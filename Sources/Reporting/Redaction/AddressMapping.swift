internal import HostModel

/// Other addresses in place of the real ones: the same for the same, and as near to one another as those were.
///
/// Two addresses that share their first bits share as many afterwards, so what lies in one network still does (Xu, Fan,
/// Ammar, Moon, "Prefix-Preserving IP Address Anonymization", 2002). Private ranges stay private; public addresses land
/// where no host has one: 240.0.0.0/4 (RFC 1112) and 2001:db8::/32 (RFC 3849). What says nothing of a host stays:
/// loopback, multicast, link-local prefixes, netmasks, and the maker's half of a hardware address.
struct AddressMapping: Sendable {
    private let hash: SipHash

    /// - Parameter key: 16 octets that nobody else knows.
    init(key: [UInt8]) {
        hash = SipHash(key: key)
    }

    private enum Kind: UInt8 {
        case ipv4 = 4
        case ipv6 = 6
        case hardware = 48
    }

    /// - Parameter length: only so many bits are looked at and changed, as of a network's address.
    func ipv4(_ address: IPv4Address, length: Int = 32) -> IPv4Address {
        let octets = address.octets
        switch (octets[0], octets[1]) {
        case (0, _), (127, _), (169, 254), (224..., _): return address
        case (10, _): return ipv4(octets, keeping: 8, length)
        case (100, 64...127): return ipv4(octets, keeping: 10, length)
        case (172, 16...31): return ipv4(octets, keeping: 12, length)
        case (192, 168): return ipv4(octets, keeping: 16, length)
        default:
            var result = mapped(octets, .ipv4, keeping: 4, length)
            result[0] |= 0xf0
            return IPv4Address(octets: result) ?? address
        }
    }

    private func ipv4(_ octets: [UInt8], keeping kept: Int, _ length: Int) -> IPv4Address {
        IPv4Address(octets: mapped(octets, .ipv4, keeping: kept, length)) ?? IPv4Address(value: 0)
    }

    func ipv6(_ address: IPv6Text, length: Int = 128) -> IPv6Text {
        let octets = address.octets
        let zeros = octets.prefix { $0 == 0 }.count
        // `::` and `::1`; and an IPv4 address in IPv6's clothes.
        if zeros >= 15, octets[15] < 2 { return address }
        if zeros == 10, octets[10] == 0xff, octets[11] == 0xff, let inner = IPv4Address(octets: octets[12...]) {
            return IPv6Text(octets: octets[..<12] + ipv4(inner).octets)
        }
        switch (octets[0], octets[1]) {
        // The last bits of a solicited-node group are those of an address (RFC 4291, 2.7.1).
        case (0xff, _): return IPv6Text(octets: mapped(octets, .ipv6, keeping: 104, length))
        case (0xfe, 0x80...0xbf): return IPv6Text(octets: mapped(octets, .ipv6, keeping: 64, length))
        case (0xfc...0xfd, _): return IPv6Text(octets: mapped(octets, .ipv6, keeping: 8, length))
        case (0x20, 0x01) where octets[2] == 0x0d && octets[3] == 0xb8: return address
        default:
            let result = mapped(octets, .ipv6, keeping: 32, length)
            return IPv6Text(octets: [0x20, 0x01, 0x0d, 0xb8] + result[4...])
        }
    }

    func hardware(_ address: MACAddress) -> MACAddress {
        let octets = address.octets
        if octets.allSatisfy({ $0 == 0 }) || octets.allSatisfy({ $0 == 0xff }) { return address }
        return MACAddress(octets: mapped(octets, .hardware, keeping: 24, 48)) ?? address
    }

    /// Each bit from `kept` to `length` is turned over or not, as the key decides for the bits before it.
    private func mapped(_ octets: [UInt8], _ kind: Kind, keeping kept: Int, _ length: Int) -> [UInt8] {
        var result = octets
        for bit in kept..<max(kept, length) {
            let (place, mask) = (bit / 8, UInt8(0x80) >> UInt8(bit % 8))
            var message = [kind.rawValue, UInt8(bit)] + octets[...place]
            message[message.count - 1] &= ~(mask | (mask &- 1))
            if hash(message) & 1 == 1 { result[place] ^= mask }
        }
        return result
    }
}
