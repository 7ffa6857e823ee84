import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

private let nat = NftTableName(.ipv4, "nat")
private let mangleTable = NftTableName(.ipv4, "mangle")
private let filter = NftTableName(.ipv4, "filter")
private let masquerade = NftExpression.masquerade(flags: 0, ports: nil)
private let postrouting = NftBaseChain(type: "nat", hook: .postrouting, priority: 100)
private let translation = NftBaseChain(type: "nat", hook: .prerouting, priority: -100)
private let early = NftBaseChain(hook: .prerouting, priority: -150)
private let raw = NftBaseChain(hook: .prerouting, priority: -300)
private let forward = NftBaseChain(hook: .forward, priority: 0)

private func words(_ values: UInt32...) -> [UInt8] { values.flatMap { withUnsafeBytes(of: $0) { Array($0) } } }

/// `-m mark [!] --mark VALUE/MASK`.
private func marked(_ value: UInt32, _ mask: UInt32, inverted: Bool = false) -> NftExpression {
    .match(XtExtension(name: "mark", revision: 1, info: (words(value, mask) + [inverted ? 1 : 0, 0, 0, 0])[...]))
}

/// `-j MARK --set-xmark VALUE/MASK`.
private func mark(_ value: UInt32, _ mask: UInt32) -> NftExpression {
    .target(XtExtension(name: "MARK", revision: 2, info: words(value, mask)[...]))
}

/// `-j CONNMARK` of revision 1: 0 set, 1 save, 2 restore.
private func connectionMark(_ mode: UInt8, _ value: UInt32, _ mask: UInt32, packet: UInt32) -> NftExpression {
    .target(
        XtExtension(name: "CONNMARK", revision: 1, info: (words(value, mask, packet) + [mode, 0, 0, 0])[...]))
}

private func states(_ bits: UInt16) -> NftExpression {
    var info = [UInt8](repeating: 0, count: 156)
    info[146] = 1
    (info[150], info[151]) = (UInt8(bits & 0xff), UInt8(bits >> 8))
    return .match(XtExtension(name: "conntrack", revision: 3, info: info[...]))
}

private func port(_ number: UInt16) -> [NftExpression] {
    [
        .meta(.transportProtocol, into: .one), .compare(.one, .equal, NftValue(byte: 17)),
        .payload(base: .transport, offset: 2, length: 2, into: .one), .compare(.one, .equal, NftValue(big16: number)),
    ]
}

/// Marks, states and fragments in questions about every packet.
@Suite struct MarkQuestionTests {
    private func whole() throws -> [NftExpression] {
        let network = try #require(IPv4Prefix("10.5.0.0/16"))
        return NftExpression.source(in: network) + NftExpression.destination(notIn: network)
    }

    /// Of a rule whose condition fails behind a change, the change stays: `meta mark set 7 ip daddr 1.1.1.1 drop`.
    @Test func aChangeAheadOfAConditionStays() throws {
        let value: [NftExpression] = [.immediate(into: .one, NftValue(host32: 7)), .setMeta(.mark, from: .one)]
        let one = NftExpression.destination(in: try #require(IPv4Prefix("1.1.1.1/32")))
        let questions = try questions { builder in
            builder.chain(mangleTable, "PREROUTING", early, [value + one + [.verdict(.drop)]])
            builder.chain(
                nat, "POSTROUTING", postrouting, [[marked(7, .max), .verdict(.accept)], try whole() + [masquerade]])
        }
        let answer = questions.answer(.translated)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.destination != IPv4Address("1.1.1.1"))
    }

