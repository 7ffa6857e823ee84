import FoundationEssentials
import HostModel
import Testing

@testable import WireFormats

/// Bytes/rtnetlink.txt was read in a namespace made by:
///
///     ip link add lxcbr1 type bridge stp_state 1
///     ip addr add 10.5.0.1/16 brd + dev lxcbr1; ip link set lxcbr1 up
///     ip link add v0 type veth peer name v1; ip link set v0 master lxcbr1 up; ip link set v1 up
///     ip link add up0 type veth peer name up1; ip addr add 203.0.113.2/24 dev up0; both up
///     ip route add default via 203.0.113.1
///     ip route add 10.5.7.0/24 dev up0 table 100
///     ip route add blackhole 192.0.2.0/24
///     ip route add 198.18.0.0/15 nexthop via 203.0.113.1 dev up0 nexthop via 203.0.113.5 dev up0 weight 2
///     ip rule add from 10.5.0.0/16 fwmark 0x10/0xff lookup 100 prio 500
///     ip neigh add 203.0.113.1 lladdr 02:00:00:00:00:01 dev up0 nud permanent
@Suite struct RouteTests {
    static func captured(_ kind: String) throws -> [[UInt8]] {
        let path = String(#filePath.dropLast("RouteTests.swift".count)) + "Bytes/rtnetlink.txt"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let lines = text.split(separator: "\n").filter { $0.hasPrefix(kind + " ") }
        return try lines.map { line in
            let digits = Array(line.dropFirst(kind.count + 1).utf8)
            return try stride(from: 0, to: digits.count, by: 2).map { position in
                try #require(UInt8(String(decoding: digits[position..<position + 2], as: UTF8.self), radix: 16))
            }
        }
    }

    @Test func readsLinks() throws {
        let links = try Link.all(in: try Self.captured("link"))
        #expect(links.map(\.name) == ["lo", "lxcbr1", "v1", "v0", "up1", "up0"])
        #expect(links.map(\.kind) == ["", "bridge", "veth", "veth", "veth", "veth"])
        #expect(links.map(\.isLoopback) == [true, false, false, false, false, false])
        let bridge = links[1]
        #expect(bridge.index == 2 && bridge.mtu == 1500 && bridge.mac?.description == "42:f2:90:b4:2a:93")
        #expect(bridge.isUp && bridge.carrier == false && bridge.operationalState == .down)
        #expect(bridge.bridge?.spanningTree == true)
        #expect(bridge.bridge?.vlanFiltering == false)
        #expect(links[3].master == 2 && links[3].slaveKind == "bridge" && links[3].lower == 3)
        #expect(links[2].master == nil && links[2].isRunning && !links.contains { $0.hasXDP })
    }

    @Test func readsAddresses() throws {
        let addresses = try InterfaceAddress.all(in: try Self.captured("addr"))
        #expect(addresses.map(\.address.description) == ["127.0.0.1/8", "10.5.0.1/16", "203.0.113.2/24"])
        #expect(addresses.map(\.link) == [1, 2, 6])
        #expect(addresses[1].broadcast?.description == "10.5.255.255" && addresses[1].label == "lxcbr1")
        #expect(addresses.map(\.scope) == [254, 0, 0])
        #expect(addresses.allSatisfy { $0.peer == nil })
    }

    @Test func readsRoutes() throws {
        let routes = try Route.all(in: try Self.captured("route"))
        func route(_ destination: String, _ table: UInt32) throws -> Route {
            try #require(routes.first { $0.destination.description == destination && $0.table == table })
        }
        let byDefault = try route("0.0.0.0/0", 254)
        #expect(byDefault.gateway?.description == "203.0.113.1" && byDefault.links == [6])
        #expect(try route("10.5.7.0/24", 100).link == 6)
        #expect(try route("10.5.0.0/16", 254).preferredSource?.description == "10.5.0.1")
        let hole = try route("192.0.2.0/24", 254)
        #expect(hole.kind == .blackhole && hole.links.isEmpty)
        let both = try route("198.18.0.0/15", 254)
        #expect(both.nextHops.map { $0.gateway?.description } == ["203.0.113.1", "203.0.113.5"])
        #expect(both.links == [6, 6] && !both.nextHops.contains { $0.isDead })
        #expect(try route("10.5.0.1/32", 255).kind == .local)
    }

    @Test func readsTheVLANOfUntaggedFrames() throws {
        var builder = NetlinkAttributeBuilder(header: [7, 0, 0, 0, 9, 0, 0, 0] + [UInt8](repeating: 0, count: 8))
        builder.nest(26) { specific in  // IFLA_AF_SPEC
            // IFLA_BRIDGE_VLAN_INFO; BRIDGE_VLAN_INFO_PVID is 2, BRIDGE_VLAN_INFO_UNTAGGED is 4.
            for (flags, number) in [(UInt16(4), UInt16(20)), (6, 300)] {
                var info: [UInt8] = []
                info.appendHost(flags)
                info.appendHost(number)
                specific.append(2, bytes: info)
            }
        }
        let message = NetlinkMessage(type: 16, flags: 0, payload: builder.bytes)
        let vlans = try BridgeVLANs.all(in: [message.bytes])
        #expect(vlans.map(\.link) == [9] && vlans.map(\.untagged) == [300])
    }

    @Test func readsTheAnswerToALookup() throws {
        let route = try #require(try Route.all(in: try Self.captured("get")).first)
        #expect(route.destination.description == "198.51.100.7/32" && route.link == 6)
        #expect(route.gateway?.description == "203.0.113.1" && route.preferredSource?.description == "203.0.113.2")
        #expect(route.kind == .unicast)
    }

    @Test func readsRules() throws {
        let rules = try RouteRule.all(in: try Self.captured("rule"))
        #expect(rules.map(\.priority) == [0, 500, 32766, 32767])
        #expect(rules.map(\.table) == [255, 100, 254, 253])
        #expect(rules.allSatisfy { $0.action == 1 && !$0.hasOtherMatch && !$0.isInverted })
        let ours = rules[1]
        #expect(ours.source?.description == "10.5.0.0/16" && ours.mark == 0x10 && ours.markMask == 0xff)
    }

    @Test func readsNeighbours() throws {
        let neighbours = try Neighbour.all(in: try Self.captured("neigh"))
        let entry = try #require(neighbours.first { $0.address?.description == "203.0.113.1" })
        #expect(entry.mac?.description == "02:00:00:00:00:01" && entry.state == 0x80 && entry.link == 6)
    }

    /// Whatever is cut off or wrong is an error or another value, never a trap.
    @Test(arguments: ["link", "addr", "route", "rule", "neigh", "get"])
    func survivesEveryPrefixAndEveryWrongByte(_ kind: String) throws {
        for message in try Self.captured(kind) {
            for length in 0..<message.count {
                var prefix = Array(message[..<length])
                #expect(throws: WireError.self) { try decode(kind, prefix) }
                // The same with a header that claims the shorter length.
                guard length >= 4 else { continue }
                prefix[0] = UInt8(length & 0xff)
                prefix[1] = UInt8(length >> 8)
                ignoringErrors { () throws(WireError) in try decode(kind, prefix) }
            }
            for position in 16..<message.count {
                for value in [0, 1, 3, 0x7f, 0xff] as [UInt8] {
                    var wrong = message
                    wrong[position] = value
                    ignoringErrors { () throws(WireError) in try decode(kind, wrong) }
                }
            }
        }
    }

    private func ignoringErrors(_ body: () throws(WireError) -> Void) {
        do {
            try body()
        } catch {
            #expect(!error.description.isEmpty)
        }
    }

    private func decode(_ kind: String, _ bytes: [UInt8]) throws(WireError) {
        switch kind {
        case "link": _ = try Link.all(in: [bytes])
        case "addr": _ = try InterfaceAddress.all(in: [bytes])
        case "rule": _ = try RouteRule.all(in: [bytes])
        case "neigh": _ = try Neighbour.all(in: [bytes])
        default: _ = try Route.all(in: [bytes])
        }
    }

    @Test func asksForOneLink() {
        #expect(
            RouteRequest.link(name: "lxcbr1").payload == [
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // ifinfomsg
                8, 0, 29, 0, 8, 0, 0, 0,  // IFLA_EXT_MASK RTEXT_FILTER_SKIP_STATS
                11, 0, 3, 0, 0x6c, 0x78, 0x63, 0x62, 0x72, 0x31, 0, 0,  // IFLA_IFNAME "lxcbr1"
            ])
    }

