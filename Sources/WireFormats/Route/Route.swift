internal import CLinux
package import HostModel

/// An IPv4 route.
package typealias Route = InternetRoute<IPv4Address>

/// A route, as RTM_NEWROUTE describes it; also the answer to a route lookup.
///
/// Source: rtnetlink(7), linux/rtnetlink.h.
package struct InternetRoute<Address: InternetAddress>: Hashable, Sendable {
    /// RTN_*: what happens to a packet that takes the route.
    package enum Kind: UInt8, Sendable {
        case unspecified, unicast, local, broadcast, anycast, multicast
        case blackhole, unreachable, prohibit, `throw`, nat, resolve
    }

    /// One way of a multipath route.
    package struct NextHop: Hashable, Sendable {
        /// The index of the link.
        package var link: Int
        package var gateway: Address?
        /// RTNH_F_DEAD or RTNH_F_LINKDOWN: not used now.
        package var isDead: Bool
    }

    package var destination: Address.Prefix
    /// 254 main, 255 local, 253 default.
    package var table: UInt32
    package var kind: Kind
    /// RTPROT_*: who made it (2 kernel, 3 boot, 4 static, 16 dhcp).
    package var maker: UInt8
    package var scope: UInt8
    /// RTM_F_*, RTNH_F_*.
    package var flags: UInt32
    /// The index of the outgoing link.
    package var link: Int?
    package var gateway: Address?
    /// RTA_VIA: the gateway is of another family (IPv6).
    package var hasForeignGateway: Bool
    package var preferredSource: Address?
    package var metric: UInt32
    /// `rtm_tos`: a packet must have this type of service to take the route; 0: any.
    package var tos: UInt8
    /// RTAX_MTU: the MTU of this route where it has one of its own.
    package var mtu: UInt32?
    package var nextHops: [NextHop]
    /// Of a lookup with an input interface.
    package var inputLink: Int?
    package var mark: UInt32?

    /// Every link that a packet on this route may leave by.
    package var links: [Int] {
        nextHops.isEmpty ? link.map { [$0] } ?? [] : nextHops.map(\.link)
    }

    /// Reads one RTM_NEWROUTE message of the family.
    @specialized(where Address == IPv4Address)
    package init(_ message: NetlinkMessage) throws(WireError) {
        guard message.header.type == RouteMessageType.newRoute else { throw WireError(.malformed, "RTM_NEWROUTE") }
        var attributes = try message.attributes(after: MemoryLayout<rtmsg>.size)
        let bytes = message.bytes
        let start = NetlinkHeader.size
        // struct rtmsg, 8 bits each: family, dst_len, src_len, tos, table, protocol, scope, type; then flags (32).
        guard bytes[start] == AddressFamily.of(Address.self).rawValue,
            let flags: UInt32 = bytes.hostInteger(at: start + 8)
        else {
            throw WireError(.malformed, "rtmsg")
        }
        table = UInt32(bytes[start + 4])
        maker = bytes[start + 5]
        scope = bytes[start + 6]
        kind = Kind(rawValue: bytes[start + 7]) ?? .unspecified
        tos = bytes[start + 3]
        self.flags = flags
        hasForeignGateway = false
        metric = 0
        nextHops = []
        var address = Address.unspecified
        while let attribute = try attributes.next() {
            switch UInt32(attribute.type) {
            case RTA_DST.rawValue: address = try attributes.address(attribute)
            case RTA_OIF.rawValue: link = Int(try attributes.host(attribute, as: UInt32.self))
            case RTA_IIF.rawValue: inputLink = Int(try attributes.host(attribute, as: UInt32.self))
            case RTA_GATEWAY.rawValue: gateway = try attributes.address(attribute)
            case RTA_VIA.rawValue: hasForeignGateway = true
            case RTA_PREFSRC.rawValue: preferredSource = try attributes.address(attribute)
            case RTA_PRIORITY.rawValue: metric = try attributes.host(attribute)
            case RTA_TABLE.rawValue: table = try attributes.host(attribute)
            case RTA_METRICS.rawValue:
                // RTAX_MTU is 2.
                let metrics = attributes.nested(attribute)
                mtu = try metrics.first(2).map { (found) throws(WireError) in try metrics.host(found) }
            case RTA_MARK.rawValue: mark = try attributes.host(attribute)
            case RTA_MULTIPATH.rawValue: nextHops = try Self.nextHops(bytes, attribute.range)
            default: break
            }
        }
        guard let prefix = Address.Prefix(address: address, length: Int(bytes[start + 1])) else {
            throw WireError(.malformed, "rtm_dst_len")
        }
        destination = prefix
    }

    /// Every route of a dump of the family, in its order.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [Self] {
        try decodeAll(messages, RouteMessageType.newRoute) { (message) throws(WireError) in try Self(message) }
    }

    /// struct rtnexthop: length with its attributes (16 bits), flags, hops (8 bits each), index (32 bits).
    private static func nextHops(_ bytes: [UInt8], _ range: Range<Int>) throws(WireError) -> [NextHop] {
        var hops: [NextHop] = []
        var offset = range.lowerBound
        while range.upperBound - offset >= 8 {
            guard let length: UInt16 = bytes.hostInteger(at: offset),
                let index: Int32 = bytes.hostInteger(at: offset + 4), length >= 8,
                Int(length) <= range.upperBound - offset
            else { throw WireError(.malformed, "rtnexthop") }
            let attributes = NetlinkAttributes(bytes, offset + 8..<offset + Int(length))
            let gateway = try attributes.first(UInt16(RTA_GATEWAY.rawValue))
            hops.append(
                NextHop(
                    link: Int(index),
                    gateway: try gateway.map { (found) throws(WireError) in try attributes.address(found) },
                    isDead: bytes[offset + 2] & UInt8(RTNH_F_DEAD | RTNH_F_LINKDOWN) != 0))
            offset += NetlinkAttributes.align(Int(length))
        }
        return hops
    }
}

extension InternetRoute.Kind: CustomStringConvertible {
    /// As `ip route` writes it.
    package var description: String {
        switch self {
        case .unspecified: "unspec"
        case .unicast: "unicast"
        case .local: "local"
        case .broadcast: "broadcast"
        case .anycast: "anycast"
        case .multicast: "multicast"
        case .blackhole: "blackhole"
        case .unreachable: "unreachable"
        case .prohibit: "prohibit"
        case .throw: "throw"
        case .nat: "nat"
        case .resolve: "xresolve"
        }
    }
}
