/// The header of a netlink message.
///
/// Shape: `struct nlmsghdr`, 16 bytes, host order. Source: netlink(7), linux/netlink.h.
package struct NetlinkHeader: Hashable, Sendable {
    package static let size = 16

    /// Of the whole message with this header.
    package var length: Int
    package var type: UInt16
    package var flags: UInt16
    package var sequence: UInt32
    package var port: UInt32

    package init(length: Int, type: UInt16, flags: UInt16, sequence: UInt32, port: UInt32) {
        self.length = length
        self.type = type
        self.flags = flags
        self.sequence = sequence
        self.port = port
    }

    /// Reads the header at an offset. Nil where the bytes end too early or the length does not cover the header.
    package init?(_ bytes: [UInt8], at offset: Int = 0) {
        guard offset >= 0, offset <= bytes.count - Self.size,
            let length: UInt32 = bytes.hostInteger(at: offset), length >= UInt32(Self.size),
            let type: UInt16 = bytes.hostInteger(at: offset + 4),
            let flags: UInt16 = bytes.hostInteger(at: offset + 6),
            let sequence: UInt32 = bytes.hostInteger(at: offset + 8),
            let port: UInt32 = bytes.hostInteger(at: offset + 12)
        else { return nil }
        self.init(length: Int(length), type: type, flags: flags, sequence: sequence, port: port)
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.appendHost(UInt32(clamping: length))
        bytes.appendHost(type)
        bytes.appendHost(flags)
        bytes.appendHost(sequence)
        bytes.appendHost(port)
        return bytes
    }
}

/// One whole netlink message.
package struct NetlinkMessage: Hashable, Sendable {
    package let header: NetlinkHeader
    /// With the header; exactly `header.length` long.
    package let bytes: [UInt8]

    /// Takes the bytes of one message. Padding after its length is cut off.
    package init(_ bytes: [UInt8]) throws(WireError) {
        guard let header = NetlinkHeader(bytes) else { throw WireError(.truncated, "nlmsghdr") }
        guard header.length <= bytes.count else { throw WireError(.truncated, "netlink message") }
        self.header = header
        self.bytes = header.length == bytes.count ? bytes : Array(bytes[..<header.length])
    }

    /// Makes a message of a family header with attributes.
    package init(type: UInt16, flags: UInt16, sequence: UInt32 = 0, port: UInt32 = 0, payload: [UInt8]) {
        header = NetlinkHeader(
            length: NetlinkHeader.size + payload.count, type: type, flags: flags, sequence: sequence, port: port)
        bytes = header.bytes + payload
    }

    /// The attributes behind a family header of the given size (`ifinfomsg` 16, `rtmsg` 12, `nfgenmsg` 4).
    package func attributes(after familyHeaderSize: Int) throws(WireError) -> NetlinkAttributes {
        let start = NetlinkHeader.size + NetlinkAttributes.align(familyHeaderSize)
        guard bytes.count >= NetlinkHeader.size + familyHeaderSize else {
            throw WireError(.truncated, "netlink family header")
        }
        return NetlinkAttributes(bytes, min(start, bytes.count)..<bytes.count)
    }

    /// The messages of a buffer in which they stand one after the other, each aligned to four bytes.
    package static func split(_ buffer: [UInt8]) throws(WireError) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var offset = 0
        while offset < buffer.count {
            guard let header = NetlinkHeader(buffer, at: offset) else { throw WireError(.truncated, "nlmsghdr") }
            guard header.length <= buffer.count - offset else { throw WireError(.truncated, "netlink message") }
            messages.append(try NetlinkMessage(Array(buffer[offset..<offset + header.length])))
            offset += NetlinkAttributes.align(header.length)
        }
        return messages
    }
}
