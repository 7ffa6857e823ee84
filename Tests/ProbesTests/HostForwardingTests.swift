import HostAccess
import HostModel
import PacketFilter
import Testing
import WireFormats

@testable import Probes

/// What decides, beside the rules, where packets go, as it is read from a host.
@Suite struct HostForwardingTests {
    /// A host of literals: what is not given is not there.
    final class LiteralHost: Host {
        var links: [[UInt8]] = []
        var answers: [KernelQuery: [[UInt8]]] = [:]
        var files: [String: String] = [:]
        /// Nil: they may not be asked for.
        var programs: [String]? = []
        /// With ` ->`: a link to another.
        var program: String?

        func answer(_ request: HostRequest) throws(HostError) -> HostReply {
            switch request {
            case .netlink(.links()): return .messages(NetlinkMessages(links))
            case .netlink(let query): return .messages(NetlinkMessages(answers[query] ?? []))
            case .read(let path, _, _):
                guard let text = files[path] else { break }
                return .bytes(ByteString(text))
            case .status(let path, _, _):
                guard let program, program.hasPrefix(path), !program.dropFirst(path.count).hasPrefix("-") else { break }
                return .status(
                    FileStatus(kind: program.hasSuffix("->") ? .link : .file, mode: 0o755, owner: 0, group: 0, size: 1))
            case .packetProgramsOf:
                guard let programs else {
                    throw HostError(.notPermitted, operation: "test", message: "not permitted", errno: 1)
                }
                return .names(programs)
            case .identity:
                return .identity(
                    HostIdentity(
                        hostname: "h", kernel: "6.1.0", effectiveUser: 0, capabilities: [],
                        inInitialNetworkNamespace: true, isPracticeHost: false))
            default: break
            }
            throw HostError(.notFound, operation: "test", message: "not on this host")
        }

        func forwarding(_ ruleset: Ruleset = Ruleset()) throws -> HostForwarding {
            try HostForwardingState(host: self).forwarding(ruleset)
        }
    }

    /// RTM_NEWLINK, with IFLA_INFO_DATA of these attributes of one byte each.
    static func link(
        _ index: Int32, _ name: String, kind: String, master: UInt32? = nil, options: [(UInt16, UInt8)] = []
    ) -> [UInt8] {
        var header: [UInt8] = [0, 0, 1, 0]
        header.appendHost(index)
        header.appendHost(UInt32(0x1043))
        header.appendHost(UInt32(0))
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(3, text: name)
        if let master { payload.append(10, host: master) }
        payload.nest(18, marked: false) { information in
            information.append(1, text: kind)
            information.nest(2, marked: false) { data in
                for (type, value) in options { data.append(type, bytes: [value]) }
            }
        }
        return NetlinkMessage(type: 16, flags: 2, payload: payload.bytes).bytes
    }

    /// IFLA_BR_NF_CALL_IPTABLES is 36; one further counts for IPv6 alone.
    @Test(
        arguments: [
            ("1\n", nil, true), ("0\n", nil, false), ("0\n", (36, 1), true), ("0\n", (36, 0), false),
            ("0\n", (37, 1), false), ("1\n", (36, 0), true), (nil, (36, 1), false), (nil, nil, false),
        ] as [(String?, (UInt16, UInt8)?, Bool)])
    func whoseBridgedPacketsTheRulesSee(sysctl: String?, option: (UInt16, UInt8)?, isShown: Bool) throws {
        let host = LiteralHost()
        host.links = [
            Self.link(3, "lxcbr1", kind: "bridge", options: option.map { [$0] } ?? []),
            Self.link(4, "br9", kind: "bridge"),
        ]
        // Without br_netfilter there is no such file, and a bridge's option does nothing.
        host.files["/proc/sys/net/bridge/bridge-nf-call-iptables"] = sysctl
        let forwarding = try host.forwarding()
        let bridge = try #require(forwarding.link("lxcbr1"))
        #expect(forwarding.bridgeNetfilter(of: bridge) == isShown)
        // What one bridge has set is nothing to another.
        #expect(forwarding.bridgeNetfilter(of: try #require(forwarding.link("br9"))) == (sysctl == "1\n"))
        let netfilter = try BridgeNetfilter(on: host)
        #expect(netfilter.shows(try #require(try NetworkState(host: host).links().named("lxcbr1"))) == isShown)
    }

