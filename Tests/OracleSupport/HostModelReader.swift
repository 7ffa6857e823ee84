package import HostAccess
internal import HostModel
package import PacketFilter
internal import Probes
internal import WireFormats

/// A host as the model sees it.
package struct ReadHost {
    package var ruleset: Ruleset
    package var forwarding: HostForwarding
}

/// Reads the model's view of a host, live or recorded, by the same code as the program.
package enum HostModelReader {
    package static func read(_ host: any Host) throws -> ReadHost {
        var nft = NftRuleset()
        try nft.addTables(host.query(.nftTables()))
        try nft.addChains(host.query(.nftChains()))
        try nft.addRules(host.query(.nftRules()))
        return ReadHost(ruleset: Ruleset(nft: nft), forwarding: HostForwarding())
    }
}
