/// SipHash-2-4, a keyed hash of short messages: without the key nobody can find out what was hashed, nor what another
/// message would give.
///
/// Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF" (2012), and the test vectors there.
struct SipHash: Sendable {
    private let low: UInt64
    private let high: UInt64

    /// - Parameter key: 16 octets; missing ones are 0.
    init(key: [UInt8]) {
        func word(_ octets: some Sequence<UInt8>) -> UInt64 { octets.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        low = word(key.prefix(8))
        high = word(key.dropFirst(8).prefix(8))
    }

    func callAsFunction(_ message: [UInt8]) -> UInt64 {
        var state = State(low, high)
        var rest = message[...]
        while rest.count >= 8 {
            state.take(rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
            rest = rest.dropFirst(8)
        }
        let last = rest.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        state.take(last | UInt64(truncatingIfNeeded: message.count) << 56)
        return state.end()
    }

    private struct State {
        private var v0, v1, v2, v3: UInt64

        init(_ low: UInt64, _ high: UInt64) {
            v0 = low ^ 0x736f_6d65_7073_6575
            v1 = high ^ 0x646f_7261_6e64_6f6d
            v2 = low ^ 0x6c79_6765_6e65_7261
            v3 = high ^ 0x7465_6462_7974_6573
        }

        mutating func take(_ word: UInt64) {
            v3 ^= word
            mix()
            mix()
            v0 ^= word
        }

        mutating func end() -> UInt64 {
            v2 ^= 0xff
            for _ in 0..<4 { mix() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        private mutating func mix() {
            v0 &+= v1
            v1 = Self.rotate(v1, 13) ^ v0
            v0 = Self.rotate(v0, 32)
            v2 &+= v3
            v3 = Self.rotate(v3, 16) ^ v2
            v0 &+= v3
            v3 = Self.rotate(v3, 21) ^ v0
            v2 &+= v1
            v1 = Self.rotate(v1, 17) ^ v2
            v2 = Self.rotate(v2, 32)
        }

        private static func rotate(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
    }
}
