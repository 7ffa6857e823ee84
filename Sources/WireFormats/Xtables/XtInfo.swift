internal import HostModel

/// Fields of a private structure of x_tables, by offset; nil where it is too short.
struct XtInfo {
    private let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    func byte(_ offset: Int) -> UInt8? {
        offset >= 0 && offset < bytes.count ? bytes[bytes.startIndex + offset] : nil
    }

    /// Host order.
    func short(_ offset: Int) -> UInt16? {
        number(offset).map(UInt16.init(bigEndian:))
    }

    /// Host order.
    func word(_ offset: Int) -> UInt32? {
        number(offset).map(UInt32.init(bigEndian:))
    }

    /// Network order.
    func networkShort(_ offset: Int) -> UInt16? { number(offset) }

    func address(_ offset: Int) -> IPv4Address? {
        number(offset).map(IPv4Address.init(value:))
    }

    /// Two ports in host order, lowest first.
    func range(_ offset: Int) -> ClosedRange<UInt16>? {
        guard let low = short(offset), let high = short(offset + 2), low <= high else { return nil }
        return low...high
    }

    func text(_ offset: Int, limit: Int) -> String {
        String(decoding: bytes.dropFirst(offset).prefix(limit).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The bytes read as one number in network order.
    private func number<Value: FixedWidthInteger & UnsignedInteger>(_ offset: Int) -> Value? {
        let size = Value.bitWidth / 8
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        let start = bytes.startIndex + offset
        return bytes[start..<start + size].reduce(0) { $0 << 8 | Value($1) }
    }
}