    /// kube-proxy marks on the way in what POSTROUTING is to masquerade; 2,000 services of it.
    @Test func kubeProxyIsDecided() throws {
        let questions = try questions { builder in
            var services: [[NftExpression]] = []
            for number in 0..<2_000 as Range<UInt32> {
                let service = try #require(IPv4Prefix(address: IPv4Address(value: 0x0a60_0000 + number), length: 32))
                builder.chain(
                    nat, "KUBE-SVC-\(number)", nil,
                    [[.verdict(.jump("KUBE-MARK-MASQ"))], [.other(name: "numgen"), .verdict(.accept)]])
                services.append(NftExpression.destination(in: service) + [.verdict(.jump("KUBE-SVC-\(number)"))])
            }
            builder.chain(nat, "KUBE-MARK-MASQ", nil, [[mark(0x4000, 0x4000)]])
            builder.chain(nat, "KUBE-SERVICES", nil, services)
            builder.chain(nat, "PREROUTING", translation, [[.verdict(.jump("KUBE-SERVICES"))]])
            builder.chain(
                nat, "KUBE-POSTROUTING", nil,
                [[marked(0x4000, 0x4000, inverted: true), .verdict(.return)], [mark(0x4000, 0)], [masquerade]])
            builder.chain(
                nat, "POSTROUTING", postrouting, [[.verdict(.jump("KUBE-POSTROUTING"))], try whole() + [masquerade]])
            builder.chain(
                filter, "FORWARD", forward,
                [[states(1), .verdict(.drop)], [marked(0x4000, 0x4000), .verdict(.accept)]])
        }
        for question in NetworkQuestion.allCases {
            let answer = questions.answer(question)
            #expect(answer.verdict == .proven, "\(question) \(answer)")
        }
    }

