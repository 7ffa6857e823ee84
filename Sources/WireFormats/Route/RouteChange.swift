internal import CLinux
package import HostModel

/// What rtnetlink is told to change: a message type, flags besides NLM_F_REQUEST and NLM_F_ACK, and a payload.
package struct RouteChange: Hashable, Sendable {
    package let type: UInt16
    package let flags: UInt16
    package let payload: [UInt8]

    /// A new bridge with the kernel's defaults; EEXIST where a link has that name.
    package static func createBridge(name: String) -> RouteChange {
        var payload = NetlinkAttributeBuilder(header: linkHeader())
        payload.append(UInt16(IFLA_IFNAME), text: name)
        payload.nest(UInt16(IFLA_LINKINFO)) { $0.append(UInt16(IFLA_INFO_KIND), text: "bridge") }
        return RouteChange(
            type: RouteMessageType.newLink, flags: UInt16(NLM_F_CREATE | NLM_F_EXCL), payload: payload.bytes)
    }

    package static func deleteLink(index: Int) -> RouteChange {
        RouteChange(type: RouteMessageType.deleteLink, flags: 0, payload: linkHeader(index: index))
    }

    /// IFF_UP on or off; the other flags stay.
    package static func setLink(index: Int, up: Bool) -> RouteChange {
        RouteChange(
            type: RouteMessageType.newLink, flags: 0,
            payload: linkHeader(index: index, flags: up ? UInt32(IFF_UP) : 0, change: UInt32(IFF_UP)))
    }

    /// A port of the bridge of that index; 0: of none.
    package static func setMaster(index: Int, master: Int) -> RouteChange {
        var payload = NetlinkAttributeBuilder(header: linkHeader(index: index))
        payload.append(UInt16(IFLA_MASTER), host: UInt32(clamping: master))
        return RouteChange(type: RouteMessageType.newLink, flags: 0, payload: payload.bytes)
    }

    /// The hardware address of a link.
    package static func setHardwareAddress(_ address: MACAddress, index: Int) -> RouteChange {
        var payload = NetlinkAttributeBuilder(header: linkHeader(index: index))
        payload.append(UInt16(IFLA_ADDRESS), bytes: address.octets)
        return RouteChange(type: RouteMessageType.newLink, flags: 0, payload: payload.bytes)
    }

    /// An address with the broadcast address of its prefix, where the prefix has one (RFC 3021: not /31 and /32).
    package static func addAddress(_ address: IPv4Prefix, link index: Int) -> RouteChange {
        addAddress(address, link: index, broadcast: address.length < 31 ? address.last : nil)
    }

    /// An address with this broadcast address, or none.
    package static func addAddress(_ address: IPv4Prefix, link index: Int, broadcast: IPv4Address?) -> RouteChange {
        RouteChange(
            type: RouteMessageType.newAddress, flags: UInt16(NLM_F_CREATE | NLM_F_EXCL),
            payload: addressPayload(address, link: index, broadcast: broadcast))
    }

    package static func removeAddress(_ address: IPv4Prefix, link index: Int) -> RouteChange {
        RouteChange(
            type: RouteMessageType.deleteAddress, flags: 0,
            payload: addressPayload(address, link: index, broadcast: nil))
    }

    /// struct ifinfomsg: family, pad, type (16 bits), index, flags, change (32 bits each).
    private static func linkHeader(index: Int = 0, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        var header: [UInt8] = [0, 0, 0, 0]
        header.appendHost(Int32(clamping: index))
        header.appendHost(flags)
        header.appendHost(change)
        return header
    }

    /// struct ifaddrmsg: family, prefix length, flags, scope (8 bits each), index (32 bits).
    private static func addressPayload(_ address: IPv4Prefix, link index: Int, broadcast: IPv4Address?) -> [UInt8] {
        var header: [UInt8] = [AddressFamily.ipv4.rawValue, UInt8(clamping: address.length), 0, 0]
        header.appendHost(UInt32(clamping: index))
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(UInt16(IFA_LOCAL), address: address.address)
        payload.append(UInt16(IFA_ADDRESS), address: address.address)
        if let broadcast { payload.append(UInt16(IFA_BROADCAST), address: broadcast) }
        return payload.bytes
    }
}
