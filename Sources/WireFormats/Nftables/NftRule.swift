/// A rule: where it stands, and where in its message its parts lie.
package struct NftRule: Hashable, Sendable {
    /// What its expressions may do, seen without reading them.
    package struct Traits: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }
        /// Gives the packet or its connection a mark, or another field of theirs.
        package static let changesMarks = Traits(rawValue: 1)
        /// Looks into a set or map, or changes one.
        package static let usesSets = Traits(rawValue: 2)
        /// The same with a set of ipset.
        package static let usesIPSets = Traits(rawValue: 4)
        /// Asks conntrack: then packets are put together from their fragments first.
        package static let usesConntrack = Traits(rawValue: 8)
        /// May translate the destination.
        package static let translates = Traits(rawValue: 16)
        /// Adds flows to a flowtable.
        package static let offloads = Traits(rawValue: 32)
        /// May write an option of TCP, such as the segment size.
        package static let writesOptions = Traits(rawValue: 64)
        /// May write a field of a header, or complete a checksum.
        package static let writesHeaders = Traits(rawValue: 128)
        /// May put the packet into a zone of conntrack.
        package static let setsZones = Traits(rawValue: 256)
        /// May translate the source.
        package static let translatesSource = Traits(rawValue: 512)
        /// Holds an expression that iptables-nft does not write: it has matches and targets of x_tables for these.
        package static let isBeyondIptables = Traits(rawValue: 1024)
        /// Queues packets for a program of the host.
        package static let queues = Traits(rawValue: 2048)
        /// Holds a target of x_tables of another kind than those above.
        package static let hasOtherTarget = Traits(rawValue: 8192)
        /// Adds elements to a set, or takes some from it.
        package static let changesSets = Traits(rawValue: 4096)
        /// Ends the packet's way by a verdict that stands in it: drops or queues it, or does what is not known.
        package static let ends = Traits(rawValue: 16384)
    }

    /// The address that every packet has which the rule matches.
    package struct AddressTest: Hashable, Sendable {
        package var isSource: Bool
        /// As a number in host order.
        package var address: UInt32
    }

    /// Bytes of a chunk. There may be tens of thousands of rules, so numbers are kept short.
    struct Span: Hashable, Sendable {
        private var start: UInt32
        private var end: UInt32

        init(_ range: Range<Int>) {
            start = UInt32(clamping: range.lowerBound)
            end = UInt32(clamping: range.upperBound)
        }

        var range: Range<Int> { Int(start)..<Int(end) }
    }

    /// Index into `NftRuleset.chains`.
    package var chain: Int
    package var handle: UInt64
    package var traits: Traits
    /// Where one of its first conditions is such a test. Nothing but to be quick in long chains.
    package var address: AddressTest?
    /// Index into the chunks of the ruleset.
    var chunk: UInt32
    var expressions: Span
    /// NFTA_RULE_USERDATA: what the tools keep for themselves, such as a comment.
    var userData: Span
}
