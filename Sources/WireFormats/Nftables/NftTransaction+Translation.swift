package import HostModel

extension NftTransaction {
    /// The table that translates a network, in the shape of lxc-net's own:
    ///
    ///     table ip NAME {
    ///         chain postrouting {
    ///             type nat hook postrouting priority srcnat; policy accept;
    ///             ip saddr NETWORK ip daddr != NETWORK counter masquerade
    ///         }
    ///     }
    ///
    /// The table must not exist: EEXIST otherwise.
    package static func translationTable(
        _ name: String, network: IPv4Prefix, generation: UInt32? = nil
    ) -> NftTransaction {
        let table = NftTableName(.ipv4, name)
        var transaction = NftTransaction(generation: generation)
        transaction.newTable(table, exclusive: true)
        transaction.newChain(
            "postrouting", in: table,
            base: NftBaseChain(
                type: "nat", hook: .postrouting, priority: NftBaseChain.sourceTranslationPriority))
        transaction.newRule(
            in: "postrouting", of: table,
            NftExpression.translation(of: network, wholeBytes: false))
        return transaction
    }

    /// Removes a table made by `translationTable`.
    package static func deletion(of table: NftTableName, generation: UInt32? = nil) -> NftTransaction {
        var transaction = NftTransaction(generation: generation)
        transaction.deleteTable(table)
        return transaction
    }
}

/// The matches that people write, as expressions over register 1. Families ip and, behind a test of
/// `meta nfproto`, inet.
extension NftExpression {
    private static let sourceOffset: UInt32 = 12
    private static let destinationOffset: UInt32 = 16

    /// Whether a rule is that of `translationTable`, whatever its counter has counted: made by this program, or by
    /// nft(8), which loads no more bytes of an address than the prefix is long.
    package static func isTranslation(_ expressions: some Sequence<NftExpression>, of network: IPv4Prefix) -> Bool {
        let uncounted = expressions.map { expression in
            if case .counter = expression { NftExpression.counter(packets: 0, bytes: 0) } else { expression }
        }
        return [false, true].contains { uncounted == translation(of: network, wholeBytes: $0) }
    }

    fileprivate static func translation(of network: IPv4Prefix, wholeBytes: Bool) -> [NftExpression] {
        let matches =
            wholeBytes && network.length % 8 == 0
            ? bytes(at: sourceOffset, .equal, network) + bytes(at: destinationOffset, .notEqual, network)
            : source(in: network) + destination(notIn: network)
        return matches + [.counter(packets: 0, bytes: 0), .masquerade(flags: 0, ports: nil)]
    }

    /// Of a prefix that is some bytes long.
    private static func bytes(
        at offset: UInt32, _ comparison: NftComparison, _ network: IPv4Prefix
    ) -> [NftExpression] {
        let count = network.length / 8
        guard let value = NftValue(network.first.octets.prefix(count)) else { return [] }
        return [
            .payload(base: .network, offset: offset, length: UInt32(count), into: .one),
            .compare(.one, comparison, value),
        ]
    }

    /// `ip saddr NETWORK`.
    package static func source(in network: IPv4Prefix) -> [NftExpression] {
        address(at: sourceOffset, .equal, network)
    }

    /// `ip daddr NETWORK`.
    package static func destination(in network: IPv4Prefix) -> [NftExpression] {
        address(at: destinationOffset, .equal, network)
    }

    /// `ip daddr != NETWORK`.
    package static func destination(notIn network: IPv4Prefix) -> [NftExpression] {
        address(at: destinationOffset, .notEqual, network)
    }

    private static func address(
        at offset: UInt32, _ comparison: NftComparison, _ network: IPv4Prefix
    ) -> [NftExpression] {
        [
            .payload(base: .network, offset: offset, length: 4, into: .one),
            .bitwise(from: .one, into: .one, mask: NftValue(network.netmask), xor: NftValue(big32: 0)),
            .compare(.one, comparison, NftValue(network.first)),
        ]
    }

    /// Bytes at an offset of the packet: a nonce, a port.
    package static func bytes(
        _ base: NftPayloadBase, at offset: UInt32, equal value: NftValue
    ) -> [NftExpression] {
        [
            .payload(base: base, offset: offset, length: UInt32(value.count), into: .one),
            .compare(.one, .equal, value),
        ]
    }

    /// `meta KEY VALUE`; a name needs `NftValue(interface:)`, a number `NftValue(host32:)`.
    package static func meta(_ key: NftMetaKey, equal value: NftValue) -> [NftExpression] {
        [.meta(key, into: .one), .compare(.one, .equal, value)]
    }

    /// `ct state established,related`. Source: NF_CT_STATE_BIT of linux/netfilter/nf_conntrack_common.h.
    package static let established: [NftExpression] = [
        .conntrack(.state, direction: nil, into: .one),
        .bitwise(from: .one, into: .one, mask: NftValue(host32: 2 | 4), xor: NftValue(host32: 0)),
        .compare(.one, .notEqual, NftValue(host32: 0)),
    ]

    /// `udp dport PORT`, `tcp dport PORT` (IPPROTO_UDP 17, IPPROTO_TCP 6).
    package static func port(_ port: UInt16, protocol number: UInt8) -> [NftExpression] {
        meta(.transportProtocol, equal: NftValue(byte: number))
            + bytes(.transport, at: 2, equal: NftValue(big16: port))
    }

    /// `meta nftrace set 1`.
    package static let enableTrace: [NftExpression] = [
        .immediate(into: .one, NftValue(byte: 1)), .setMeta(.trace, from: .one),
    ]
}
