internal import WireFormats

/// Comparisons.
extension NftRuleReader {
    /// Which field a byte of the packet belongs to, and its place in it from the left.
    static func field(
        _ base: NftPayloadBase, _ position: Int
    ) -> (field: PacketField, place: Int, width: Int)? {
        switch (base, position) {
        case (.network, 9): (.transport, 0, 1)
        case (.network, 12...15): (.source, position - 12, 4)
        case (.network, 16...19): (.destination, position - 16, 4)
        case (.transport, 0...1): (.sourcePort, position, 2)
        case (.transport, 2...3): (.destinationPort, position - 2, 2)
        default: nil
        }
    }

    private struct FieldTest {
        var field: PacketField
        var width: Int
        var mask: UInt32 = 0
        var value: UInt32 = 0

        /// The values that pass; nil where the mask is not a prefix.
        var set: IntervalSet? {
            let bits = UInt32(width * 8)
            let full: UInt32 = bits == 32 ? .max : 1 << bits - 1
            let free = full & ~mask
            guard free & (free &+ 1) == 0 else { return nil }
            guard value & free == 0 else { return .empty }
            return IntervalSet(value...(value | free))
        }
    }

    /// A comparison of bytes as tests of fields.
    private struct FieldTests {
        var fields: [FieldTest] = []
        /// Whether bytes of which no bit is kept are compared with what they never are.
        var differs = false
        /// Whether there are such bytes at all.
        var isCut = false
    }

    /// Splits a comparison of bytes into tests of fields; nil where a byte belongs to none.
    private func tests(_ operand: NftOperand, _ bytes: [UInt8]) -> FieldTests? {
        if case .meta(.transportProtocol) = operand.source, operand.mask.isEmpty, let first = bytes.first {
            return FieldTests(fields: [FieldTest(field: .transport, width: 1, mask: 0xff, value: UInt32(first))])
        }
        guard case .payload(let base, let offset) = operand.source, bytes.count <= operand.length else { return nil }
        var found = FieldTests()
        for index in bytes.indices {
            let mask = operand.mask.isEmpty ? 0xff : index < operand.mask.count ? operand.mask[index] : 0
            let xor = index < operand.xor.count ? operand.xor[index] : 0
            if mask == 0 {
                found.isCut = true
                if bytes[index] != xor { found.differs = true }
                continue
            }
            guard let place = Self.field(base, offset + index) else { return nil }
            let shift = UInt32(8 * (place.width - 1 - place.place))
            if found.fields.last?.field != place.field {
                found.fields.append(FieldTest(field: place.field, width: place.width))
            }
            found.fields[found.fields.count - 1].mask |= UInt32(mask) << shift
            found.fields[found.fields.count - 1].value |= UInt32(bytes[index] ^ xor) << shift
        }
        return found
    }

    func compare(
        _ operand: NftOperand?, _ comparison: NftComparison, _ value: NftValue, _ builder: inout BranchBuilder
    ) {
        guard let operand else { return builder.doubt("register") }
        if let field = operand.numbered(in: builder.box) {
            let wanted = value.bytes
            return builder.require(field, or: operand.name(in: builder.box)) { number in
                Self.holds(operand.bytes(number, count: wanted.count, context), comparison, wanted)
            }
        }
        if isFragmentOffset(operand) {
            guard comparison == .equal || comparison == .notEqual, value.isZero else {
                return builder.doubt("fragment offset")
            }
            return builder.require(.fragment, comparison == .equal ? .zero : IntervalSet(1))
        }
        if let found = tests(operand, value.bytes) {
            let tests = found.fields
            guard !tests.isEmpty else {
                let kept = value.bytes.indices.map { $0 < operand.xor.count ? operand.xor[$0] : 0 }
                return builder.require(Self.holds(kept, comparison, value.bytes))
            }
            switch comparison {
            case .equal where found.differs: builder.require(false)
            case .notEqual where found.differs: return
            case .equal:
                for test in tests {
                    guard let set = test.set else { return builder.doubt(operand.name(in: builder.box)) }
                    builder.require(test.field, set)
                }
            case .notEqual:
                guard tests.count == 1, let set = tests[0].set else {
                    return builder.doubt(operand.name(in: builder.box))
                }
                builder.require(tests[0].field, set, inverted: true)
            default:
                let test = tests[0]
                guard !found.isCut, tests.count == 1, let set = test.set, let only = set.ranges.first,
                    only.lowerBound == only.upperBound
                else { return builder.doubt(operand.name(in: builder.box)) }
                builder.require(test.field, Self.ordered(comparison, only.lowerBound))
            }
            return
        }
        builder.require(truth(operand, comparison, value, operand.name(in: builder.box)))
    }

    /// As the kernel compares: byte by byte.
    private static func holds(_ bytes: [UInt8], _ comparison: NftComparison, _ wanted: [UInt8]) -> Bool {
        switch comparison {
        case .equal: bytes == wanted
        case .notEqual: bytes != wanted
        case .less: bytes.lexicographicallyPrecedes(wanted)
        case .lessOrEqual: !wanted.lexicographicallyPrecedes(bytes)
        case .greater: wanted.lexicographicallyPrecedes(bytes)
        case .greaterOrEqual: !bytes.lexicographicallyPrecedes(wanted)
        }
    }

