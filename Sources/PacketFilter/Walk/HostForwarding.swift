package import HostModel

/// What of a host, besides its rules, decides where a packet goes: links, addresses, routes, settings.
package struct HostForwarding: Codable, Sendable, Hashable {
    package struct Address: Codable, Sendable, Hashable {
        /// With the length of the subnet behind it.
        package var address: IPv4Prefix
        /// The other end of a point-to-point address.
        package var peer: IPv4Address?
        /// RT_SCOPE_*: 0 global, 253 link, 254 host.
        package var scope: UInt8
        package var isSecondary: Bool

        package init(_ address: IPv4Prefix, peer: IPv4Address? = nil, scope: UInt8 = 0, isSecondary: Bool = false) {
            self.address = address
            self.peer = peer
            self.scope = scope
            self.isSecondary = isSecondary
        }
    }

    package struct Interface: Codable, Sendable, Hashable {
        package var index: UInt32
        package var name: String
        /// `bridge`, `veth`; "" for hardware and lo.
        package var kind: String
        package var isUp: Bool
        package var isLoopback: Bool
        /// The bridge that it is a port of.
        package var bridge: String?
        /// In the order in which the kernel keeps them.
        package var addresses: [Address]
        /// `net.ipv4.conf.NAME.forwarding`.
        package var forwarding: Bool
        /// The larger of `net.ipv4.conf.{all,NAME}.rp_filter`: 0 off, 1 strict, 2 loose.
        package var reversePathFilter: UInt8
        package var acceptsLocal: Bool
        /// `src_valid_mark`: the reverse path is looked up with the packet's mark.
        package var sourceValidMark: Bool
        package var routesLoopback: Bool
        /// Of a bridge: `nf_call_iptables` of its own (ip-link(8)). Nil where that was not looked at.
        package var callsIptables: Bool?

        package init(
            index: UInt32, name: String, kind: String = "", isUp: Bool = true, isLoopback: Bool = false,
            bridge: String? = nil, addresses: [Address] = [], forwarding: Bool = true, reversePathFilter: UInt8 = 0,
            acceptsLocal: Bool = false, sourceValidMark: Bool = false, routesLoopback: Bool = false,
            callsIptables: Bool? = nil
        ) {
            self.index = index
            self.name = name
            self.kind = kind
            self.isUp = isUp
            self.isLoopback = isLoopback
            self.bridge = bridge
            self.addresses = addresses
            self.forwarding = forwarding
            self.reversePathFilter = reversePathFilter
            self.acceptsLocal = acceptsLocal
            self.sourceValidMark = sourceValidMark
            self.routesLoopback = routesLoopback
            self.callsIptables = callsIptables
        }
    }

    package struct NextHop: Codable, Sendable, Hashable {
        package var link: UInt32
        package var gateway: IPv4Address?
        package var isDead: Bool

        package init(link: UInt32, gateway: IPv4Address? = nil, isDead: Bool = false) {
            self.link = link
            self.gateway = gateway
            self.isDead = isDead
        }
    }

    package struct FibRoute: Codable, Sendable, Hashable {
        package enum Kind: String, Codable, Sendable {
            case unicast, local, broadcast, multicast, blackhole, unreachable, prohibit, `throw`, other
        }

        package var destination: IPv4Prefix
        /// 254 main, 255 local.
        package var table: UInt32
        package var kind: Kind
        package var metric: UInt32
        /// The type of service that a packet must have to take it; nil or 0: any.
        package var tos: UInt8?
        package var preferredSource: IPv4Address?
        package var nextHops: [NextHop]

        package init(
            destination: IPv4Prefix, table: UInt32 = 254, kind: Kind = .unicast, metric: UInt32 = 0,
            tos: UInt8? = nil, preferredSource: IPv4Address? = nil, nextHops: [NextHop] = []
        ) {
            self.destination = destination
            self.table = table
            self.kind = kind
            self.metric = metric
            self.tos = tos
            self.preferredSource = preferredSource
            self.nextHops = nextHops
        }
    }

    package struct FibRule: Codable, Sendable, Hashable {
        package var priority: UInt32
        /// FR_ACT_*: 1 look into `table`, 2 go to `table` (a priority), 3 nothing, 6 blackhole, 7 unreachable,
        /// 8 prohibit.
        package var action: UInt8
        package var table: UInt32
        package var source: IPv4Prefix?
        package var destination: IPv4Prefix?
        package var inputInterface: String?
        package var outputInterface: String?
        package var mark: UInt32
        package var markMask: UInt32
        package var isInverted: Bool
        /// Routes of this prefix length or a shorter one do not count (`suppress_prefixlength`).
        package var suppressedPrefixLength: Int?
        /// A match that this model does not know.
        package var hasOtherMatch: Bool

        package init(
            priority: UInt32, action: UInt8 = 1, table: UInt32 = 254, source: IPv4Prefix? = nil,
            destination: IPv4Prefix? = nil, inputInterface: String? = nil, outputInterface: String? = nil,
            mark: UInt32 = 0, markMask: UInt32 = 0, isInverted: Bool = false, suppressedPrefixLength: Int? = nil,
            hasOtherMatch: Bool = false
        ) {
            self.priority = priority
            self.action = action
            self.table = table
            self.source = source
            self.destination = destination
            self.inputInterface = inputInterface
            self.outputInterface = outputInterface
            self.mark = mark
            self.markMask = markMask
            self.isInverted = isInverted
            self.suppressedPrefixLength = suppressedPrefixLength
            self.hasOtherMatch = hasOtherMatch
        }
    }

    package var links: [Interface]
    package var routes: [FibRoute]
    /// In the order of their priorities. Empty: the kernel's three (local, main, default).
    package var rules: [FibRule]
    /// `net.bridge.bridge-nf-call-iptables` where br_netfilter is loaded: of every bridge. `bridgeNetfilter(of:)` is what counts.
    package var bridgeNetfilter: Bool
    /// What acts on packets here and is no part of this model, by name: `tc filter on eth0`, `XDP on lxcbr1`.
    package var outsideModel: [String]
    /// Chains of single devices, by name: one packet is followed through them, sets of packets are not.
    package var deviceChains: [String] = []

    package init(
        links: [Interface] = [], routes: [FibRoute] = [], rules: [FibRule] = [], bridgeNetfilter: Bool = false,
        outsideModel: [String] = []
    ) {
        self.links = links
        self.routes = routes
        self.rules = rules
        self.bridgeNetfilter = bridgeNetfilter
        self.outsideModel = outsideModel
    }

    package func link(_ name: String) -> Interface? { links.first { $0.name == name } }
    package func link(_ index: UInt32) -> Interface? { links.first { $0.index == index } }

    /// Whether br_netfilter shows the rules of IPv4 what this bridge carries from port to port: by the sysctl, or by the
    /// bridge's own option (`br_nf_pre_routing` in net/bridge/br_netfilter_hooks.c).
    package func bridgeNetfilter(of bridge: Interface) -> Bool { bridgeNetfilter || bridge.callsIptables == true }

    /// Whether an address is one of the host's own.
    package func isOwn(_ address: IPv4Address) -> Bool {
        links.contains { $0.addresses.contains { $0.address.address == address } }
    }
}