    // MARK: Routes of a type of service

    private static func route(_ destination: String, link: UInt32, typeOfService: UInt8 = 0) throws -> [UInt8] {
        let prefix = try #require(IPv4Prefix(destination))
        // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags.
        var header: [UInt8] = [2, UInt8(prefix.length), 0, typeOfService, 254, 4, 0, 1]
        header.appendHost(UInt32(0))
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(1, address: prefix.address)
        payload.append(4, host: link)
        return NetlinkMessage(type: 24, flags: 2, payload: payload.bytes).bytes
    }

    /// `ip route add default tos 0x10 dev up1`: which packets take it is not modelled, so nothing is certain of any.
    @Test(arguments: [0, 0x10] as [UInt8]) func aRouteOfATypeOfServiceIsNoOrdinaryOne(typeOfService: UInt8) throws {
        let host = LiteralHost()
        host.links = [
            Self.link(2, "up0", kind: "veth"), Self.link(3, "lxcbr1", kind: "bridge"),
            Self.link(5, "up1", kind: "veth"),
        ]
        host.answers[.routes()] = [
            try Self.route("0.0.0.0/0", link: 2),
            try Self.route("198.51.100.0/24", link: 5, typeOfService: typeOfService),
        ]
        for path in ["lxcbr1", "all", "up0", "up1"] { host.files["/proc/sys/net/ipv4/conf/\(path)/forwarding"] = "1\n" }
        let forwarding = try host.forwarding()
        #expect(forwarding.routes.map { $0.tos ?? 0 } == [0, typeOfService])
        let walk = PacketWalk(ruleset: Ruleset(), host: forwarding)
        let result = walk.walk(try SamplePacket(text: "udp 10.5.0.9:1 > 198.51.100.7:1 iif lxcbr1"))
        if typeOfService == 0 {
            #expect(result.verdict == .accepted && result.uplink == "up1")
        } else {
            #expect(result.verdict == .undecided || result.uplink == nil, "\(result)")
        }
        // Where such a route does not lead, everything is as it was.
        let other = walk.walk(try SamplePacket(text: "udp 10.5.0.9:1 > 192.0.2.7:1 iif lxcbr1"))
        #expect(other.verdict == .accepted && other.uplink == "up0")
    }

    // MARK: Outside the model

    @Test func nothingIsOutsideTheModelOfAPlainHost() throws {
        let host = LiteralHost()
        host.links = [Self.link(3, "lxcbr1", kind: "bridge"), Self.link(4, "up0", kind: "veth")]
        #expect(try host.forwarding().outsideModel == [])
    }

