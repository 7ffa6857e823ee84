internal import HostModel
package import WireFormats

/// Rules with a peculiarity that no question about packets asks for.
extension Ruleset {
    /// The first rule that writes a smaller segment size into TCP's handshake: TCPMSS, `tcp option maxseg size set`.
    package var segmentClamp: Int? {
        rules.indices.first { index in
            expressions(ofRule: index).contains { expression in
                switch expression {
                case .target(let xt): xt.name == "TCPMSS"
                case .other("exthdr set"): true
                default: false
                }
            }
        }
    }

    /// The first rule that puts packets into a conntrack zone: `-j CT --zone`, `ct zone set`.
    package var zoneSetter: Int? {
        rules.indices.first { index in
            expressions(ofRule: index).contains { expression in
                switch expression {
                case .setConntrack(.zone, _): true
                // struct xt_ct_target_info: flags and zone, 16 bits each.
                case .target(let xt):
                    xt.name == "CT" && xt.info.count >= 4 && xt.info.dropFirst(2).prefix(2).contains { $0 != 0 }
                default: false
                }
            }
        }
    }

    /// Whether a rule completes the checksums of UDP packets: the target CHECKSUM, or nft that writes the field.
    package var fillsUDPChecksums: Bool {
        rules.indices.contains { index in
            expressions(ofRule: index).contains { expression in
                switch expression {
                case .target(let xt): xt.name == "CHECKSUM"
                // Offset 6 of the UDP header.
                case .setPayload(base: .transport, offset: 6, length: 2, from: _): true
                default: false
                }
            }
        }
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