    @Test func aMarkThatEveryPacketGetsIsFollowedExactly() throws {
        // All packets to port 53 are marked; what is marked is not translated.
        let answer = try questions {
            $0.chain(mangleTable, "PREROUTING", early, [port(53) + [mark(1, 1)]])
            $0.postrouting([marked(1, 1), .verdict(.accept)], try whole() + [masquerade])
        }.answer(.translated)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.destinationPort == 53)
        #expect(answer.decidedBy?.text.contains("accept") == true)
    }

    /// All nat chains of a hook share one place: what stands behind it comes too late for them.
    @Test(arguments: [NftBaseChain(hook: .postrouting, priority: 200), NftBaseChain(hook: .postrouting, priority: 100)])
    func aMarkThatIsTakenAwayBehindTranslationIsThereBefore(behind: NftBaseChain) throws {
        let answer = try questions {
            $0.chain(mangleTable, "FORWARD", forward, [[mark(7, .max)]])
            $0.chain(mangleTable, "POSTROUTING", behind, [[mark(0, .max)]])
            $0.postrouting([marked(7, .max), .verdict(.accept)], try whole() + [masquerade])
        }.answer(.translated)
        // Of equal priority either may run first.
        #expect(answer.verdict == (behind.priority == 100 ? .undecided : .counterexample), "\(answer)")
    }

    /// The kernel keeps a mark from the bridge to the IP layer.
    @Test func aMarkFromTheBridgeStays() throws {
        let bridge = NftTableName(.bridge, "b")
        let rules: @Sendable (inout RulesetBuilder) throws -> Void = {
            $0.chain(bridge, "p", raw, [[mark(7, .max)]])
            $0.postrouting([marked(7, .max), .verdict(.accept)], try whole() + [masquerade])
        }
        let answer = try questions(nil, rules).answer(.translated)
        #expect(answer.verdict == .counterexample, "\(answer)")
        // Of the practice host, mark 7 leads out by wg0.
        let routed = try questions {
            $0.chain(bridge, "p", raw, [[mark(7, .max)]])
            $0.postrouting(
                NftExpression.meta(.outputName, equal: try #require(NftValue(interface: "up0"))) + [masquerade])
        }.answer(.translated)
        #expect(routed.reason?.contains("wg0") == true, "\(routed)")
    }

    /// A program, and a target that is not known, may mark packets or write into them.
    @Test(arguments: ["NFQUEUE", "MYSTERY"]) func whatAStrangerMakesOfPacketsIsNotKnown(target: String) throws {
        let stranger = NftExpression.target(XtExtension(name: target, revision: 0, info: [0, 0, 0, 0]))
        for table in [mangleTable, NftTableName(.bridge, "b")] {
            let answer = try questions {
                $0.chain(table, "PREROUTING", early, [[stranger]])
                $0.postrouting(try whole() + [masquerade])
            }.answer(.translated)
            #expect(answer.verdict == .undecided, "\(answer)")
            #expect(answer.reason?.contains(target) == true, "\(answer)")
        }
        let others = try questions {
            $0.chain(
                mangleTable, "PREROUTING", early,
                [NftExpression.meta(.inputName, equal: try #require(NftValue(interface: "wg0"))) + [stranger]])
            $0.postrouting(try whole() + [masquerade])
        }.answer(.translated)
        #expect(others.verdict == .proven, "\(others)")
    }

    @Test func aMarkThatComesBehindTheTranslationOfDestinationsIsThereAfterwards() throws {
        let late = NftBaseChain(hook: .prerouting, priority: 0)
        let answer = try questions {
            $0.chain(nat, "PREROUTING", translation, [[mark(0, .max)]])
            $0.chain(mangleTable, "late", late, [[mark(7, .max)]])
            $0.postrouting([marked(7, .max), .verdict(.accept)], try whole() + [masquerade])
        }.answer(.translated)
        #expect(answer.verdict == .counterexample, "\(answer)")
    }

    @Test func aMarkThatNoRuleGivesMatchesNothing() throws {
        let answer = try questions {
            $0.chain(mangleTable, "PREROUTING", early, [[mark(2, 2)]])
            $0.postrouting([marked(1, 1), .verdict(.accept)], try whole() + [masquerade])
        }.answer(.translated)
        #expect(answer.verdict == .proven, "\(answer)")
    }

    @Test func aMarkComesBackFromTheConnection() throws {
        let rules: @Sendable (inout RulesetBuilder) throws -> Void = {
            $0.chain(
                mangleTable, "PREROUTING", early,
                [[mark(8, 8)], [connectionMark(1, 0, .max, packet: .max)], [mark(0, .max)]])
            $0.chain(
                mangleTable, "FORWARD", forward,
                [[connectionMark(2, 0, .max, packet: .max)], [marked(8, 8), .verdict(.drop)]])
        }
        let answer = try questions(nil, rules).answer(.forwarded)
        #expect(answer.verdict == .counterexample, "\(answer)")
        // Answers may bring the mark of their connection: each one is tried.
        #expect(try questions(nil, rules).answer(.answered).verdict != .proven)
    }

    @Test func aRuleThatIsNotKnownToMarkProvesNothing() throws {
        let answer = try questions {
            $0.chain(mangleTable, "PREROUTING", early, [[.other(name: "mystery"), mark(1, 1)]])
            $0.chain(filter, "FORWARD", forward, [[marked(1, 1), .verdict(.drop)]])
        }.answer(.forwarded)
        #expect(answer.verdict == .undecided, "\(answer)")
        #expect(answer.reason?.contains("mark") == true || answer.reason?.contains("mystery") == true)
    }

    /// Mark 7 is routed by wg0 (table 100), whose packets nobody translates.
    @Test func routingByMarkIsPartOfTheQuestion() throws {
        let answer = try questions {
            $0.chain(mangleTable, "PREROUTING", early, [port(53) + [mark(7, .max)]])
            $0.postrouting(
                NftExpression.meta(.outputName, equal: try #require(NftValue(interface: "up0"))) + [masquerade])
        }.answer(.translated)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.destinationPort == 53)
        #expect(answer.reason?.contains("wg0") == true)
    }

    @Test func statesAreToldApart() throws {
        // New ones are dropped, known ones are not.
        let rules: @Sendable (inout RulesetBuilder) throws -> Void = {
            $0.chain(filter, "FORWARD", forward, [[states(8), .verdict(.drop)]])
        }
        #expect(try questions(nil, rules).answer(.forwarded).verdict == .counterexample)
        #expect(try questions(nil, rules).answer(.answered).verdict == .proven)
    }

    @Test func whatIsNotTrackedIsUntrackedFromThenOn() throws {
        let answer = try questions {
            $0.chain(NftTableName(.inet, "raw"), "early", raw, [port(53) + [.notrack]])
            $0.chain(filter, "FORWARD", forward, [[states(0x100), .verdict(.drop)]])
        }.answer(.forwarded)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.destinationPort == 53)
    }

    /// Found by the kernel: a connection's mark that is set on the way hid that the packets are not tracked.
    @Test func whatIsNotTrackedIsNotTranslatedWhateverItsMarks() throws {
        let answer = try questions {
            $0.chain(NftTableName(.inet, "raw"), "early", raw, [port(53) + [.notrack]])
            $0.chain(mangleTable, "FORWARD", forward, [[connectionMark(0, 7, .max, packet: 0)]])
            $0.postrouting(try whole() + [masquerade])
        }.answer(.translated)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.destinationPort == 53)
    }

    /// Found by the kernel: before conntrack every packet counts as invalid, and has no connection.
    @Test func beforeConntrackNothingHasAState() throws {
        let answer = try questions {
            $0.chain(NftTableName(.inet, "raw"), "early", raw, [port(53) + [states(1), .notrack]])
            $0.postrouting(try whole() + [masquerade])
        }.answer(.translated)
        #expect(answer.verdict == .counterexample, "\(answer)")
        #expect(answer.packet?.destinationPort == 53)
        let reading: [NftExpression] = [
            .conntrack(.mark, direction: nil, into: .one), .compare(.one, .equal, NftValue(host32: 0)), .notrack,
        ]
        let unread = try questions {
            $0.chain(NftTableName(.inet, "raw"), "early", raw, [reading])
            $0.postrouting(try whole() + [masquerade])
        }.answer(.translated)
        #expect(unread.verdict == .proven, "\(unread)")
    }

    @Test func directionIsToldApart() throws {
        let reply: [NftExpression] = [
            .conntrack(.direction, direction: nil, into: .one), .compare(.one, .equal, NftValue(byte: 1)),
            .verdict(.drop),
        ]
        let rules: @Sendable (inout RulesetBuilder) throws -> Void = { $0.chain(filter, "FORWARD", forward, [reply]) }
        #expect(try questions(nil, rules).answer(.forwarded).verdict == .proven)
        #expect(try questions(nil, rules).answer(.answered).verdict == .counterexample)
    }

    /// Fragments come as they are only where nothing asks conntrack.
    @Test func fragmentsCountWhereNothingPutsThemTogether() throws {
        let fragment: [NftExpression] = [
            .payload(base: .network, offset: 6, length: 2, into: .one),
            .bitwise(from: .one, into: .one, mask: NftValue(big16: 0x1fff), xor: NftValue(big16: 0)),
            .compare(.one, .notEqual, NftValue(big16: 0)), .verdict(.drop),
        ]
        let answer = try questions { $0.chain(filter, "FORWARD", forward, [fragment]) }.answer(.forwarded)
        #expect(answer.verdict == .counterexample)
        #expect(answer.packet?.fragment == true)
        let tracked = try questions {
            $0.chain(filter, "FORWARD", forward, [fragment])
            $0.postrouting(try whole() + [masquerade])
        }.answer(.forwarded)
        #expect(tracked.verdict == .proven, "\(tracked)")
    }

    @Test func oneKindOfICMPIsACounterexample() throws {
        // `-p icmp --icmp-type 13 -j DROP`.
        let type = NftExpression.match(XtExtension(name: "icmp", revision: 0, info: [13, 0, 255, 0]))
        let answer = try questions { $0.chain(filter, "FORWARD", forward, [[type, .verdict(.drop)]]) }.answer(
            .forwarded)
        #expect(answer.packet?.description == "icmp 10.5.0.2 > 198.51.100.7 type 13 iif lxcbr1", "\(answer)")
    }

    @Test func marksAreClosedUnderTheirRules() {
        let space = MarkSpace([.mark(keeping: ~4, flipping: 4), .mark(keeping: ~2, flipping: 2)])
        #expect(space.packet == IntervalSet([0...0, 2...2, 4...4, 6...6]))
        #expect(MarkSpace([.notrack]).isUnmarked)
        // Thirty bits, each by itself: too many to tell apart.
        let many = MarkSpace(Set((0..<30).map { .mark(keeping: ~(1 << $0), flipping: 1 << $0) }))
        #expect(many.packet == .all)
    }
}