    @Test func asksForARoute() {
        let request = RouteRequest.lookup(
            destination: IPv4Address(value: 0xc633_6407), from: IPv4Address(value: 0x0a05_0009),
            inputInterface: 2, mark: 16)
        #expect(
            request.payload == [
                2, 32, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // rtmsg: AF_INET, /32 from /32
                8, 0, 1, 0, 198, 51, 100, 7,  // RTA_DST
                8, 0, 2, 0, 10, 5, 0, 9,  // RTA_SRC
                8, 0, 3, 0, 2, 0, 0, 0,  // RTA_IIF
                8, 0, 16, 0, 16, 0, 0, 0,  // RTA_MARK
            ])
    }

    @Test func addsAnAddress() throws {
        let change = RouteChange.addAddress(HeldAddress(try #require(IPv4Prefix("10.5.0.1/16"))), link: 2)
        #expect(
            change.payload == [
                2, 16, 0, 0, 2, 0, 0, 0,  // ifaddrmsg: AF_INET /16, scope global, index 2
                8, 0, 2, 0, 10, 5, 0, 1,  // IFA_LOCAL
                8, 0, 1, 0, 10, 5, 0, 1,  // IFA_ADDRESS
                8, 0, 4, 0, 10, 5, 255, 255,  // IFA_BROADCAST
            ])
        #expect(
            RouteChange.addAddress(HeldAddress(try #require(IPv4Prefix("10.5.0.1/32"))), link: 2).payload.count == 24)
        var odd = HeldAddress(try #require(IPv4Prefix("10.5.0.2/8")), broadcast: IPv4Address(value: 0x00ff_ffff))
        odd.scope = 253
        odd.label = "br0:x"
        odd.flags = 0x200
        odd.metric = 7
        #expect(
            RouteChange.addAddress(odd, link: 2).payload == [
                2, 8, 0, 253, 2, 0, 0, 0,  // ifaddrmsg: AF_INET /8, scope link, index 2
                8, 0, 2, 0, 10, 5, 0, 2,  // IFA_LOCAL
                8, 0, 1, 0, 10, 5, 0, 2,  // IFA_ADDRESS
                8, 0, 4, 0, 0, 255, 255, 255,  // IFA_BROADCAST
                10, 0, 3, 0, 0x62, 0x72, 0x30, 0x3a, 0x78, 0, 0, 0,  // IFA_LABEL: br0:x
                8, 0, 8, 0, 0, 2, 0, 0,  // IFA_FLAGS: IFA_F_NOPREFIXROUTE
                8, 0, 9, 0, 7, 0, 0, 0,  // IFA_RT_PRIORITY
            ])
        // What is read of the kernel's answer is what is sent to it again.
        let answer = NetlinkMessage(
            type: RouteMessageType.newAddress, flags: 0, payload: RouteChange.addAddress(odd, link: 2).payload)
        let entry = try #require(try InterfaceAddress.all(in: [answer.bytes]).first)
        #expect(HeldAddress(entry, of: "br0") == odd)
        #expect(HeldAddress(entry, of: "br0:x").label == nil)
    }

    @Test func aLinkGetsAMasterAndAHardwareAddress() throws {
        let header: [UInt8] = [0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]  // ifinfomsg: index 7, no flags changed
        #expect(RouteChange.setMaster(index: 7, master: 3).payload == header + [8, 0, 10, 0, 3, 0, 0, 0])
        #expect(RouteChange.setMaster(index: 7, master: 0).payload == header + [8, 0, 10, 0, 0, 0, 0, 0])
        let address = try #require(MACAddress("00:16:3e:01:02:03"))
        #expect(
            RouteChange.setHardwareAddress(address, index: 7).payload
                == header + [10, 0, 1, 0, 0, 0x16, 0x3e, 1, 2, 3, 0, 0])
    }
}
