import HostAccess
import HostModel
import Testing
import WireFormats

@testable import PacketProof

/// Deaths that no practice host can have, because their cause is shared by all namespaces: from literals.
struct KillerSearchTests {
    private static let network = NetworkProofTests.network

    /// Both times the probe was seen on the bridge and at these stations.
    private func probe(
        stations: [String], brackets: [ProbeInvestigation.Bracket] = [], ground: ProofGround = ProofPlanTests.ground,
        change: (inout ProofAutopsy) -> Void
    ) throws -> ProofProbe {
        func send(_ chance: [UInt8], _ names: [String]) throws -> (ProbeOrder, ProbeSightings) {
            var order = ProofPlan.order(
                network: ProofNetwork(Self.network), ground: ground, mode: .fence,
                from: [try #require(IPAddress("10.5.0.9"))],
                chance: chance)
            order.packets = Array(order.packets.prefix(1))
            var seen = ["p", "lxcbr1"].map {
                Sighting(interface: $0, direction: .received, microseconds: 1, packet: order.packets[0])
            }
            seen += names.map {
                Sighting(
                    interface: "lxcbr1", direction: .passed, microseconds: 2, packet: order.packets[0], hook: $0,
                    family: "ip")
            }
            return (order, ProbeSightings(sightings: seen, port: "p", captureDrops: 0))
        }
        let (order, sightings) = try send(Array(1...12), stations.filter { !$0.contains("-") })
        var autopsy = ProofAutopsy()
        var (second, again) = try send(Array(21...32), stations)
        second.investigation = ProbeInvestigation(brackets: brackets, tracesLegacyTables: false)
        again.findings = ProbeFindings()
        autopsy.order = second
        autopsy.sightings = again
        change(&autopsy)
        let probes = NetworkProof.evaluate(
            ProofTranscript(
                mode: .fence, network: Self.network, ground: ground, order: order, sightings: sightings,
                autopsy: autopsy))
        return try #require(probes.first)
    }

    private func identification(_ autopsy: ProofAutopsy) -> UInt16 {
        autopsy.order.flatMap { IPPacket($0.packets[0].bytes[...]) }?.identification ?? 0
    }

    @Test("A full table of connections is known by the window and the counter")
    func conntrack() throws {
        let brackets = [-300, -200, -150].map { ProbeInvestigation.Bracket(hook: "prerouting", priority: $0) }
        let probe = try probe(
            stations: ["prerouting.first", "prerouting.-300", "prerouting.-200"], brackets: brackets
        ) { $0.sightings?.findings?.counters["conntrack.drop"] = 6 }
        #expect(probe.verdict == .dropped && probe.killer?.hook == "prerouting")
        #expect(probe.killer?.text.contains("table is full") == true, "\(probe)")
    }

    @Test("Without a counter the window names who stands there")
    func window() throws {
        let brackets = [-150, 0, 50].map { ProbeInvestigation.Bracket(hook: "forward", priority: $0) }
        let probe = try probe(
            stations: ["prerouting.last", "forward.first", "forward.-150", "forward.0"], brackets: brackets
        ) { $0.baseChains = [.init(table: "inet fw", chain: "f", type: "filter", hook: "forward", priority: 10)] }
        #expect(probe.killer?.text.contains("inet fw f") == true, "\(probe)")
    }

    @Test(
        "The kernel's reason in words",
        arguments: [
            ("IP_RPFILTER", "routing", "reverse path filter (net.ipv4.conf.all.rp_filter = 1)"),
            ("IP_LOCAL_SOURCE", "routing", "an address of this host"), ("IP_LOCALNET", "routing", "127.0.0.0/8"),
            ("IP_INHDR", "routing", "time to live"), ("PKT_TOO_BIG", "forward", "larger than the MTU of"),
            ("TC_INGRESS", "ingress", "tc filter show dev lxcbr1 ingress"), ("XDP", "ingress", "XDP"),
            ("SOMETHING_NEW", "routing", "SOMETHING_NEW"),
        ])
    func reason(_ reason: String, _ hook: String, _ words: String) throws {
        let probe = try probe(stations: ["prerouting.first", "prerouting.last"]) { autopsy in
            autopsy.sysctls["net.ipv4.conf.all.rp_filter"] = "1"
            autopsy.sysctls["net.ipv4.conf.lxcbr1.rp_filter"] = "0"
            let number = identification(autopsy)
            autopsy.sightings?.findings?.drops = [.init(identification: number, reason: reason)]
        }
        #expect(probe.killer?.hook == hook, "\(probe)")
        #expect(probe.killer?.text.contains(words) == true, "\(probe)")
    }

    @Test("Somebody else's rule of iptables-legacy is not blamed for a death elsewhere")
    func legacyElsewhere() throws {
        let probe = try probe(stations: ["prerouting.first", "prerouting.last"]) { autopsy in
            let packet = autopsy.order?.packets[0] ?? ByteString("")
            autopsy.sysctls["net.ipv4.ip_forward"] = "0"
            autopsy.sightings?.findings?.legacySteps = [
                .init(table: "nat", chain: "PREROUTING", rule: 1, packet: packet)
            ]
        }
        #expect(probe.killer?.text == "forwarding is off (net.ipv4.ip_forward = 0)")
    }
}
