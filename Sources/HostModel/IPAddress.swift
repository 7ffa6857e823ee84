/// The two families of the internet protocol.
package enum IPFamily: String, Codable, Sendable, CaseIterable {
    case ipv4, ipv6

    /// Bits of an address.
    package var width: Int { self == .ipv4 ? 32 : 128 }
    /// As people write it.
    package var title: String { self == .ipv4 ? "IPv4" : "IPv6" }
    /// As nft and the kernel's traces name it.
    package var netfilterName: String { self == .ipv4 ? "ip" : "ip6" }
}

/// An address of either family. IPv4 sorts before IPv6.
package enum IPAddress: Hashable, Sendable, Comparable, CustomStringConvertible, LosslessStringConvertible {
    case v4(IPv4Address)
    case v6(IPv6Address)

    /// The notation of either family.
    package init?(_ description: String) {
        if let address = IPv4Address(description) {
            self = .v4(address)
        } else if let address = IPv6Address(description) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// Four or sixteen octets in network order; nil for another count.
    package init?(octets: some Collection<UInt8>) {
        if let address = IPv4Address(octets: octets) {
            self = .v4(address)
        } else if let address = IPv6Address(octets: octets) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// An address of a family by its bits as a number; higher ones are dropped.
    package init(_ family: IPFamily, number: UInt128) {
        switch family {
        case .ipv4: self = .v4(IPv4Address(value: UInt32(truncatingIfNeeded: number)))
        case .ipv6: self = .v6(IPv6Address(value: number))
        }
    }

    package init(_ address: some InternetAddress) {
        switch address {
        case let address as IPv4Address: self = .v4(address)
        case let address as IPv6Address: self = .v6(address)
        default: preconditionFailure("there are two families")
        }
    }

    package var family: IPFamily {
        switch self {
        case .v4: .ipv4
        case .v6: .ipv6
        }
    }

    package var v4: IPv4Address? {
        if case .v4(let address) = self { address } else { nil }
    }

    package var v6: IPv6Address? {
        if case .v6(let address) = self { address } else { nil }
    }

    /// Its bits as a number.
    package var number: UInt128 {
        switch self {
        case .v4(let address): UInt128(address.value)
        case .v6(let address): address.value
        }
    }

    /// In network order.
    package var octets: [UInt8] {
        switch self {
        case .v4(let address): address.octets
        case .v6(let address): address.octets
        }
    }

    package var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }

    /// With a port, as URIs write it: `10.5.0.9:53`, `[fd42::9]:53` (RFC 3986 §3.2.2).
    package func description(port: UInt16) -> String {
        family == .ipv4 ? "\(self):\(port)" : "[\(self)]:\(port)"
    }

    /// The text of the address in what `description(port:)` wrote, or in one without a port.
    package static func text(ofEndpoint text: String) -> String {
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 2 ? String(parts[0]) : text
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.family == right.family ? left.number < right.number : left.family == .ipv4
    }
}

/// An address of either family with a prefix length.
package struct IPPrefix: Hashable, Sendable, CustomStringConvertible, LosslessStringConvertible {
    package let address: IPAddress
    /// From 0 to the width of the family.
    package let length: Int

    package init?(address: IPAddress, length: Int) {
        guard (0...address.family.width).contains(length) else { return nil }
        self.address = address
        self.length = length
    }

    package init(_ prefix: IPv4Prefix) {
        address = .v4(prefix.address)
        length = prefix.length
    }

    package init(_ prefix: IPv6Prefix) {
        address = .v6(prefix.address)
        length = prefix.length
    }

    /// Reads `ADDRESS/LENGTH` of either family; a lone IPv4 address counts as a /32.
    package init?(_ description: String) {
        if let prefix = IPv4Prefix(description) {
            self.init(prefix)
        } else if let prefix = IPv6Prefix(description) {
            self.init(prefix)
        } else {
            return nil
        }
    }

    package var family: IPFamily { address.family }

    /// Of the host's part.
    private var hostMask: UInt128 {
        let bits = family.width - length
        return bits == 0 ? 0 : UInt128.max >> UInt128(128 - bits)
    }

    package var first: IPAddress { IPAddress(family, number: address.number & ~hostMask) }
    package var last: IPAddress { IPAddress(family, number: address.number | hostMask) }

    /// The same prefix without host bits.
    package var network: IPPrefix { IPPrefix(unchecked: first, length) }

    private init(unchecked address: IPAddress, _ length: Int) {
        self.address = address
        self.length = length
    }

    package func contains(_ other: IPAddress) -> Bool {
        other.family == family && other.number & ~hostMask == first.number
    }

    package var description: String { "\(address)/\(length)" }
}

extension IPAddress: TextCodable {
    package static let noun = "an address"
}

extension IPPrefix: TextCodable {
    package static let noun = "a prefix"
}
