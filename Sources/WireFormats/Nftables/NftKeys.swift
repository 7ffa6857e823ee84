/// What a `meta` expression reads or writes (`linux/netfilter/nf_tables.h`, enum nft_meta_keys).
package struct NftMetaKey: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let length = NftMetaKey(rawValue: 0)
    package static let etherType = NftMetaKey(rawValue: 1)
    package static let mark = NftMetaKey(rawValue: 3)
    package static let inputIndex = NftMetaKey(rawValue: 4)
    package static let outputIndex = NftMetaKey(rawValue: 5)
    package static let inputName = NftMetaKey(rawValue: 6)
    package static let outputName = NftMetaKey(rawValue: 7)
    package static let trace = NftMetaKey(rawValue: 12)
    package static let networkProtocol = NftMetaKey(rawValue: 15)
    package static let transportProtocol = NftMetaKey(rawValue: 16)
    package static let inputBridgeName = NftMetaKey(rawValue: 17)
    package static let outputBridgeName = NftMetaKey(rawValue: 18)
    package static let packetType = NftMetaKey(rawValue: 19)

    private static let names = [
        "length", "protocol", "priority", "mark", "iif", "oif", "iifname", "oifname", "iiftype", "oiftype", "skuid",
        "skgid", "nftrace", "rtclassid", "secmark", "nfproto", "l4proto", "ibrname", "obrname", "pkttype", "cpu",
        "iifgroup", "oifgroup", "cgroup", "random", "ipsec", "iifkind", "oifkind", "ibrpvid", "ibrvproto", "time",
        "day", "hour", "sdif", "sdifname", "broute",
    ]

    /// As `nft` writes it, without a leading `meta` where that may be left out.
    package var name: String {
        guard rawValue < Self.names.count else { return "meta key-\(rawValue)" }
        let name = Self.names[Int(rawValue)]
        switch self {
        case .inputIndex, .outputIndex, .inputName, .outputName: return name
        default: return "meta \(name)"
        }
    }
}

/// What a `ct` expression reads or writes (enum nft_ct_keys).
package struct NftConntrackKey: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let state = NftConntrackKey(rawValue: 0)
    package static let direction = NftConntrackKey(rawValue: 1)
    package static let status = NftConntrackKey(rawValue: 2)
    package static let mark = NftConntrackKey(rawValue: 3)
    package static let zone = NftConntrackKey(rawValue: 17)

    private static let names = [
        "state", "direction", "status", "mark", "secmark", "expiration", "helper", "l3proto", "saddr", "daddr",
        "protocol", "proto-src", "proto-dst", "label", "packets", "bytes", "avgpkt", "zone", "event", "ip saddr",
        "ip daddr", "ip6 saddr", "ip6 daddr", "id",
    ]

    /// As `nft` writes it: `ct state`.
    package var name: String {
        rawValue < Self.names.count ? "ct \(Self.names[Int(rawValue)])" : "ct key-\(rawValue)"
    }
}
