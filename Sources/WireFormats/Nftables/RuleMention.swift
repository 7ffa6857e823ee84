internal import CLinux

/// What rules are searched for by their bytes: a link and an address, in any of the forms in which they stand there.
///
/// The text of a rule costs microseconds, and there may be tens of thousands of rules.
package struct RuleMention: Sendable {
    /// By the byte that each begins with.
    private var parts = [[[UInt8]]](repeating: [], count: 256)

    /// - Parameter address: octets in network order. `nft` compares no more of them than a prefix length leaves standing, so
    ///   that zeros at their end may be missing.
    package init(link: String, address octets: [UInt8], text: String) {
        add(Array(link.utf8))
        add(Array(text.utf8))
        add(Array(octets[..<max(1, (octets.lastIndex { $0 != 0 } ?? 0) + 1)]))
        // Links by their numbers: `meta iif`, `meta oif`, what `fib` finds, and what `dup` and `fwd` send to.
        for key in [NFT_META_IIF, NFT_META_OIF] {
            var builder = NetlinkAttributeBuilder(header: [])
            builder.append(UInt16(NFTA_META_KEY.rawValue), network: key.rawValue)
            add(builder.bytes)
        }
        for name in ["fib", "dup", "fwd"] { add(Array(name.utf8) + [0]) }
    }

    private mutating func add(_ part: [UInt8]) {
        guard let first = part.first else { return }
        parts[Int(first)].append(part)
    }

    /// Whether a name holds any of it.
    package func stands(in name: String) -> Bool {
        Array(name.utf8).withUnsafeBytes { stands(in: $0, $0.indices) }
    }

    fileprivate func stands(in bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        for start in range {
            for part in parts[Int(bytes[start])] where start + part.count <= range.upperBound {
                var same = 1
                while same < part.count, bytes[start + same] == part[same] { same += 1 }
                if same == part.count { return true }
            }
        }
        return false
    }
}

extension NftRuleset {
    /// Whether the text of a rule may name what is searched for. False is certain. What a rule looks up in a set does not
    /// stand in the rule itself.
    package func mayMention(_ mention: RuleMention, in rule: NftRule) -> Bool {
        guard rule.traits.isDisjoint(with: [.usesSets, .usesIPSets]) else { return true }
        return chunk(of: rule).withUnsafeBytes { bytes in
            mention.stands(in: bytes, rule.expressions.range.clamped(to: bytes.indices))
                || mention.stands(in: bytes, rule.userData.range.clamped(to: bytes.indices))
        }
    }
}
