internal import CLinux
package import HostModel

/// The family of an rtnetlink request, by its kernel number.
package enum AddressFamily: UInt8, Sendable, Hashable {
    /// AF_INET.
    case ipv4 = 2
    /// AF_BRIDGE: the forwarding databases of bridges, asked for as neighbours.
    case bridge = 7
    /// AF_INET6.
    case ipv6 = 10

    package init(_ family: IPFamily) {
        self = family == .ipv4 ? .ipv4 : .ipv6
    }

    static func of<Address: InternetAddress>(_: Address.Type) -> AddressFamily {
        Address.octetCount == IPv4Address.octetCount ? .ipv4 : .ipv6
    }
}

/// Message types of rtnetlink as the 16-bit numbers of a netlink header. Source: rtnetlink(7).
package enum RouteMessageType {
    package static let newLink = UInt16(RTM_NEWLINK)
    package static let deleteLink = UInt16(RTM_DELLINK)
    package static let getLink = UInt16(RTM_GETLINK)
    package static let newAddress = UInt16(RTM_NEWADDR)
    package static let deleteAddress = UInt16(RTM_DELADDR)
    package static let getAddress = UInt16(RTM_GETADDR)
    package static let newRoute = UInt16(RTM_NEWROUTE)
    package static let getRoute = UInt16(RTM_GETROUTE)
    package static let newNeighbour = UInt16(RTM_NEWNEIGH)
    package static let getNeighbour = UInt16(RTM_GETNEIGH)
    package static let newRule = UInt16(RTM_NEWRULE)
    package static let getRule = UInt16(RTM_GETRULE)
    /// Of NETLINK_XFRM.
    package static let newPolicyInfo = UInt16(XFRM_MSG_NEWSPDINFO)
    package static let getPolicyInfo = UInt16(XFRM_MSG_GETSPDINFO)
}
