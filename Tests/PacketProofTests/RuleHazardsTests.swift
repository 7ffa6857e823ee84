import HostAccess
import HostModel
import Testing
import WireFormats

@testable import PacketProof

/// Rules that would keep the address of a probe, from the kernel's own messages.
@Suite("Hazards among the rules") struct RuleHazardsTests {
    /// A host with one table of one chain.
    private final class Ruleset: Host {
        private let chains: NetlinkMessages
        private let rules: NetlinkMessages

        init(_ family: NftFamily, _ hook: NftHook, _ rule: [NftExpression], priority: Int32 = 0) throws {
            var batch = NftTransaction()
            let table = NftTableName(family, "t")
            batch.newChain("c", in: table, base: NftBaseChain(hook: hook, priority: priority))
            batch.newRule(in: "c", of: table, rule)
            let messages = try NetlinkMessage.split(batch.encoded()).dropFirst().dropLast()
            chains = NetlinkMessages(messages.prefix(1).map(\.bytes))
            rules = NetlinkMessages(messages.dropFirst().map(\.bytes))
        }

        func answer(_ request: HostRequest) throws(HostError) -> HostReply {
            switch request {
            case .netlink(let query) where query == .nftChains(): return .messages(chains)
            case .netlink(let query) where query == .nftRules(): return .messages(rules)
            default: throw HostError(.notRecorded, operation: "\(request)", message: "no")
            }
        }
    }

    private func read(_ family: NftFamily, _ hook: NftHook, _ rule: [NftExpression]) throws -> RuleHazards {
        var found = RuleHazards(family: .ipv4)
        try found.readRules(on: "lxcbr1", try Ruleset(family, hook, rule))
        return found
    }

    /// What stands behind the fence never sees a packet that the fence has stopped.
    @Test(
        arguments: [
            (.ipv4, .postrouting, Int32.max, true), (.inet, .postrouting, Int32.max - 1, true),
            (.bridge, .postrouting, .max, true), (.ipv4, .postrouting, .max - 2, false), (.ipv4, .forward, .max, false),
            (.ipv6, .postrouting, .max, false),
        ] as [(NftFamily, NftHook, Int32, Bool)])
    func whatStandsBehindTheFence(family: NftFamily, hook: NftHook, priority: Int32, isHazard: Bool) throws {
        var found = RuleHazards(family: .ipv4)
        try found.readRules(on: "lxcbr1", try Ruleset(family, hook, [.verdict(.drop)], priority: priority))
        #expect(
            found.everywhere.contains { $0.contains("chain \(family.name) t c stands behind the fence") } == isHazard)
        #expect(found.intoHost.isEmpty)
    }

    /// Only the bridge's own family makes the kernel track what is bridged.
    @Test func aBridgeThatTracksIsFound() throws {
        let state = NftExpression.conntrack(.state, direction: nil, into: .one)
        let bridged = try read(.bridge, .forward, [state])
        #expect(bridged.bridgeTracker == "rule 1 (handle 0) of bridge t c tracks bridged connections")
        #expect(try read(.ipv4, .forward, [state]).bridgeTracker == nil)
        #expect(try read(.bridge, .forward, [.counter(packets: 0, bytes: 0)]).bridgeTracker == nil)
    }

    /// What is said in words when packets between containers are not sent for it.
    @Test func aRowSaysWhyNothingWasSent() throws {
        var ground = ProofPlanTests.ground
        ground.bridgeTracker = "rule 7 of bridge t c tracks bridged connections"
        let network = NetworkProofTests.network
        let order = ProofPlan.order(
            network: ProofNetwork(network), ground: ground, mode: .fence,
            from: [try #require(IPAddress("10.5.0.9"))],
            chance: Array(1...12))
        let transcript = ProofTranscript(
            mode: .fence, network: network, ground: ground, order: order,
            sightings: ProbeSightings(sightings: [], port: "p", captureDrops: 0))
        let rows = NetworkProof.evaluateLocal(transcript)
        #expect(rows.map(\.kind) == [.eastWest] && rows.map(\.arrival) == [.unknown])
        #expect(rows.first?.reason?.hasPrefix("rule 7 of bridge t c tracks bridged connections") == true)
    }

    @Test(
        "A BPF program that a probe may meet is told from others",
        arguments: [
            ("netfilter ip FORWARD at priority 5 (program 7)", true),
            ("netfilter ip PREROUTING at priority -500 (program 7)", true),
            ("netfilter ip OUTPUT at priority 5 (program 7)", false),
            ("netfilter ip6 FORWARD at priority 5 (program 7)", false),
            ("tcx ingress", true), ("tcx egress", false),
        ])
    func programs(program: String, isHazard: Bool) {
        let words = ProofHazards.words(program, on: "lxcbr1")
        #expect((words != nil) == isHazard)
        #expect(words?.contains("a BPF program of \(program)") != false)
    }

    /// A port that neither DHCP nor DNS has spares them; a rule about any port does not.
    @Test(arguments: [(22, false), (53, true), (67, true), (nil, true)] as [(UInt16?, Bool)])
    func whatOnlyThisHostMeets(port: UInt16?, isHazard: Bool) throws {
        var rule: [NftExpression] = [.other(name: "dynset")]
        if let port {
            rule =
                [
                    .payload(base: .transport, offset: 2, length: 2, into: .one),
                    .compare(.one, .equal, NftValue(big16: port)),
                ] + rule
        }
        let input = try read(.ipv4, .input, rule)
        #expect(input.everywhere.isEmpty && input.intoHost.isEmpty != isHazard)
        // On the way out it is a hazard whatever the port: the probes have several.
        let forward = try read(.ipv4, .forward, rule)
        #expect(forward.everywhere.count == 1 && forward.intoHost.isEmpty)
    }
}
