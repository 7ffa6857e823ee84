internal import WireFormats

/// Sets and maps.
extension NftRuleReader {
    mutating func lookup(
        _ set: NftSet, _ from: NftRegister, _ into: NftRegister?, _ inverted: Bool, _ builder: inout BranchBuilder,
        _ extra: inout [RuleBranch]
    ) {
        let parts = from.word.flatMap { operands(from: $0, bytes: Int(min(set.keyLength, 64))) }
        // Only now may the data overwrite the register that held the key.
        if let into, into != .verdict {
            let values = set.elements.compactMap { element in
                if case .value(let bytes)? = element.content { bytes } else { nil }
            }
            store(NftOperand(source: .mapped(values), length: values.first?.count ?? 4), into)
        }
        guard !set.flags.contains(.dynamic), let parts else { return builder.doubt("set \(set.name)") }
        let entries = set.entries
        if let into, into == .verdict {
            for entry in entries.prefix(1024) {
                guard case .verdict(let verdict)? = entry.content else { continue }
                var branch = builder
                require(parts, entry, &branch)
                if let branch = branch.branch(XtRuleReader.action(verdict)) { extra.append(branch) }
            }
            return
        }
        if entries.contains(where: \.isCatchAll) {
            // Every key is in it, unless an element has a condition of its own.
            if entries.contains(where: \.isConditional) { return builder.doubt("set \(set.name)") }
            return builder.require(!inverted)
        }
        if parts.count == 1, let field = wholeField(parts[0]) {
            var ranges: [ClosedRange<UInt32>] = []
            for entry in entries {
                guard let low = NftValue(entry.low)?.bigNumber, let high = NftValue(entry.high)?.bigNumber,
                    low <= high, high <= UInt32.max
                else { return builder.doubt("set \(set.name)") }
                ranges.append(UInt32(low)...UInt32(high))
            }
            builder.require(field, IntervalSet(ranges), inverted: inverted)
            return
        }
        if parts.count == 1, let field = parts[0].numbered {
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
            if branch.isNever { continue }
            if branch.doubts.count > builder.doubts.count || branch.box != builder.box {
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
