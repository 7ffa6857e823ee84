import HostAccess
import HostModel
import Testing
import WireFormats

@testable import Probes

/// What no practice host can have, because it is the machine's or because not every kernel has it: the evidence of it as
/// literals, from the bytes and files of the host to the facts of the check.
@Suite struct LiteralOnlyTests {
    /// Checks that only these tests make fail.
    static let checks = [
        "bridge.vlans", "host.neighbour-table", "host.kernel-modules", "nat.tracking-room", "path.bridged-uplink",
    ]

    private static func vlans(_ list: [(link: Int32, entries: [(flags: UInt16, vid: UInt16)])]) -> [[UInt8]] {
        list.map { link, entries in
            var header: [UInt8] = [7, 0, 1, 0]
            header.appendHost(link)
            header.appendHost(UInt32(0x1043))
            header.appendHost(UInt32(0))
            var payload = NetlinkAttributeBuilder(header: header)
            payload.nest(26, marked: false) { nest in
                for entry in entries { nest.append(2, bytes: wire(entry.flags) + wire(entry.vid)) }
            }
            return NetlinkMessage(type: 16, flags: 2, payload: payload.bytes).bytes
        }
    }

    @Test func untaggedFramesHaveNoVLAN() throws {
        let host = LayerHost()
        host.links = [
            LayerHost.Wire(index: 3, name: "lxcbr1", kind: "bridge", settings: [(7, [1])]),
            LayerHost.Wire(index: 4, name: "vethA", kind: "veth", master: 3, port: [(1, [3])]),
            LayerHost.Wire(index: 5, name: "vethB", kind: "veth", master: 3, port: [(1, [3])]),
        ]
        // BRIDGE_VLAN_INFO_PVID is 2, UNTAGGED is 4.
        host.dumps[.bridgeVLANs()] = Self.vlans([(3, [(6, 1)]), (4, [(6, 1), (0, 20)]), (5, [(0, 1)])])
        var (found, sources, values) = try seen(BridgeOptionsProbe(), ["bridge": "lxcbr1"], on: host)
        #expect(found["vlanFiltering"] == .boolean(true))
        #expect(found["withoutVlan"] == .strings(["vethB"]))
        #expect(sources.contains("rtnetlink RTM_GETLINK AF_BRIDGE"))
        #expect(values.contains("no VLAN for untagged frames at vethB"))
        host.dumps[.bridgeVLANs()] = Self.vlans([(3, []), (4, [(6, 1)]), (5, [(6, 1)])])
        found = try facts(BridgeOptionsProbe(), ["bridge": "lxcbr1"], on: host)
        #expect(found["withoutVlan"] == .strings(["lxcbr1"]))
    }

    private static let arp = """
        entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls
        000003fc 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000007
        000003fc 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000002

        """

    @Test func theTableOfNeighboursIsFull() throws {
        let host = FileTreeHost([
            "/proc/net/stat/arp_cache": Self.arp, "/proc/sys/net/ipv4/neigh/default/gc_thresh3": "1024\n",
        ])
        var (found, sources, _) = try seen(NeighbourTableProbe(), on: host)
        #expect(found["entries"] == .integer(1020))
        #expect(found["percent"] == .integer(99))
        #expect(found["overflows"] == .integer(9))
        #expect(sources == ["/proc/net/stat/arp_cache"])
        host.set("/proc/sys/net/ipv4/neigh/default/gc_thresh3", "65536\n")
        found = try facts(NeighbourTableProbe(), on: host)
        #expect(found["percent"] == .integer(1))
        // In a namespace of its own there is no such limit to be seen.
        host.remove("/proc/sys/net/ipv4/neigh")
        #expect(throws: ObservationFailure.self) { try facts(NeighbourTableProbe(), on: host) }
    }

    private static let tracked = """
        entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error
        0003f7a0  00000000 00000000 00000000 00000002 00000000 00000000 00000000 00000000 00000005 00000009 00000003 00000000
        0003f7a0  00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000000 00000002 00000001 00000000 00000000

        """

    @Test func theTableOfConnectionsIsFull() throws {
        let host = FileTreeHost([
            "/proc/sys/net/netfilter/nf_conntrack_count": "260000\n",
            "/proc/sys/net/netfilter/nf_conntrack_max": "262144\n", "/proc/net/stat/nf_conntrack": Self.tracked,
        ])
        var (found, sources, values) = try seen(ConntrackTableProbe(), on: host)
        #expect(found["percent"] == .integer(99))
        #expect(found["dropped"] == .integer(10) && found["earlyDropped"] == .integer(3))
        #expect(found["insertFailed"] == .integer(7) && found["invalid"] == .integer(3))
        #expect(sources.contains("/proc/net/stat/nf_conntrack"))
        #expect(values.contains("260000 of 262144 connections (99 %)"))
        host.set("/proc/sys/net/netfilter/nf_conntrack_max", "1048576\n")
        found = try facts(ConntrackTableProbe(), on: host)
        #expect(found["percent"] == .integer(24))
        host.remove("/proc/sys/net/netfilter")
        #expect(throws: ObservationFailure.self) { try facts(ConntrackTableProbe(), on: host) }
    }

