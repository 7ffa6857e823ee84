internal import WireFormats

/// Writes what a lookup looks into: a set by its name, or one without a name by its elements.
struct NftSetText {
    private let operands: [NftSentence.Operand]
    private let sentence: NftSentence
    /// More than these are not written out: no listing of one rule needs them.
    private static let most = 256

    init(_ operands: [NftSentence.Operand], _ sentence: NftSentence) {
        self.operands = operands
        self.sentence = sentence
    }

    /// `data`: what an element of a map gives, as kinds of its parts.
    func text(_ name: String, _ set: NftSet?, data: [NftKind]?) -> String {
        guard let set, set.flags.contains(.anonymous) else { return "@\(name)" }
        let entries = set.entries.sorted { left, right in
            if left.isCatchAll != right.isCatchAll { return right.isCatchAll }
            return rank(left).lexicographicallyPrecedes(rank(right))
        }
        let shown = entries.prefix(Self.most).map { entry in
            let key = entry.isCatchAll ? "*" : key(entry)
            switch entry.content {
            case .verdict(let verdict)?: return "\(key) : \(NftStatement.verdict(verdict))"
            case .value(let bytes)?: return "\(key) : \(value(bytes, data ?? [.number]))"
            case nil: return key
            }
        }
        return "{ \(shown.joined(separator: ", "))\(entries.count > Self.most ? ", …" : "") }"
    }

    /// As `nft` sorts: by the number that the key is, where several fields make one number in the machine's own order
    /// (concat_expr_msort_value: little-endian here).
    private func rank(_ entry: NftSetEntry) -> [UInt8] {
        if operands.count == 1 { return operands[0].isHostOrder ? entry.low.reversed() : entry.low }
        var offset = 0
        let bytes = operands.flatMap { operand in
            defer { offset += (operand.length + 3) / 4 * 4 }
            return entry.low.dropFirst(offset).prefix(operand.length)
        }
        return bytes.reversed()
    }

    private func key(_ entry: NftSetEntry) -> String {
        var offset = 0
        return operands.map { operand in
            let width = operands.count == 1 ? entry.low.count : operand.length
            func part(_ bytes: [UInt8]) -> [UInt8] { Array(bytes.dropFirst(offset).prefix(width)) }
            defer { offset += (width + 3) / 4 * 4 }
            return self.part(part(entry.low), part(entry.high), operand)
        }.joined(separator: " . ")
    }

    private func part(_ low: [UInt8], _ high: [UInt8], _ operand: NftSentence.Operand) -> String {
        // Elements hold the bits of a field where they lie.
        if operand.mask != nil, operand.base != nil, !operand.field.name.hasPrefix("@"),
            let bits = operand.mask.flatMap(NftPacketField.run)
        {
            return sentence.text(NftPacketField.extract(low, bits), operand)
        }
        if low == high { return sentence.text(low, operand) }
        if operand.field.kind == .address, let length = NftWords.prefixLength(from: low, through: high) {
            return "\(NftWords.address(low))/\(length)"
        }
        if operand.field.kind == .name {
            // From the name with nothing behind it to the name with everything: a wildcard.
            let shared = zip(low, high).prefix { $0 == $1 && $0 != 0 }.map(\.0)
            if low.dropFirst(shared.count).allSatisfy({ $0 == 0 }),
                high.dropFirst(shared.count).allSatisfy({ $0 == 0xff })
            {
                return "\"\(String(decoding: shared, as: UTF8.self))*\""
            }
        }
        return "\(sentence.text(low, operand, isRange: true))-\(sentence.text(high, operand, isRange: true))"
    }

    private func value(_ bytes: [UInt8], _ kinds: [NftKind]) -> String {
        if kinds == [.address], bytes.count == 8 || bytes.count == 32,
            let length = NftWords.prefixLength(
                from: Array(bytes.prefix(bytes.count / 2)), through: Array(bytes.suffix(bytes.count / 2)))
        {
            return "\(NftWords.address(Array(bytes.prefix(bytes.count / 2))))/\(length)"
        }
        var offset = 0
        return kinds.map { kind in
            let width = kind == .address ? (bytes.count - offset >= 16 ? 16 : 4) : kind == .mark ? 4 : 2
            defer { offset += (width + 3) / 4 * 4 }
            return NftWords.text(
                Array(bytes.dropFirst(offset).prefix(width)), kind, isHostOrder: kind == .mark, links: sentence.links)
        }.joined(separator: " . ")
    }
}
