import HostAccess
import HostModel
import Testing
import WireFormats

@testable import Watching

@Suite struct TopicTests {
    private static func read(_ path: String, root: String? = nil) -> HostRequest {
        .read(path: path, root: root, limit: 1)
    }

    static let cases: [(HostRequest, Set<WatchTopic>)] = [
        (.netlink(.links()), [.links]), (.netlink(.addresses()), [.addresses]), (.netlink(.routes()), [.routes]),
        (.netlink(.rules()), [.policyRules]), (.netlink(.neighbours()), [.neighbours]),
        (.netlink(.queueingDisciplines()), [.trafficControl]), (.netlink(.nftRules()), [.nftables]),
        (.netlink(.nftRules(of: NftTableName(.inet, "fw"))), [.nftTable(NftTableName(.inet, "fw"))]),
        // A name without a family is that of several tables.
        (.netlink(.nftRules(table: "fw")), [.nftables]), (.netlink(.nftChains()), [.nftables]),
        (.netlink(.policyInfo), [.ipsec]),
        (.legacyTable(LegacyTableName(family: .ipv4, table: "nat")), [.legacyTables]),
        (.iptablesRules(IptablesTable(.nft, "nat")), [.nftables]),
        (.iptablesRules(IptablesTable(.legacy, "nat")), [.legacyTables]),
        (read("/proc/net/ip_tables_names"), [.legacyTables]),
        (read("/proc/sys/net/bridge/bridge-nf-call-iptables"), [.bridgeSettings]),
        (
            read("/proc/sys/net/ipv4/ip_forward"),
            [.file(HostPath("/proc/sys/net/ipv4/ip_forward")), .interfaceSettings]
        ),
        (read("/proc/net/udp"), [.sockets]), (read("/proc/23/cmdline"), [.process(23)]),
        (read("/sys/class/net/up0/mtu"), [.links]),
        (read("/etc/default/lxc-net"), [.file(HostPath("/etc/default/lxc-net"))]),
        (read("/etc/hosts", root: "/r"), [.file(HostPath("/etc/hosts", root: "/r"))]),
        (
            .list(path: "/etc/sysctl.d", root: nil, limit: 1),
            [.file(HostPath("/etc/sysctl.d", isListing: true))]
        ),
        (.identity, []), (.space(path: "/var"), []),
    ]

    @Test(arguments: cases) func everyRequestKnowsWhatItDependsOn(request: HostRequest, topics: Set<WatchTopic>) {
        #expect(request.topics == topics)
    }

    /// How one packet would be routed depends on more than routes.
    @Test func aRouteLookupDependsOnAllOfRouting() throws {
        let address = try #require(IPv4Address("198.51.100.7"))
        let topics = HostRequest.netlink(.routeLookup(destination: address)).topics
        #expect(topics.isSuperset(of: [.routes, .policyRules, .links, .addresses]))
    }

    /// Rules of other tables stay as they were listed.
    @Test func aChangedTableTouchesItsOwnRules() {
        let touched = TouchedParts([.nftables, .nftTable(NftTableName(.ipv4, "nat"))])
        #expect(touched.touches(.netlink(.nftRules(of: NftTableName(.ipv4, "nat")))))
        #expect(!touched.touches(.netlink(.nftRules(of: NftTableName(.ipv4, "filter")))))
        #expect(!touched.touches(.netlink(.nftRules(of: NftTableName(.ipv6, "nat")))))
        for all in [KernelQuery.nftTables(), .nftChains(), .nftSets(), .nftGeneration, .nftRules()] {
            #expect(touched.touches(.netlink(all)))
        }
        #expect(TouchedParts([.everything]).touches(.netlink(.nftRules(of: NftTableName(.ipv6, "nat")))))
    }

    @Test func whatHasNoEventIsLookedAtWithItsNeighbours() {
        let legacy = Self.read("/proc/net/ip_tables_names")
        #expect(TouchedParts([.nftables]).touches(legacy))
        #expect(!TouchedParts([.addresses]).touches(legacy))
        #expect(WatchTopic.polled.allSatisfy { $0.polledName != nil })
        #expect(TouchedParts([.file(HostPath("/run/lxc/dnsmasq.pid"))]).touches(Self.read("/proc/net/udp")))
        #expect(!TouchedParts([.file(HostPath("/etc/hosts"))]).touches(Self.read("/proc/net/udp")))
        #expect(TouchedParts([.process(9)]).touches(Self.read("/proc/net/udp")))
        #expect(TouchedParts([.links]).touches(Self.read("/proc/sys/net/bridge/bridge-nf-call-iptables")))
        #expect(TouchedParts([.everything]).touches(.identity))
        #expect(!TouchedParts([.nftables]).touches(.netlink(.links())))
    }

    @Test func onlyWhatIsThereIsPolled() {
        let requests = [
            Self.read("/proc/net/ip_tables_names"), Self.read("/proc/sys/net/bridge/bridge-nf-call-iptables"),
            Self.read("/proc/77/comm"), Self.read("/proc/1/comm"), Self.read("/etc/hosts"), .netlink(.links()),
        ]
        let parts = WatchedParts(requests) { $0 == requests[1] }
        #expect(parts.polled == [.bridgeSettings])
        #expect(parts.processes == [77])
        #expect(parts.files == [HostPath("/etc/hosts")])
        #expect(WatchedParts(requests) { _ in false }.polled.isEmpty)
    }

    @Test func aPolledAnswerThatIsEmptyIsNotThere() {
        func answer(_ bytes: [UInt8]) -> PolledAnswer {
            PolledAnswer { () throws(HostError) in .bytes(ByteString(bytes)) }
        }
        #expect(!answer([]).isPresent && answer([1]).isPresent)
        #expect(answer([1]) != answer([2]) && answer([1]) == answer([1]))
        let missing = PolledAnswer { () throws(HostError) in
            throw HostError(.notFound, operation: "read", message: "no")
        }
        let refused = PolledAnswer { () throws(HostError) in
            throw HostError(.notPermitted, operation: "read", message: "no")
        }
        #expect(!missing.isPresent && refused.isPresent)
        let none = PolledAnswer { () throws(HostError) in .messages(NetlinkMessages()) }
        let some = PolledAnswer { () throws(HostError) in .messages(NetlinkMessages([[1]])) }
        #expect(!none.isPresent && some.isPresent)
    }
}
