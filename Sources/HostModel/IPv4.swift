/// An IPv4 address.
///
/// Shape: the 32 bits in host order, so that arithmetic and comparison follow the dotted notation.
package struct IPv4Address: Hashable, Sendable, Comparable {
    package let value: UInt32

    package init(value: UInt32) {
        self.value = value
    }

    /// Reads four octets in network order. Nil unless there are exactly four.
    package init?(octets: some Collection<UInt8>) {
        guard octets.count == 4 else { return nil }
        value = octets.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Reads strict dotted-quad notation (`inet_pton(3)`): four decimal parts, none above 255, no leading zeros.
    package init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.count == 1 || part.first != "0", let octet = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(octet)
        }
        self.value = value
    }

    /// The four octets in network order.
    package var octets: [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
    }

    package var description: String {
        octets.map(String.init).joined(separator: ".")
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.value < right.value
    }
}

/// An IPv4 address with a prefix length, as `ip address` writes it: `10.5.0.1/16`.
///
/// The host bits are kept: `network` drops them.
package struct IPv4Prefix: Hashable, Sendable {
    package let address: IPv4Address
    /// 0…32.
    package let length: Int

    package init?(address: IPv4Address, length: Int) {
        guard (0...32).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    /// Reads `A.B.C.D/LENGTH`, or a lone address as a /32.
    package init?(_ description: String) {
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPv4Address(String(first)) else { return nil }
        guard parts.count == 2 else {
            self.init(address: address, length: 32)
            return
        }
        let digits = parts[1].utf8
        guard (1...2).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(parts[1])
        else { return nil }
        self.init(address: address, length: length)
    }

    /// Reads an address and a netmask such as `255.255.0.0`. Nil where the mask has holes.
    package init?(address: IPv4Address, netmask: IPv4Address) {
        let length = (~netmask.value).leadingZeroBitCount
        guard Self.mask(length) == netmask.value else { return nil }
        self.init(address: address, length: length)
    }

    private static func mask(_ length: Int) -> UInt32 {
        length == 0 ? 0 : UInt32.max << UInt32(32 - length)
    }

    package var netmask: IPv4Address { IPv4Address(value: Self.mask(length)) }
    package var first: IPv4Address { IPv4Address(value: address.value & Self.mask(length)) }
    package var last: IPv4Address { IPv4Address(value: address.value | ~Self.mask(length)) }

    /// The same prefix without host bits: `10.5.0.0/16`.
    package var network: IPv4Prefix { IPv4Prefix(unchecked: first, length) }

    private init(unchecked address: IPv4Address, _ length: Int) {
        self.address = address
        self.length = length
    }

    package func contains(_ other: IPv4Address) -> Bool {
        other.value & Self.mask(length) == first.value
    }

    package func contains(_ other: IPv4Prefix) -> Bool {
        other.length >= length && contains(other.address)
    }

    package func overlaps(_ other: IPv4Prefix) -> Bool {
        contains(other) || other.contains(self)
    }

    package var description: String { "\(address)/\(length)" }
}

extension IPv4Address: TextCodable {
    package static let noun = "an IPv4 address"
}

extension IPv4Prefix: TextCodable {
    package static let noun = "an IPv4 prefix"
}