    @Test func aNetworkCardIsAPort() throws {
        let host = LayerHost(["/sys/class/dmi/id/sys_vendor": "QEMU\n", "/sys/class/net/wlan0/phy80211": ""])
        host.links = [
            LayerHost.Wire(index: 3, name: "lxcbr1", kind: "bridge"),
            LayerHost.Wire(index: 4, name: "vethA", kind: "veth", master: 3),
            LayerHost.Wire(index: 5, name: "eth0", master: 3), LayerHost.Wire(index: 6, name: "wlan0", master: 3),
            LayerHost.Wire(index: 7, name: "eth1"),
        ]
        var (found, sources, values) = try seen(BridgedUplinkProbe(), ["bridge": "lxcbr1"], on: host)
        #expect(found["cards"] == .strings(["eth0", "wlan0"]))
        #expect(found["wireless"] == .strings(["wlan0"]))
        #expect(found["virtual"] == .boolean(true))
        #expect(sources.contains("/sys/class/net/wlan0/phy80211"))
        #expect(values.contains("eth0, wlan0 are ports of lxcbr1"))
        host.links = [
            LayerHost.Wire(index: 3, name: "lxcbr1", kind: "bridge"), LayerHost.Wire(index: 5, name: "eth0"),
        ]
        found = try facts(BridgedUplinkProbe(), ["bridge": "lxcbr1"], on: host)
        #expect(found["count"] == .integer(0))
    }

    /// `tc filter add dev lxcbr1 ingress matchall action drop`, as its options come back.
    @Test func trafficControlDrops() throws {
        func filters(action: UInt32) throws -> [TrafficControl] {
            var header: [UInt8] = [0, 0, 0, 0]
            header.appendHost(Int32(3))
            header.appendHost(UInt32(0))
            header.appendHost(TrafficControl.ingress)
            header.appendHost(UInt32(0))
            var payload = NetlinkAttributeBuilder(header: header)
            payload.append(1, text: "matchall")
            payload.nest(2, marked: false) { options in
                options.nest(2, marked: false) { actions in
                    actions.nest(1, marked: false) { one in
                        one.append(1, text: "gact")
                        one.nest(2, marked: false) { gact in
                            gact.append(2, bytes: wire(UInt32(1)) + wire(UInt32(0)) + wire(action) + wire(UInt64(1)))
                        }
                    }
                }
            }
            return try TrafficControl.all(in: [NetlinkMessage(type: 44, flags: 2, payload: payload.bytes).bytes])
        }
        #expect(try filters(action: 2).map(\.drops) == [true])
        #expect(try filters(action: 0).map(\.drops) == [false])
    }

    @Test func theKernelsModulesAreGone() throws {
        let host = LayerHost(["/proc/modules": "overlay 1 0 - Live 0x0\n", "/lib/modules/6.2.0/": ""])
        host.links = [LayerHost.Wire(index: 2, name: "eth0")]
        var (found, sources, _) = try seen(KernelModulesProbe(), on: host)
        #expect(found["hasDirectory"] == .boolean(false))
        #expect(found["otherReleases"] == .strings(["6.2.0"]))
        #expect(found["missing"] == .strings(["bridge", "veth", "NAT"]))
        #expect(sources == ["/lib/modules/6.1.0"])
        // What is in use or loaded needs no file.
        host.links = [LayerHost.Wire(index: 3, name: "lxcbr1", kind: "bridge")]
        host.files.set("/proc/modules", "veth 1 0 - Live 0x0\nnft_chain_nat 1 0 - Live 0x0\n")
        found = try facts(KernelModulesProbe(), on: host)
        #expect(found["missing"] == .strings([]))
    }

    @Test func aSlimKernel() throws {
        let host = LayerHost([
            "/proc/modules": "overlay 1 0 - Live 0x0\n",
            "/lib/modules/6.1.0/modules.builtin": "kernel/net/bridge/bridge.ko\n",
            "/lib/modules/6.1.0/kernel/drivers/net/veth.ko.zst": "",
        ])
        host.links = [LayerHost.Wire(index: 2, name: "eth0")]
        #expect(try facts(KernelModulesProbe(), on: host)["missing"] == .strings(["NAT"]))
        host.files.set("/proc/sys/kernel/modules_disabled", "1\n")
        #expect(try facts(KernelModulesProbe(), on: host)["missing"] == .strings(["veth", "NAT"]))
        // A kernel of one piece, and a host that keeps no kernels, miss nothing.
        host.files.remove("/lib/modules")
        #expect(throws: ObservationFailure.self) { try facts(KernelModulesProbe(), on: host) }
        host.files.remove("/proc/modules")
        #expect(throws: ObservationFailure.self) { try facts(KernelModulesProbe(), on: host) }
    }
}
