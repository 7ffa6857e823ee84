internal import CLinux

/// A packet as the kernel logs it to an NFLOG group.
///
/// Source: `linux/netfilter/nfnetlink_log.h`, NFULNL_MSG_PACKET.
package struct NflogPacket: Sendable, Hashable {
    /// The text of the rule's log statement.
    package var prefix: String
    /// Interface indexes, zero where there is none. Of a bridged packet the port counts, not the bridge.
    package var input: UInt32
    package var output: UInt32
    /// Zero where it has none.
    package var mark: UInt32
    /// From the network header on, as long as the group's copy range allows.
    package var payload: ArraySlice<UInt8>

    /// Nil: another message.
    package init?(_ message: NetlinkMessage) throws(WireError) {
        let type = UInt16(NFNL_SUBSYS_ULOG) << 8 | UInt16(NFULNL_MSG_PACKET.rawValue)
        guard message.header.type == type else { return nil }
        // struct nfgenmsg: family, version, resource id.
        var attributes = try message.attributes(after: 4)
        prefix = ""
        payload = []
        mark = 0
        var indexes: [UInt32: UInt32] = [:]
        while let attribute = try attributes.next() {
            switch UInt32(attribute.type) {
            case NFULA_PREFIX.rawValue: prefix = attributes.text(attribute)
            case NFULA_PAYLOAD.rawValue: payload = attributes.data(attribute)
            case NFULA_MARK.rawValue: mark = try attributes.network(attribute)
            case NFULA_IFINDEX_INDEV.rawValue, NFULA_IFINDEX_OUTDEV.rawValue, NFULA_IFINDEX_PHYSINDEV.rawValue,
                NFULA_IFINDEX_PHYSOUTDEV.rawValue:
                indexes[UInt32(attribute.type)] = try attributes.network(attribute)
            default: break
            }
        }
        input = indexes[NFULA_IFINDEX_PHYSINDEV.rawValue] ?? indexes[NFULA_IFINDEX_INDEV.rawValue] ?? 0
        output = indexes[NFULA_IFINDEX_PHYSOUTDEV.rawValue] ?? indexes[NFULA_IFINDEX_OUTDEV.rawValue] ?? 0
    }

    /// The payload of NFULNL_MSG_CONFIG that binds a socket to a group and asks for whole packets at once.
    package static func binding(group: UInt16, copyBytes: UInt32) -> [UInt8] {
        var builder = NetlinkAttributeBuilder(header: [0, 0, UInt8(group >> 8), UInt8(group & 0xff)])
        builder.append(UInt16(NFULA_CFG_CMD.rawValue), bytes: [UInt8(NFULNL_CFG_CMD_BIND.rawValue)])
        var mode: [UInt8] = []
        mode.appendNetwork(copyBytes)
        mode += [UInt8(NFULNL_COPY_PACKET), 0]
        builder.append(UInt16(NFULA_CFG_MODE.rawValue), bytes: mode)
        builder.append(UInt16(NFULA_CFG_TIMEOUT.rawValue), network: 0 as UInt32)
        builder.append(UInt16(NFULA_CFG_QTHRESH.rawValue), network: 1 as UInt32)
        return builder.bytes
    }
}
