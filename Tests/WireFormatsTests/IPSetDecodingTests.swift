import Foundation
import Testing

@testable import WireFormats

/// The dump of ten sets of different types, as Linux 6.18 gave it.
@Suite struct IPSetDecodingTests {
    private static func dump() throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Bytes")
        return Array(try Data(contentsOf: folder.appendingPathComponent("ipset-ten-sets.bin")))
    }

    private func set(_ name: String) throws -> IPSet {
        let sets = try IPSet.all(in: NetlinkMessage.split(Self.dump()).map(\.bytes))
        return try #require(sets.first { $0.name == name })
    }

    @Test func everySetIsThereWithItsIndex() throws {
        let sets = try IPSet.all(in: NetlinkMessage.split(Self.dump()).map(\.bytes))
        #expect(
            Set(sets.map(\.type)) == [
                "hash:ip", "hash:net", "hash:ip,port", "hash:ip,port,net", "bitmap:ip", "bitmap:port", "hash:net,iface",
                "list:set",
            ])
        #expect(sets.map(\.index).sorted() == Array(0...9))
        #expect(sets.filter { $0.family == 10 }.map(\.name) == ["sixth"])
    }

    @Test func membersAreRead() throws {
        #expect(try set("hosts").members.map(\.addresses) == [[0x0a05_0009...0x0a05_0009]])
        let holes = try set("holes").members
        #expect(Set(holes.map(\.isException)) == [true, false])
        #expect(holes.first(where: \.isException)?.addresses == [0xc633_6400...0xc633_640f])
        let services = try set("services").members
        #expect(services.first { $0.transport == 17 }?.ports == 53...53)
        #expect(services.first { $0.transport == 1 }?.ports == 0x800...0x800)
        #expect(try set("wide").maskLength == 24)
        #expect(
            try set("flows").members.first?.addresses == [0x0a05_0009...0x0a05_0009, 0xc633_6400...0xc633_64ff])
        let links = try set("links").members
        #expect(links.first { !$0.isPhysical }?.interface == "lxcbr1")
        #expect(links.first(where: \.isPhysical)?.interface == "vc1")
        #expect(try set("both").members.map(\.name) == ["hosts", "holes"])
        #expect(try set("ports").members.first?.ports == 53...53)
        #expect(try set("flows").parts == [.address, .port, .address])
        #expect(try set("both").parts == [])
    }

    /// A set that cuts addresses by a mask of any bits, as Linux 6.2 and later list it: IPSET_ATTR_BITMASK (12).
    @Test func aBitmaskIsRead() throws {
        var set = NetlinkAttributeBuilder(header: [2, 0, 0, 0])
        set.append(2, text: "cut")
        set.append(3, text: "hash:ip")
        set.append(5, host: UInt8(2))
        set.append(11, network: UInt16(4))
        set.nest(7) { $0.nest(12) { $0.append(1, network: UInt32(0xffff_00ff)) } }
        var message: [UInt8] = []
        message.appendHost(UInt32(set.bytes.count + 16))
        message += [UInt8](repeating: 0, count: 12) + set.bytes
        let found = try #require(try IPSet.all(in: [message]).first)
        #expect(found.bitmask == 0xffff_00ff)
        #expect(found.addressMask == 0xffff_00ff)
        #expect(try self.set("wide").addressMask == 0xffff_ff00)
        #expect(try self.set("hosts").addressMask == .max)
    }

    /// Cut anywhere, with lengths patched: an error or a value, never a trap.
    @Test func everyPrefixIsSurvived() throws {
        var refused = 0
        for message in try NetlinkMessage.split(Self.dump()).map(\.bytes) {
            for length in 16..<message.count {
                var cut = Array(message[..<length])
                cut.replaceSubrange(0..<4, with: withUnsafeBytes(of: UInt32(length)) { Array($0) })
                do { _ = try IPSet.all(in: [cut]) } catch { refused += 1 }
            }
        }
        #expect(refused > 500)
    }

    @Test(arguments: [0x00, 0x7f, 0xff] as [UInt8]) func everyChangedByteIsSurvived(value: UInt8) throws {
        for message in try NetlinkMessage.split(Self.dump()).map(\.bytes) {
            for index in 16..<message.count {
                var changed = message
                changed[index] = value
                do { #expect(try IPSet.all(in: [changed]).count <= 1) } catch {}
            }
        }
    }
}
