package import HostModel

/// A table of iptables-legacy, family IPv4.
package struct XtTable: Hashable, Sendable {
    package var name: String
    /// The built-in chains in the order of their hooks, then those of the users.
    package var chains: [XtChain]
}

package struct XtChain: Hashable, Sendable {
    package var name: String
    /// Nil for a chain that is only jumped to.
    package var hook: NftHook?
    /// Of a built-in chain.
    package var policy: NftVerdict?
    package var rules: [XtRule]
}

/// An entry: what it matches, and its target.
package struct XtRule: Hashable, Sendable {
    package struct Inversions: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let input = Inversions(rawValue: 0x01)
        package static let output = Inversions(rawValue: 0x02)
        package static let source = Inversions(rawValue: 0x08)
        package static let destination = Inversions(rawValue: 0x10)
        package static let fragment = Inversions(rawValue: 0x20)
        package static let transport = Inversions(rawValue: 0x40)
    }

    package enum Target: Hashable, Sendable {
        case verdict(NftVerdict)
        case target(XtExtension)
    }

    package var source: IPv4Address
    package var sourceMask: IPv4Address
    package var destination: IPv4Address
    package var destinationMask: IPv4Address
    package var input: XtInterface
    package var output: XtInterface
    /// 0: any.
    package var transport: UInt8
    /// Only second and further fragments.
    package var fragment: Bool
    package var inversions: Inversions
    package var matches: [XtExtension]
    package var target: Target
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
