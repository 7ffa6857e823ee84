internal import CLinux

/// The settings of a bridge, as IFLA_INFO_DATA carries them. Source: IFLA_BR_* in linux/if_link.h, ip-link(8).
package struct BridgeOptions: Hashable, Sendable {
    /// IFLA_BR_STP_STATE other than zero.
    package var spanningTree: Bool
    /// How long a port listens, and then learns, before it forwards; in hundredths of a second.
    package var forwardDelay: Int
    package var vlanFiltering: Bool
    /// The VLAN that untagged frames of a new port belong to; 0: none.
    package var defaultVLAN: Int
    /// Whether multicast goes to those ports alone that asked for it.
    package var multicastSnooping: Bool
    /// Whether the bridge itself asks who wants what.
    package var multicastQuerier: Bool
    /// Ports (indices of links) behind which another querier was heard, IPv4 and IPv6.
    package var foreignQueriers: [Int]
    /// IFLA_BR_NF_CALL_IPTABLES: br_netfilter shows this bridge's packets to the rules of IPv4, whatever the sysctl says.
    package var callsIptables: Bool

    package init(
        spanningTree: Bool = false, forwardDelay: Int = 0, vlanFiltering: Bool = false, defaultVLAN: Int = 1,
        multicastSnooping: Bool = false, multicastQuerier: Bool = false, foreignQueriers: [Int] = [],
        callsIptables: Bool = false
    ) {
        self.spanningTree = spanningTree
        self.forwardDelay = forwardDelay
        self.vlanFiltering = vlanFiltering
        self.defaultVLAN = defaultVLAN
        self.multicastSnooping = multicastSnooping
        self.multicastQuerier = multicastQuerier
        self.foreignQueriers = foreignQueriers
        self.callsIptables = callsIptables
    }

    init(_ data: NetlinkAttributes) throws(WireError) {
        self.init()
        var options = data
        while let option = try options.next() {
            switch Int(option.type) {
            case Int(IFLA_BR_STP_STATE): spanningTree = try options.host(option, as: UInt32.self) != 0
            case Int(IFLA_BR_FORWARD_DELAY): forwardDelay = Int(try options.host(option, as: UInt32.self))
            case Int(IFLA_BR_VLAN_FILTERING): vlanFiltering = try options.host(option, as: UInt8.self) != 0
            case Int(IFLA_BR_VLAN_DEFAULT_PVID): defaultVLAN = Int(try options.host(option, as: UInt16.self))
            case Int(IFLA_BR_MCAST_SNOOPING): multicastSnooping = try options.host(option, as: UInt8.self) != 0
            case Int(IFLA_BR_MCAST_QUERIER): multicastQuerier = try options.host(option, as: UInt8.self) != 0
            case Int(IFLA_BR_MCAST_QUERIER_STATE): foreignQueriers = try Self.queriers(options.nested(option))
            case Int(IFLA_BR_NF_CALL_IPTABLES): callsIptables = try options.host(option, as: UInt8.self) != 0
            default: break
            }
        }
    }

    /// BRIDGE_QUERIER_IP_PORT and BRIDGE_QUERIER_IPV6_PORT are there only where the querier is not the bridge.
    private static func queriers(_ state: NetlinkAttributes) throws(WireError) -> [Int] {
        var attributes = state
        var ports: [Int] = []
        while let attribute = try attributes.next() {
            guard [Int(BRIDGE_QUERIER_IP_PORT), Int(BRIDGE_QUERIER_IPV6_PORT)].contains(Int(attribute.type)) else {
                continue
            }
            let port = Int(try attributes.host(attribute, as: UInt32.self))
            if !ports.contains(port) { ports.append(port) }
        }
        return ports
    }
}

/// What a link is to the bridge that it is a port of: IFLA_INFO_SLAVE_DATA. Source: IFLA_BRPORT_* in linux/if_link.h.
package struct BridgePort: Hashable, Sendable {
    /// BR_STATE_*, linux/if_bridge.h.
    package enum State: UInt8, Sendable {
        case disabled, listening, learning, forwarding, blocking
    }

    package var state: State
    /// An isolated port exchanges nothing with other isolated ports.
    package var isIsolated: Bool
    /// Whether frames may leave by the port that they came in by.
    package var hairpin: Bool

    package init(state: State = .forwarding, isIsolated: Bool = false, hairpin: Bool = false) {
        self.state = state
        self.isIsolated = isIsolated
        self.hairpin = hairpin
    }

    init(_ data: NetlinkAttributes) throws(WireError) {
        self.init()
        var options = data
        while let option = try options.next() {
            switch Int(option.type) {
            case Int(IFLA_BRPORT_STATE):
                state = State(rawValue: try options.host(option, as: UInt8.self)) ?? .disabled
            case Int(IFLA_BRPORT_ISOLATED): isIsolated = try options.host(option, as: UInt8.self) != 0
            case Int(IFLA_BRPORT_MODE): hairpin = try options.host(option, as: UInt8.self) != 0
            default: break
            }
        }
    }
}
