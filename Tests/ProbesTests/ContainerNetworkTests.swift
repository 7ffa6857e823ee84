import HostAccess
import HostModel
import WireFormats
import Testing

@testable import Probes

/// Files, links as netlink messages, and what is behind them.
private final class PortHost: Host {
    struct Veth {
        var name: String
        var namespace: Int32? = 0
        var master: UInt32?
    }

    let files: FileTreeHost
    let veths: [Veth]
    let residents: BridgeResidents
    private(set) var asksForResidents = 0

    init(_ veths: [Veth], _ residents: [Resident], unknown: [String] = [], config: String = "lxc.net.0.type = veth\n") {
        files = FileTreeHost(["/var/lib/lxc/c1/config": config])
        self.veths = veths
        self.residents = BridgeResidents(residents: residents, unknownPorts: unknown)
    }

    func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        switch request {
        case .residents:
            asksForResidents += 1
            return .residents(residents)
        case .netlink: return .messages(NetlinkMessages(veths.enumerated().map { message($1, UInt32($0 + 9)) }))
        default: return try files.answer(request)
        }
    }

    /// ifinfomsg, IFLA_IFNAME 3, IFLA_MASTER 10, IFLA_LINKINFO 18, IFLA_LINK_NETNSID 37.
    private func message(_ veth: Veth, _ index: UInt32) -> [UInt8] {
        let header: [UInt8] = [0, 0, 1, 0] + withUnsafeBytes(of: index) { Array($0) } + [1, 0, 0, 0, 0, 0, 0, 0]
        var body = NetlinkAttributeBuilder(header: header)
        body.append(3, text: veth.name)
        if let master = veth.master { body.append(10, host: master) }
        body.nest(18, marked: false) { $0.append(1, text: "veth") }
        if let namespace = veth.namespace { body.append(37, host: namespace) }
        return NetlinkMessage(type: RouteMessageType.newLink, flags: 0, payload: body.bytes).bytes
    }
}

@Suite struct ContainerNetworkTests {
    private let c1 = ["path": "", "container": "c1"]

    private func resident(_ name: String?, _ port: String) -> Resident {
        Resident(
            name: name, namespace: "/proc/9/ns/net", port: port, interface: "eth0", interfaceIndex: 2,
            hardwareAddress: nil, isUp: true, addresses: [], gateways: [], hasDefaultRoute: false)
    }

    private func unplugged(_ host: PortHost) throws -> FactValue? {
        try facts(ContainerPortsProbe(), c1, on: host)["unplugged"]
    }

    @Test func vethsInABridgeAreNotLookedInto() throws {
        let host = PortHost([.init(name: "veth1", master: 3), .init(name: "veth2", namespace: nil)], [])
        #expect(try unplugged(host) == .strings([]))
        #expect(host.asksForResidents == 0)
    }

    @Test func aLooseVethIsItsContainers() throws {
        let loose = PortHost(
            [.init(name: "veth1"), .init(name: "veth2"), .init(name: "veth3", master: 3)],
            [resident("c1", "veth1"), resident("c2", "veth2"), resident("c1", "veth3"), resident(nil, "veth2")])
        #expect(try unplugged(loose) == .strings(["veth1"]))
    }

    @Test func whatCannotBeSeenIsUnknown() {
        let host = PortHost([.init(name: "veth1")], [], unknown: ["veth1: its other end is nowhere"])
        #expect(
            throws: ObservationFailure.unknown(
                "the container at the other end of the veth veth1 could not be looked into: its other end is nowhere")
        ) {
            try unplugged(host)
        }
    }

    @Test func aRoutedVethNeedsNoBridge() {
        let host = PortHost(
            [.init(name: "veth1")], [resident("c1", "veth1")],
            config: "lxc.net.0.type = veth\nlxc.net.0.veth.mode = router\n")
        #expect(throws: ObservationFailure.notApplicable("its veth is routed, not bridged")) { try unplugged(host) }
    }

    @Test func sharedHardwareAddressesAreNamedWithTheirOwners() throws {
        let host = FileTreeHost([
            "/var/lib/lxc/a/config": "lxc.net.0.hwaddr = 00:16:3E:00:00:01\nlxc.net.1.hwaddr = 00:16:3e:xx:xx:xx\n",
            "/var/lib/lxc/b/config": "lxc.net.0.hwaddr = 00:16:3e:00:00:01\nlxc.net.1.hwaddr = 00:16:3e:xx:xx:xx\n",
            "/var/lib/lxc/c/config": "lxc.net.0.hwaddr = 00:16:3e:00:00:02\nlxc.net.0.hwaddr = 00:16:3e:00:00:02\n",
        ])
        let found = try facts(ContainerHardwareAddressesProbe(), ["path": ""], on: host)
        #expect(found["duplicates"] == .strings(["00:16:3e:00:00:01: a, b"]))
        #expect(found["count"] == .integer(2))
    }
}
