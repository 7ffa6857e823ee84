internal import CLinux

/// What rtnetlink tells its multicast groups, as far as it says what has changed.
///
/// Source: rtnetlink(7); linux/rtnetlink.h (RTM_NEWNETCONF, RTM_NEWQDISC); linux/netconf.h.
package enum RouteEvent: Sendable {
    case link(Link)
    case linkGone(Link)
    case address, route, rule, neighbour
    /// A setting below `net.ipv4.conf`; `interface` is -1 for `all` and -2 for `default`.
    case setting(interface: Int)
    /// A queueing discipline, class or filter of an interface.
    case trafficControl(interface: Int)
    /// A bridge's own view of a port, which is told as a link as well; and what is none of ours.
    case other

    package init(_ message: NetlinkMessage) throws(WireError) {
        switch message.header.type {
        case UInt16(RTM_NEWLINK), UInt16(RTM_DELLINK):
            // ifinfomsg begins with the family.
            guard message.bytes.count > NetlinkHeader.size else { throw WireError(.truncated, "ifinfomsg") }
            guard message.bytes[NetlinkHeader.size] != AddressFamily.bridge.rawValue else {
                self = .other
                return
            }
            let link = try Link(
                NetlinkMessage(
                    type: RouteMessageType.newLink, flags: 0,
                    payload: Array(message.bytes.dropFirst(NetlinkHeader.size))))
            self = message.header.type == RouteMessageType.newLink ? .link(link) : .linkGone(link)
        case UInt16(RTM_NEWADDR), UInt16(RTM_DELADDR): self = .address
        case UInt16(RTM_NEWROUTE), UInt16(RTM_DELROUTE): self = .route
        case UInt16(RTM_NEWRULE), UInt16(RTM_DELRULE): self = .rule
        case UInt16(RTM_NEWNEIGH), UInt16(RTM_DELNEIGH): self = .neighbour
        case UInt16(RTM_NEWNETCONF), UInt16(RTM_DELNETCONF):
            // struct netconfmsg: the family, padded to four bytes. NETCONFA_IFINDEX.
            let attributes = try message.attributes(after: 1)
            guard let index = try attributes.first(UInt16(NETCONFA_IFINDEX)) else {
                self = .setting(interface: -1)
                return
            }
            self = .setting(interface: Int(try attributes.host(index, as: Int32.self)))
        case UInt16(RTM_NEWQDISC), UInt16(RTM_DELQDISC), UInt16(RTM_NEWTCLASS), UInt16(RTM_DELTCLASS),
            UInt16(RTM_NEWTFILTER), UInt16(RTM_DELTFILTER), UInt16(RTM_NEWCHAIN), UInt16(RTM_DELCHAIN):
            // struct tcmsg: family and padding in four bytes, then the interface.
            guard let index: Int32 = message.bytes.hostInteger(at: NetlinkHeader.size + 4) else {
                throw WireError(.truncated, "tcmsg")
            }
            self = .trafficControl(interface: Int(index))
        default: self = .other
        }
    }

    /// The multicast groups that tell of links, IPv4 addresses, routes, rules and settings, and of traffic control.
    package static let groups: [UInt32] = [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV4_NETCONF, RTNLGRP_TC,
    ].map { UInt32($0.rawValue) }
}
