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

        func answer(_ request: HostRequest) throws(HostError) -> HostReply {
            switch request {
            case .netlink(.links()): return .messages(NetlinkMessages(links))
            case .netlink(let query): return .messages(NetlinkMessages(answers[query] ?? []))
            case .read(let path, _, _):
                guard let text = files[path] else { break }
                return .bytes(ByteString(text))
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
}
