/// A 48-bit Ethernet hardware address, six octets in transmission order.
package struct MACAddress: Hashable, Sendable {
    package let octets: [UInt8]

    package init?(octets: some Collection<UInt8>) {
        guard octets.count == 6 else { return nil }
        self.octets = Array(octets)
    }

    /// Reads `aa:bb:cc:dd:ee:ff`.
    package init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts.allSatisfy({ $0.utf8.count == 2 }) else { return nil }
        let octets = parts.compactMap { UInt8($0, radix: 16) }
        self.init(octets: octets)
    }

    package var description: String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

extension MACAddress: TextCodable {
    package static let noun = "a hardware address"
}
