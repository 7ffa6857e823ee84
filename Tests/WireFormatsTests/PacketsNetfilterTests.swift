import HostModel
import Testing

@testable import WireFormats

/// Messages as the kernel sends them, built by hand (linux/netfilter/nfnetlink_log.h, nf_tables.h).
struct PacketsNetfilterTests {
    private func message(_ type: UInt16, family: UInt8, _ body: (inout NetlinkAttributeBuilder) -> Void) throws
        -> NetlinkMessage
    {
        var builder = NetlinkAttributeBuilder(header: [family, 0, 0, 0])
        body(&builder)
        return NetlinkMessage(type: type, flags: 0, payload: builder.bytes)
    }

    @Test("A logged packet: the port counts, not the bridge")
    func logged() throws {
        let packet = try message(0x0400, family: 7) {
            $0.append(4, network: 2 as UInt32)
            $0.append(5, network: 2 as UInt32)
            $0.append(7, network: 9 as UInt32)
            $0.append(9, bytes: [0x45, 1, 2])
            $0.append(10, text: "bridge postrouting.last")
        }
        let decoded = try #require(try NflogPacket(packet))
        #expect(decoded.prefix == "bridge postrouting.last")
        #expect(decoded.input == 2 && decoded.output == 9)
        #expect(Array(decoded.payload) == [0x45, 1, 2])
        #expect(try NflogPacket(try message(0x0401, family: 2) { _ in }) == nil)
    }

    @Test("The binding of a group: no logger of a whole family is asked for")
    func binding() throws {
        let bytes = NflogPacket.binding(group: 0x1234, copyBytes: 256)
        #expect(Array(bytes.prefix(4)) == [0, 0, 0x12, 0x34])
        let attributes = NetlinkAttributes(bytes, 4..<bytes.count)
        let command = try #require(try attributes.first(1))
        // NFULNL_CFG_CMD_BIND is 1; PF_BIND would be 3.
        #expect(Array(attributes.data(command)) == [1])
        let mode = try #require(try attributes.first(2))
        #expect(Array(attributes.data(mode)) == [0, 0, 1, 0, 2, 0])
    }

    @Test("A trace: a rule that drops, a policy that drops, and one that does not")
    func trace() throws {
        let rule = try message(0x0a11, family: 1) {
            $0.append(1, text: "fw")
            $0.append(2, text: "f")
            $0.append(3, network: 7 as UInt64)
            $0.append(4, network: 3 as UInt32)
            $0.nest(5) { $0.append(1, network: 0 as UInt32) }
            $0.append(6, network: 0xabcd as UInt32)
            $0.append(8, bytes: [0x45, 0])
            $0.append(9, bytes: [1, 2])
        }
        let dropped = try #require(try NftTraceEvent(rule))
        #expect(dropped.table == NftTableName(.inet, "fw") && dropped.chain == "f" && dropped.handle == 7)
        #expect(dropped.isDrop && !dropped.isPolicy && dropped.identifier == 0xabcd)
        #expect(dropped.packet == [0x45, 0, 1, 2])
        let policy = try message(0x0a11, family: 2) {
            $0.append(4, network: 1 as UInt32)
            $0.append(16, network: 0 as UInt32)
        }
        let refused = try #require(try NftTraceEvent(policy))
        #expect(refused.isDrop && refused.isPolicy && refused.handle == nil)
        let accept = try message(0x0a11, family: 2) { $0.nest(5) { $0.append(1, network: 1 as UInt32) } }
        #expect(try #require(try NftTraceEvent(accept)).isDrop == false)
    }

    @Test("Cut messages are errors, never a trap")
    func cuts() throws {
        let whole = try message(0x0400, family: 2) {
            $0.append(5, network: 2 as UInt32)
            $0.append(10, text: "x")
        }
        for length in NetlinkHeader.size..<whole.bytes.count {
            var bytes = Array(whole.bytes.prefix(length))
            bytes[0] = UInt8(length)
            let cut = try NetlinkMessage(bytes)
            // Whatever is missing, nothing is invented.
            do {
                let packet = try NflogPacket(cut)
                #expect(packet?.output == 0 || packet?.output == 2)
            } catch {
                #expect(error.code == .truncated || error.code == .malformed)
            }
        }
    }
}
