/// The ones' complement sum of IPv4, ICMP, UDP and TCP (RFC 1071).
package struct InternetChecksum {
    private var sum: UInt64 = 0

    package init() {}

    /// Adds bytes; an odd last byte counts as the high half of a word. Only the last piece may be odd.
    package mutating func add(_ bytes: some Sequence<UInt8>) {
        var high: UInt8?
        for byte in bytes {
            if let first = high {
                sum &+= UInt64(first) << 8 | UInt64(byte)
                high = nil
            } else {
                high = byte
            }
        }
        if let first = high { sum &+= UInt64(first) << 8 }
    }

    package mutating func add(_ word: UInt16) {
        sum &+= UInt64(word)
    }

    /// The value for the checksum field, host order. Over data that holds a right checksum it is 0.
    package var value: UInt16 {
        var folded = sum
        while folded >> 16 != 0 { folded = (folded & 0xffff) &+ (folded >> 16) }
        return ~UInt16(truncatingIfNeeded: folded)
    }

    /// The checksum of UDP and TCP, which covers a pseudo header as well (RFC 768, RFC 9293 §3.1).
    package static func ofSegment(
        _ segment: [UInt8], protocolNumber: UInt8, source: [UInt8], destination: [UInt8]
    ) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(source)
        checksum.add(destination)
        checksum.add(UInt16(protocolNumber))
        checksum.add(UInt16(truncatingIfNeeded: segment.count))
        checksum.add(segment)
        return checksum.value
    }
}
