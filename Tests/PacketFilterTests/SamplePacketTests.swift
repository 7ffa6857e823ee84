import HostModel
import Testing

@testable import PacketFilter

/// `verify --packet`'s notation, both ways.
@Suite struct SamplePacketTests {
    @Test(arguments: [
        "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1", "tcp 10.5.0.9:1 > 1.1.1.1:65535 iif lxcbr1 mark 7",
        "icmp 10.5.0.9 > 1.1.1.1 iif lxcbr1", "icmp 10.5.0.9 > 1.1.1.1 type 0 code 3 iif lxcbr1",
        "47 10.5.0.9 > 1.1.1.1 iif lxcbr1", "udp 10.5.0.9:40000 > 1.1.1.1:53",
        "tcp 1.1.1.1:443 > 203.0.113.2:5 iif up0 ct established direction reply mapped-destination 10.5.0.9",
        "udp 10.5.0.9:40000 > 1.1.1.1:53 iif lxcbr1 ttl 1 length 60", "icmp 203.0.113.2 > 1.1.1.1 uid 1000 gid 0",
        "tcp 10.5.0.9:1 > 1.1.1.1:443 iif lxcbr1 ct established ct-mark 7",
    ])
    func isWrittenAsItIsRead(text: String) throws {
        #expect(try SamplePacket(text: text).description == text)
    }

    @Test func bracketsAndHexadecimalMarksMayStand() throws {
        let packet = try SamplePacket(text: "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1 [mark 0x7] [ct new]")
        #expect(packet.mark == 7)
        #expect(packet.connectionState == .new)
        #expect(packet.inputInterface == "lxcbr1")
    }

    @Test(arguments: [
        ("", 1), ("udp", 4), ("sctp 1.2.3.4 > 1.2.3.4", 1), ("udp 10.5.0:1 > 1.1.1.1:1", 5),
        ("udp 10.5.0.9:99999 > 1.1.1.1:1", 14), ("udp 10.5.0.9:1 - 1.1.1.1:1", 16),
        ("icmp 10.5.0.9:1 > 1.1.1.1", 14), ("udp 1.1.1.1:1 > 1.1.1.1:1 iif", 30),
        ("udp 1.1.1.1:1 > 1.1.1.1:1 ct old", 30), ("udp 1.1.1.1:1 > 1.1.1.1:1 [mark x]", 33),
        ("udp 1.1.1.1:1 > 1.1.1.1:1 dev x", 27), ("udp 1.1.1.1:1 > 1.1.1.1:1 ttl 256", 31),
        ("udp 1.1.1.1:1 > 1.1.1.1:1 length 65536", 34),
    ])
    func saysTheColumnOfWhatIsWrong(text: String, column: Int) {
        do {
            Issue.record("read as \(try SamplePacket(text: text))")
        } catch {
            #expect(error.column == column, "\(error)")
        }
    }
}
