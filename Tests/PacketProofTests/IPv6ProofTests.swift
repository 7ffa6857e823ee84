import Foundation
import HostAccess
import HostModel
import Testing
import WireFormats

@testable import PacketProof

/// The proof of the IPv6 half of a network, from literals.
struct IPv6ProofTests {
    private static func network(_ address: String = "fd42:5::1/64", nat: TranslationMode? = nil) -> Network {
        var network = NetworkProofTests.network
        network.ipv6 = address
        network.ipv6NAT = nat
        return network
    }

    private static func subject(_ address: String = "fd42:5::1/64") throws -> ProofNetwork {
        try #require(ProofNetwork(ipv6: network(address)))
    }

    private static func ground() throws -> ProofGround {
        var ground = ProofPlanTests.ground
        ground.addresses = [
            .init(link: "lxcbr1", address: try #require(IPPrefix("fd42:5::1/64"))),
            .init(link: "up0", address: try #require(IPPrefix("2001:db8:ff::2/64"))),
            .init(link: "up0", address: try #require(IPPrefix("fe80::2/64"))),
        ]
        return ground
    }

    @Test(
        "What is proved of a network",
        arguments: [
            ("fd42:5::1/64", nil, TranslationMode.masquerade, true), ("2001:db8:5::1/64", nil, .routed, true),
            ("2001:db8:5::1/64", .masquerade, .masquerade, true), ("fd42:5::1/64", TranslationMode.none, .none, false),
        ] as [(String, TranslationMode?, TranslationMode, Bool)])
    func subject(_ address: String, _ asked: TranslationMode?, _ nat: TranslationMode, _ isProved: Bool) throws {
        let subject = try #require(ProofNetwork(ipv6: Self.network(address, nat: asked)))
        #expect(subject.nat == nat && subject.isProved == isProved && subject.family == .ipv6)
        #expect(subject.target == .v6(Network.defaultIPv6Target))
        #expect(ProofNetwork(ipv6: NetworkProofTests.network) == nil)
    }

    @Test("Addresses lie at both ends, below the anycast addresses of RFC 2526", arguments: [0, 7, 255] as [UInt8])
    func addresses(chance: UInt8) throws {
        let network = try Self.subject()
        let taken = Set((2...40).compactMap { IPAddress("fd42:5::\(String($0, radix: 16))") })
        let chosen = ProofPlan.addresses(of: network, taken: taken, chance: chance)
        try #require(chosen.count == 2)
        #expect(chosen.allSatisfy { network.cidr.contains($0) && !taken.contains($0) })
        #expect(
            chosen[0].number - network.cidr.first.number < 0x1000 && chosen[0].number > network.address.address.number)
        let fromTop = network.cidr.last.number - chosen[1].number
        #expect((128..<4096).contains(fromTop))
        #expect(ProofPlan.addresses(of: try Self.subject("fd42::1/127"), taken: [], chance: chance).isEmpty)
    }

    private static func order(_ network: ProofNetwork, mode: ProofMode = .fence) throws -> ProbeOrder {
        let from = [2, 3].map { IPAddress(.ipv6, number: network.cidr.first.number + $0) }
        // The last two make the identification pass zero.
        return ProofPlan.order(
            network: network, ground: try ground(), mode: mode, from: from,
            chance: [1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xff, 0xff, 0xfd])
    }

    @Test("Each probe is a packet of its own with right checksums", arguments: [ProofMode.fence, .wire])
    func order(_ mode: ProofMode) throws {
        let network = try Self.subject()
        let order = try Self.order(network, mode: mode)
        #expect(order.family == .ipv6 && order.local == nil)
        let packets = try order.packets.map { try #require(IPPacket($0.bytes[...])) }
        #expect(packets.map(\.protocolNumber) == [17, 6, 58, 17, 6, 58])
        #expect(Set(packets.map(\.identification)).count == 6 && !packets.map(\.identification).contains(0))
        for packet in packets {
            #expect(packet.timeToLive == 2 && packet.destination == network.target)
            let sum = InternetChecksum.ofSegment(
                Array(packet.payload), protocolNumber: packet.protocolNumber, source: packet.source.octets,
                destination: packet.destination.octets)
            #expect(sum == 0)
        }
    }

    /// The first probe of an order, seen on the bridge and then as it is told.
    private func judge(
        _ network: Network, leavingAs source: String?, by hook: String = "postrouting", stations: [String] = [],
        ground: ProofGround? = nil, quoting: (type: UInt8, code: UInt8)? = nil
    ) throws -> ProofProbe {
        let ground = try ground ?? Self.ground()
        var order = try Self.order(try #require(ProofNetwork(ipv6: network)))
        order.packets = Array(order.packets.prefix(1))
        let sent = try #require(IPPacket(order.packets[0].bytes[...]))
        var seen = ["p", "lxcbr1"].map {
            Sighting(interface: $0, direction: .received, microseconds: 1, packet: order.packets[0])
        }
        seen += stations.map {
            Sighting(
                interface: "lxcbr1", direction: .passed, microseconds: 2, packet: order.packets[0], hook: $0,
                family: "ip6")
        }
        if let source {
            var left = sent
            left.source = try #require(IPAddress(source))
            seen.append(
                Sighting(
                    interface: "up0", direction: .fenced, microseconds: 3, packet: ByteString(left.encoded), hook: hook,
                    family: "ip6"))
        }
        if let quoting {
            let gateway = try #require(IPAddress("fd42:5::1"))
            let error = Segment.icmpv6(
                type: quoting.type, rest: [0, 0, 0, 0] + order.packets[0].bytes, from: gateway.octets,
                to: sent.source.octets)
            var packet = IPPacket(
                source: gateway, destination: sent.source, identification: 0, timeToLive: 64, protocolNumber: 58,
                payload: error)
            packet.payload[packet.payload.startIndex + 1] = quoting.code
            seen.append(
                Sighting(
                    interface: "container", direction: .returned, microseconds: 4, packet: ByteString(packet.encoded)))
        }
        let result = ProbeSightings(sightings: seen, port: "p", captureDrops: 0)
        let probes = NetworkProof.evaluate(
            ProofTranscript(
                mode: .fence, network: network, family: .ipv6, ground: ground, order: order, sightings: result))
        return try #require(probes.first)
    }

    @Test(
        "A fenced probe",
        arguments: [
            ("fd42:5::1/64", "2001:db8:ff::2", ProofVerdict.masqueraded), ("fd42:5::1/64", "fd42:5::2", .leaked),
            ("fd42:5::1/64", "fd42:5::1", .wrongSource), ("fd42:5::1/64", "fe80::2", .wrongSource),
            ("fd42:5::1/64", "2001:db8:77::1", .wrongSource),
            // The profile wants it routed.
            ("2001:db8:5::1/64", "2001:db8:5::2", .routed), ("2001:db8:5::1/64", "2001:db8:ff::2", .masqueraded),
            ("2001:db8:5::1/64", "2001:db8:77::1", .wrongSource),
        ])
    func fenced(_ address: String, _ source: String, _ wanted: ProofVerdict) throws {
        let probe = try judge(Self.network(address), leavingAs: source)
        #expect(probe.verdict == wanted, "\(probe)")
        #expect(probe.sourceAfter == source && probe.uplink == "up0" && probe.family == .ipv6)
        #expect(probe.from.hasPrefix("[") && probe.to == "[2001:db8:c633:6407::7]:33434")
        #expect(!probe.path.contains { $0.hook == "uplink" && $0.reached })
    }

    @Test func oneThatComesToTheHostItselfIsRedirected() throws {
        let probe = try judge(Self.network(), leavingAs: "fd42:5::2", by: "input")
        #expect(probe.verdict == .redirected, "\(probe)")
    }

    @Test(
        "Where it was lost, by the stations of its own family and by what the container was told",
        arguments: [
            (
                ["prerouting.first", "prerouting.last"], UInt8(1), UInt8(0), "at the routing decision",
                "network unreachable"
            ),
            (["prerouting.last", "forward.first"], 1, 1, "in FORWARD", "administratively prohibited"),
            (["prerouting.last", "forward.first"], 1, 5, "in FORWARD", "administratively prohibited"),
            (["prerouting.last"], 2, 0, "at the routing decision", "packet too big"),
        ])
    func lost(_ stations: [String], _ type: UInt8, _ code: UInt8, _ place: String, _ words: String) throws {
        let probe = try judge(Self.network(), leavingAs: nil, stations: stations, quoting: (type, code))
        #expect(probe.verdict == .dropped)
        #expect(probe.reason?.contains(place) == true && probe.reason?.contains(words) == true, "\(probe)")
    }

    /// A host that notes what it is asked to send.
    private func transcripts(_ aim: ProofAim, _ network: Network) -> [ProofTranscript] {
        NetworkProof(mode: .fence, networks: [network], aim: aim).transcripts(on: NetworkProofTests.Stage())
    }

    @Test func bothFamiliesAreProvedUnlessOneIsAskedFor() throws {
        let network = Self.network()
        #expect(transcripts(ProofAim(), network).map(\.family) == [nil, .ipv6])
        #expect(transcripts(ProofAim(target: IPAddress("192.0.2.1")), network).map(\.family) == [nil])
        let aimed = transcripts(ProofAim(target: IPAddress("2001:db8::1")), network)
        #expect(aimed.map(\.family) == [.ipv6] && aimed.map(\.subject.target.description) == ["2001:db8::1"])
        #expect(transcripts(ProofAim(container: "c1"), network).map(\.family) == [nil])
        #expect(transcripts(ProofAim(), NetworkProofTests.network).map(\.family) == [nil])
        // IPv4 is not translated here, IPv6 is.
        var routed = network
        routed.nat = .routed
        #expect(transcripts(ProofAim(), routed).map(\.family) == [.ipv6])
    }

    /// What could not be done says of which family it speaks.
    @Test func anUnknownVerdictNamesThePrefix() throws {
        let probes = NetworkProof.evaluate(
            ProofTranscript(mode: .fence, network: Self.network(), family: .ipv6, failure: "the kernel has no IPv6"))
        #expect(probes.count == 3 && probes.allSatisfy { $0.verdict == .unknown && $0.family == .ipv6 })
        #expect(probes.allSatisfy { $0.from == "fd42:5::/64" && $0.reason == "the kernel has no IPv6" })
    }

    @Test func aRecordingFromBeforeIsOfIPv4() throws {
        let transcript = ProofTranscript(mode: .fence, network: Self.network(), ground: ProofPlanTests.ground)
        let data = try JSONEncoder().encode(transcript)
        #expect(!String(decoding: data, as: UTF8.self).contains("\"family\""))
        let read = try JSONDecoder().decode(ProofTranscript.self, from: data)
        #expect(read == transcript && read.subject.family == .ipv4)
    }
}
