internal import CLinux

/// One batch of nftables changes: the kernel makes all of them or none.
///
/// Shape on the wire: NFNL_MSG_BATCH_BEGIN, the changes, NFNL_MSG_BATCH_END, all in one datagram. Every change asks
/// for an acknowledgement, so `messageCount` answers come back, each with the sequence number of its change, and an
/// error answers the first one (the sequence number of BEGIN) where the generation is stale (ERESTART).
/// Source: `linux/netfilter/nfnetlink.h`, `linux/netfilter/nf_tables.h`.
package struct NftTransaction: Sendable, Hashable {
    private struct Change: Sendable, Hashable {
        var type: UInt16
        var flags: UInt16
        var family: NftFamily
        var attributes: [UInt8]
    }

    private var changes: [Change] = []
    /// The generation of the ruleset that the changes were planned on; nil: any.
    package var generation: UInt32?
    /// Whether a change was too long for the wire. Such a transaction must not be sent.
    package private(set) var overflowed = false

    package init(generation: UInt32? = nil) {
        self.generation = generation
    }

    /// How many changes there are, which is how many acknowledgements come back.
    package var messageCount: Int { changes.count }

    /// Makes a table. `exclusive`: EEXIST where there is one of that name already.
    package mutating func newTable(_ table: NftTableName, flags: NftTableFlags = [], exclusive: Bool = false) {
        append(NFT_MSG_NEWTABLE, create | (exclusive ? UInt16(NLM_F_EXCL) : 0), table.family) {
            $0.append(nfta(NFTA_TABLE_NAME), text: table.name)
            $0.append(nfta(NFTA_TABLE_FLAGS), network: flags.rawValue)
        }
    }

    /// Removes a table with everything in it; ENOENT where there is none.
    package mutating func deleteTable(_ table: NftTableName) {
        append(NFT_MSG_DELTABLE, 0, table.family) { $0.append(nfta(NFTA_TABLE_NAME), text: table.name) }
    }

    /// Makes a chain: hooked with `base`, a target of jumps without.
    package mutating func newChain(_ name: String, in table: NftTableName, base: NftBaseChain? = nil) {
        append(NFT_MSG_NEWCHAIN, create, table.family) { chain in
            chain.append(nfta(NFTA_CHAIN_TABLE), text: table.name)
            chain.append(nfta(NFTA_CHAIN_NAME), text: name)
            guard let base else { return }
            chain.nest(nfta(NFTA_CHAIN_HOOK)) { hook in
                hook.append(nfta(NFTA_HOOK_HOOKNUM), network: base.hook.rawValue)
                hook.append(nfta(NFTA_HOOK_PRIORITY), network: base.priority)
                if base.devices.count == 1 {
                    hook.append(nfta(NFTA_HOOK_DEV), text: base.devices[0])
                } else if !base.devices.isEmpty {
                    hook.nest(nfta(NFTA_HOOK_DEVS)) { list in
                        for device in base.devices { list.append(nfta(NFTA_DEVICE_NAME), text: device) }
                    }
                }
            }
            chain.append(nfta(NFTA_CHAIN_POLICY), network: base.policy.rawValue)
            chain.append(nfta(NFTA_CHAIN_TYPE), text: base.type)
        }
    }

    /// Adds a rule at the end of a chain, or ahead of the rule with this handle.
    package mutating func newRule(
        in chain: String, of table: NftTableName, before handle: UInt64? = nil, _ expressions: [NftExpression]
    ) {
        let place = handle == nil ? UInt16(NLM_F_APPEND) : 0
        append(NFT_MSG_NEWRULE, create | place, table.family) { rule in
            rule.append(nfta(NFTA_RULE_TABLE), text: table.name)
            rule.append(nfta(NFTA_RULE_CHAIN), text: chain)
            if let handle { rule.append(nfta(NFTA_RULE_POSITION), network: handle) }
            rule.nest(nfta(NFTA_RULE_EXPRESSIONS)) { list in
                for expression in expressions {
                    list.nest(nfta(NFTA_LIST_ELEM)) { expression.encode(into: &$0) }
                }
            }
        }
    }

    /// Removes one rule; ENOENT where it is gone.
    package mutating func deleteRule(_ handle: UInt64, in chain: String, of table: NftTableName) {
        append(NFT_MSG_DELRULE, 0, table.family) { rule in
            rule.append(nfta(NFTA_RULE_TABLE), text: table.name)
            rule.append(nfta(NFTA_RULE_CHAIN), text: chain)
            rule.append(nfta(NFTA_RULE_HANDLE), network: handle)
        }
    }

    /// The whole datagram. The changes are numbered from `firstSequence` + 1.
    package func encoded(firstSequence: UInt32 = 1) -> [UInt8] {
        var bytes: [UInt8] = []
        var sequence = firstSequence
        var genid = NetlinkAttributeBuilder(header: Self.familyHeader(.unspecified, resource: subsystem))
        if let generation { genid.append(nfta(NFNL_BATCH_GENID), network: generation) }
        bytes += Self.message(UInt16(NFNL_MSG_BATCH_BEGIN), 0, sequence, genid.bytes)
        for change in changes {
            sequence &+= 1
            bytes += Self.message(
                subsystem << 8 | change.type, change.flags | UInt16(NLM_F_ACK), sequence,
                Self.familyHeader(change.family, resource: 0) + change.attributes)
        }
        sequence &+= 1
        bytes += Self.message(
            UInt16(NFNL_MSG_BATCH_BEGIN) + 1, 0, sequence,
            Self.familyHeader(.unspecified, resource: subsystem))
        return bytes
    }

    private var create: UInt16 { UInt16(NLM_F_CREATE) }
    private var subsystem: UInt16 { UInt16(NFNL_SUBSYS_NFTABLES) }

    private mutating func append(
        _ type: nf_tables_msg_types, _ flags: UInt16, _ family: NftFamily,
        _ body: (inout NetlinkAttributeBuilder) -> Void
    ) {
        var builder = NetlinkAttributeBuilder()
        body(&builder)
        overflowed = overflowed || builder.overflowed
        changes.append(Change(type: nfta(type), flags: flags, family: family, attributes: builder.bytes))
    }

    /// `struct nfgenmsg`: family, version 0, resource id in network order.
    private static func familyHeader(_ family: NftFamily, resource: UInt16) -> [UInt8] {
        [family.rawValue, 0, UInt8(resource >> 8), UInt8(resource & 0xff)]
    }

    private static func message(_ type: UInt16, _ flags: UInt16, _ sequence: UInt32, _ payload: [UInt8]) -> [UInt8] {
        NetlinkMessage(
            type: type, flags: flags | UInt16(NLM_F_REQUEST), sequence: sequence, payload: payload
        ).bytes
    }
}