    /// `ip frag-off & 0x1fff`.
    private func isFragmentOffset(_ operand: NftOperand) -> Bool {
        guard case .payload(.network, 6) = operand.source, operand.length == 2 else { return false }
        return operand.mask == [0x1f, 0xff] && operand.xor.isEmpty
    }

    private static func ordered(_ comparison: NftComparison, _ value: UInt32) -> IntervalSet {
        switch comparison {
        case .less: value == 0 ? .empty : IntervalSet(0...value - 1)
        case .lessOrEqual: IntervalSet(0...value)
        case .greater: value == .max ? .empty : IntervalSet(value + 1...UInt32.max)
        case .greaterOrEqual: IntervalSet(value...UInt32.max)
        case .equal: IntervalSet(value...value)
        case .notEqual: IntervalSet(value...value).complement
        }
    }

    func range(
        _ operand: NftOperand?, _ inverted: Bool, _ low: NftValue, _ high: NftValue, _ builder: inout BranchBuilder
    ) {
        guard let operand else { return builder.doubt("register") }
        if let field = operand.numbered(in: builder.box) {
            return builder.require(field, or: operand.name(in: builder.box)) { number in
                let bytes = operand.bytes(number, count: low.count, context)
                return (Self.holds(bytes, .greaterOrEqual, low.bytes) && Self.holds(bytes, .lessOrEqual, high.bytes))
                    != inverted
            }
        }
        guard let first = tests(operand, low.bytes), let last = tests(operand, high.bytes), !first.differs,
            !last.differs, first.fields.count == 1, last.fields.count == 1,
            let from = first.fields[0].set?.ranges.first, let through = last.fields[0].set?.ranges.first,
            from.lowerBound <= through.upperBound
        else { return builder.doubt(operand.name(in: builder.box)) }
        builder.require(first.fields[0].field, IntervalSet(from.lowerBound...through.upperBound), inverted: inverted)
    }

    /// A comparison whose outcome is the same for every packet of the question.
    private func truth(
        _ operand: NftOperand, _ comparison: NftComparison, _ value: NftValue, _ name: String
    ) -> Truth {
        let isEqual = comparison == .equal
        guard isEqual || comparison == .notEqual else { return .unknown(name) }
        switch operand.source {
        case .meta(.inputName), .meta(.outputName):
            guard operand.mask.isEmpty, !context.isBridgeFamily else { return .unknown(name) }
            if isIgnored(operand) { return .known(true) }
            return interface(operand, Self.interface(value.bytes)).inverted(!isEqual)
        case .meta(.inputIndex), .meta(.outputIndex):
            guard !context.isBridgeFamily else { return .unknown(name) }
            if isIgnored(operand) { return .known(true) }
            let link = isInput(operand) ? context.input : context.output
            guard let index = link?.index, let wanted = value.host32 else { return .unknown(name) }
            return .known((index == wanted) == isEqual)
        default:
            guard let constant = constant(operand), constant.count >= value.count else {
                return .unknown(name)
            }
            let masked = constant.prefix(value.count).enumerated().map { index, byte in
                (byte & (operand.mask.isEmpty ? 0xff : index < operand.mask.count ? operand.mask[index] : 0))
                    ^ (index < operand.xor.count ? operand.xor[index] : 0)
            }
            return .known((masked == value.bytes) == isEqual)
        }
    }

    private func isInput(_ operand: NftOperand) -> Bool {
        if case .meta(let key) = operand.source { return key == .inputName || key == .inputIndex }
        return false
    }

    private func isIgnored(_ operand: NftOperand) -> Bool {
        isInput(operand) ? context.ignoresInput : context.ignoresOutput
    }

    /// A whole name ends in a zero; without one it is the beginning of a name.
    private static func interface(_ bytes: [UInt8]) -> XtInterface {
        let name = bytes.prefix { $0 != 0 }
        return XtInterface(
            prefix: String(decoding: name, as: UTF8.self), isWildcard: name.count == bytes.count && bytes.count < 16)
    }

    private func interface(_ operand: NftOperand, _ wanted: XtInterface) -> Truth {
        guard let link = isInput(operand) ? context.input : context.output else { return .known(false) }
        return .known(wanted.matches(link.name))
    }

    /// What is known of every packet of the question, as bytes.
    private func constant(_ operand: NftOperand) -> [UInt8]? {
        switch operand.source {
        case .meta(.networkProtocol): [NftFamily.ipv4.rawValue]
        case .meta(.etherType): [0x08, 0x00]
        case .meta(.packetType): context.packetType.map { [$0] }
        // IPS_DST_NAT: no rule here gives it.
        case .conntrack(.status) where operand.mask == [0x20, 0, 0, 0] && !ruleset.translatesDestinations: [0, 0, 0, 0]
        case .fib(.addressType, let flags):
            NftValue(
                host32: (flags & 2 != 0 ? context.destinationPlace : context.sourcePlace).type
            ).bytes
        default: nil
        }
    }
}
