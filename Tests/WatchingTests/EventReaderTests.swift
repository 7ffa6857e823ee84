import HostModel
import Testing
import WireFormats

@testable import Watching

/// Messages as the kernel sends them, built by hand. Numbers: linux/rtnetlink.h, linux/if_link.h, linux/netfilter.
private enum Told {
    static let up: UInt32 = 0x1 | 0x40 | 0x1000
    static let down: UInt32 = 0x1

    static func link(
        _ index: Int32, _ name: String, kind: String = "veth", flags: UInt32 = up, mtu: UInt32 = 1500,
        master: UInt32? = nil, family: UInt8 = 0, isGone: Bool = false, packets: UInt32 = 0
    ) -> NetlinkMessage {
        var header: [UInt8] = [family, 0, 1, 0]
        header += bytes(UInt32(bitPattern: index)) + bytes(flags) + bytes(0)
        var attributes = NetlinkAttributeBuilder(header: header)
        attributes.append(3, text: name)
        attributes.append(4, host: mtu)
        if let master { attributes.append(10, host: master) }
        // IFLA_STATS: counters that never stand still.
        attributes.append(7, host: packets)
        var information = NetlinkAttributeBuilder()
        information.append(1, text: kind)
        attributes.append(18, bytes: information.bytes)
        return NetlinkMessage(type: isGone ? 17 : 16, flags: 0, payload: attributes.bytes)
    }

    static func setting(_ index: Int32) -> NetlinkMessage {
        var attributes = NetlinkAttributeBuilder(header: [2, 0, 0, 0])
        attributes.append(1, host: index)
        return NetlinkMessage(type: 80, flags: 0, payload: attributes.bytes)
    }

    static func discipline(_ index: Int32) -> NetlinkMessage {
        NetlinkMessage(
            type: 36, flags: 0,
            payload: [0, 0, 0, 0] + bytes(UInt32(bitPattern: index)) + [UInt8](repeating: 0, count: 12))
    }

    static func route() -> NetlinkMessage {
        NetlinkMessage(type: 24, flags: 0, payload: [UInt8](repeating: 0, count: 12))
    }

    /// NFT_MSG_NEWGEN.
    static func generation(_ number: UInt32) -> NetlinkMessage {
        var attributes = NetlinkAttributeBuilder(header: [0, 0, 0, 0])
        attributes.append(1, network: number)
        return NetlinkMessage(type: 10 << 8 | 15, flags: 0, payload: attributes.bytes)
    }

    /// What is told of a table that has changed.
    static func changed(_ table: String, _ family: NftFamily = .ipv4) -> Set<WatchTopic> {
        [.nftables, .nftTable(NftTableName(family, table))]
    }

    /// NFT_MSG_*: 0 new table, 2 delete table, 6 new rule.
    static func nft(_ type: UInt16, table: String, flags: UInt32? = nil, family: UInt8 = 2) -> NetlinkMessage {
        var attributes = NetlinkAttributeBuilder(header: [family, 0, 0, 0])
        attributes.append(1, text: table)
        if let flags { attributes.append(2, network: flags) }
        return NetlinkMessage(type: 10 << 8 | type, flags: 0, payload: attributes.bytes)
    }

    private static func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}

@Suite struct RouteEventReaderTests {
    private static let bridge = Told.link(3, "lxcbr1", kind: "bridge", flags: Told.down)
    private static let uplink = Told.link(2, "up0")

    private func reader() -> RouteEventReader { RouteEventReader([Self.uplink.bytes, Self.bridge.bytes]) }

    @Test func aLinkThatIsAnnouncedAgainAsItWasIsNoChange() {
        var reader = reader()
        #expect(reader.take([Told.link(2, "up0", packets: 99)], at: 0).isEmpty)
        // A capture that wants everything (IFF_PROMISC) changes nothing for packets.
        #expect(reader.take([Told.link(2, "up0", flags: Told.up | 0x100)], at: 0).isEmpty)
        #expect(reader.take([Told.link(2, "up0", mtu: 1400)], at: 0) == [.links])
    }

    @Test func everyKindOfChangeIsTold() {
        var reader = reader()
        #expect(reader.take([Told.link(7, "veth1", master: 3)], at: 0) == [.links])
        #expect(reader.take([Told.link(7, "veth1", isGone: true)], at: 0) == [.links])
        #expect(reader.take([Told.route()], at: 0) == [.routes])
        #expect(reader.take([Told.setting(-1)], at: 0) == [.interfaceSettings])
        #expect(reader.take([Told.setting(3)], at: 0) == [.interfaceSettings])
        #expect(reader.take([Told.discipline(2)], at: 0) == [.trafficControl])
        // A bridge's own words about a port come beside those of the link.
        #expect(reader.take([Told.link(2, "up0", mtu: 1, family: 7)], at: 0).isEmpty)
    }

    @Test func aMessageThatCannotBeReadMayBeAnything() {
        var reader = reader()
        #expect(reader.take([NetlinkMessage(type: 16, flags: 0, payload: [0, 0])], at: 0).contains(.links))
    }

