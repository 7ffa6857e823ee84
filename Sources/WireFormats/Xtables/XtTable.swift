package import HostModel

/// A table of iptables-legacy.
package typealias XtTable = LegacyTable<IPv4Address>
package typealias XtChain = LegacyChain<IPv4Address>
package typealias XtRule = LegacyRule<IPv4Address>

/// A table of x_tables, of the family of its addresses: iptables-legacy's, or ip6tables-legacy's.
package struct LegacyTable<Address: InternetAddress>: Hashable, Sendable {
    package var name: String
    /// The built-in chains in the order of their hooks, then those of the users.
    package var chains: [LegacyChain<Address>]

    package init(name: String, chains: [LegacyChain<Address>]) {
        self.name = name
        self.chains = chains
    }
}

package struct LegacyChain<Address: InternetAddress>: Hashable, Sendable {
    package var name: String
    /// Nil for a chain that is only jumped to.
    package var hook: NftHook?
    /// Of a built-in chain.
    package var policy: NftVerdict?
    package var rules: [LegacyRule<Address>]

    package init(name: String, hook: NftHook?, policy: NftVerdict?, rules: [LegacyRule<Address>]) {
        self.name = name
        self.hook = hook
        self.policy = policy
        self.rules = rules
    }
}

/// What of a rule's head is meant the other way round. Source: IPT_INV_*, which are IP6T_INV_* as well.
package struct XtInversions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let input = XtInversions(rawValue: 0x01)
    package static let output = XtInversions(rawValue: 0x02)
    package static let source = XtInversions(rawValue: 0x08)
    package static let destination = XtInversions(rawValue: 0x10)
    package static let fragment = XtInversions(rawValue: 0x20)
    package static let transport = XtInversions(rawValue: 0x40)
}

package enum XtRuleTarget: Hashable, Sendable {
    case verdict(NftVerdict)
    case target(XtExtension)
}

/// An entry: what it matches, and its target.
package struct LegacyRule<Address: InternetAddress>: Hashable, Sendable {
    package typealias Inversions = XtInversions
    package typealias Target = XtRuleTarget

    package var source: Address
    package var sourceMask: Address
    package var destination: Address
    package var destinationMask: Address
    package var input: XtInterface
    package var output: XtInterface
    /// 0: any.
    package var transport: UInt8
    /// Only second and further fragments, of IPv4.
    package var fragment: Bool
    package var inversions: Inversions
    package var matches: [XtExtension]
    package var target: Target

    package init(
        source: Address, sourceMask: Address, destination: Address, destinationMask: Address, input: XtInterface,
        output: XtInterface, transport: UInt8, fragment: Bool, inversions: Inversions, matches: [XtExtension],
        target: Target
    ) {
        self.source = source
        self.sourceMask = sourceMask
        self.destination = destination
        self.destinationMask = destinationMask
        self.input = input
        self.output = output
        self.transport = transport
        self.fragment = fragment
        self.inversions = inversions
        self.matches = matches
        self.target = target
    }
}

/// An interface name with or without a wildcard at its end.
package struct XtInterface: Hashable, Sendable, CustomStringConvertible {
    package var prefix: String
    /// Whether any name with the prefix matches; an empty prefix then matches every interface.
    package var isWildcard: Bool

    package init(prefix: String, isWildcard: Bool) {
        self.prefix = prefix
        self.isWildcard = isWildcard
    }

    package static let any = XtInterface(prefix: "", isWildcard: true)

    package func matches(_ name: String) -> Bool {
        isWildcard ? name.utf8.starts(with: prefix.utf8) : name == prefix
    }

    /// `eth+`.
    package var description: String { isWildcard ? prefix + "+" : prefix }
}
