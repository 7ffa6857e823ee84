package import WireFormats

/// What rules may do, told without decoding them.
extension Ruleset {
    package func traits(ofRule index: Int) -> NftRule.Traits {
        switch rules[index].body {
        case .nft(let position): nft.rules[position].traits
        case .legacy(let entry): NftRule.Traits(entry)
        }
    }
}

extension NftRule.Traits {
    /// Of a rule of iptables-legacy.
    init(_ rule: XtRule) {
        self = []
        if rule.target == .verdict(.queue) { insert(.queues) }
        if rule.matches.contains(where: { $0.name == "set" }) { insert(.usesIPSets) }
        if rule.matches.contains(where: { ["conntrack", "state", "connmark"].contains($0.name) }) {
            insert(.usesConntrack)
        }
        guard case .target(let xt) = rule.target else { return }
        switch xt.name {
        case "MARK", "HMARK": insert(.changesMarks)
        case "CONNMARK": formUnion([.changesMarks, .usesConntrack])
        case "TPROXY": formUnion([.changesMarks, .hasOtherTarget])
        case "SYNPROXY": formUnion([.usesConntrack, .hasOtherTarget])
        case "SET": insert(.usesIPSets)
        case "NFQUEUE": insert(.queues)
        case "DNAT", "REDIRECT": insert(.translates)
        case "NETMAP": formUnion([.translates, .translatesSource])
        case "MASQUERADE", "SNAT": insert(.translatesSource)
        case "TCPMSS": insert(.writesOptions)
        case "CHECKSUM", "TTL": insert(.writesHeaders)
        case "CT": insert(.setsZones)
        default: insert(.hasOtherTarget)
        }
    }
}
