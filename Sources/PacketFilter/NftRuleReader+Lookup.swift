internal import WireFormats

/// Sets and maps.
extension NftRuleReader {
    mutating func lookup(
        _ set: NftSet, inTable table: Int, _ from: NftRegister, _ into: NftRegister?, _ inverted: Bool,
        _ builder: inout BranchBuilder,
        _ extra: inout [RuleBranch]
    ) {
        let parts = from.word.flatMap { operands(from: $0, bytes: Int(min(set.keyLength, 64))) }
        let entries = set.entries
        let isKnown = !ruleset.isChanging(set, inTable: table)
        // Only now may the data overwrite the register that held the key.
        if let into, into != .verdict {
            let map = NftMapped(name: "map \(set.name)", entries: entries, parts: isKnown ? parts : nil)
            store(NftOperand(source: .mapped(map), length: map.values.first?.count ?? 4), into)
        }
        if into == .verdict {
            return decide("map \(set.name)", entries, parts, isKnown: isKnown, &builder, &extra)
        }
        guard isKnown, let parts else { return builder.doubt("set \(set.name)") }
        // An element with a condition of its own may end the rule where it is found; what is to be found nowhere is not
        // asked about it.
        let isConditional = !inverted && entries.contains(where: \.isConditional)
        if entries.contains(where: \.isCatchAll) {
            if isConditional { return builder.doubt("set \(set.name)") }
            return builder.require(!inverted)
        }
        if parts.count == 1, let field = wholeField(parts[0]) {
            var ranges: [ClosedRange<UInt32>] = []
            for entry in entries {
                guard let range = entry.numbers else { return builder.doubt("set \(set.name)") }
                ranges.append(range)
            }
            builder.require(field, IntervalSet(ranges), inverted: inverted)
            if isConditional { builder.doubt("set \(set.name)") }
            return
        }
        if parts.count == 1, let field = parts[0].numbered {
            if isConditional { builder.doubt("set \(set.name)") }
            let part = parts[0]
            return builder.require(field, or: "set \(set.name)") { number in
                let bytes = part.bytes(number, count: Int(min(set.keyLength, 64)), context)
                return entries.contains { $0.holds(bytes[...], [UInt32(bytes.count)]) } != inverted
            }
        }
        // Conditions that are the same for every packet, or several parts: decide entry by entry.
        var unknown = false
        for entry in entries.prefix(1024) {
            var branch = builder
            require(parts, entry, &branch)
            if entry.isConditional, !inverted { branch.doubt("set \(set.name)") }
            if branch.isNever { continue }
            if !branch.isAsWide(as: builder) {
                unknown = true
                if entries.count == 1, !inverted {
                    builder = branch
                    return
                }
            } else {
                return builder.require(!inverted)
            }
        }
        if unknown || entries.count > 1024 { builder.doubt("set \(set.name)") } else { builder.require(inverted) }
    }

    /// A verdict map. A key that it does not hold ends the rule; only a verdict to continue leads to what stands behind.
    ///
    /// - Parameter isKnown: whether no element goes. None comes: rules add no verdicts (nft_dynset.c).
    private func decide(
        _ name: String, _ entries: [NftSetEntry], _ parts: [NftOperand]?, isKnown: Bool,
        _ builder: inout BranchBuilder, _ extra: inout [RuleBranch]
    ) {
        var start = builder
        if !isKnown || parts == nil { start.doubt(name) }
        var seen: Set<NftSetElement.Content?> = []
        // With a key that is not known, all that counts is what the map may say.
        let met = parts == nil ? entries.filter { seen.insert($0.content).inserted } : entries
        extra += branches(name, met, parts ?? [], start) { entry in
            if entry.verdict == .continue { return nil }
            return entry.verdict.map(XtRuleReader.action) ?? .unknown(name)
        }
        let onward = entries.filter { $0.verdict == .continue }
        if onward.isEmpty { return builder.require(false) }
        guard isKnown, let parts, parts.count == 1, let field = wholeField(parts[0]),
            onward.allSatisfy({ !$0.isConditional && $0.numbers != nil })
        else { return builder.doubt(name) }
        builder.require(field, IntervalSet(onward.compactMap(\.numbers)))
    }

    /// No more ways through one map than there may be sets of packets.
    private static let mostWays = 4096

    /// One way for each thing that a map makes packets do. What is beyond the limit may do anything.
    func branches(
        _ name: String, _ entries: [NftSetEntry], _ parts: [NftOperand], _ builder: BranchBuilder,
        _ action: (NftSetEntry) -> RuleBranch.Action?
    ) -> [RuleBranch] {
        var found: [RuleBranch] = []
        var rest: [NftSetEntry] = []
        if parts.count == 1, let field = wholeField(parts[0]) {
            // Keys with the same data are one set of packets.
            var groups: [(entry: NftSetEntry, ranges: [ClosedRange<UInt32>])] = []
            var places: [NftSetElement.Content: Int] = [:]
            for entry in entries {
                guard !entry.isConditional, let range = entry.numbers, let content = entry.content else {
                    rest.append(entry)
                    continue
                }
                if let place = places[content] {
                    groups[place].ranges.append(range)
                } else {
                    places[content] = groups.count
                    groups.append((entry, [range]))
                }
            }
            for group in groups {
                guard let action = action(group.entry) else { continue }
                var branch = builder
                branch.require(field, IntervalSet(group.ranges))
                if let branch = branch.branch(action) { found.append(branch) }
            }
        } else {
            rest = entries
        }
        for entry in rest {
            guard let action = action(entry) else { continue }
            var branch = builder
            require(parts, entry, &branch)
            if entry.isConditional { branch.doubt(name) }
            if let branch = branch.branch(action) { found.append(branch) }
            if found.count > Self.mostWays { break }
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
            guard let first = NftValue(low), let last = NftValue(high) else { return builder.doubt(part.name) }
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
