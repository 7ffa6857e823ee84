/// A table of nftables.
package struct NftTable: Hashable, Sendable {
    package var name: NftTableName
    package var flags: NftTableFlags
    package var handle: UInt64
}

/// A chain. Without `base` it runs only when jumped to.
package struct NftChain: Hashable, Sendable {
    package var table: NftTableName
    package var name: String
    package var handle: UInt64
    package var base: NftBaseChain?
}

/// A set, or a map where it has data.
package struct NftSet: Hashable, Sendable {
    /// The names that `nft` gives to those that are part of a rule, before their number.
    package static let anonymousPrefixes = (set: "__set", map: "__map")

    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let anonymous = Flags(rawValue: 0x1)
        package static let constant = Flags(rawValue: 0x2)
        package static let interval = Flags(rawValue: 0x4)
        package static let map = Flags(rawValue: 0x8)
        package static let timeout = Flags(rawValue: 0x10)
        /// Rules add elements to it as packets pass.
        package static let dynamic = Flags(rawValue: 0x20)
        package static let objects = Flags(rawValue: 0x40)
    }

    package var table: NftTableName
    package var name: String
    package var flags: Flags
    /// The tools' number of the type of the key; `nft` packs six bits for each part of a concatenation.
    package var keyType: UInt32
    /// In bytes.
    package var keyLength: UInt32
    /// Widths of the parts of a concatenation with intervals, in bytes; empty for others.
    package var fieldLengths: [UInt32]
    /// In the order of the dump.
    package var elements: [NftSetElement]
}

/// One element of a set or map.
package struct NftSetElement: Hashable, Sendable {
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The first value behind an interval.
        package static let intervalEnd = Flags(rawValue: 1)
        package static let catchAll = Flags(rawValue: 2)
    }

    package enum Content: Hashable, Sendable {
        case value([UInt8])
        case verdict(NftVerdict)
    }

    package var key: [UInt8]
    /// The last value of an interval of a concatenation, inclusive.
    package var keyEnd: [UInt8]?
    package var flags: Flags
    package var content: Content?
    /// Whether it has an expression that may say no, such as a limit.
    package var isConditional = false
}

/// A flowtable: packets of the flows that rules add to it pass these devices without meeting a rule again.
package struct NftFlowtable: Hashable, Sendable {
    package var table: NftTableName
    package var name: String
    package var priority: Int32
    package var devices: [String]
}

/// The whole ruleset, in flat tables.
package struct NftRuleset: Hashable, Sendable {
    package internal(set) var tables: [NftTable] = []
    package internal(set) var chains: [NftChain] = []
    /// In the order of the dump: those of a chain stand together, in the order in which they run.
    package internal(set) var rules: [NftRule] = []
    /// The memory in which the messages of the rules stand.
    var chunks: [[UInt8]] = []
    /// What the expressions of any rule may do, seen without reading them.
    package internal(set) var traits: NftRule.Traits = []
    package internal(set) var sets: [NftSet] = []
    package internal(set) var flowtables: [NftFlowtable] = []
    /// The lower halves of the generations that the messages were read at: more than one means that the ruleset
    /// changed meanwhile.
    package internal(set) var generations: Set<UInt16> = []

    package init() {}

    /// All expressions of a rule. What is not of the form that the kernel gives it becomes `other`.
    package func expressions(of rule: NftRule) -> ArraySlice<NftExpression> {
        var list = expressionList(of: rule)
        var all: [NftExpression] = []
        while let expression = list.next() { all.append(expression) }
        return all[...]
    }

    /// The expressions of a rule, one after the other: each is decoded when it is its turn.
    package func expressionList(of rule: NftRule) -> NftExpressionList {
        NftExpressionList(chunk(of: rule), rule.expressions.range)
    }

    /// The comment that `nft` wrote (libnftnl's type 0), empty if none.
    package func comment(of rule: NftRule) -> String {
        let bytes = chunk(of: rule)
        return Self.comment(in: bytes[rule.userData.range.clamped(to: bytes.indices)])
    }

    func chunk(of rule: NftRule) -> [UInt8] {
        chunks.indices.contains(Int(rule.chunk)) ? chunks[Int(rule.chunk)] : []
    }

    /// Of NFTA_RULE_USERDATA: types and lengths of one byte each.
    static func comment(in userData: ArraySlice<UInt8>) -> String {
        var rest = userData
        while rest.count >= 2, let type = rest.popFirst(), let length = rest.popFirst(), rest.count >= Int(length) {
            let value = rest.prefix(Int(length))
            if type == 0 { return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
            rest = rest.dropFirst(Int(length))
        }
        return ""
    }
}

/// Decodes the expressions of one rule, one at a time.
package struct NftExpressionList: IteratorProtocol, Sendable {
    private var cursor: NetlinkAttributes
    private var isOver = false

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        cursor = NetlinkAttributes(bytes, range)
    }

    /// Nil at the end. What cannot be decoded ends the list as an expression that is not known.
    package mutating func next() -> NftExpression? {
        if isOver { return nil }
        do {
            guard let element = try cursor.next() else { return nil }
            return try NftExpression(decoding: cursor.bytes, element.range)
        } catch {
            isOver = true
            return .other(name: "malformed: \(error.subject)")
        }
    }
}
