/// Bounds-checked reading of big-endian fields. Every offset counts from the start of the slice.
struct PacketBytes {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    var count: Int { bytes.count }

    func octet(_ offset: Int) -> UInt8? {
        guard offset >= 0, offset < bytes.count else { return nil }
        return bytes[bytes.startIndex + offset]
    }

    func word(_ offset: Int) -> UInt16? {
        guard let high = octet(offset), let low = octet(offset + 1) else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    func longWord(_ offset: Int) -> UInt32? {
        guard let high = word(offset), let low = word(offset + 2) else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    /// `length` bytes at `offset`, or nil where they are not all there.
    func slice(_ offset: Int, _ length: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, length >= 0, offset <= bytes.count, length <= bytes.count - offset else { return nil }
        return bytes.dropFirst(offset).prefix(length)
    }

    /// Everything from `offset` on; empty where that is past the end.
    func tail(_ offset: Int) -> ArraySlice<UInt8> {
        bytes.dropFirst(max(0, offset))
    }
}
