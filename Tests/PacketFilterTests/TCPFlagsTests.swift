import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// Rules that look at the flags of TCP: those that no conversation has are nobody's harm.
@Suite struct TCPFlagsTests {
    /// One rule at forward that drops.
    private func answer(_ question: NetworkQuestion, _ condition: [NftExpression]) throws -> QuestionAnswer {
        try questions { rules in
            rules.postrouting([.masquerade(flags: 0, ports: nil)])
            rules.chain(
                NftTableName(.ipv4, "filter"), "FORWARD", NftBaseChain(hook: .forward, priority: 0),
                [condition + [.verdict(.drop)]])
        }.answer(question)
    }

    /// `-p tcp --tcp-flags MASK FLAGS`: struct xt_tcp, whose XT_TCP_INV_FLAGS is 4.
    private func match(_ mask: UInt8, _ flags: UInt8, inverted: Bool = false) -> [NftExpression] {
        let info: [UInt8] = [0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, mask, flags, inverted ? 4 : 0]
        return [
            .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 6)),
            .match(XtExtension(name: "tcp", revision: 0, info: info[...])),
        ]
    }

    /// `tcp flags & MASK == FLAGS`.
    private func compare(_ mask: UInt8, _ flags: UInt8) -> [NftExpression] {
        [
            .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 6)),
            .payload(base: .transport, offset: 13, length: 1, into: .one),
            .bitwise(from: .one, into: .one, mask: NftValue(byte: mask), xor: NftValue(byte: 0)),
            .compare(.one, .equal, NftValue(byte: flags)),
        ]
    }

    /// What Shorewall's chain tcpflags, UFW and many a guide drop: none; FIN, PSH and URG; all; SYN and FIN, SYN and RST, FIN
    /// and RST; FIN, PSH or URG without ACK.
    @Test(
        arguments: [
            (0x3f, 0x00), (0x3f, 0x29), (0x3f, 0x3f), (0x03, 0x03), (0x06, 0x06), (0x05, 0x05), (0x11, 0x01),
            (0x18, 0x08), (0x30, 0x20), (0x19, 0x09), (0x3f, 0x37),
        ] as [(UInt8, UInt8)])
    func whatNobodySendsIsNoQuestion(mask: UInt8, flags: UInt8) throws {
        for rule in [match(mask, flags), compare(mask, flags)] {
            #expect(try answer(.answered, rule).verdict == .proven)
            #expect(try answer(.forwarded, rule).verdict == .proven)
            #expect(try answer(.eastWest, rule).verdict == .proven)
        }
    }

    /// Parts of a conversation: SYN and ACK; SYN and ACK with ECE; ACK; FIN and ACK; PSH and ACK; RST, and with ACK.
    @Test(
        arguments: [
            (0x12, 0x12, 0x12), (0x52, 0x52, 0x52), (0x17, 0x10, 0x10), (0x11, 0x11, 0x11), (0x18, 0x18, 0x18),
            (0x14, 0x04, 0x04), (0x14, 0x14, 0x14),
        ] as [(UInt8, UInt8, UInt8)])
    func whatAnAnswerMayHaveIsShown(mask: UInt8, flags: UInt8, shown: UInt8) throws {
        for rule in [match(mask, flags), compare(mask, flags)] {
            let dropped = try answer(.answered, rule)
            #expect(dropped.verdict == .counterexample)
            #expect(dropped.packet?.tcpFlags == shown)
            #expect(dropped.packet?.description.hasPrefix("tcp ") == true)
            #expect(dropped.decidedBy?.chain == "FORWARD")
            #expect(try answer(.forwarded, rule).verdict == .proven)
        }
    }

    /// `--syn` opens a flow and answers none; `! --syn` the other way round.
    @Test func opening() throws {
        #expect(try answer(.forwarded, match(0x17, 0x02)).verdict == .counterexample)
        #expect(try answer(.answered, match(0x17, 0x02)).verdict == .proven)
        #expect(try answer(.forwarded, match(0x17, 0x02, inverted: true)).verdict == .proven)
        let dropped = try answer(.answered, match(0x17, 0x02, inverted: true))
        #expect(dropped.verdict == .counterexample)
        #expect(dropped.packet?.tcpFlags == 0x12)
    }

    /// The same byte of another protocol is something else.
    @Test func theByteIsThatOfTCPOnly() throws {
        let raw = Array(compare(0xff, 0x02).dropFirst(2))
        #expect(try answer(.answered, raw).verdict == .undecided)
    }
}
