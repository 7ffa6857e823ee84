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

    /// EEXIST where the link has the address with that prefix length.
    package static func addAddress(_ held: HeldAddress, link index: Int) -> RouteChange {
        var payload = addressPayload(held, link: index)
        if let broadcast = held.broadcast { payload.append(UInt16(IFA_BROADCAST), address: broadcast) }
        if let label = held.label { payload.append(UInt16(IFA_LABEL), text: label) }
        if let flags = held.flags { payload.append(UInt16(IFA_FLAGS), host: flags) }
        if let metric = held.metric { payload.append(UInt16(IFA_RT_PRIORITY), host: metric) }
        return RouteChange(
            type: RouteMessageType.newAddress, flags: UInt16(NLM_F_CREATE | NLM_F_EXCL), payload: payload.bytes)
    }

    package static func removeAddress(_ held: HeldAddress, link index: Int) -> RouteChange {
        RouteChange(
            type: RouteMessageType.deleteAddress, flags: 0, payload: addressPayload(held, link: index).bytes)
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
    private static func addressPayload(_ held: HeldAddress, link index: Int) -> NetlinkAttributeBuilder {
        let address = held.address
        var header: [UInt8] = [AddressFamily.ipv4.rawValue, UInt8(clamping: address.length), 0, held.scope ?? 0]
        header.appendHost(UInt32(clamping: index))
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(UInt16(IFA_LOCAL), address: address.address)
        payload.append(UInt16(IFA_ADDRESS), address: held.peer ?? address.address)
        return payload
    }
}
