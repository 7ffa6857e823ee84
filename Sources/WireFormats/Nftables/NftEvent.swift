internal import CLinux

/// What nfnetlink tells the group NFNLGRP_NFTABLES.
///
/// Source: linux/netfilter/nf_tables.h. Every object but a table carries its table as attribute 1, as a table does its
/// own name; the end of a batch is NFT_MSG_NEWGEN.
package enum NftEvent: Sendable {
    /// `isOwned`: a new table that belongs to the socket that made it (NFT_TABLE_F_OWNER).
    case table(NftTableName, isNew: Bool, isOwned: Bool)
    /// A chain, rule, set, element, object or flowtable of a table.
    case content(of: NftTableName)
    /// The end of a batch, with the generation that it has made.
    case generation(UInt32)
    case other

    package init(_ message: NetlinkMessage) throws(WireError) {
        guard message.header.type >> 8 == UInt16(NFNL_SUBSYS_NFTABLES) else {
            self = .other
            return
        }
        let type = UInt32(message.header.type & 0xff)
        // struct nfgenmsg begins with the family.
        let attributes = try message.attributes(after: 4)
        if type == NFT_MSG_NEWGEN.rawValue {
            guard let number = try attributes.first(UInt16(NFTA_GEN_ID.rawValue)) else {
                throw WireError(.malformed, "NFT_MSG_NEWGEN without a number")
            }
            self = .generation(try attributes.network(number))
            return
        }
        let family = NftFamily(rawValue: message.bytes[NetlinkHeader.size])
        guard let name = try attributes.first(UInt16(NFTA_TABLE_NAME.rawValue)) else {
            throw WireError(.malformed, "nf_tables event without a table")
        }
        let table = NftTableName(family, attributes.text(name))
        guard type == NFT_MSG_NEWTABLE.rawValue || type == NFT_MSG_DELTABLE.rawValue else {
            self = .content(of: table)
            return
        }
        let flags = try attributes.first(UInt16(NFTA_TABLE_FLAGS.rawValue))
        let value = if let flags { try attributes.network(flags, as: UInt32.self) } else { UInt32(0) }
        self = .table(
            table, isNew: type == NFT_MSG_NEWTABLE.rawValue, isOwned: value & UInt32(NFT_TABLE_F_OWNER.rawValue) != 0)
    }

    package static let groups: [UInt32] = [UInt32(NFNLGRP_NFTABLES.rawValue)]
}
