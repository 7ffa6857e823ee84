internal import WireFormats

/// Which field of a header bytes of a packet are.
enum NftPacketField {
    typealias Operand = NftSentence.Operand

    static func header(_ base: NftPayloadBase, _ sentence: NftSentence) -> NftHeader? {
        switch base {
        case .link: .ether
        case .network: sentence.network == .vlan ? nil : sentence.network
        case .transport: sentence.transport.map { NftHeader.transport($0) } ?? .transport
        default: nil
        }
    }

    static func load(_ base: NftPayloadBase, offset: Int, length: Int, _ sentence: NftSentence) -> Operand {
        let bits = offset * 8..<(offset + length) * 8
        return Operand(
            field: field(base, bits, sentence) ?? raw(base, bits), length: length, base: base, firstBit: offset * 8)
    }

    private static func field(_ base: NftPayloadBase, _ bits: Range<Int>, _ sentence: NftSentence) -> NftField? {
        if base == .link, sentence.network == .vlan || bits.lowerBound >= 112 {
            if let found = NftHeader.vlan.field(bits) { return found }
        }
        guard let header = header(base, sentence) else { return nil }
        if let found = header.field(bits) { return found }
        // Less than an address from its beginning: a prefix.
        for size in [32, 128] {
            let whole = bits.lowerBound..<bits.lowerBound + size
            if bits.count < size, let found = header.field(whole), found.kind == .address { return found }
        }
        return nil
    }

    private static func raw(_ base: NftPayloadBase, _ bits: Range<Int>) -> NftField {
        let name = base == .link ? "ll" : base == .network ? "nh" : base == .transport ? "th" : "ih"
        return NftField(name: "@\(name),\(bits.lowerBound),\(bits.count)", kind: .hexadecimal, bits: bits)
    }

    /// Two fields side by side that were loaded as one.
    static func split(_ operand: Operand, _ sentence: NftSentence) -> [Operand]? {
        guard let base = operand.base, operand.field.name.hasPrefix("@") else { return nil }
        let length = operand.length / 2
        let halves = (0..<2).map { load(base, offset: operand.firstBit / 8 + $0 * length, length: length, sentence) }
        return operand.length % 2 == 0 && halves.allSatisfy { !$0.field.name.hasPrefix("@") } ? halves : nil
    }

    /// A field of fewer bits than were loaded, where the mask leaves exactly these. `bits` counts from the first that
    /// was loaded.
    static func field(
        in operand: Operand, mask: [UInt8], _ sentence: NftSentence
    ) -> (field: NftField, bits: Range<Int>)? {
        guard let base = operand.base, let bits = run(mask) else { return nil }
        let inHeader = operand.firstBit + bits.lowerBound..<operand.firstBit + bits.upperBound
        if operand.field.bits == inHeader { return nil }
        if operand.field.kind == .address || operand.field.kind == .fragmentOffset { return nil }
        guard let field = field(base, inHeader, sentence), field.bits == inHeader else { return nil }
        return (field, bits)
    }

    /// The bits of a mask, where they stand together.
    static func run(_ mask: [UInt8]) -> Range<Int>? {
        let bits: [Bool] = mask.flatMap { byte in (0..<8).map { byte & (0x80 >> UInt8($0)) != 0 } }
        guard let first = bits.firstIndex(of: true), let last = bits.lastIndex(of: true) else { return nil }
        return bits[first...last].allSatisfy { $0 } ? first..<last + 1 : nil
    }

    /// These bits as a number in network order.
    static func extract(_ bytes: [UInt8], _ bits: Range<Int>) -> [UInt8] {
        var number: UInt64 = 0
        for bit in bits where bit / 8 < bytes.count {
            number = number << 1 | UInt64(bytes[bit / 8] >> UInt8(7 - bit % 8) & 1)
        }
        let width = (bits.count + 7) / 8
        return (0..<width).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (width - 1 - $0))) }
    }

    /// A mask of the first bits.
    static func prefix(_ length: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { index in
            let bits = min(8, max(0, length - index * 8))
            return bits == 0 ? 0 : ~UInt8(truncatingIfNeeded: 0xff >> bits)
        }
    }

    /// What bytes of an IPv4 packet are called: `ip ttl`, `tcp window`; else by their bits, `@th,160,32`.
    ///
    /// - Parameter mask: of the bits that matter; empty: all.
    static func name(
        _ base: NftPayloadBase, offset: Int, length: Int, mask: [UInt8] = [], transport: UInt8?
    ) -> String {
        let bits = offset * 8..<(offset + length) * 8
        let header: NftHeader? =
            switch base {
            case .link: .ether
            case .network: .ip
            case .transport: transport.map { NftHeader.transport($0) } ?? .transport
            default: nil
            }
        let part = run(mask).map { bits.lowerBound + $0.lowerBound..<bits.lowerBound + $0.upperBound }
        return (part.flatMap { header?.field($0) } ?? header?.field(bits) ?? raw(base, bits)).name
    }
}
