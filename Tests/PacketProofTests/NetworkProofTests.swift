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

        func send(_ order: ProbeOrder) throws(HostError) -> ProbeSightings {
            orders.append(order)
            return ProbeSightings(sightings: [], port: "p", captureDrops: 0)
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
        var order = ProofPlan.order(
            network: network, ground: ground, mode: .fence, from: [try #require(IPv4Address("10.5.0.9"))],
            chance: Array(1...12))
        order.packets = Array(order.packets.prefix(1))
        let control = ["p", "lxcbr1"].map {
            Sighting(interface: $0, direction: .received, microseconds: 1, packet: order.packets[0])
        }
        var seen = exit
        if var packet = IPv4Packet((exit?.packet.bytes ?? [])[...]),
            let sent = IPv4Packet(order.packets[0].bytes[...])
        {
            // The sighting gives the addresses; the rest is the probe.
            packet.payload = sent.payload
            packet.identification = sent.identification
            seen?.packet = ByteString(packet.encoded)
        }
        let result = ProbeSightings(
            sightings: control + [seen].compactMap { $0 }, port: "p", captureDrops: 0)
        let transcript = ProofTranscript(
            mode: .fence, network: network, ground: ground, order: order, sightings: result)
        let probes = NetworkProof.evaluate(transcript)
        try #require(probes.count == 1)
        return probes[0]
    }

    private func packet(_ source: String, _ destination: String = "198.51.100.7") throws -> ByteString {
        let packet = IPv4Packet(
            source: try #require(IPv4Address(source)), destination: try #require(IPv4Address(destination)),
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
        ground.addresses = [.init(link: "lo", address: try #require(IPv4Prefix("192.0.2.50/32")))]
        ground.route?.preferredSource = IPv4Address(preferred)
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
}
