package import HostModel

/// One attribute: its type and where its payload lies.
package struct NetlinkAttribute: Hashable, Sendable {
    /// Without the flag bits NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    package let type: UInt16
    /// The payload, without header and padding.
    package let range: Range<Int>
}

/// A cursor over attributes that stand one after the other in an array of bytes.
///
/// Shape: `struct nlattr` (length with the header, type; host order), payload, padding to four bytes.
/// Nothing is copied: a nested attribute is another cursor over the same array. Source: netlink(7), linux/netlink.h.
package struct NetlinkAttributes: Sendable {
    package let bytes: [UInt8]
    private var offset: Int
    private let end: Int

    package init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        let clamped = range.clamped(to: 0..<bytes.count)
        offset = clamped.lowerBound
        end = clamped.upperBound
    }

    /// The next attribute, nil at the end.
    package mutating func next() throws(WireError) -> NetlinkAttribute? {
        guard offset < end else { return nil }
        let left = end - offset
        // Padding that is shorter than a header may follow the last attribute.
        guard left >= 4 else {
            offset = end
            return nil
        }
        guard let length: UInt16 = bytes.hostInteger(at: offset), let type: UInt16 = bytes.hostInteger(at: offset + 2)
        else { throw WireError(.truncated, "nlattr") }
        guard length >= 4 else { throw WireError(.malformed, "nlattr") }
        guard Int(length) <= left else { throw WireError(.truncated, "nlattr") }
        let attribute = NetlinkAttribute(type: type & 0x3fff, range: offset + 4..<offset + Int(length))
        offset = min(end, offset + Self.align(Int(length)))
        return attribute
    }

    /// The first attribute of a type.
    package func first(_ type: UInt16) throws(WireError) -> NetlinkAttribute? {
        var cursor = self
        while let attribute = try cursor.next() {
            if attribute.type == type { return attribute }
        }
        return nil
    }

    /// A cursor over the attributes inside an attribute.
    package func nested(_ attribute: NetlinkAttribute) -> NetlinkAttributes {
        NetlinkAttributes(bytes, attribute.range)
    }

    package static func align(_ length: Int) -> Int { (length &+ 3) & ~3 }
}

/// Payloads. Each throws `truncated` where the payload is too short; longer payloads are cut, as the kernel does.
extension NetlinkAttributes {
    package func host<Value: FixedWidthInteger & BitwiseCopyable>(
        _ attribute: NetlinkAttribute, as type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        guard attribute.range.count >= MemoryLayout<Value>.size,
            let value: Value = bytes.hostInteger(at: attribute.range.lowerBound)
        else { throw WireError(.truncated, "attribute \(attribute.type)") }
        return value
    }

    package func network<Value: FixedWidthInteger & BitwiseCopyable>(
        _ attribute: NetlinkAttribute, as type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        Value(bigEndian: try host(attribute))
    }

    /// Text up to the first NUL or the end.
    package func text(_ attribute: NetlinkAttribute) -> String {
        String(decoding: bytes[attribute.range].prefix { $0 != 0 }, as: UTF8.self)
    }

    package func data(_ attribute: NetlinkAttribute) -> ArraySlice<UInt8> {
        bytes[attribute.range]
    }

    package func address<Address: InternetAddress>(_ attribute: NetlinkAttribute) throws(WireError) -> Address {
        guard let address = Address(octets: data(attribute)) else { throw WireError(.malformed, "address") }
        return address
    }
}
