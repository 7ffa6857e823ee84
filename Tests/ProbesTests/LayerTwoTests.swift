import HostAccess
import HostModel
import Testing
import WireFormats

@testable import Probes

@Suite struct LayerTwoTests {
    private static let bridge = ["bridge": "lxcbr1"]

    /// lxcbr1 with a healthy container's port.
    private static func healthy() -> [LayerHost.Wire] {
        [
            LayerHost.Wire(index: 2, name: "eth0"),
            LayerHost.Wire(
                index: 3, name: "lxcbr1", kind: "bridge", settings: [(5, wire(UInt32(0))), (1, wire(UInt32(1500)))]),
            LayerHost.Wire(
                index: 4, name: "vethA", kind: "veth", mac: [0xfe, 0, 0, 0, 0, 4], master: 3, peer: 2, isApart: true,
                port: [(1, [3])]),
        ]
    }

    private static func host(_ change: (inout [LayerHost.Wire]) -> Void = { _ in }) -> LayerHost {
        let host = LayerHost([
            "/sys/class/net/lxcbr1/ifindex": "3\n", "/sys/class/net/lxcbr1/addr_assign_type": "3\n",
        ])
        var links = healthy()
        change(&links)
        host.links = links
        host.addresses([])
        return host
    }

    @Test func aHealthyBridge() throws {
        let host = Self.host()
        let options = try facts(BridgeOptionsProbe(), Self.bridge, on: host)
        #expect(options["stp"] == .boolean(false))
        #expect(options["macIsSet"] == .boolean(true))
        #expect(options["macOfPort"] == .string(""))
        #expect(options["foreignQueriers"] == .strings([]))
        let ports = try facts(BridgePortsProbe(), Self.bridge, on: host)
        #expect(ports["room"] == .integer(1023))
        for name in ["down", "isolated", "leftovers"] { #expect(ports[name] == .strings([])) }
    }

    @Test func spanningTreeKeepsPortsWaiting() throws {
        let host = Self.host { links in
            links[1].settings[0].1 = wire(UInt32(1))
            links[2].port = [(1, [1])]
        }
        let (found, _, values) = try seen(BridgeOptionsProbe(), Self.bridge, on: host)
        #expect(found["stp"] == .boolean(true))
        #expect(found["forwardDelay"] == .integer(15))
        #expect(found["waiting"] == .strings(["vethA"]))
        #expect(values[0].contains("waiting: vethA"))
    }

    @Test func aQuerierBehindAPort() throws {
        var state = NetlinkAttributeBuilder(header: [])
        state.append(6, host: UInt32(4))
        let querier = state.bytes
        let host = Self.host { links in
            links[1].settings += [(23, [1]), (25, [0]), (47, querier)]
        }
        let found = try facts(BridgeOptionsProbe(), Self.bridge, on: host)
        #expect(found["snooping"] == .boolean(true))
        #expect(found["querier"] == .boolean(false))
        #expect(found["foreignQueriers"] == .strings(["vethA"]))
    }

    @Test func anAddressThatIsBorrowed() throws {
        let host = Self.host { $0[1].mac = [0xfe, 0, 0, 0, 0, 4] }
        host.files.set("/sys/class/net/lxcbr1/addr_assign_type", "1\n")
        var (found, sources, _) = try seen(BridgeOptionsProbe(), Self.bridge, on: host)
        #expect(found["macIsSet"] == .boolean(false))
        #expect(found["macOfPort"] == .string("vethA"))
        #expect(sources.last == "/sys/class/net/lxcbr1/addr_assign_type")
        // A sysfs of another namespace says nothing about this link.
        host.files.set("/sys/class/net/lxcbr1/ifindex", "9\n")
        found = try facts(BridgeOptionsProbe(), Self.bridge, on: host)
        #expect(found["macIsSet"] == nil)
    }

    @Test func portsThatCarryNothing() throws {
        let host = Self.host { links in
            links[2].flags = 0x1002
            links[2].port = [(1, [0]), (33, [1])]
            links.append(LayerHost.Wire(index: 5, name: "vethB", kind: "veth", master: 3, peer: 6, port: [(1, [3])]))
            links.append(LayerHost.Wire(index: 6, name: "lost", kind: "veth", flags: 0x1002, peer: 5))
        }
        var found = try facts(BridgePortsProbe(), Self.bridge, on: host)
        #expect(found["down"] == .strings(["vethA"]))
        #expect(found["isolated"] == .strings(["vethA"]))
        #expect(found["leftovers"] == .strings(["vethB"]))
        // Its other end is in use.
        host.addresses([(6, "192.0.2.1/24")])
        found = try facts(BridgePortsProbe(), Self.bridge, on: host)
        #expect(found["leftovers"] == .strings([]))
    }

    @Test func aFullBridge() throws {
        let host = Self.host { links in
            for index in 10..<1025 {
                links.append(
                    LayerHost.Wire(
                        index: Int32(index), name: "veth\(index)", kind: "veth", mac: [2, 0, 0, 0, 1, 1], master: 3,
                        peer: 2, isApart: true))
            }
        }
        #expect(try facts(BridgePortsProbe(), Self.bridge, on: host)["room"] == .integer(1024 - 1016))
    }

    @Test func thereIsNoBridge() {
        let host = Self.host { $0[1].kind = "" }
        #expect(throws: ObservationFailure.notApplicable("there is no bridge lxcbr1")) {
            try facts(BridgeOptionsProbe(), Self.bridge, on: host)
        }
        #expect(throws: ObservationFailure.self) { try facts(BridgePortsProbe(), Self.bridge, on: LayerHost()) }
    }

