/// The attributes of one level by their number, found in one pass and without an allocation.
///
/// The last of several with the same number counts. Numbers above 11 are left out: nothing here needs them.
struct NftFields {
    private static let capacity = 12

    let bytes: [UInt8]
    /// Start in the upper half, length in the lower; 0: absent (no attribute starts at 0).
    private var slots: InlineArray<12, UInt64>

    init(_ bytes: [UInt8], _ range: Range<Int>) throws(WireError) {
        self.bytes = bytes
        slots = InlineArray(repeating: 0)
        var cursor = NetlinkAttributes(bytes, range)
        while let attribute = try cursor.next() {
            let index = Int(attribute.type)
            guard index < Self.capacity else { continue }
            slots[index] = UInt64(attribute.range.lowerBound) << 32 | UInt64(attribute.range.count)
        }
    }

    /// Fields of a whole message of nfnetlink.
    init(message bytes: [UInt8]) throws(WireError) {
        try self.init(message: bytes, 0..<bytes.count)
    }

    /// The same, where the message is a part of the bytes.
    init(message bytes: [UInt8], _ range: Range<Int>) throws(WireError) {
        let start = range.lowerBound + NetlinkHeader.size + 4
        guard range.upperBound >= start else { throw WireError(.truncated, "nfgenmsg") }
        guard let length: UInt32 = bytes.hostInteger(at: range.lowerBound), Int(length) == range.count else {
            throw WireError(.malformed, "nlmsghdr")
        }
        try self.init(bytes, start..<range.upperBound)
    }

    @inline(__always)
    func range(_ attribute: some RawRepresentable<UInt32>) -> Range<Int>? {
        let index = Int(attribute.rawValue)
        guard index < Self.capacity, slots[index] != 0 else { return nil }
        let start = Int(slots[index] >> 32)
        return start..<start + Int(slots[index] & 0xffff_ffff)
    }

    func nested(_ attribute: some RawRepresentable<UInt32>) throws(WireError) -> NftFields? {
        guard let range = range(attribute) else { return nil }
        return try NftFields(bytes, range)
    }

    func network<Value: FixedWidthInteger & BitwiseCopyable>(
        _ attribute: some RawRepresentable<UInt32>, as type: Value.Type = Value.self
    ) throws(WireError) -> Value? {
        guard let range = range(attribute) else { return nil }
        guard range.count >= MemoryLayout<Value>.size, let value: Value = bytes.networkInteger(at: range.lowerBound)
        else { throw WireError(.truncated, "nftables attribute \(attribute.rawValue)") }
        return value
    }

    /// As `network`, where the kernel always gives it.
    func required<Value: FixedWidthInteger & BitwiseCopyable>(
        _ attribute: some RawRepresentable<UInt32>, as type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        guard let value = try network(attribute, as: Value.self) else {
            throw WireError(.malformed, "nftables attribute \(attribute.rawValue)")
        }
        return value
    }

    /// Text up to the first NUL.
    func text(_ attribute: some RawRepresentable<UInt32>) -> String? {
        guard let range = range(attribute) else { return nil }
        var end = range.lowerBound
        while end < range.upperBound, bytes[end] != 0 { end += 1 }
        return String(decoding: bytes[range.lowerBound..<end], as: UTF8.self)
    }

    func requiredText(_ attribute: some RawRepresentable<UInt32>) throws(WireError) -> String {
        guard let text = text(attribute) else {
            throw WireError(.malformed, "nftables attribute \(attribute.rawValue)")
        }
        return text
    }

    func data(_ attribute: some RawRepresentable<UInt32>) -> ArraySlice<UInt8>? {
        range(attribute).map { bytes[$0] }
    }
}