    @Test func programsThatNoRuleTellsOf() throws {
        let host = LiteralHost()
        host.links = [Self.link(3, "lxcbr1", kind: "bridge")]
        host.programs = [
            "tcx egress 3", "netfilter ip FORWARD at priority 5 (program 7)",
            "netfilter ip6 FORWARD at priority 5 (program 8)", "netfilter ip OUTPUT at priority 5 (program 9)",
        ]
        #expect(
            try host.forwarding().outsideModel == [
                "a BPF program of tcx egress on lxcbr1",
                "a BPF program of netfilter ip FORWARD at priority 5 (program 7), here or in another network namespace",
            ])
        host.programs = nil
        #expect(try host.forwarding().outsideModel == ["BPF programs, which may not be asked for here"])
    }

    /// A recording from before that was asked is still read.
    @Test func olderRecordings() throws {
        let host = LiteralHost()
        host.links = [Self.link(3, "lxcbr1", kind: "bridge")]
        let recording = RecordingHost(host)
        _ = try HostForwardingState(host: recording).forwarding(Ruleset())
        let old = recording.transcript.filter { entry in
            if case .packetProgramsOf = entry.request { return false }
            return entry.request != .identity
        }
        #expect(old.count < recording.transcript.count)
        #expect(try HostForwardingState(host: ReplayHost(old)).forwarding(Ruleset()).outsideModel == [])
    }

    private static func traffic(
        _ type: UInt16, link: Int32, handle: UInt32, parent: UInt32, kind: String, attributes: [UInt16] = []
    ) -> [UInt8] {
        var header: [UInt8] = [0, 0, 0, 0]
        header.appendHost(link)
        for number in [handle, parent, 0] { header.appendHost(number) }
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(1, text: kind)
        payload.nest(2, marked: false) { options in
            for attribute in attributes { options.append(attribute, bytes: [0, 0, 0, 0]) }
        }
        return NetlinkMessage(type: type, flags: 2, payload: payload.bytes).bytes
    }

    /// TCA_U32_CLASSID is 1, TCA_U32_SEL 5, TCA_U32_POLICE 6, TCA_U32_ACT 7, TCA_FLOWER_ACT 3.
    @Test(
        arguments: [
            ("htb", 0x1_0000, "u32", [1, 5], false), ("htb", 0x1_0000, "u32", [1, 5, 7], true),
            ("htb", 0x1_0000, "u32", [5, 6], true), ("htb", 0x1_0001, "u32", [5, 7], true),
            ("prio", 0x1_0000, "flower", [1, 3], true), ("prio", 0x1_0000, "flower", [1], false),
            ("prio", 0x1_0000, "bpf", [8], true), ("fq_codel", 0x1_0000, "unheard", [], true),
        ] as [(String, UInt32, String, [UInt16], Bool)])
    func filtersOfDisciplinesWithClasses(
        discipline: String, place: UInt32, kind: String, attributes: [UInt16], acts: Bool
    ) throws {
        let host = LiteralHost()
        host.links = [Self.link(3, "lxcbr1", kind: "bridge")]
        host.answers = [
            .queueingDisciplines(): [
                Self.traffic(36, link: 3, handle: 0x1_0000, parent: .max, kind: discipline)
            ],
            .trafficClasses(link: 3): [
                Self.traffic(40, link: 3, handle: 0x1_0001, parent: 0x1_0000, kind: discipline)
            ],
            .trafficFilters(link: 3, parent: place): [
                Self.traffic(44, link: 3, handle: 1, parent: place, kind: kind, attributes: attributes)
            ],
        ]
        #expect(try host.forwarding().outsideModel == (acts ? ["tc filter on lxcbr1"] : []))
    }

    /// Loaded as modules, and as part of the kernel: these only where something may have filled them.
    @Test(
        arguments: [
            (nil, false), ("/usr/sbin/ebtables-legacy", true), ("/sbin/ebtables", true),
            ("/usr/sbin/ebtables ->", false),
        ] as [(String?, Bool)]) func tablesOfTheOlderBridgeFilter(program: String?, isFilled: Bool) throws
    {
        let host = LiteralHost()
        host.program = program
        host.links = [Self.link(3, "lxcbr1", kind: "bridge")]
        host.files["/proc/modules"] = "ebtable_nat 16384 1 - Live 0x0\nbridge 1 1 - Live 0x0\n"
        host.files["/lib/modules/6.1.0/modules.builtin"] =
            "kernel/net/bridge/bridge.ko\nkernel/net/bridge/netfilter/ebtable_filter.ko\n"
        #expect(
            try host.forwarding().outsideModel
                == (isFilled
                    ? ["ebtables-legacy table filter, which is built into the kernel"] : []) + [
                    "ebtables-legacy table nat"
                ])
    }

    @Test func aBridgeInsideAVRF() throws {
        let host = LiteralHost()
        host.links = [
            Self.link(3, "lxcbr1", kind: "bridge", master: 7), Self.link(4, "veth1", kind: "veth", master: 3),
            Self.link(7, "red", kind: "vrf"), Self.link(8, "br9", kind: "bridge"),
        ]
        #expect(try host.forwarding().outsideModel == ["the bridge lxcbr1 is part of the VRF red"])
    }
}
