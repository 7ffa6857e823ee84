import HostAccess
import HostModel
import Testing
import WireFormats

@testable import PacketProof

struct ProofPlanTests {
    static let ground = ProofGround(
        capabilities: ["net_admin", "net_raw", "sys_admin"],
        bridge: .init(isBridge: true, isUp: true, mtu: 1400, ports: [], foreignPorts: []),
        addresses: [
            .init(link: "lxcbr1", address: IPPrefix(prefix(0x0a05_0001, 16))),
            .init(link: "up0", address: IPPrefix(prefix(0xcb00_7102, 24))),
        ], takenAddresses: [], route: .init(uplink: "up0", gateway: nil, preferredSource: nil), routeError: nil)

    static func prefix(_ value: UInt32, _ length: Int) -> IPv4Prefix {
        guard let prefix = IPv4Prefix(address: IPv4Address(value: value), length: length) else {
            preconditionFailure("a length of 0…32")
        }
        return prefix
    }

    static func network(_ address: String, range: [String] = []) throws -> ProofNetwork {
        ProofNetwork(
            Network(
                name: "n", bridge: "lxcbr1", address: try #require(IPv4Prefix(address)),
                dhcpRange: range.compactMap { IPv4Address($0) }))
    }

    @Test("Addresses lie at both ends, never on what is in use", arguments: [0, 1, 7, 199, 255] as [UInt8])
    func addresses(chance: UInt8) throws {
        let network = try Self.network("10.5.0.1/16")
        let taken = Set((2...40).compactMap { IPAddress("10.5.0.\($0)") })
        let chosen = ProofPlan.addresses(of: network, taken: taken, chance: chance)
        try #require(chosen.count == 2)
        #expect(chosen[0].description.hasPrefix("10.5.0.") && chosen[1].description.hasPrefix("10.5.255."))
        for address in chosen {
            #expect(!taken.contains(address) && address != network.address.address)
            #expect(address != network.cidr.first && address != network.cidr.last)
        }
    }

    @Test(
        "Small subnets",
        arguments: [
            ("10.0.0.1/30", [], ["10.0.0.2"]), ("10.0.0.1/30", ["10.0.0.2"], []), ("10.0.0.1/31", [], []),
            ("10.0.0.1/32", [], []), ("10.0.0.6/29", ["10.0.0.1", "10.0.0.2", "10.0.0.4"], ["10.0.0.3", "10.0.0.5"]),
        ] as [(String, [String], [String])])
    func small(_ address: String, _ taken: [String], _ wanted: [String]) throws {
        let chosen = ProofPlan.addresses(
            of: try Self.network(address), taken: Set(taken.compactMap { IPAddress($0) }), chance: 0)
        #expect(chosen.map(\.description).sorted() == wanted)
    }

    @Test("A DHCP range is avoided where there is another address at that end")
    func leases() throws {
        let avoided = ProofPlan.addresses(
            of: try Self.network("10.0.3.1/24", range: ["10.0.3.2", "10.0.3.250"]), taken: [], chance: 9)
        try #require(avoided.count == 2)
        #expect(avoided[0].octets[3] < 128 && avoided[1].octets[3] > 250)
        let makina = ProofPlan.addresses(
            of: try Self.network("10.5.0.1/16", range: ["10.5.0.42", "10.5.255.253"]), taken: [], chance: 9)
        #expect(makina.first.map { $0.octets[2] == 0 && $0.octets[3] < 42 } == true)
        #expect(makina.last?.description == "10.5.255.254")
        let unavoidable = ProofPlan.addresses(
            of: try Self.network("10.0.3.1/24", range: ["10.0.3.2", "10.0.3.254"]), taken: [], chance: 9)
        #expect(unavoidable.count == 2)
    }

    @Test("Each probe is a packet of its own with right checksums")
    func order() throws {
        let network = try Self.network("10.5.0.1/16")
        let addresses = ["10.5.0.9", "10.5.255.9"].compactMap { IPAddress($0) }
        // The last two make the identification pass zero.
        let chance: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xff, 0xff, 0xfd]
        let order = ProofPlan.order(
            network: network, ground: Self.ground, mode: .wire, from: addresses, chance: chance)
        #expect(order.mtu == 1400 && order.uplink == "up0" && order.probesAddresses)
        let packets = try order.packets.map { try #require(IPPacket($0.bytes[...])) }
        #expect(packets.map(\.protocolNumber) == [17, 6, 1, 17, 6, 1])
        #expect(Set(packets.map(\.identification)).count == 6 && !packets.map(\.identification).contains(0))
        #expect(packets.allSatisfy { $0.timeToLive == 2 && $0.destination == network.target })
        for (index, packet) in packets.enumerated() {
            let marks = order.packets.compactMap { ProbeMark(packet: $0.bytes, nonce: order.nonce.bytes) }
            #expect(marks.map { $0.matches(packet) } == (0..<6).map { $0 == index })
            #expect(Self.checksum(packet) == 0)
        }
    }

    private static func checksum(_ packet: IPPacket) -> UInt16 {
        guard packet.protocolNumber != 1 else {
            var sum = InternetChecksum()
            sum.add(packet.payload)
            return sum.value
        }
        return InternetChecksum.ofSegment(
            Array(packet.payload), protocolNumber: packet.protocolNumber, source: packet.source.octets,
            destination: packet.destination.octets)
    }
}
