internal import CLinux

/// One step of a traced packet through nftables.
///
/// Source: `linux/netfilter/nf_tables.h`, NFT_MSG_TRACE; multicast group NFNLGRP_NFTRACE.
package struct NftTraceEvent: Sendable, Hashable {
    package var table: NftTableName
    package var chain: String
    /// The rule's handle; nil for a policy.
    package var handle: UInt64?
    /// NFT_TRACETYPE_POLICY.
    package var isPolicy: Bool
    /// NF_DROP, of the rule or of the policy.
    package var isDrop: Bool
    /// NF_ACCEPT of a rule.
    package var isAccept: Bool
    /// The same for the steps of one packet at one device; it changes on the way.
    package var identifier: UInt32
    /// The network header and what the kernel shows of the transport header; empty in all but the first step of a
    /// chain.
    package var packet: [UInt8]

    /// Nil: another message.
    package init?(_ message: NetlinkMessage) throws(WireError) {
        let type = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_TRACE.rawValue)
        guard message.header.type == type else { return nil }
        var attributes = try message.attributes(after: 4)
        // struct nfgenmsg begins with the family.
        let family = NftFamily(rawValue: message.bytes[NetlinkHeader.size])
        var name = ""
        chain = ""
        isPolicy = false
        isDrop = false
        isAccept = false
        identifier = 0
        var network: ArraySlice<UInt8> = []
        var transport: ArraySlice<UInt8> = []
        while let attribute = try attributes.next() {
            switch UInt32(attribute.type) {
            case NFTA_TRACE_TABLE.rawValue: name = attributes.text(attribute)
            case NFTA_TRACE_CHAIN.rawValue: chain = attributes.text(attribute)
            case NFTA_TRACE_RULE_HANDLE.rawValue: handle = try attributes.network(attribute)
            case NFTA_TRACE_TYPE.rawValue:
                isPolicy = try attributes.network(attribute, as: UInt32.self) == NFT_TRACETYPE_POLICY.rawValue
            case NFTA_TRACE_VERDICT.rawValue:
                let verdict = attributes.nested(attribute)
                if let code = try verdict.first(UInt16(NFTA_VERDICT_CODE.rawValue)) {
                    let code = try verdict.network(code, as: Int32.self)
                    isDrop = code == NF_DROP
                    isAccept = code == NF_ACCEPT
                }
            case NFTA_TRACE_POLICY.rawValue:
                isDrop = try attributes.network(attribute, as: Int32.self) == NF_DROP
            case NFTA_TRACE_ID.rawValue: identifier = try attributes.network(attribute)
            case NFTA_TRACE_NETWORK_HEADER.rawValue: network = attributes.data(attribute)
            case NFTA_TRACE_TRANSPORT_HEADER.rawValue: transport = attributes.data(attribute)
            default: break
            }
        }
        table = NftTableName(family, name)
        packet = Array(network + transport)
    }
}