    private static func lxcNet(_ more: [String: String] = [:]) -> LayerHost {
        let host = LayerHost([
            "/etc/default/lxc": ConfigurationHosts.debianLXC, "/etc/default/lxc-net": ConfigurationHosts.makinaValues,
            "/usr/libexec/lxc/lxc-net": "distrosysconfdir=\"/etc/default\"\nip link set address $LXC_BRIDGE_MAC\n",
            "/sys/class/net/lxcbr1/ifindex": "3\n", "/sys/class/net/lxcbr1/addr_assign_type": "3\n",
        ])
        for (path, text) in more { host.files.set(path, text) }
        var links = healthy()
        links[1].mac = [0, 0x16, 0x3e, 0, 0, 0]
        host.links = links
        return host
    }

    @Test func udevGivesAnotherAddress() throws {
        let policy = "[Match]\nOriginalName=*\n\n[Link]\nNamePolicy=keep\nMACAddressPolicy=persistent\n"
        let file = "/usr/lib/systemd/network/99-default.link"
        #expect(try facts(BridgeMACProbe(), Self.bridge, on: Self.lxcNet([file: policy]))["kept"] == .boolean(true))
        let host = Self.lxcNet([file: policy])
        host.links = Self.healthy()
        var (found, sources, _) = try seen(BridgeMACProbe(), Self.bridge, on: host)
        #expect(found["kept"] == .boolean(false))
        #expect(found["policy"] == .string("persistent"))
        #expect(sources.contains("\(file):6"))
        // An earlier file is for this bridge.
        host.files.set(
            "/etc/systemd/network/10-lxc.link", "[Match]\nOriginalName=lxcbr*\n[Link]\nMACAddressPolicy=none\n")
        found = try facts(BridgeMACProbe(), Self.bridge, on: host)
        #expect(found["policy"] == .string("none"))
    }

    @Test func bridgeNetfilterAtBoot() throws {
        let host = FileTreeHost([
            "/etc/sysctl.d/90-b.conf": "# bridges\nnet.bridge.bridge-nf-call-iptables = 0\n",
            "/proc/sys/net/bridge/bridge-nf-call-iptables": "1\n",
        ])
        var (found, sources, _) = try seen(BridgeNetfilterBootProbe(), on: host)
        #expect(found["applied"] == .boolean(false))
        #expect(found["differs"] == .boolean(true))
        #expect(sources.first == "/etc/sysctl.d/90-b.conf:2")
        host.set(
            "/etc/udev/rules.d/99-b.rules",
            "ACTION==\"add\", KERNEL==\"br_netfilter\", RUN+=\"/lib/systemd/systemd-sysctl\"\n")
        #expect(try facts(BridgeNetfilterBootProbe(), on: host)["applied"] == .boolean(true))
        host.remove("/etc/udev/rules.d/99-b.rules")
        host.set("/etc/modules-load.d/b.conf", "# early\nbr_netfilter\n")
        found = try facts(BridgeNetfilterBootProbe(), on: host)
        #expect(found["module"] == .string("/etc/modules-load.d/b.conf:2"))
        #expect(throws: ObservationFailure.self) { try facts(BridgeNetfilterBootProbe(), on: FileTreeHost([:])) }
    }
}
