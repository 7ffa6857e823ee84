/// An address of one family of the internet protocol.
package protocol InternetAddress: Hashable, Sendable, CustomStringConvertible {
    /// An address with a prefix length of the same family.
    associatedtype Prefix: InternetPrefix where Prefix.Address == Self

    /// How many octets it has: 4 or 16.
    static var octetCount: Int { get }
    /// The address that stands for none: `0.0.0.0`, `::`.
    static var unspecified: Self { get }

    /// Reads octets in network order. Nil unless there are exactly as many as an address has.
    init?(octets: some Collection<UInt8>)
    /// In network order.
    var octets: [UInt8] { get }
}

/// An address with a prefix length.
package protocol InternetPrefix: Hashable, Sendable {
    associatedtype Address: InternetAddress

    /// Nil where the length is more than an address has bits.
    init?(address: Address, length: Int)
    var address: Address { get }
    var length: Int { get }
    func contains(_ other: Address) -> Bool
}

extension IPv4Address: InternetAddress {
    package typealias Prefix = IPv4Prefix
    package static let octetCount = 4
    package static let unspecified = IPv4Address(value: 0)
}

extension IPv4Prefix: InternetPrefix {}

extension IPv6Address: InternetAddress {
    package typealias Prefix = IPv6Prefix
    package static let octetCount = 16
    package static let unspecified = IPv6Address(value: 0)
}

extension IPv6Prefix: InternetPrefix {}
