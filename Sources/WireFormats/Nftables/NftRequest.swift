internal import CLinux

/// What one nftables GET or dump says on the wire.
///
/// Shape of the payload: `struct nfgenmsg` (family, version 0, resource id 0), then attributes. A dump with family
/// `unspecified` covers every family. Source: `linux/netfilter/nf_tables.h`.
package struct NftRequest: Sendable, Hashable {
    /// `nlmsg_type` with the subsystem.
    package let type: UInt16
    package let name: String
    package let dump: Bool
    package let payload: [UInt8]

    package static func tables(_ family: NftFamily) -> NftRequest {
        NftRequest(NFT_MSG_GETTABLE, "NFT_MSG_GETTABLE", family)
    }

    package static func chains(_ family: NftFamily) -> NftRequest {
        NftRequest(NFT_MSG_GETCHAIN, "NFT_MSG_GETCHAIN", family)
    }

    package static func rules(_ family: NftFamily, table: String?, chain: String?) -> NftRequest {
        NftRequest(NFT_MSG_GETRULE, "NFT_MSG_GETRULE", family) {
            if let table { $0.append(nfta(NFTA_RULE_TABLE), text: table) }
            if let chain { $0.append(nfta(NFTA_RULE_CHAIN), text: chain) }
        }
    }

    /// The table that a request for rules names; nil where it is for those of every table.
    package static func table(ofRules payload: [UInt8]) -> NftTableName? {
        do {
            // Behind struct nfgenmsg, which begins with the family.
            let attributes = NetlinkAttributes(payload, 4..<max(4, payload.count))
            guard let name = try attributes.first(nfta(NFTA_RULE_TABLE)), payload[0] != 0 else { return nil }
            return NftTableName(NftFamily(rawValue: payload[0]), attributes.text(name))
        } catch {
            return nil
        }
    }

    package static func sets(_ family: NftFamily, table: String?) -> NftRequest {
        NftRequest(NFT_MSG_GETSET, "NFT_MSG_GETSET", family) {
            if let table { $0.append(nfta(NFTA_SET_TABLE), text: table) }
        }
    }

    package static func setElements(_ table: NftTableName, set: String) -> NftRequest {
        NftRequest(NFT_MSG_GETSETELEM, "NFT_MSG_GETSETELEM", table.family) {
            $0.append(nfta(NFTA_SET_ELEM_LIST_TABLE), text: table.name)
            $0.append(nfta(NFTA_SET_ELEM_LIST_SET), text: set)
        }
    }

    package static func flowtables(_ family: NftFamily) -> NftRequest {
        NftRequest(NFT_MSG_GETFLOWTABLE, "NFT_MSG_GETFLOWTABLE", family)
    }

    package static let generation = NftRequest(NFT_MSG_GETGEN, "NFT_MSG_GETGEN", .unspecified, dump: false)

    private init(
        _ type: nf_tables_msg_types, _ name: String, _ family: NftFamily, dump: Bool = true,
        _ attributes: (inout NetlinkAttributeBuilder) -> Void = { _ in }
    ) {
        var builder = NetlinkAttributeBuilder(header: [family.rawValue, 0, 0, 0])
        attributes(&builder)
        self.type = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | nfta(type)
        self.name = name
        self.dump = dump
        payload = builder.bytes
    }
}
