import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

private let nat = NftTableName(.ipv4, "nat")
private let filter = NftTableName(.inet, "filter")
private let bridge = NftTableName(.bridge, "b")
private let masquerade: [NftExpression] = [.masquerade(flags: 0, ports: nil)]
private let drop: [NftExpression] = [.verdict(.drop)]

private func port(_ number: UInt16, of transport: UInt8 = 17) -> [NftExpression] {
    [
        .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: transport)),
        .payload(base: .transport, offset: 2, length: 2, into: .one), .compare(.one, .equal, NftValue(big16: number)),
    ]
}

private func from(_ text: String) throws -> [NftExpression] {
    NftExpression.source(in: try #require(IPv4Prefix(text)))
}

private func to(_ text: String) throws -> [NftExpression] {
    NftExpression.destination(in: try #require(IPv4Prefix(text)))
}

private func snat(to text: String) throws -> [NftExpression] {
    [
        .immediate(into: .one, NftValue(try #require(IPv4Address(text)))),
        .nat(NftNat(kind: .source, addresses: NftRegisterPair(low: .one, high: .one))),
    ]
}

/// `tcp flags & MASK != syn ct state new`.
private func opensWithout(_ mask: UInt8?) -> [NftExpression] {
    var rule: [NftExpression] = [
        .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 6)),
        .payload(base: .transport, offset: 13, length: 1, into: .one),
    ]
    if let mask { rule.append(.bitwise(from: .one, into: .one, mask: NftValue(byte: mask), xor: NftValue(byte: 0))) }
    return rule + [
        .compare(.one, .notEqual, NftValue(byte: 2)), .conntrack(.state, direction: nil, into: .one),
        .bitwise(from: .one, into: .one, mask: NftValue(host32: 8), xor: NftValue(host32: 0)),
        .compare(.one, .notEqual, NftValue(host32: 0)),
    ]
}

/// `ip frag-off & 0x1fff != 0`.
private let furtherFragment: [NftExpression] = [
    .payload(base: .network, offset: 6, length: 2, into: .one),
    .bitwise(from: .one, into: .one, mask: NftValue(big16: 0x1fff), xor: NftValue(big16: 0)),
    .compare(.one, .notEqual, NftValue(big16: 0)),
]

/// What stands in chains of type nat, before them and behind them.
@Suite struct BesideTranslationTests {
    private func host(bridgeNetfilter: Bool = false, uplink: String = "") throws -> HostForwarding {
        var host = try practiceHost()
        host.bridgeNetfilter = bridgeNetfilter
        let index = try #require(host.links.firstIndex { $0.name == "up0" })
        host.links[index].kind = uplink
        return host
    }

    /// Of a host that translates its containers with one rule, and has one more chain.
    private func answer(
        _ question: NetworkQuestion, _ table: NftTableName, _ base: NftBaseChain, _ rule: [NftExpression],
        translating: [NftExpression] = masquerade, host: HostForwarding? = nil
    ) throws -> QuestionAnswer {
        try questions(host) { rules in
            rules.chain(nat, "post", NftBaseChain(type: "nat", hook: .postrouting, priority: 100), [translating])
            rules.chain(table, "c", base, [rule])
        }.answer(question)
    }

    // MARK: Chains of type nat

    @Test(arguments: [
        (NetworkQuestion.forwarded, NftHook.prerouting, port(25, of: 6)),
        (.forwarded, .postrouting, port(25, of: 6)),
        (.dhcp, .prerouting, port(67)), (.dhcp, .input, port(67)),
        (.dns, .prerouting, port(53, of: 6)), (.dns, .input, port(53)),
    ])
    func whatANatChainDropsIsDropped(
        question: NetworkQuestion, hook: NftHook, condition: [NftExpression]
    ) throws {
        let base = NftBaseChain(type: "nat", hook: hook, priority: hook == .postrouting ? 90 : -100)
        let dropped = try answer(question, nat, base, condition + drop)
        #expect(dropped.verdict == .counterexample)
        #expect(dropped.decidedBy?.chain == "c")
        #expect(try answer(question, nat, base, condition + [.verdict(.accept)]).verdict == .proven)
        // Of the answers, and of every later packet of a flow, no nat chain is shown any.
        #expect(try answer(.answered, nat, base, condition + drop).verdict == .proven)
    }

    @Test func whatANatChainDropsByItsPolicy() throws {
        let base = NftBaseChain(type: "nat", hook: .prerouting, priority: -100, policy: .drop)
        let dropped = try answer(.dns, nat, base, port(80) + [.verdict(.accept)])
        #expect(dropped.verdict == .counterexample)
        #expect(dropped.decidedBy?.text == "policy drop")
        #expect(try answer(.forwarded, nat, base, [.verdict(.accept)]).verdict == .proven)
    }

    /// A chain of type nat alone makes nobody track connections, and is shown nothing.
    @Test func natChainsOfAHostThatTracksNothing() throws {
        let found = try questions {
            $0.chain(nat, "post", NftBaseChain(type: "nat", hook: .postrouting, priority: 100), [drop])
        }
        #expect(found.answer(.forwarded).verdict == .proven)
    }

    @Test(arguments: [(NftHook.prerouting, Int32(-100)), (.postrouting, 90)])
    func containersApartByANatChain(hook: NftHook, priority: Int32) throws {
        let base = NftBaseChain(type: "nat", hook: hook, priority: priority)
        let rule = try to("10.5.0.7/32") + drop
        // Container to container is not translated here.
        let others =
            try NftExpression.source(in: #require(IPv4Prefix("10.5.0.0/16"))) + to("198.51.100.0/24") + masquerade
        let apart = try answer(
            .eastWest, nat, base, rule, translating: others, host: host(bridgeNetfilter: true))
        #expect(apart.verdict == .counterexample)
        #expect(apart.reason == "it is dropped")
        #expect(apart.decidedBy?.chain == "c")
        let open = try answer(
            .eastWest, nat, base, [.verdict(.accept)], translating: others, host: host(bridgeNetfilter: true))
        #expect(open.verdict == .proven)
        #expect(try answer(.eastWest, nat, base, rule, translating: others).verdict == .proven)
    }

    // MARK: Sources and destinations behind translation

    @Test(arguments: [(Int32(150), true), (50, false)])
    func sourcesBehindTranslation(priority: Int32, isBehind: Bool) throws {
        let base = NftBaseChain(hook: .postrouting, priority: priority)
        let translated = try answer(.forwarded, filter, base, from("203.0.113.2/32") + port(25, of: 6) + drop)
        #expect(translated.verdict == (isBehind ? .counterexample : .proven))
        if isBehind { #expect(translated.packet?.source.description == "10.5.0.2") }
        let own = try answer(.forwarded, filter, base, from("10.5.0.7/32") + drop)
        #expect(own.verdict == (isBehind ? .proven : .counterexample))
        let given = try answer(
            .forwarded, filter, base, from("203.0.113.3/32") + drop, translating: snat(to: "203.0.113.3"))
        #expect(given.verdict == (isBehind ? .counterexample : .proven))
    }

    @Test func sourcesBehindTranslationAtInput() throws {
        func answer(_ source: String, _ priority: Int32) throws -> QuestionAnswer {
            try questions {
                $0.chain(
                    nat, "in", NftBaseChain(type: "nat", hook: .input, priority: 100), [try snat(to: "10.5.0.99")])
                $0.chain(filter, "c", NftBaseChain(hook: .input, priority: priority), [try from(source) + drop])
            }.answer(.dns)
        }
        #expect(try answer("10.5.0.99/32", 150).verdict == .counterexample)
        #expect(try answer("10.5.0.7/32", 150).verdict == .proven)
        #expect(try answer("10.5.0.7/32", 50).verdict == .counterexample)
    }

    @Test(arguments: [(Int32(0), true), (-150, false)])
    func destinationsOfAnswersBehindTranslation(priority: Int32, isBehind: Bool) throws {
        let base = NftBaseChain(hook: .prerouting, priority: priority)
        let container = try answer(.answered, filter, base, to("10.5.0.7/32") + drop)
        #expect(container.verdict == (isBehind ? .counterexample : .proven))
        if isBehind { #expect(container.packet?.mappedDestination?.description == "10.5.0.7") }
        let own = try answer(.answered, filter, base, to("203.0.113.2/32") + drop)
        #expect(own.verdict == (isBehind ? .proven : .counterexample))
    }

    @Test func addressesThatAnswersGoTo() throws {
        let base = NftBaseChain(hook: .prerouting, priority: -300)
        let rule = try to("203.0.113.3/32") + drop
        let given = try answer(.answered, filter, base, rule, translating: snat(to: "203.0.113.3"))
        #expect(given.verdict == .counterexample)
        #expect(given.packet?.destination.description == "203.0.113.3")
        #expect(try answer(.answered, filter, base, rule).verdict == .proven)
        let one = try from("10.5.0.7/32") + snat(to: "203.0.113.3")
        let both = try questions {
            $0.chain(nat, "post", NftBaseChain(type: "nat", hook: .postrouting, priority: 100), [one, masquerade])
            $0.chain(filter, "c", base, [rule])
        }.answer(.answered)
        #expect(both.verdict == .counterexample)
        #expect(both.packet?.mappedDestination?.description == "10.5.0.7")
    }

    // MARK: Bridges that the host sends by

    @Test(arguments: [NftHook.output, .postrouting])
    func whatTheHostSendsByABridge(hook: NftHook) throws {
        let base = NftBaseChain(hook: hook, priority: 0)
        let lost = try answer(.answered, bridge, base, from("1.1.1.1/32") + drop)
        #expect(lost.verdict == .counterexample)
        #expect(lost.packet?.source.description == "1.1.1.1")
        #expect(try answer(.answered, bridge, base, from("10.5.0.7/32") + drop).verdict == .proven)
        func forwarded(_ rule: [NftExpression], _ uplink: String = "bridge") throws -> QuestionAnswer.Verdict {
            try answer(.forwarded, bridge, base, rule + drop, host: host(uplink: uplink)).verdict
        }
        #expect(try forwarded(to("9.9.9.9/32")) == .counterexample)
        #expect(try forwarded(to("9.9.9.9/32"), "") == .proven)
        #expect(try forwarded(from("203.0.113.2/32")) == .counterexample)
        #expect(try forwarded(from("10.5.0.7/32")) == .proven)
    }

    @Test(arguments: [NftHook.prerouting, .input])
    func answersThatComeInByABridge(hook: NftHook) throws {
        func answered(_ rule: [NftExpression], bridgeNetfilter: Bool = false) throws -> QuestionAnswer.Verdict {
            try answer(
                .answered, bridge, NftBaseChain(hook: hook, priority: 0), rule + drop,
                host: host(bridgeNetfilter: bridgeNetfilter, uplink: "bridge")
            ).verdict
        }
        #expect(try answered(from("1.1.1.1/32")) == .counterexample)
        #expect(try answered(to("10.5.0.7/32")) == .proven)
        // br_netfilter has the destination translated back before the bridge's input.
        #expect(
            try answered(to("10.5.0.7/32"), bridgeNetfilter: true) == (hook == .input ? .counterexample : .proven))
    }

    // MARK: Fragments

    @Test func fragmentsBeforeConntrack() throws {
        let rule = furtherFragment + drop
        let inBridge = try answer(.eastWest, bridge, NftBaseChain(hook: .forward, priority: 0), rule)
        #expect(inBridge.verdict == .counterexample)
        #expect(inBridge.packet?.fragment == true)
        func forwarded(_ priority: Int32) throws -> QuestionAnswer.Verdict {
            try answer(.forwarded, filter, NftBaseChain(hook: .prerouting, priority: priority), rule).verdict
        }
        #expect(try forwarded(-450) == .counterexample)
        #expect(try forwarded(-300) == .proven)
        #expect(
            try answer(.answered, filter, NftBaseChain(hook: .prerouting, priority: -450), rule).verdict
                == .counterexample)
        // By br_netfilter they are put together before the bridge forwards them.
        let whole = try answer(
            .eastWest, bridge, NftBaseChain(hook: .forward, priority: 0), rule,
            translating: to("198.51.100.0/24") + masquerade,
            host: host(bridgeNetfilter: true))
        #expect(whole.verdict == .proven)
        // The host divides them again for the bridge that it sends them by.
        let made = try answer(.answered, bridge, NftBaseChain(hook: .output, priority: 0), rule)
        #expect(made.verdict == .undecided)
        #expect(made.reason?.contains("fragments that the host makes") == true)
    }

    // MARK: Flags of TCP

    @Test func flowsThatAskForECN() throws {
        let forward = NftBaseChain(hook: .forward, priority: 0)
        let dropped = try answer(.forwarded, filter, forward, opensWithout(nil) + drop)
        #expect(dropped.verdict == .counterexample)
        #expect(dropped.packet?.tcpFlags == 0xc2)
        // As firewalls have it: SYN without ACK, FIN and RST.
        #expect(try answer(.forwarded, filter, forward, opensWithout(0x17) + drop).verdict == .proven)
    }
}
