internal import CLinux
package import HostModel

/// What is asked of rtnetlink: a message type and everything after the netlink header. Each one only reads.
///
/// The headers have the form that NETLINK_GET_STRICT_CHK demands: whatever is not asked for is zero.
package struct RouteRequest: Hashable, Sendable {
    package let type: UInt16
    package let name: String
    package let dump: Bool
    package let payload: [UInt8]

    /// All links, without their counters.
    package static var links: RouteRequest {
        RouteRequest(type: RouteMessageType.getLink, name: "RTM_GETLINK", dump: true, payload: linkPayload().bytes)
    }

    /// One link, without its counters; ENODEV where there is none.
    package static func link(name: String) -> RouteRequest {
        var payload = linkPayload()
        payload.append(UInt16(IFLA_IFNAME), text: name)
        return RouteRequest(
            type: RouteMessageType.getLink, name: "RTM_GETLINK \(name)", dump: false, payload: payload.bytes)
    }

    /// All addresses. Header: struct ifaddrmsg.
    package static func addresses(_ family: AddressFamily) -> RouteRequest {
        RouteRequest(
            type: RouteMessageType.getAddress, name: "RTM_GETADDR", dump: true,
            payload: header(family, size: MemoryLayout<ifaddrmsg>.size))
    }

    /// The routes of all tables, without cached exceptions. Header: struct rtmsg.
    package static func routes(_ family: AddressFamily) -> RouteRequest {
        RouteRequest(
            type: RouteMessageType.getRoute, name: "RTM_GETROUTE", dump: true,
            payload: header(family, size: MemoryLayout<rtmsg>.size))
    }

    /// All policy rules. Header: struct fib_rule_hdr.
    package static func rules(_ family: AddressFamily) -> RouteRequest {
        RouteRequest(
            type: RouteMessageType.getRule, name: "RTM_GETRULE", dump: true,
            payload: header(family, size: MemoryLayout<fib_rule_hdr>.size))
    }

    /// All neighbours; of family `bridge`, the forwarding databases of all bridges. Header: struct ndmsg.
    package static func neighbours(_ family: AddressFamily) -> RouteRequest {
        RouteRequest(
            type: RouteMessageType.getNeighbour, name: "RTM_GETNEIGH", dump: true,
            payload: header(family, size: MemoryLayout<ndmsg>.size))
    }

    /// How a packet would be routed: as one of this host, or, with an input interface, as one that arrives there.
    /// The kernel answers with an error where there is no way (ENETUNREACH, EHOSTUNREACH).
    package static func lookup<Address: InternetAddress>(
        destination: Address, from source: Address?, inputInterface: Int?, mark: UInt32?
    ) -> RouteRequest {
        var header = header(AddressFamily.of(Address.self), size: MemoryLayout<rtmsg>.size)
        let width = UInt8(8 * Address.octetCount)
        // rtm_dst_len and rtm_src_len.
        header[1] = width
        header[2] = source == nil ? 0 : width
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(UInt16(RTA_DST.rawValue), address: destination)
        if let source { payload.append(UInt16(RTA_SRC.rawValue), address: source) }
        if let inputInterface { payload.append(UInt16(RTA_IIF.rawValue), host: UInt32(clamping: inputInterface)) }
        if let mark { payload.append(UInt16(RTA_MARK.rawValue), host: mark) }
        return RouteRequest(
            type: RouteMessageType.getRoute, name: "RTM_GETROUTE " + destination.description, dump: false,
            payload: payload.bytes)
    }

    private static func linkPayload() -> NetlinkAttributeBuilder {
        var payload = NetlinkAttributeBuilder(header: [UInt8](repeating: 0, count: MemoryLayout<ifinfomsg>.size))
        payload.append(UInt16(IFLA_EXT_MASK), host: UInt32(RTEXT_FILTER_SKIP_STATS))
        return payload
    }

    private static func header(_ family: AddressFamily, size: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: size)
        header[0] = family.rawValue
        return header
    }
}
