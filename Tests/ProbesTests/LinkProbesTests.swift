import HostAccess
import HostModel
import Testing
import WireFormats

@testable import Probes

@Suite struct LinkProbesTests {
    static let bridge: [String: FactValue] = ["name": .string("lxcbr1")]
    static let subnet: [String: FactValue] = ["network": .string("10.5.0.0/16"), "bridge": .string("lxcbr1")]
    static let way: [String: FactValue] = [
        "bridge": .string("lxcbr1"), "uplink": .string(""), "target": .string("198.51.100.7"),
    ]
    static let outside: [String: FactValue] = ["uplink": .string(""), "target": .string("198.51.100.7")]

    private func observe(
        _ probe: any Probe, _ parameters: [String: FactValue], on host: LinkHost = LinkHost()
    ) throws -> Observation {
        let observation = try probe.observe(ProbeParameters(parameters), on: host.host)
        #expect(!observation.evidence.isEmpty)
        for (name, value) in observation.facts {
            #expect(probe.specification.facts[name] == value.type, "fact \(name)")
        }
        return observation
    }

    @Test func seesTheBridge() throws {
        var host = LinkHost()
        host.interfaces.append(LinkHost.Interface(index: 4, name: "veth1", kind: "veth", master: 3))
        let facts = try observe(LinkProbe(), Self.bridge, on: host).facts
        #expect(
            facts == [
                "exists": .boolean(true), "kind": .string("bridge"), "up": .boolean(true), "carrier": .boolean(false),
                "ports": .integer(1), "mtu": .integer(1500), "mac": .string("02:00:00:00:00:03"), "index": .integer(3),
            ])
    }

    @Test func seesThatThereIsNoBridge() throws {
        var host = LinkHost()
        host.interfaces.removeLast()
        let observation = try observe(LinkProbe(), Self.bridge, on: host)
        #expect(observation.facts == ["exists": .boolean(false), "kind": .string("")])
        #expect(observation.evidence.first?.command == "ip -d link show dev lxcbr1")
        let addresses = try observe(InterfaceAddressesProbe(), Self.bridge, on: host)
        #expect(addresses.facts == ["addresses": .strings([]), "count": .integer(0)])
    }

    @Test func seesADownBridgeAndHardware() throws {
        var host = LinkHost()
        host.interfaces[2].flags = 0x1002
        #expect(try observe(LinkProbe(), Self.bridge, on: host).facts["up"] == .boolean(false))
        let hardware = try observe(LinkProbe(), ["name": .string("eth0")])
        #expect(hardware.facts["kind"] == .string("physical"))
    }

    @Test func listsAddressesInOrder() throws {
        var host = LinkHost()
        host.interfaces[2].addresses = ["10.5.0.2/24", "10.5.0.1/16"]
        let observation = try observe(InterfaceAddressesProbe(), Self.bridge, on: host)
        #expect(observation.facts["addresses"] == .strings(["10.5.0.2/24", "10.5.0.1/16"]))
        #expect(observation.facts["count"] == .integer(2))
    }

    @Test func findsTheSubnetNowhereElse() throws {
        #expect(try observe(SubnetElsewhereProbe(), Self.subnet).facts["count"] == .integer(0))
    }

    @Test(arguments: [
        ("10.5.3.4/24", 1), ("10.5.0.1/16", 1), ("10.0.0.1/8", 1), ("10.6.0.1/16", 0), ("203.0.113.9/24", 0),
    ])
    func findsOtherLinksOfTheSubnet(_ address: String, _ count: Int) throws {
        var host = LinkHost()
        host.interfaces[1].addresses.append(address)
        let facts = try observe(SubnetElsewhereProbe(), Self.subnet, on: host).facts
        #expect(facts["links"] == .strings(count == 0 ? [] : ["eth0 \(address)"]))
        #expect(facts["count"] == .integer(count))
    }

    @Test(arguments: [
        ("10.5.7.0/24", 100 as UInt8, "100"), ("10.5.0.0/16", 254, "main"), ("10.5.9.9/32", 253, "default"),
    ])
    func findsRoutesIntoTheSubnet(_ destination: String, _ table: UInt8, _ name: String) throws {
        var host = LinkHost()
        host.routes.append(LinkHost.Way(destination: destination, link: 2, table: table))
        let facts = try observe(SubnetElsewhereProbe(), Self.subnet, on: host).facts
        #expect(facts["routes"] == .strings(["\(destination) dev eth0 table \(name)"]))
        #expect(facts["links"] == .strings([]))
    }

    @Test func aRouteIsFeltWhereAContainerHasAnAddress() throws {
        var host = LinkHost()
        host.routes.append(LinkHost.Way(destination: "10.5.7.0/24", link: 2))
        host.neighbours = ["10.5.8.1"]
        host.files["/var/lib/misc/dnsmasq.lxcbr1.leases"] = "1790000000 00:16:3e:00:00:01 10.5.6.1 c1 *\n"
        #expect(try observe(SubnetElsewhereProbe(), Self.subnet, on: host).facts["felt"] == .strings([]))
        host.neighbours.append("10.5.7.22")
        #expect(try observe(SubnetElsewhereProbe(), Self.subnet, on: host).facts["felt"] == .strings(["10.5.7.22"]))
        host.files["/var/lib/misc/dnsmasq.lxcbr1.leases"]? += "1790000000 00:16:3e:00:00:02 10.5.7.9 c2 *\nduid 00\n"
        #expect(
            try observe(SubnetElsewhereProbe(), Self.subnet, on: host).facts["felt"]
                == .strings(["10.5.7.9", "10.5.7.22"]))
    }

    @Test func coveringRoutesDoNotCount() throws {
        var host = LinkHost()
        host.routes.append(LinkHost.Way(destination: "10.0.0.0/8", link: 2))
        #expect(try observe(SubnetElsewhereProbe(), Self.subnet, on: host).facts["count"] == .integer(0))
    }

    @Test func seesForwardingOn() throws {
        #expect(
            try observe(ForwardingProbe(), Self.way).facts == [
                "global": .boolean(true), "bridge": .boolean(true), "uplink": .boolean(true),
                "uplinkName": .string("eth0"), "off": .strings([]),
            ])
    }

    @Test func seesForwardingOff() throws {
        var host = LinkHost()
        host.files["/proc/sys/net/ipv4/ip_forward"] = "0\n"
        host.files["/proc/sys/net/ipv4/conf/eth0/forwarding"] = "0\n"
        let facts = try observe(ForwardingProbe(), Self.way, on: host).facts
        #expect(facts["global"] == .boolean(false))
        #expect(facts["off"] == .strings(["net.ipv4.ip_forward", "net.ipv4.conf.eth0.forwarding"]))
    }

    @Test func aMissingBridgeIsNotOff() throws {
        var host = LinkHost()
        host.files["/proc/sys/net/ipv4/conf/lxcbr1/forwarding"] = nil
        host.outside = nil
        let facts = try observe(ForwardingProbe(), Self.way, on: host).facts
        #expect(facts["bridge"] == nil && facts["uplink"] == nil)
        #expect(facts["uplinkName"] == .string("") && facts["off"] == .strings([]))
    }

    @Test func namesAnInterfaceWithADot() throws {
        var host = LinkHost()
        host.interfaces[1].name = "eth0.100"
        host.files["/proc/sys/net/ipv4/conf/eth0.100/forwarding"] = "0\n"
        let facts = try observe(ForwardingProbe(), Self.way, on: host).facts
        #expect(facts["off"] == .strings(["net.ipv4.conf.eth0/100.forwarding"]))
    }

    @Test func findsTheUplink() throws {
        #expect(
            try observe(UplinkProbe(), Self.outside).facts == [
                "found": .boolean(true), "name": .string("eth0"), "gateway": .string("203.0.113.1"),
                "source": .string("203.0.113.2"), "reason": .string(""),
            ])
    }

    @Test(arguments: [
        (nil, "there is no route to 198.51.100.7"), (6 as UInt8?, "there is no route to 198.51.100.7"),
        (2, "the route to 198.51.100.7 is of type local"),
    ])
    func saysWhyThereIsNoUplink(_ type: UInt8?, _ reason: String) throws {
        var host = LinkHost()
        host.outside = type.map {
            LinkHost.Way(destination: "198.51.100.7/32", link: $0 == 2 ? 1 : nil, type: $0)
        }
        let facts = try observe(UplinkProbe(), Self.outside, on: host).facts
        #expect(facts["found"] == .boolean(false) && facts["name"] == .string(""))
        #expect(facts["reason"] == .string(reason))
    }

    @Test(arguments: [
        ("eth0", true, "203.0.113.1", ""), ("lo", true, "", "the route to 198.51.100.7 leaves by eth0"),
        ("eth9", false, "", "there is no link eth9"),
    ])
    func takesANamedUplink(_ name: String, _ found: Bool, _ gateway: String, _ reason: String) throws {
        let facts = try observe(
            UplinkProbe(), ["uplink": .string(name), "target": .string("198.51.100.7")]
        ).facts
        #expect(facts["found"] == .boolean(found))
        #expect(facts["gateway"] == .string(gateway) && facts["reason"] == .string(reason))
    }

    /// What failed long ago says nothing of now, and one question is on its way.
    @Test(
        arguments: [
            (0x02, 0, 0, true, "REACHABLE"), (0x04, 0, 900_000, true, "STALE"), (0x01, 1, 50, true, "INCOMPLETE"),
            (0x01, 2, 150, false, "INCOMPLETE: 2 questions, no answer"), (0x20, 3, 500, false, "FAILED 5 s ago"),
            (0x20, 3, 12_000, false, "FAILED 120 s ago"), (0x20, 3, 12_100, true, "FAILED 121 s ago"),
        ] as [(UInt8, UInt32, UInt32, Bool, String)])
    func asksWhetherTheGatewayAnswers(
        _ state: UInt8, _ questions: UInt32, _ hundredths: UInt32, _ answers: Bool, _ standing: String
    ) throws {
        var host = LinkHost()
        host.gateway = (state, questions, hundredths)
        let observation = try observe(UplinkLinkProbe(), Self.outside, on: host)
        #expect(
            observation.facts == [
                "name": .string("eth0"), "up": .boolean(true), "carrier": .boolean(true),
                "gateway": .string("203.0.113.1"), "state": .string(standing), "answers": .boolean(answers),
            ])
        #expect(observation.evidence.last?.command == "ip neigh show to 203.0.113.1 dev eth0")
    }

    @Test func seesThatTheUplinkHasNoCarrier() throws {
        var host = LinkHost()
        host.interfaces[1].carrier = 0
        var facts = try observe(UplinkLinkProbe(), Self.outside, on: host).facts
        #expect(facts["carrier"] == .boolean(false) && facts["up"] == .boolean(true))
        #expect(facts["state"] == .string("") && facts["answers"] == .boolean(true))
        host.interfaces[1].carrier = 1
        host.interfaces[1].flags = 0x1002
        facts = try observe(UplinkLinkProbe(), Self.outside, on: host).facts
        #expect(facts["carrier"] == .boolean(false) && facts["up"] == .boolean(false))
        host.outside = nil
        #expect(throws: ObservationFailure.self) { try observe(UplinkLinkProbe(), Self.outside, on: host) }
    }

    @Test func readsAParameter() throws {
        let present = try observe(SysctlProbe(), ["key": .string("net.ipv4.ip_forward")])
        #expect(present.facts == ["exists": .boolean(true), "value": .string("1")])
        #expect(present.evidence.first?.command == "sysctl net.ipv4.ip_forward")
        let absent = try observe(SysctlProbe(), ["key": .string("net/ipv4/conf/eth0.100/forwarding")])
        #expect(absent.facts == ["exists": .boolean(false), "value": .string("")])
    }

    @Test func whatCannotBeReadIsUnknown() {
        var host = LinkHost()
        host.refused = [
            .netlink(.links()), .read(path: "/proc/sys/net/ipv4/ip_forward", root: nil, limit: 4_096),
        ]
        let calls: [(any Probe, [String: FactValue])] = [
            (LinkProbe(), Self.bridge), (InterfaceAddressesProbe(), Self.bridge),
            (SubnetElsewhereProbe(), Self.subnet), (ForwardingProbe(), Self.way), (UplinkProbe(), Self.outside),
            (SysctlProbe(), ["key": .string("net.ipv4.ip_forward")]),
            (SysctlProbe(), ["key": .string("net/../kernel")]), (LinkProbe(), [:]),
        ]
        for (probe, parameters) in calls {
            #expect(throws: ObservationFailure.self, "\(probe.specification.name)") {
                try probe.observe(ProbeParameters(parameters), on: host.host)
            }
        }
    }

    @Test func aGarbledDumpIsUnknown() {
        let reply = HostReply.messages(NetlinkMessages([[1, 2, 3]]))
        let host = ReplayHost([TranscriptEntry(request: .netlink(.links()), reply: reply, error: nil)])
        #expect(throws: ObservationFailure.self) {
            try LinkProbe().observe(ProbeParameters(Self.bridge), on: host)
        }
    }
}

extension FactValue {
    fileprivate var type: FactType {
        switch self {
        case .string: .string
        case .integer: .integer
        case .boolean: .boolean
        case .strings: .strings
        }
    }
}
