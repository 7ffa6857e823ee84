internal import WireFormats

/// Sets and maps.
extension NftRuleReader {
    /// - Parameter isKnown: whether no element comes or goes before a packet meets it.
    mutating func lookup(
        _ set: NftKnownSet, isKnown: Bool, _ from: NftRegister, _ into: NftRegister?, _ inverted: Bool,
        _ builder: inout BranchBuilder, _ extra: inout [RuleBranch]
    ) {
        let parts = from.word.flatMap { operands(from: $0, bytes: set.keyLength) }
        let name = Self.title(set, parts, builder.box)
        // Only now may the data overwrite the register that held the key.
        if let into, into != .verdict {
            let map = NftMapped(known: set, parts: isKnown ? parts : nil)
            store(NftOperand(source: .mapped(map), length: set.values.first?.count ?? 4), into)
        }
        if into == .verdict { return decide(set, parts, isKnown: isKnown, &builder, &extra) }
        guard isKnown, let parts else { return builder.doubt(name) }
        // An element with a condition of its own may end the rule where it is found; what is to be found nowhere is not
        // asked about it.
        let isConditional = !inverted && set.isConditional
        if set.hasCatchAll {
            if isConditional { return builder.doubt(name) }
            return builder.require(!inverted)
        }
        if parts.count == 1, let field = wholeField(parts[0]) {
            guard let numbers = set.numbers else { return builder.doubt(name) }
            builder.require(field, inverted ? numbers.others : numbers.keys)
            if isConditional { builder.doubt(name) }
            return
        }
        if parts.count == 1, let field = parts[0].numbered(in: builder.box) {
            if isConditional { builder.doubt(name) }
            let part = parts[0]
            return builder.require(field, or: name) { number in
                (set.entry(holding: part.bytes(number, count: set.keyLength, context)[...]) != nil) != inverted
            }
        }
        // Conditions that are the same for every packet, or several parts: decide entry by entry.
        var unknown = false
        touched += min(1024, set.entries.count)
        for entry in set.entries.prefix(1024) {
            var branch = builder
            require(parts, entry, &branch)
            if entry.isConditional, !inverted { branch.doubt(name) }
            if branch.isNever { continue }
            if !branch.isAsWide(as: builder) {
                unknown = true
                if set.entries.count == 1, !inverted {
                    builder = branch
                    return
                }
            } else {
                return builder.require(!inverted)
            }
        }
        if unknown || set.entries.count > 1024 { builder.doubt(name) } else { builder.require(inverted) }
    }

    /// Of a set that stands in the rule itself, what is looked up.
    private static func title(_ set: NftKnownSet, _ parts: [NftOperand]?, _ box: PacketBox) -> String {
        guard set.name.hasPrefix("__set"), let parts else { return "set \(set.name)" }
        return parts.map { $0.name(in: box) }.joined(separator: " . ")
    }

    /// A verdict map. A key that it does not hold ends the rule; only a verdict to continue leads to what stands behind.
    ///
    /// - Parameter isKnown: whether no element goes. None comes: rules add no verdicts (nft_dynset.c).
    private mutating func decide(
        _ map: NftKnownSet, _ parts: [NftOperand]?, isKnown: Bool, _ builder: inout BranchBuilder,
        _ extra: inout [RuleBranch]
    ) {
        let name = "map \(map.name)"
        var start = builder
        if !isKnown { start.doubt(name) }
        extra += branches(map, parts, start) { entry in
            if entry.verdict == .continue { return nil }
            return entry.verdict.map(XtRuleReader.action) ?? .unknown(name)
        }
        let onward = map.groups.first { $0.entry.verdict == .continue }
        let isDoubtful = map.rest.contains { $0.verdict == .continue }
        if onward == nil, !isDoubtful { return builder.require(false) }
        guard isKnown, !isDoubtful, let onward, let parts, parts.count == 1, let field = wholeField(parts[0]) else {
            return builder.doubt(name)
        }
        builder.require(field, onward.keys)
    }

    /// No more ways through one map than there may be sets of packets.
    private static let mostWays = 4096

    /// One way for each thing that a map makes packets do. What is beyond the limit may do anything.
    ///
    /// - Parameter parts: of the key; nil where that is not known, and any element may be met.
    mutating func branches(
        _ map: NftKnownSet, _ parts: [NftOperand]?, _ builder: BranchBuilder,
        _ action: (NftSetEntry) -> RuleBranch.Action?
    ) -> [RuleBranch] {
        let name = "map \(map.name)"
        var found: [RuleBranch] = []
        let field = parts.flatMap { $0.count == 1 ? wholeField($0[0]) : nil }
        if let field {
            touched += map.groups.count
            for group in map.groups {
                guard let action = action(group.entry) else { continue }
                var branch = builder
                branch.require(field, group.keys)
                if let branch = branch.branch(action) { found.append(branch) }
                if found.count > Self.mostWays { break }
            }
        }
        var rest = field == nil ? map.entries[...] : map.rest[...]
        if parts == nil { rest = (map.groups.map(\.entry) + map.rest)[...] }
        touched += rest.count
        for entry in rest {
            if found.count > Self.mostWays { break }
            guard let action = action(entry) else { continue }
            var branch = builder
            if let parts { require(parts, entry, &branch) } else { branch.doubt(name) }
            if entry.isConditional { branch.doubt(name) }
            if let branch = branch.branch(action) { found.append(branch) }
        }
        guard found.count > Self.mostWays else { return found }
        var others = builder
        others.doubt(name)
        return found.prefix(Self.mostWays) + [others.branch(.unknown(name))].compactMap { $0 }
    }

    private func require(_ parts: [NftOperand], _ entry: NftSetEntry, _ builder: inout BranchBuilder) {
        if entry.isCatchAll { return builder.doubt("the rest of a map") }
        var offset = 0
        for part in parts {
            let width = part.length + 3 & ~3
            let low = Array(entry.low.dropFirst(offset).prefix(part.length))
            let high = Array(entry.high.dropFirst(offset).prefix(part.length))
            offset += width
            guard let first = NftValue(low), let last = NftValue(high) else {
                return builder.doubt(part.name(in: builder.box))
            }
            if low == high {
                compare(part, .equal, first, &builder)
            } else {
                range(part, false, first, last, &builder)
            }
        }
    }

    private func wholeField(_ operand: NftOperand) -> PacketField? {
        guard operand.mask.isEmpty else { return nil }
        switch operand.source {
        case .meta(.transportProtocol): return .transport
        case .payload(let base, let offset):
            guard let first = Self.field(base, offset), first.place == 0, first.width == operand.length else {
                return nil
            }
            return first.field
        default: return nil
        }
    }

    /// The operands that make up a key: the parts of a concatenation begin at whole words.
    private func operands(from word: Int, bytes: Int) -> [NftOperand]? {
        var parts: [NftOperand] = []
        var next = word
        var left = bytes
        while left > 0 {
            guard next < registers.count, let operand = registers[next] else { return nil }
            parts.append(operand)
            let width = max(4, operand.length + 3 & ~3)
            next += width / 4
            left -= width
        }
        return parts
    }
}
