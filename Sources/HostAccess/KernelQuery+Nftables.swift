internal import HostModel
package import WireFormats

/// nfnetlink requests for nftables. All need CAP_NET_ADMIN in the network namespace.
extension KernelQuery {
    package static func nftTables(_ family: NftFamily = .unspecified) -> KernelQuery {
        nft(.tables(family))
    }

    package static func nftChains(_ family: NftFamily = .unspecified) -> KernelQuery {
        nft(.chains(family))
    }

    /// Every rule, or those of one table, or of one chain of it.
    package static func nftRules(
        _ family: NftFamily = .unspecified, table: String? = nil, chain: String? = nil
    ) -> KernelQuery {
        nft(.rules(family, table: table, chain: chain))
    }

    /// The rules of one table, wherever in it.
    package static func nftRules(of table: NftTableName) -> KernelQuery {
        nft(.rules(table.family, table: table.name, chain: nil))
    }

    /// The table, where rules of one table alone are asked for.
    package var tableOfRules: NftTableName? {
        guard family == .netfilter, self.type == NftRequest.rules(.unspecified, table: nil, chain: nil).type else {
            return nil
        }
        return NftRequest.table(ofRules: payload.bytes)
    }

    /// Every set and map, anonymous ones too, without their elements.
    package static func nftSets(_ family: NftFamily = .unspecified, table: String? = nil) -> KernelQuery {
        nft(.sets(family, table: table))
    }

    /// The elements of one set or map.
    package static func nftSetElements(_ table: NftTableName, set: String) -> KernelQuery {
        nft(.setElements(table, set: set))
    }

    package static func nftFlowtables(_ family: NftFamily = .unspecified) -> KernelQuery {
        nft(.flowtables(family))
    }

    /// The generation of the ruleset, which every committed batch raises: one answer.
    package static var nftGeneration: KernelQuery { nft(.generation) }

    private static func nft(_ request: NftRequest) -> KernelQuery {
        KernelQuery(
            family: .netfilter, type: request.type, dump: request.dump, payload: request.payload, name: request.name)
    }
}

extension RecordingHost {
    /// The lower half of the generation at which the tables of nftables were listed; nil where they were not, or there are
    /// none.
    package var nftGeneration: UInt16? {
        guard case .messages(let tables) = known(.netlink(.nftTables())), let first = tables.first else { return nil }
        return NftRuleset.generation(of: Array(first))
    }
}
