package import HostModel

/// Builds a netlink payload: a family header, then attributes with their padding.
///
/// An attribute that would be longer than 65,535 bytes is a mistake of the caller that the kernel would misread, so
/// it is recorded in `overflowed` and the payload must not be sent.
package struct NetlinkAttributeBuilder: Sendable {
    package private(set) var bytes: [UInt8]
    package private(set) var overflowed = false

    /// Starts with a family header, padded to four bytes.
    package init(header: [UInt8] = []) {
        bytes = header
        pad()
    }

    package mutating func append(_ type: UInt16, bytes payload: some Collection<UInt8>) {
        begin(type, payload.count)
        bytes.append(contentsOf: payload)
        pad()
    }

    package mutating func append(_ type: UInt16, host value: some FixedWidthInteger & BitwiseCopyable) {
        begin(type, value.bitWidth / 8)
        bytes.appendHost(value)
        pad()
    }

    package mutating func append(_ type: UInt16, network value: some FixedWidthInteger & BitwiseCopyable) {
        begin(type, value.bitWidth / 8)
        bytes.appendNetwork(value)
        pad()
    }

    package mutating func append(_ type: UInt16, address: some InternetAddress) {
        append(type, bytes: address.octets)
    }

    /// Text with a NUL at its end.
    package mutating func append(_ type: UInt16, text: String) {
        append(type, bytes: Array(text.utf8) + [0])
    }

    /// An attribute without payload.
    package mutating func append(flag type: UInt16) {
        begin(type, 0)
    }

    /// An attribute that holds attributes. `marked` sets NLA_F_NESTED, which newer families want and
    /// IFLA_LINKINFO does without.
    package mutating func nest(
        _ type: UInt16, marked: Bool = true, _ body: (inout NetlinkAttributeBuilder) -> Void
    ) {
        var inner = NetlinkAttributeBuilder()
        body(&inner)
        overflowed = overflowed || inner.overflowed
        append(marked ? type | 0x8000 : type, bytes: inner.bytes)
    }

    private mutating func begin(_ type: UInt16, _ count: Int) {
        if count > Int(UInt16.max) - 4 { overflowed = true }
        bytes.appendHost(UInt16(truncatingIfNeeded: count &+ 4))
        bytes.appendHost(type)
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }
}
