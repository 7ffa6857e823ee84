import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// Rules that give packets to a program or a stand-in of this host: `tproxy` and `synproxy`, of nftables and of iptables.
@Suite struct ProxyTests {
    private static let filter = NftTableName(.inet, "filter")
    private static let forward = NftBaseChain(hook: .forward, priority: 0)
    private static let mangle = NftBaseChain(hook: .prerouting, priority: -150)

    private func to(_ port: UInt16, of transport: UInt8 = 6) -> [NftExpression] {
        [
            .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: transport)),
            .payload(base: .transport, offset: 2, length: 2, into: .one),
            .compare(.one, .equal, NftValue(big16: port)),
        ]
    }

    private let synproxies: [NftExpression] = [
        .other(name: "synproxy"), .target(XtExtension(name: "SYNPROXY", revision: 0, info: [0, 0, 0, 0][...])),
    ]

    /// struct xt_tproxy_target_info_v1: mask and value of the mark, an address, a port.
    private let proxy = NftExpression.target(
        XtExtension(
            name: "TPROXY", revision: 1,
            info: (NftValue(host32: 0xff).bytes + NftValue(host32: 7).bytes
                + [UInt8](repeating: 0, count: 24))[...]))

    private func host(_ base: NftBaseChain, _ rule: [NftExpression]) throws -> NetworkQuestions {
        try questions { rules in
            rules.postrouting([.masquerade(flags: 0, ports: nil)])
            rules.chain(Self.filter, "c", base, [rule])
        }
    }

    private func follow(_ questions: NetworkQuestions, _ packet: String) throws -> WalkResult {
        questions.walk.walk(try SamplePacket(text: packet))
    }

    /// SYN and ACK are answered for the other end; of TCP all else goes on, and other protocols are not looked at.
    @Test func synproxyTakesHandshakes() throws {
        for synproxy in synproxies {
            let questions = try host(Self.forward, to(80) + [synproxy])
            let tcp = "tcp 10.5.0.9:40000 > 198.51.100.7:80 iif lxcbr1"
            for flags in [2, 18, 16] {
                let taken = try follow(questions, "\(tcp) flags \(flags)")
                #expect(taken.verdict == .undecided)
                #expect(taken.reason?.contains("synproxy") == true)
                #expect(taken.dependsOn.first?.rule?.chain == "c")
            }
            #expect(try follow(questions, "\(tcp) flags 4").verdict == .accepted)
            #expect(try follow(questions, "tcp 10.5.0.9:40000 > 198.51.100.7:81 iif lxcbr1").verdict == .accepted)
            let answer = questions.answer(.forwarded)
            #expect(answer.verdict == .undecided)
            #expect(answer.packet?.description == "tcp 10.5.0.2:40000 > 198.51.100.7:80 iif lxcbr1")
            #expect(answer.dependsOn.first?.rule?.chain == "c")
            #expect(questions.answer(.translated).verdict == .proven)
        }
    }

    /// What it does not take meets the rest of the rule.
    @Test func whatSynproxyLeavesGoesOn() throws {
        let reset: [NftExpression] = [.other(name: "synproxy"), .verdict(.drop)]
        let translating = try host(Self.forward, reset)
        #expect(
            try follow(translating, "tcp 10.5.0.9:40000 > 198.51.100.7:80 iif lxcbr1 flags 4").verdict == .dropped)
        #expect(try follow(translating, "udp 10.5.0.9:40000 > 198.51.100.7:80 iif lxcbr1").verdict == .accepted)
        let dropped = try questions { rules in
            rules.chain(Self.filter, "c", Self.forward, [reset])
        }.answer(.answered)
        // Resets are dropped for certain; what is dropped of the rest is not known.
        #expect(dropped.verdict == .counterexample, "\(dropped)")
        #expect(dropped.packet?.tcpFlags == 4)
    }

    /// As for a server behind the host: only what conntrack does not know is taken, and answers are known.
    @Test func synproxyOfWhatIsNotTrackedIsNoHarm() throws {
        for synproxy in synproxies {
            let untracked: [NftExpression] = [
                .conntrack(.state, direction: nil, into: .one),
                .bitwise(from: .one, into: .one, mask: NftValue(host32: 65), xor: NftValue(host32: 0)),
                .compare(.one, .notEqual, NftValue(host32: 0)),
            ]
            let questions = try host(Self.forward, to(80) + untracked + [synproxy])
            // Everybody else is translated too, here.
            for question in NetworkQuestion.allCases where question != .others {
                #expect(questions.answer(question).verdict == .proven, "\(question)")
            }
        }
    }

    /// A socket takes it, or it is dropped: neither leaves. The mark is as the rule says, whatever is not known of the rest.
    @Test func theTargetTPROXY() throws {
        let questions = try host(Self.mangle, to(80) + [proxy])
        let result = try follow(questions, "tcp 10.5.0.9:40000 > 198.51.100.7:80 iif lxcbr1 mark 0x300")
        // With the mark 0x307 it is routed by wg0: what has a socket is not passed on.
        #expect(result.verdict == .dropped)
        let local = try follow(questions, "tcp 10.5.0.9:40000 > 10.5.0.1:80 iif lxcbr1")
        #expect(local.verdict == .undecided)
        #expect(local.dependsOn.map(\.what) == ["target TPROXY"])
        #expect(local.dependsOn.first?.rule?.chain == "c")
        let answer = questions.answer(.forwarded)
        #expect(answer.verdict == .counterexample)
        #expect(answer.packet?.destinationPort == 80)
        #expect(questions.answer(.translated).verdict == .proven)
        #expect(questions.answer(.dns).verdict == .proven)
    }

    /// Of nftables: without a socket the rule ends there, so that what leaves is as it would be without the rule.
    @Test func tproxyOfNftables() throws {
        let rule =
            to(80) + [
                .other(name: "tproxy"), .immediate(into: .one, NftValue(host32: 7)), .setMeta(.mark, from: .one),
                .verdict(.accept),
            ]
        let questions = try questions { rules in
            rules.postrouting(
                [
                    .meta(.mark, into: .one), .compare(.one, .equal, NftValue(host32: 7)), .verdict(.accept),
                ], [.masquerade(flags: 0, ports: nil)])
            rules.chain(Self.filter, "c", Self.mangle, [rule])
        }
        // By br_netfilter a socket loses it again, so that it may leave with the mark.
        var shown = try practiceHost()
        shown.bridgeNetfilter = true
        #expect(
            NetworkQuestions(
                network: questions.network, bridge: questions.bridge, address: questions.address,
                target: questions.target, ruleset: questions.walk.ruleset, host: shown
            ).answer(.translated).verdict == .undecided)
        #expect(questions.answer(.translated).verdict == .proven)
        let answer = questions.answer(.forwarded)
        #expect(answer.verdict == .undecided)
        #expect(answer.packet?.destinationPort == 80)
        #expect(answer.dependsOn.map(\.what) == ["tproxy"])
    }
}
