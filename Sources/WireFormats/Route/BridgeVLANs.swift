internal import CLinux

/// The VLANs of a port of a bridge, or of a bridge itself, as RTM_NEWLINK of family AF_BRIDGE describes them.
///
/// Source: bridge(8), IFLA_BRIDGE_VLAN_INFO in linux/if_bridge.h.
package struct BridgeVLANs: Hashable, Sendable {
    /// The index of the link.
    package var link: Int
    /// The VLAN of untagged frames that come in: BRIDGE_VLAN_INFO_PVID; nil: such frames are dropped.
    package var untagged: Int?

    private init(_ message: NetlinkMessage) throws(WireError) {
        // struct ifinfomsg: family, pad, type (16 bits), index.
        guard let index: Int32 = message.bytes.hostInteger(at: NetlinkHeader.size + 4) else {
            throw WireError(.truncated, "ifinfomsg")
        }
        link = Int(index)
        let attributes = try message.attributes(after: MemoryLayout<ifinfomsg>.size)
        guard let specific = try attributes.first(UInt16(IFLA_AF_SPEC)) else { return }
        var nested = attributes.nested(specific)
        while let attribute = try nested.next() {
            guard Int(attribute.type) == Int(IFLA_BRIDGE_VLAN_INFO) else { continue }
            // struct bridge_vlan_info: flags, vid (16 bits each).
            guard attribute.range.count >= 4,
                let flags: UInt16 = nested.bytes.hostInteger(at: attribute.range.lowerBound),
                let number: UInt16 = nested.bytes.hostInteger(at: attribute.range.lowerBound + 2)
            else { throw WireError(.truncated, "bridge_vlan_info") }
            if flags & UInt16(BRIDGE_VLAN_INFO_PVID) != 0 { untagged = Int(number) }
        }
    }

    /// Every port and bridge of a dump.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [BridgeVLANs] {
        try decodeAll(messages, RouteMessageType.newLink) { (message) throws(WireError) in try BridgeVLANs(message) }
    }
}

extension RouteRequest {
    /// The VLANs of all ports of bridges, and of the bridges.
    package static var bridgeVLANs: RouteRequest {
        var payload = NetlinkAttributeBuilder(
            header: [AddressFamily.bridge.rawValue]
                + [UInt8](repeating: 0, count: MemoryLayout<ifinfomsg>.size - 1))
        payload.append(UInt16(IFLA_EXT_MASK), host: UInt32(RTEXT_FILTER_BRVLAN))
        return RouteRequest(
            type: RouteMessageType.getLink, name: "RTM_GETLINK AF_BRIDGE", dump: true, payload: payload.bytes)
    }
}