    /// What a proof does to a host whose bridge is idle, in the kernel's order.
    @Test func aProofIsPassedOver() {
        var reader = reader()
        let port = "lxcdoc1a2b3c"
        #expect(
            reader.take(
                [
                    Told.setting(9), Told.discipline(9), Told.link(9, port, flags: 0), Told.link(9, port, master: 3),
                    Told.link(3, "lxcbr1", kind: "bridge"),
                ], at: 100
            ).isEmpty)
        // The port has gone; the bridge loses its carrier a moment later.
        #expect(reader.take([Told.link(9, port, isGone: true), Told.setting(9), Told.discipline(9)], at: 160).isEmpty)
        #expect(reader.take([Told.link(3, "lxcbr1", kind: "bridge", flags: Told.down)], at: 900).isEmpty)
        #expect(reader.holdEnds == nil)
        #expect(reader.release(at: 10_000).isEmpty)
    }

    @Test func whatRemainsOfAProofCounts() {
        var reader = reader()
        _ = reader.take([Told.link(9, "lxcdoc1a2b3c", master: 3)], at: 0)
        #expect(reader.take([Told.link(3, "lxcbr1", kind: "bridge", flags: Told.down, mtu: 1400)], at: 1).isEmpty)
        #expect(reader.take([Told.link(9, "lxcdoc1a2b3c", isGone: true)], at: 2).isEmpty)
        #expect(reader.release(at: 1 + RouteEventReader.afterglow).isEmpty)
        #expect(reader.release(at: 2 + RouteEventReader.afterglow) == [.links])
    }

    @Test func whatIsNoWorkOfAProofIsToldWhileOneRuns() {
        var reader = reader()
        _ = reader.take([Told.link(9, "lxcdoc1a2b3c", master: 3)], at: 0)
        #expect(reader.take([Told.link(2, "up0", flags: 0)], at: 1) == [.links])
        #expect(reader.take([Told.link(3, "lxcbr1", kind: "bridge", flags: 0)], at: 2) == [.links])
        #expect(reader.take([Told.link(3, "lxcbr1", kind: "bridge", isGone: true)], at: 3) == [.links])
    }

    @Test func aPortThatStaysHidesNothingForLong() {
        var reader = reader()
        _ = reader.take([Told.link(9, "lxcdoc1a2b3c", master: 3)], at: 0)
        _ = reader.take([Told.link(3, "lxcbr1", kind: "bridge")], at: 1)
        #expect(reader.holdEnds == 5_000)
        #expect(reader.release(at: 4_999).isEmpty)
        #expect(reader.release(at: 5_000) == [.links])
        #expect(reader.take([Told.link(3, "lxcbr1", kind: "bridge", flags: Told.down)], at: 5_001) == [.links])
    }

    @Test func onlyAVethWithOurNameIsAPortOfAProof() {
        var reader = reader()
        #expect(reader.take([Told.link(9, "lxcdoc1a2b3c", kind: "bridge")], at: 0) == [.links])
    }

    @Test func aSettingOfANewInterfaceComesBeforeIt() {
        var reader = reader()
        #expect(reader.take([Told.setting(12), Told.link(12, "veth9")], at: 0) == [.links, .interfaceSettings])
        // The interface is in the next lot, or never is.
        #expect(reader.take([Told.setting(13)], at: 0).isEmpty)
        #expect(reader.take([], at: 1) == [.interfaceSettings])
    }
}

@Suite struct NftEventReaderTests {
    @Test func aChangeOfTheRulesetIsTold() {
        var reader = NftEventReader()
        #expect(reader.take([Told.nft(6, table: "nat"), Told.generation(7)]) == Told.changed("nat"))
        #expect(reader.take([Told.nft(0, table: "lxc", flags: 0)]) == Told.changed("lxc"))
        #expect(reader.take([Told.nft(2, table: "lxc", flags: 0)]) == Told.changed("lxc"))
        #expect(reader.take([Told.nft(6, table: "nat", family: 1)]) == Told.changed("nat", .inet))
    }

    /// It numbers what has been heard, and says of no change.
    @Test func theEndOfABatchIsKept() {
        var reader = NftEventReader()
        #expect(reader.generation == nil)
        #expect(reader.take([Told.generation(0x1_0007)]).isEmpty)
        #expect(reader.generation == 7)
    }

    @Test func theTablesOfAProofArePassedOver() {
        var reader = NftEventReader()
        let own = "lxcdoc_1a2b3c"
        // NFT_TABLE_F_OWNER is 2.
        #expect(
            reader.take([
                Told.nft(0, table: own, flags: 2), Told.nft(3, table: own), Told.nft(6, table: own),
                Told.generation(8),
            ]).isEmpty)
        #expect(reader.take([Told.nft(6, table: own)]).isEmpty)
        #expect(reader.take([Told.nft(2, table: own, flags: 2)]).isEmpty)
        // Of another family it is another table.
        #expect(reader.take([Told.nft(6, table: own, family: 7)]) == Told.changed(own, .bridge))
    }

    @Test(arguments: [("lxcdoc_mine", UInt32(0)), ("mine", 2)])
    func aTableHidesOnlyWithOurNameAndAnOwner(name: String, flags: UInt32) {
        var reader = NftEventReader()
        #expect(reader.take([Told.nft(0, table: name, flags: flags)]) == Told.changed(name))
        #expect(reader.take([Told.nft(6, table: name)]) == Told.changed(name))
    }

    /// Of which table is not known, nor whether it was of rules.
    @Test(arguments: [UInt16(6), 15]) func afterAMessageThatCannotBeReadNothingIsKept(type: UInt16) {
        var reader = NftEventReader()
        #expect(reader.take([NetlinkMessage(type: 10 << 8 | type, flags: 0, payload: [2, 0, 0, 0])]) == [.everything])
    }
}
