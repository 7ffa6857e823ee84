package import WireFormats

/// Something that a rule does and that no question about packets asks for.
package enum RulePeculiarity: Sendable, CaseIterable {
    /// Writes a smaller segment size into TCP's handshake: TCPMSS, `tcp option maxseg size set`.
    case clampsSegments
    /// Puts packets into a conntrack zone: `-j CT --zone`, `ct zone set`.
    case setsZone
    /// Completes the checksums of UDP packets: the target CHECKSUM, or nft that writes the field.
    case fillsUDPChecksums
    /// Writes another address or port into packets, without conntrack: `ip daddr set`.
    case rewrites
    /// Takes from the lifetime of packets, or leaves none: the target TTL.
    case endsLife

    /// What every rule has that does this, and few others.
    var trait: NftRule.Traits {
        switch self {
        case .clampsSegments: .writesOptions
        case .setsZone: .setsZones
        case .fillsUDPChecksums, .rewrites, .endsLife: .writesHeaders
        }
    }

    func isDone(by expression: NftExpression) -> Bool {
        switch (self, expression) {
        case (.clampsSegments, .target(let xt)): xt.name == "TCPMSS"
        case (.clampsSegments, .other("exthdr set")): true
        case (.setsZone, .setConntrack(.zone, _)): true
        // struct xt_ct_target_info: flags and zone, 16 bits each.
        case (.setsZone, .target(let xt)):
            xt.name == "CT" && xt.info.count >= 4 && xt.info.dropFirst(2).prefix(2).contains { $0 != 0 }
        case (.fillsUDPChecksums, .target(let xt)): xt.name == "CHECKSUM"
        // Offset 6 of the UDP header.
        case (.fillsUDPChecksums, .setPayload(base: .transport, offset: 6, length: 2, from: _)): true
        // Source and destination of IPv4, the ports of a transport header.
        case (.rewrites, .setPayload(base: .network, let offset, let length, from: _)):
            offset < 20 && (offset >= 12 || length > 12 - offset)
        case (.rewrites, .setPayload(base: .transport, let offset, _, from: _)): offset < 4
        // struct ipt_TTL_info: how (0 sets, 2 takes), and how much.
        case (.endsLife, .target(let xt)):
            xt.name == "TTL" && (xt.info.first == 2 || xt.info.first == 0 && xt.info.dropFirst().first ?? 0 <= 1)
        default: false
        }
    }
}

extension Ruleset {
    /// The first rule that does this. Of many thousand rules only those are decoded, by `read`, that may.
    package func firstRule(
        that peculiarity: RulePeculiarity, read: (Int) -> [NftExpression]
    ) -> Int? {
        guard traits.contains(peculiarity.trait) else { return nil }
        return rules.indices.first { index in
            traits(ofRule: index).contains(peculiarity.trait) && read(index).contains(where: peculiarity.isDone)
        }
    }

    package func firstRule(that peculiarity: RulePeculiarity) -> Int? {
        firstRule(that: peculiarity, read: expressions(ofRule:))
    }

    /// The expressions of a rule; of a legacy rule, its matches and its target.
    package func expressions(ofRule index: Int) -> [NftExpression] {
        guard rules.indices.contains(index) else { return [] }
        switch rules[index].body {
        case .nft(let position): return Array(nft.expressions(of: nft.rules[position]))
        case .legacy(let rule):
            let matches = rule.matches.map(NftExpression.match)
            guard case .target(let xt) = rule.target else { return matches }
            return matches + [.target(xt)]
        }
    }
}
