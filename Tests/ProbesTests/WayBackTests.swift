import HostAccess
import HostModel
import PacketFilter
import Testing
import WireFormats

@testable import Probes

/// The kernel's word about ways to containers, and what is made of it.
@Suite struct WayBackTests {
    /// A host whose kernel gives one answer to every lookup.
    private final class LookupHost: Host {
        enum Answer {
            /// By this link.
            case link(UInt32)
            case error(Int32)
        }

        let answer: Answer
        /// Whether the bridge has a carrier.
        var isRunning = true

        init(_ answer: Answer) { self.answer = answer }

        func answer(_ request: HostRequest) throws(HostError) -> HostReply {
            guard case .netlink(let query) = request else {
                throw HostError(.notFound, operation: "test", message: "not on this host")
            }
            if query == .links() { return .messages(NetlinkMessages([bridge])) }
            guard query.name.hasPrefix("RTM_GETROUTE"), !query.dump else { return .messages(NetlinkMessages([])) }
            switch answer {
            case .link(let index):
                var payload = NetlinkAttributeBuilder(header: [2, 32, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0])
                payload.append(4, host: index)
                return .messages(NetlinkMessages([NetlinkMessage(type: 24, flags: 0, payload: payload.bytes).bytes]))
            case .error(let number):
                throw HostError(
                    number == 13 ? .notPermitted : .other, operation: query.name, message: "test", errno: number)
            }
        }

        private var bridge: [UInt8] {
            var header: [UInt8] = [0, 0, 1, 0]
            header.appendHost(Int32(3))
            header.appendHost(UInt32(isRunning ? 0x1043 : 0x1003))
            header.appendHost(UInt32(0))
            var payload = NetlinkAttributeBuilder(header: header)
            payload.append(3, text: "lxcbr1")
            return NetlinkMessage(type: 16, flags: 2, payload: payload.bytes).bytes
        }
    }

    private func prefix(_ text: String) throws -> IPv4Prefix { try #require(IPv4Prefix(text)) }

    private func forwarding(
        _ rules: [HostForwarding.FibRule] = [], _ routes: [HostForwarding.FibRoute] = []
    ) throws -> HostForwarding {
        HostForwarding(
            links: [
                .init(index: 2, name: "up0"), .init(index: 3, name: "lxcbr1", kind: "bridge"),
                .init(index: 4, name: "wg0"),
            ],
            routes: [
                .init(destination: try prefix("10.5.0.0/16"), nextHops: [.init(link: 3)]),
                .init(destination: try prefix("0.0.0.0/0"), nextHops: [.init(link: 2)]),
                .init(destination: try prefix("0.0.0.0/0"), table: 100, nextHops: [.init(link: 4)]),
            ] + routes,
            rules: [.init(priority: 0, table: 255)] + rules + [.init(priority: 32766, table: 254)])
    }

    private func fate(
        _ answer: LookupHost.Answer, _ forwarding: HostForwarding, isRunning: Bool = true
    ) throws -> WayBack.Fate {
        let host = LookupHost(answer)
        host.isRunning = isRunning
        return try WayBack(to: "lxcbr1", of: prefix("10.5.0.0/16"), forwarding, on: host).fate(
            of: try #require(IPv4Address("10.5.0.9")), from: try #require(IPv4Address("198.51.100.7")), input: "up0")
    }

    private static let toNetwork = "10.5.0.0/16"

    @Test func theKernelHasTheLastWord() throws {
        let elsewhere = try forwarding([.init(priority: 50, table: 100, destination: try prefix(Self.toNetwork))])
        #expect(try fate(.link(3), try forwarding()) == .arrives)
        #expect(try fate(.link(3), elsewhere) == .arrives)
        let lost = try fate(.link(4), elsewhere).loss
        #expect(lost?.way == "by wg0" && lost?.culprit == .rule)
        #expect(lost?.reason == "rule 50: from all to 10.5.0.0/16 lookup 100, default dev wg0 table 100")
    }

    /// Nobody is blamed whom routes and rules do not show.
    @Test func whatCannotBeExplainedIsNotKnown() throws {
        guard case .unknown(let reason) = try fate(.link(4), try forwarding()) else {
            Issue.record("the kernel's other way is explained by nothing")
            return
        }
        #expect(reason.contains("by wg0") && reason.contains("lxcbr1"))
        // A match that is not known explains it.
        let rule = HostForwarding.FibRule(priority: 50, table: 100, inputInterface: "up0", hasOtherMatch: true)
        #expect(try fate(.link(4), try forwarding([rule])).loss?.reason.hasPrefix("rule 50: from all iif up0") == true)
        #expect(try fate(.link(3), try forwarding([rule])) == .arrives)
        // The route of a bridge without a port may be passed over until there is one.
        #expect(try fate(.link(2), try forwarding(), isRunning: false) == .arrives)
    }

    /// EACCES is a route or a rule that prohibits, no lack of privilege; EINVAL and EXDEV may be about the source.
    @Test func errorsOfALookupAreAnswers() throws {
        let prohibited = try forwarding([
            .init(priority: 50, action: 8, table: 0, destination: try prefix(Self.toNetwork))
        ])
        let lost = try fate(.error(13), prohibited).loss
        #expect(lost?.way == "prohibit" && lost?.reason == "rule 50: from all to 10.5.0.0/16 prohibit")
        let hole = try forwarding([], [.init(destination: try prefix("10.5.0.9/32"), kind: .blackhole)])
        #expect(try fate(.error(22), hole).loss?.culprit == .route)
        for number in [18, 22, 113] as [Int32] { #expect(try fate(.error(number), try forwarding()) == .arrives) }
        for number in [13, 101] as [Int32] {
            guard case .unknown = try fate(.error(number), try forwarding()) else {
                Issue.record("error \(number) is the lookup's alone, and nothing explains it")
                continue
            }
        }
        #expect(throws: ObservationFailure.self) { try fate(.error(1), prohibited) }
    }

    /// Where nothing prohibits, EACCES is what it is elsewhere.
    @Test(arguments: [true, false]) func aProhibitedWayOutIsAnAnswer(isThere: Bool) throws {
        let target = try #require(IPv4Address("198.51.100.7"))
        var host = LinkHost()
        if isThere { host.routes.append(LinkHost.Way(destination: "198.51.100.0/24", type: 8)) }
        host.failures = [(.netlink(.routeLookup(destination: target)), 13)]
        let state = NetworkState(host: host.host)
        guard isThere else {
            #expect(throws: ObservationFailure.self) { try state.way(to: target) }
            return
        }
        let uplink = try Uplink(named: "", target: target, state: state)
        #expect(!uplink.isFound && uplink.reason == "the route to 198.51.100.7 is of type prohibit")
    }
}
