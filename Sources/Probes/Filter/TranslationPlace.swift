package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// Where one rule more of nftables gives a network the translation that a rule ahead of it keeps it from.
package struct TranslationPlace: Codable, Sendable, Hashable {
    package var rule: NftChainRule
    /// Of the rule that it goes ahead of, as `nft -a list` shows it.
    package var handle: String
    /// The chain that it goes into.
    package var listing: NftChainListing
    /// Why nothing can be put into that chain for long, where that is so; the rule says all the same what it would be like.
    package var refusal: String?

    /// Looks for it in the ruleset as it is now. What the new rule does is proved over every packet of the network
    /// before there is an answer; `unknown` says why there is none.
    package static func find(
        for network: Network, uplink: String, on host: any Host
    ) throws(ObservationFailure) -> TranslationPlace {
        let reading = try Reading(network, uplink, host)
        let ahead = try reading.ahead(own: nil)
        let ruleset = reading.ruleset
        let shadow = ruleset.rules[ahead.shadow]
        let chain = ruleset.chains[shadow.chain]
        let table = ruleset.tables[chain.table]
        let place = NftChainPlace(table.name.family, table.name.name, chain.name)
        guard table.backend == .nft else { throw .unknown("the rule that decides is one of \(table.backend.rawValue)") }
        guard let listing = ruleset.nft.listing(of: place)?.listing,
            listing.entries.indices.contains(shadow.number - 1),
            case .rule(let expressions) = listing.entries[shadow.number - 1]
        else { throw .unknown("\(ruleset.place(ofRule: ahead.shadow)) is not a rule that another one can go ahead of") }
        let matches: [IptablesRule.Match] =
            [.source(network.cidr), .notDestination(network.cidr)]
            + ahead.exempt.filter { !network.cidr.contains($0) }.map { .notDestination($0) }
        return TranslationPlace(
            rule: NftChainRule(
                place, matches, .masquerade,
                position: .before(expressions, text: ruleset.text(ofRule: ahead.shadow)),
                aim: NftChainRule.Aim(network: network, uplink: uplink)),
            handle: ruleset.handle(ofRule: ahead.shadow) ?? "", listing: listing,
            refusal: reading.foreignOwner(of: table))
    }

    /// What a rule that is there now does wrong: it translates what is exempt, or does not translate what should be.
    /// Nil: neither is so for any packet of the network that it is for, or it translates none.
    package static func complaint(about rule: NftChainRule, on host: any Host) -> String? {
        guard let aim = rule.aim else { return nil }
        do throws(ObservationFailure) {
            let reading = try Reading(aim.network, aim.uplink, host)
            let place = rule.place
            guard let listing = reading.ruleset.nft.listing(of: place)?.listing, let index = listing.index(of: rule),
                let chain = reading.ruleset.chains.indices.first(where: { index in
                    let chain = reading.ruleset.chains[index]
                    return reading.ruleset.tables[chain.table].name == place.tableName && chain.name == place.chain
                })
            else { return "\(place) has no rule `\(rule.text)`" }
            _ = try reading.ahead(own: reading.ruleset.chains[chain].rules.lowerBound + index)
            return nil
        } catch {
            switch error {
            case .unknown(let reason), .notApplicable(let reason): return reason
            }
        }
    }

    private struct Reading {
        let ruleset: Ruleset
        let question: SourceTranslationQuestion
        let exempt: [IPv4Prefix]

        init(_ network: Network, _ uplink: String, _ host: any Host) throws(ObservationFailure) {
            ruleset = try RulesetState(host: host).ruleset()
            question = try NetworkState(host: host).translationQuestion(
                from: network.cidr, behind: network.bridge, by: uplink, to: network.target)
            exempt = network.exempt
        }

        func ahead(own: Int?) throws(ObservationFailure) -> TranslationAhead {
            do throws(TranslationRefusal) {
                return try question.translationAhead(in: ruleset, leaving: exempt, own: own)
            } catch {
                throw .unknown(error.reason)
            }
        }

        /// Programs that make their tables anew whenever they please, and the rules of others in them are gone then.
        private static let programs = [
            "firewalld": "firewalld", "docker-bridges": "Docker", "incus": "Incus", "lxd": "LXD",
            "io.systemd.nat": "systemd-networkd", "libvirt_network": "libvirt",
        ]

        func foreignOwner(of table: Ruleset.Table) -> String? {
            let name = table.name.name
            let program = Self.programs[name] ?? (name.hasPrefix("nm-shared-") ? "NetworkManager" : nil)
            if let program { return "the rule that decides is \(program)'s, which makes its table anew" }
            let flags = ruleset.nft.tables.first { $0.name == table.name }?.flags ?? []
            return flags.contains(.owner) ? "the table \(table.name) belongs to a running program alone" : nil
        }
    }
}
