package import HostModel

/// The content of registers: at most 16 bytes, held without an allocation.
///
/// Shape: the bytes in the order of memory, which is network order for packet fields and host order for most of
/// `meta` and `ct`.
package struct NftValue: Hashable, Sendable {
    /// 0…16.
    package let count: Int
    private let high: UInt64
    private let low: UInt64

    /// Nil for more than 16 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        var index: UInt64 = 0
        for byte in bytes {
            if index < 8 {
                high |= UInt64(byte) << (56 - 8 * index)
            } else {
                low |= UInt64(byte) << (120 - 8 * index)
            }
            index += 1
        }
        self.init(count: bytes.count, high: high, low: low)
    }

    private init(count: Int, high: UInt64, low: UInt64) {
        self.count = count
        self.high = high
        self.low = low
    }

    /// Four bytes in network order.
    package init(big32 value: UInt32) {
        self.init(count: 4, high: UInt64(value) << 32, low: 0)
    }

    /// Two bytes in network order.
    package init(big16 value: UInt16) {
        self.init(count: 2, high: UInt64(value) << 48, low: 0)
    }

    /// One byte.
    package init(byte value: UInt8) {
        self.init(count: 1, high: UInt64(value) << 56, low: 0)
    }

    /// Four bytes in host order, as `meta` and `ct` keep numbers.
    package init(host32 value: UInt32) {
        self.init(big32: value.bigEndian)
    }

    package init(_ address: IPv4Address) {
        self.init(big32: address.value)
    }

    /// A whole interface name, as `iifname` compares it: 16 bytes, padded with zeros. Nil when longer than 15 bytes.
    package init?(interface name: String) {
        let bytes = Array(name.utf8)
        guard bytes.count <= 15 else { return nil }
        self.init(bytes + [UInt8](repeating: 0, count: 16 - bytes.count))
    }

    /// The byte at an index, 0 outside.
    package subscript(index: Int) -> UInt8 {
        guard index >= 0, index < count else { return 0 }
        return index < 8
            ? UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            : UInt8(truncatingIfNeeded: low >> UInt64(120 - 8 * index))
    }

    package var bytes: [UInt8] { (0..<count).map { self[$0] } }

    /// The bytes as one number in network order; nil for more than eight.
    package var bigNumber: UInt64? {
        guard count <= 8 else { return nil }
        return count == 0 ? 0 : high >> UInt64(64 - 8 * count)
    }

    /// Four bytes as a number in host order.
    package var host32: UInt32? {
        guard count == 4 else { return nil }
        return UInt32(bigEndian: UInt32(truncatingIfNeeded: high >> 32))
    }

    package var isZero: Bool { high == 0 && low == 0 }
}
