import HostModel
import Testing

@testable import WireFormats

@Suite struct NetlinkMessageTests {
    /// A request for the link lo, as `strace ip link show lo` shows it on a little-endian machine.
    static let bytes: [UInt8] = [
        0x28, 0, 0, 0,  // nlmsg_len 40
        0x12, 0, 0x01, 0,  // nlmsg_type RTM_GETLINK, nlmsg_flags NLM_F_REQUEST
        0x07, 0, 0, 0, 0, 0, 0, 0,  // nlmsg_seq 7, nlmsg_pid 0
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // ifinfomsg
        0x07, 0, 0x03, 0, 0x6c, 0x6f, 0, 0,  // nla_len 7, IFLA_IFNAME "lo", NUL, padding
    ]

    @Test func readsHeaderAndAttributes() throws {
        let message = try NetlinkMessage(Self.bytes)
        #expect(message.header == NetlinkHeader(length: 40, type: 18, flags: 1, sequence: 7, port: 0))
        var attributes = try message.attributes(after: 16)
        let name = try #require(try attributes.next())
        #expect(name.type == 3)
        #expect(attributes.text(name) == "lo")
        #expect(try attributes.next() == nil)
    }

    @Test func buildsTheSameBytes() {
        var payload = NetlinkAttributeBuilder(header: [UInt8](repeating: 0, count: 16))
        payload.append(3, text: "lo")
        #expect(NetlinkMessage(type: 18, flags: 1, sequence: 7, payload: payload.bytes).bytes == Self.bytes)
        #expect(!payload.overflowed)
    }

    @Test func nestsAndKeepsOrder() throws {
        var payload = NetlinkAttributeBuilder()
        payload.nest(18, marked: false) { info in
            info.append(1, text: "bridge")
            info.nest(2) { $0.append(5, host: UInt32(1)) }
        }
        var outer = NetlinkAttributes(payload.bytes, 0..<payload.bytes.count)
        let info = try #require(try outer.next())
        var inner = outer.nested(info)
        let kind = try #require(try inner.next())
        #expect(inner.text(kind) == "bridge")
        let data = try #require(try inner.next())
        #expect(data.type == 2, "the NLA_F_NESTED bit is not part of the type")
        let state = try #require(try inner.nested(data).first(5))
        #expect(try inner.host(state, as: UInt32.self) == 1)
        #expect(try inner.host(state, as: UInt8.self) == 1)
        #expect(throws: WireError.self) { try inner.host(state, as: UInt64.self) }
    }

    @Test func refusesAnAttributeTooLongToSay() {
        var payload = NetlinkAttributeBuilder()
        payload.append(1, bytes: [UInt8](repeating: 0, count: 65_532))
        #expect(payload.overflowed)
    }

    @Test(arguments: 0..<40) func everyPrefixIsTruncated(_ length: Int) {
        #expect(throws: WireError.self) { try NetlinkMessage(Array(Self.bytes[..<length])) }
    }

    @Test(arguments: [0, 1, 3, 9, 0xffff] as [UInt16]) func refusesAttributeLengths(_ length: UInt16) throws {
        var bytes = Self.bytes
        bytes[32] = UInt8(truncatingIfNeeded: length)
        bytes[33] = UInt8(length >> 8)
        var attributes = try NetlinkMessage(bytes).attributes(after: 16)
        #expect(throws: WireError.self) { try attributes.next() }
    }

    @Test func splitsABuffer() throws {
        let odd = NetlinkMessage(type: 1, flags: 0, payload: [1, 2, 3])
        let messages = try NetlinkMessage.split(odd.bytes + [0] + Self.bytes)
        #expect(messages.map(\.header.type) == [1, 18])
        #expect(messages.first?.bytes.count == 19)
        #expect(throws: WireError.self) { try NetlinkMessage.split(Self.bytes + [1, 2, 3, 4]) }
    }

    @Test func readsNetworkOrder() throws {
        var payload = NetlinkAttributeBuilder()
        payload.append(1, network: UInt32(0x0a05_0001))
        let attributes = NetlinkAttributes(payload.bytes, 0..<8)
        let address = try #require(try attributes.first(1))
        let read: IPv4Address = try attributes.address(address)
        #expect(read.description == "10.5.0.1")
        #expect(payload.bytes[4...] == [10, 5, 0, 1])
    }
}
