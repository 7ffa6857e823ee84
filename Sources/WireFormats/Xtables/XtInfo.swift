package import HostModel

/// Fields of a private structure of x_tables, by offset; nil where it is too short.
package struct XtInfo {
    private let bytes: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    package func byte(_ offset: Int) -> UInt8? {
        offset >= 0 && offset < bytes.count ? bytes[bytes.startIndex + offset] : nil
    }

    /// Host order.
    package func short(_ offset: Int) -> UInt16? {
        number(offset).map(UInt16.init(bigEndian:))
    }

    /// Host order.
    package func word(_ offset: Int) -> UInt32? {
        number(offset).map(UInt32.init(bigEndian:))
    }

    /// Network order.
    package func networkShort(_ offset: Int) -> UInt16? { number(offset) }

    package func address(_ offset: Int) -> IPv4Address? {
        number(offset).map(IPv4Address.init(value:))
    }

    /// Two ports in host order, lowest first.
    package func range(_ offset: Int) -> ClosedRange<UInt16>? {
        guard let low = short(offset), let high = short(offset + 2), low <= high else { return nil }
        return low...high
    }

    /// A name and a mask of 16 bytes each. The mask covers the terminating zero where the whole name is compared.
    package func interface(_ name: Int, mask: Int) -> XtInterface {
        let length = bytes.dropFirst(mask).prefix(16).prefix { $0 == 0xff }.count
        let characters = bytes.dropFirst(name).prefix(length)
        let text = characters.prefix { $0 != 0 }
        return XtInterface(
            prefix: String(decoding: text, as: UTF8.self), isWildcard: text.count == characters.count && length < 16)
    }

    package func text(_ offset: Int, limit: Int) -> String {
        String(decoding: bytes.dropFirst(offset).prefix(limit).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Host order.
    package func quad(_ offset: Int) -> UInt64? {
        number(offset).map(UInt64.init(bigEndian:))
    }

    func slice(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
        bytes.dropFirst(offset).prefix(count)
    }

    /// As they stand there; fewer where the structure is shorter.
    package func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
        Array(slice(offset, count))
    }

    /// The bytes read as one number in network order.
    private func number<Value: FixedWidthInteger & UnsignedInteger>(_ offset: Int) -> Value? {
        let size = Value.bitWidth / 8
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        let start = bytes.startIndex + offset
        return bytes[start..<start + size].reduce(0) { $0 << 8 | Value($1) }
    }
}
