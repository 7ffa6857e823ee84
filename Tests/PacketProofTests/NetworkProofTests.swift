import HostAccess
import HostModel
import Testing
import WireFormats

@testable import PacketProof

struct NetworkProofTests {
    static let network = Network(name: "n", bridge: "lxcbr1", address: ProofPlanTests.prefix(0x0a05_0001, 16))

    @Test(
        "Without a right or a bridge nothing is sent and the verdict is unknown",
        arguments: [
            (["net_admin", "net_raw"], true, true, "CAP_SYS_ADMIN"),
            (["sys_admin"], true, true, "CAP_NET_ADMIN, CAP_NET_RAW"),
            (["net_admin", "net_raw", "sys_admin"], false, true, "not a bridge"),
            (["net_admin", "net_raw", "sys_admin"], true, false, "not up"),
        ] as [([String], Bool, Bool, String)])
    func obstacle(_ capabilities: [String], _ isBridge: Bool, _ isUp: Bool, _ words: String) {
        var ground = ProofPlanTests.ground
        ground.capabilities = capabilities
        ground.bridge?.isBridge = isBridge
        ground.bridge?.isUp = isUp
        let probes = NetworkProof.evaluate(ProofTranscript(mode: .fence, network: Self.network, ground: ground))
        #expect(probes.map(\.protocol) == [.udp, .tcp, .icmp])
        for probe in probes {
            #expect(probe.verdict == .unknown)
            #expect(probe.reason?.contains(words) == true, "\(probe.reason ?? "")")
        }
    }

    @Test("A failure is the reason of an unknown verdict")
    func failure() {
        let transcript = ProofTranscript(
            mode: .wire, network: Self.network, ground: ProofPlanTests.ground, failure: "libpcap is not installed")
        #expect(NetworkProof.evaluate(transcript).allSatisfy { $0.verdict == .unknown })
        #expect(NetworkProof.evaluate(transcript).allSatisfy { $0.reason == "libpcap is not installed" })
        #expect(NetworkProof.evaluate(ProofTranscript(mode: .wire, network: Self.network)).count == 3)
    }

    /// A host that sends nothing and sees what it is told to.
    final class Stage: ActiveHost {
        var orders: [ProbeOrder] = []
        var taken: [[IPv4Address]] = []

        func answer(_ request: HostRequest) throws(HostError) -> HostReply {
            throw HostError(.notRecorded, operation: "stage", message: "no")
        }

        func send(_ orders: [ProbeOrder]) -> [ProbeOutcome] {
            self.orders += orders
            return orders.map { _ in .success(ProbeSightings(sightings: [], port: "p", captureDrops: 0)) }
        }
    }

    @Test("It never throws, and off means no probes")
    func neverThrows() {
        let stage = Stage()
        let report = NetworkProof(mode: .wire, networks: [Self.network]).run(on: stage)
        #expect(report.verdict == .unknown && report.probes.count == 3 && stage.orders.isEmpty)
        #expect(NetworkProof(mode: .off, networks: [Self.network]).run(on: stage).probes.isEmpty)
        var routed = Self.network
        routed.nat = .routed
        #expect(NetworkProof(mode: .wire, networks: [routed]).run(on: stage).probes.isEmpty)
    }

    /// One UDP probe that was seen on the bridge and then as `exit` says.
    private func judge(
        exit: Sighting?, network: Network = Self.network, ground: ProofGround = ProofPlanTests.ground
    ) throws -> ProofProbe {
        try judge(sightings: [exit].compactMap { $0 }, network: network, ground: ground)
    }

    private func judge(
        sightings: [Sighting], kills: [RuleKill] = [], control: [String] = ["p", "lxcbr1"], marked: Bool = true,
        network: Network = Self.network, ground: ProofGround = ProofPlanTests.ground
    ) throws -> ProofProbe {
        let transcript = try transcript(
            sightings: sightings, kills: kills, control: control, marked: marked, network: network, ground: ground)
        let probes = NetworkProof.evaluate(transcript)
        try #require(probes.count == 1)
        return probes[0]
    }

