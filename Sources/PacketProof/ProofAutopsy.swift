package import HostAccess
internal import HostModel
internal import WireFormats

/// What was observed after a probe was lost without a known cause: the order was sent a second time with more instruments,
/// and the state of the host was read.
package struct ProofAutopsy: Codable, Sendable, Hashable {
    /// A base chain of nftables.
    package struct BaseChain: Codable, Sendable, Hashable {
        /// `ip filter`.
        package var table: String
        package var chain: String
        /// `filter`, `nat`.
        package var type: String
        package var hook: String
        package var priority: Int32
        /// `ip filter FORWARD`.
        package var name: String { "\(table) \(chain)" }

        package init(table: String, chain: String, type: String, hook: String, priority: Int32) {
            self.table = table
            self.chain = chain
            self.type = type
            self.hook = hook
            self.priority = priority
        }
    }

    /// How the uplink looked.
    package struct Uplink: Codable, Sendable, Hashable {
        package var name: String
        package var isUp: Bool
        /// Nil where the kernel did not say.
        package var carrier: Bool?
        /// The state of the gateway's entry in the neighbour table, as `ip neigh` writes it; nil: there is none.
        package var neighbour: String?
        package init(name: String, isUp: Bool, carrier: Bool?, neighbour: String?) {
            self.name = name
            self.isUp = isUp
            self.carrier = carrier
            self.neighbour = neighbour
        }
    }

    package var baseChains: [BaseChain] = []
    /// By their keys, `net.ipv4.ip_forward`.
    package var sysctls: [String: String] = [:]
    /// Routes and rules that refuse the target, as `ip route` and `ip rule` write them.
    package var refusals: [String] = []
    /// The mark that the probe had when it was routed.
    package var mark: UInt32?
    /// Why the routing table refuses it with that mark; nil where it does not.
    package var markedRouteError: String?
    package var uplink: Uplink?
    package var order: ProbeOrder?
    package var sightings: ProbeSightings?
    /// Why one or the other is missing.
    package var failures: [String] = []

    package init() {}

    /// Where the kernel's own work and the tables of iptables stand, and those of ip6tables as well.
    /// Source: linux/netfilter_ipv4.h, linux/netfilter_ipv6.h.
    static let kernelPriorities: [String: [(priority: Int32, table: String?, words: String)]] = [
        "prerouting": [
            (-400, nil, "reassembly"), (-300, "raw", ""), (-200, nil, "conntrack"), (-150, "mangle", ""),
            (-100, "nat", ""),
        ],
        "forward": [(-150, "mangle", ""), (0, "filter", ""), (50, "security", "")],
        "postrouting": [(-150, "mangle", ""), (100, "nat", ""), (300, nil, "conntrack helper")],
    ]

    /// The switches of forwarding: off, if one of them is 0. IPv6 asks the global one alone
    /// (ip-sysctl.rst, conf/all/forwarding).
    static func forwardingKeys(_ family: IPFamily, _ bridge: String) -> [String] {
        family == .ipv4
            ? ["net.ipv4.ip_forward", "net.ipv4.conf.\(bridge).forwarding"] : ["net.ipv6.conf.all.forwarding"]
    }

    /// One station before each priority at which somebody may drop a packet.
    var brackets: [ProbeInvestigation.Bracket] {
        ["prerouting", "forward", "postrouting"].flatMap { hook in
            let own = baseChains.filter { $0.hook == hook }.map(\.priority)
            let kernel = Self.kernelPriorities[hook, default: []].map(\.priority)
            // A bound: the table of a host with more chains than that would take too long to make.
            return Set(own + kernel).sorted().prefix(40).filter { $0 != .min && $0 < .max - 1 }
                .map { ProbeInvestigation.Bracket(hook: hook, priority: $0) }
        }
    }
}