    private func transcript(
        sightings: [Sighting], kills: [RuleKill], control: [String], marked: Bool = true,
        network: Network = Self.network, ground: ProofGround = ProofPlanTests.ground
    ) throws -> ProofTranscript {
        var order = ProofPlan.order(
            network: ProofNetwork(network), ground: ground, mode: .fence,
            from: [try #require(IPAddress("10.5.0.9"))],
            chance: Array(1...12))
        order.packets = Array(order.packets.prefix(1))
        let sent = try #require(IPPacket(order.packets[0].bytes[...]))
        // The literals give the addresses; the rest is the probe.
        func probe(_ literal: ByteString) -> ByteString {
            guard marked, var packet = IPPacket(literal.bytes[...]) else { return literal }
            packet.payload = sent.payload
            packet.identification = sent.identification
            return ByteString(packet.encoded)
        }
        var seen = control.map {
            Sighting(interface: $0, direction: .received, microseconds: 1, packet: order.packets[0])
        }
        for var sighting in sightings {
            sighting.packet = probe(sighting.packet)
            seen.append(sighting)
        }
        let result = ProbeSightings(
            sightings: seen, port: "p", captureDrops: 0,
            kills: kills.map {
                var kill = $0
                kill.packet = probe($0.packet)
                return kill
            })
        return ProofTranscript(mode: .fence, network: network, ground: ground, order: order, sightings: result)
    }

    private func packet(_ source: String, _ destination: String = "198.51.100.7") throws -> ByteString {
        let packet = IPPacket(
            source: try #require(IPAddress(source)), destination: try #require(IPAddress(destination)),
            identification: 0, timeToLive: 1, protocolNumber: 17, payload: [])
        return ByteString(packet.encoded)
    }

    @Test(
        "A fenced probe",
        arguments: [
            ("203.0.113.2", "198.51.100.7", "postrouting", "ip", ProofVerdict.masqueraded),
            ("10.5.0.9", "198.51.100.7", "postrouting", "ip", .leaked),
            ("10.5.0.9", "198.51.100.7", "postrouting", "bridge", .leaked),
            ("192.0.2.1", "198.51.100.7", "postrouting", "ip", .wrongSource),
            ("10.5.0.9", "10.5.0.1", "input", "ip", .redirected),
        ])
    func fenced(
        _ source: String, _ destination: String, _ hook: String, _ family: String, _ wanted: ProofVerdict
    ) throws {
        let probe = try judge(
            exit: Sighting(
                interface: "up0", direction: .fenced, microseconds: 2, packet: packet(source, destination),
                hook: hook, family: family))
        #expect(probe.verdict == wanted)
        #expect(probe.sourceAfter == source)
        // Stopped at the door: never claim that it left.
        #expect(!probe.path.contains { $0.hook == "uplink" && $0.reached })
        #expect((probe.uplink == "up0") == (hook == "postrouting"))
    }

    @Test(
        "Where the profile names source addresses",
        arguments: [("203.0.113.2", ProofVerdict.wrongSource), ("192.0.2.99", .masqueraded), ("10.5.0.9", .leaked)])
    func sourceTranslation(_ source: String, _ wanted: ProofVerdict) throws {
        var network = Self.network
        network.nat = .snat
        network.snat = [try #require(IPv4Address("192.0.2.99"))]
        let exit = Sighting(interface: "up0", direction: .sent, microseconds: 2, packet: try packet(source))
        #expect(try judge(exit: exit, network: network).verdict == wanted)
    }

    @Test(
        "An uplink without an address of its own",
        arguments: [("192.0.2.50", ProofVerdict.masqueraded), ("192.0.2.60", .wrongSource)])
    func unnumbered(_ preferred: String, _ wanted: ProofVerdict) throws {
        var ground = ProofPlanTests.ground
        ground.addresses = [.init(link: "lo", address: try #require(IPPrefix("192.0.2.50/32")))]
        ground.route?.preferredSource = IPAddress(preferred)
        let exit = Sighting(interface: "up0", direction: .sent, microseconds: 2, packet: try packet("192.0.2.50"))
        #expect(try judge(exit: exit, ground: ground).verdict == wanted)
    }

    @Test("Nothing but the control is a drop, named so")
    func dropped() throws {
        var ground = ProofPlanTests.ground
        ground.route = nil
        ground.routeError = "Network is unreachable"
        let probe = try judge(exit: nil, ground: ground)
        #expect(probe.verdict == .dropped)
        #expect(probe.reason?.contains("the routing table says: Network is unreachable") == true)
        #expect(probe.path.last == PathStep(hook: "uplink", reached: false))
    }

    @Test(
        "Where a probe was lost, by the last station that saw it",
        arguments: [
            (["prerouting.first"], "in PREROUTING", "prerouting"),
            (["prerouting.first", "prerouting.last"], "at the routing decision", "routing"),
            (["prerouting.first", "prerouting.last", "forward.first"], "in FORWARD", "forward"),
            (
                ["prerouting.last", "forward.first", "forward.last", "postrouting.first"], "in POSTROUTING",
                "postrouting"
            ),
            (["postrouting.first", "postrouting.last"], "behind POSTROUTING", "uplink"),
        ])
    func stations(_ passed: [String], _ words: String, _ hook: String) throws {
        let sightings = try passed.map {
            Sighting(
                interface: "lxcbr1", direction: .passed, microseconds: 3, packet: try packet("10.5.0.9"), hook: $0,
                family: "ip")
        }
        let probe = try judge(sightings: sightings)
        #expect(probe.verdict == .dropped)
        #expect(probe.reason?.contains(words) == true, "\(probe.reason ?? "")")
        #expect(probe.path.first { $0.hook == "uplink" }?.reached == false)
        // A rule that dropped it is named, at that hook.
        let kill = RuleKill(
            family: "ip", table: "filter", chain: "FORWARD", handle: 4, packet: try packet("10.5.0.9"))
        let named = try judge(sightings: sightings, kills: [kill])
        #expect(
            named.killer
                == Killer(
                    hook: hook, family: "ip", table: "filter", chain: "FORWARD", handle: "4",
                    text: "ip filter FORWARD: rule with handle 4 drop"))
    }

    /// Under br_netfilter the bridge has called PREROUTING before; nothing was routed in either case.
    @Test("What the ingress of the bridge drops never came to the routing decision", arguments: [true, false])
    func killedAtTheIngress(isBridgeNetfilter: Bool) throws {
        let kill = RuleKill(family: "netdev", table: "guard", chain: "door", handle: 2, packet: try packet("10.5.0.9"))
        let stations = isBridgeNetfilter ? ["prerouting.first", "prerouting.last"] : []
        let sightings = try stations.map {
            Sighting(
                interface: "lxcbr1", direction: .passed, microseconds: 3, packet: try packet("10.5.0.9"), hook: $0,
                family: "ip")
        }
        let probe = try judge(sightings: sightings, kills: [kill])
        #expect(probe.verdict == .dropped && probe.killer?.hook == "ingress" && probe.killer?.handle == "2")
        guard isBridgeNetfilter else { return }
        #expect(
            probe.path.filter(\.reached).map(\.hook) == ["container", "port", "bridge", "prerouting", "ingress"])
        #expect(probe.path.first { $0.hook == "routing" }?.reached == false)
        #expect(probe.reason?.contains("at the ingress of lxcbr1, before it is routed") == true)
    }

    @Test("A rule that drops before the bridge is a drop, not a failed control")
    func killedAtThePort() throws {
        let kill = RuleKill(
            family: "bridge", table: "f", chain: "p", handle: nil, packet: try packet("10.5.0.9"))
        let probe = try judge(sightings: [], kills: [kill], control: ["p"])
        #expect(probe.verdict == .dropped)
        #expect(probe.killer?.text == "bridge f p: policy drop")
        #expect(try judge(sightings: [], control: ["p"]).verdict == .unknown)
        // Somebody else's packet explains nothing.
        let foreign = RuleKill(
            family: "ip", table: "f", chain: "p", handle: 1, packet: try packet("10.5.0.9"))
        #expect(try judge(sightings: [], kills: [foreign], control: ["p"], marked: false).verdict == .unknown)
    }

    @Test("In wire mode a probe that comes to the host itself is redirected")
    func deliveredHere() throws {
        let sighting = Sighting(
            interface: "lxcbr1", direction: .passed, microseconds: 3, packet: try packet("10.5.0.9", "10.5.0.1"),
            hook: "input.last", family: "ip")
        #expect(try judge(sightings: [sighting]).verdict == .redirected)
    }

    @Test("The describer gives a killer its words")
    func describer() throws {
        let kill = RuleKill(family: "ip", table: "filter", chain: "FORWARD", handle: 4, packet: try packet("10.5.0.9"))
        let transcript = try transcript(sightings: [], kills: [kill], control: ["p"])
        let probes = NetworkProof.evaluate(transcript) { killer in
            var killer = killer
            if killer.handle == "4" { killer.text = "-A FORWARD -j DROP" }
            return killer
        }
        #expect(probes.map(\.killer?.text) == ["-A FORWARD -j DROP"])
        let plain = NetworkProof.evaluate(transcript)
        #expect(plain.map(\.killer?.text) == ["ip filter FORWARD: rule with handle 4 drop"])
    }
}
