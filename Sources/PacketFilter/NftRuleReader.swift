internal import HostModel
internal import WireFormats

/// What stands in a register: bytes of the packet, or something about it.
private struct Operand {
    enum Source {
        case payload(NftPayloadBase, offset: Int)
        case meta(NftMetaKey)
        case conntrack(NftConntrackKey)
        case fib(NftFibResult)
        case constant(NftValue)
        /// The data of the elements of a map.
        case mapped([[UInt8]])
        case other(String)
    }

    var source: Source
    var length: Int
    /// Empty: all bits.
    var mask: [UInt8] = []
    var xor: [UInt8] = []

    var name: String {
        switch source {
        case .payload: "payload"
        case .meta(let key): key.name
        case .conntrack(let key): key.name
        case .fib: "fib"
        case .constant: "immediate"
        case .mapped: "map"
        case .other(let name): name
        }
    }
}

/// Runs the register machine of one nft rule over sets of packets.
struct NftRuleReader {
    let ruleset: Ruleset
    let context: PacketContext
    private var registers: [Operand?] = Array(repeating: nil, count: 16)

    init(_ ruleset: Ruleset, _ context: PacketContext) {
        self.ruleset = ruleset
        self.context = context
    }

    mutating func branches(of rule: NftRule, table: Int) -> [RuleBranch] {
        var builder = BranchBuilder()
        var notrack = false
        var extra: [RuleBranch] = []
        for index in registers.indices { registers[index] = nil }
        for expression in ruleset.nft.expressions(of: rule) {
            switch expression {
            case .payload(let base, let offset, let length, let into):
                store(Operand(source: .payload(base, offset: Int(offset)), length: Int(min(length, 64))), into)
            case .meta(let key, let into): store(Operand(source: .meta(key), length: metaLength(key)), into)
            case .conntrack(let key, _, let into): store(Operand(source: .conntrack(key), length: 4), into)
            case .fib(let result, _, let into): store(Operand(source: .fib(result), length: 4), into)
            case .immediate(let into, let value): store(Operand(source: .constant(value), length: value.count), into)
            case .bitwise(let from, let into, let mask, let xor):
                guard var operand = load(from), operand.mask.isEmpty else {
                    store(Operand(source: .other("bitwise"), length: mask.count), into)
                    continue
                }
                operand.mask = mask.bytes
                operand.xor = xor.isZero ? [] : xor.bytes
                operand.length = mask.count
                store(operand, into)
            case .byteOrder(_, let into, _, let length):
                store(Operand(source: .other("byteorder"), length: Int(min(length, 64))), into)
            case .compare(let from, let comparison, let value):
                compare(load(from), comparison, value, &builder)
            case .range(let from, let inverted, let low, let high):
                range(load(from), inverted, low, high, &builder)
            case .lookup(let name, let from, let into, let inverted):
                guard let set = ruleset.set(named: name, inTable: table) else {
                    builder.doubt("set \(name)")
                    if let into { store(Operand(source: .other("map \(name)"), length: 4), into) }
                    continue
                }
                lookup(set, from, into, inverted, &builder, &extra, notrack)
            case .match(let xt): XtRuleReader(context: context).require(XtMatch(xt), &builder)
            case .notrack: notrack = true
            case .limit: builder.doubt("limit")
            case .counter, .log, .setMeta, .setConntrack: continue
            case .verdict(let verdict):
                if case .continue = verdict { continue }
                return finish(XtRuleReader.action(verdict), builder, notrack, extra)
            case .masquerade: return finish(.masquerade, builder, notrack, extra)
            case .nat(let nat):
                guard nat.kind == .source else { return finish(.accept, builder, notrack, extra) }
                if nat.family == .ipv6 { builder.require(false) }
                return finish(.sourceNat(addresses(nat)), builder, notrack, extra)
            case .redirect: return finish(.accept, builder, notrack, extra)
            case .reject: return finish(.drop, builder, notrack, extra)
            case .target(let xt):
                let target = XtTarget(xt)
                if target == .notrack { notrack = true }
                let action = XtRuleReader.action(target)
                if action != .next { return finish(action, builder, notrack, extra) }
            case .other(let name):
                if Self.statements.contains(name) { continue }
                builder.doubt(name)
            }
        }
        return finish(.next, builder, notrack, extra)
    }

    /// Expressions that always go on to the next and decide nothing here.
    private static let statements: Set<String> = [
        "payload set", "objref", "quota set", "dup", "last", "ct", "meta", "log", "counter", "synproxy", "flow_offload",
    ]

    private func finish(
        _ action: RuleBranch.Action, _ builder: BranchBuilder, _ notrack: Bool, _ extra: [RuleBranch]
    ) -> [RuleBranch] {
        guard let branch = builder.branch(action, notrack: notrack) else { return extra }
        return action == .next && !notrack ? extra : extra + [branch]
    }

    private func metaLength(_ key: NftMetaKey) -> Int {
        switch key {
        case .inputName, .outputName, .inputBridgeName, .outputBridgeName: 16
        case .networkProtocol, .transportProtocol, .packetType: 1
        case .etherType: 2
        default: 4
        }
    }

    private mutating func store(_ operand: Operand, _ register: NftRegister) {
        guard let word = register.word else { return }
        registers[word] = operand
    }

    private func load(_ register: NftRegister) -> Operand? {
        register.word.flatMap { registers[$0] }
    }

    private func addresses(_ nat: NftNat) -> IntervalSet? {
        guard let pair = nat.addresses, let low = load(pair.low), let high = load(pair.high) else { return nil }
        switch (low.source, high.source) {
        case (.constant(let first), .constant(let last)):
            guard let first = first.bigNumber, let last = last.bigNumber, first <= last, last <= UInt32.max else {
                return nil
            }
            return IntervalSet(UInt32(first)...UInt32(last))
        case (.mapped(let values), _):
            var ranges: [ClosedRange<UInt32>] = []
            for value in values {
                guard let first = NftValue(value.prefix(4))?.bigNumber.map(UInt32.init(truncatingIfNeeded:)) else {
                    return nil
                }
                ranges.append(first...first)
            }
            return IntervalSet(ranges)
        default: return nil
        }
    }
}

/// Comparisons.
extension NftRuleReader {
    /// Which field a byte of the packet belongs to, and its place in it from the left.
    private static func field(
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

    /// Splits a comparison of bytes into tests of fields; nil where a byte belongs to none.
    private func tests(_ operand: Operand, _ bytes: [UInt8]) -> [FieldTest]? {
        if case .meta(.transportProtocol) = operand.source, operand.mask.isEmpty, let first = bytes.first {
            return [FieldTest(field: .transport, width: 1, mask: 0xff, value: UInt32(first))]
        }
        guard case .payload(let base, let offset) = operand.source, bytes.count <= operand.length else { return nil }
        var tests: [FieldTest] = []
        for index in bytes.indices {
            let mask = operand.mask.isEmpty ? 0xff : index < operand.mask.count ? operand.mask[index] : 0
            let xor = index < operand.xor.count ? operand.xor[index] : 0
            if mask == 0 { continue }
            guard let place = Self.field(base, offset + index) else { return nil }
            let shift = UInt32(8 * (place.width - 1 - place.place))
            if tests.last?.field != place.field { tests.append(FieldTest(field: place.field, width: place.width)) }
            tests[tests.count - 1].mask |= UInt32(mask) << shift
            tests[tests.count - 1].value |= UInt32(bytes[index] ^ xor) << shift
        }
        return tests
    }

    private func compare(
        _ operand: Operand?, _ comparison: NftComparison, _ value: NftValue, _ builder: inout BranchBuilder
    ) {
        guard let operand else { return builder.doubt("register") }
        if let tests = tests(operand, value.bytes) {
            guard !tests.isEmpty else { return builder.require(comparison == .equal) }
            switch comparison {
            case .equal:
                for test in tests {
                    guard let set = test.set else { return builder.doubt(operand.name) }
                    builder.require(test.field, set)
                }
            case .notEqual:
                guard tests.count == 1, let set = tests[0].set else { return builder.doubt(operand.name) }
                builder.require(tests[0].field, set, inverted: true)
            default:
                let test = tests[0]
                guard tests.count == 1, let set = test.set, let only = set.ranges.first,
                    only.lowerBound == only.upperBound
                else { return builder.doubt(operand.name) }
                builder.require(test.field, Self.ordered(comparison, only.lowerBound))
            }
            return
        }
        builder.require(truth(operand, comparison, value))
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

    private func range(
        _ operand: Operand?, _ inverted: Bool, _ low: NftValue, _ high: NftValue, _ builder: inout BranchBuilder
    ) {
        guard let operand else { return builder.doubt("register") }
        guard let first = tests(operand, low.bytes), let last = tests(operand, high.bytes), first.count == 1,
            last.count == 1, let from = first[0].set?.ranges.first, let through = last[0].set?.ranges.first,
            from.lowerBound <= through.upperBound
        else { return builder.doubt(operand.name) }
        builder.require(first[0].field, IntervalSet(from.lowerBound...through.upperBound), inverted: inverted)
    }

    /// A comparison whose outcome is the same for every packet of the question.
    private func truth(_ operand: Operand, _ comparison: NftComparison, _ value: NftValue) -> Truth {
        let isEqual = comparison == .equal
        guard isEqual || comparison == .notEqual else { return .unknown(operand.name) }
        switch operand.source {
        case .meta(.inputName), .meta(.outputName):
            guard operand.mask.isEmpty else { return .unknown(operand.name) }
            if isIgnored(operand) { return .known(true) }
            return interface(operand, Self.interface(value.bytes)).inverted(!isEqual)
        case .meta(.inputIndex), .meta(.outputIndex):
            if isIgnored(operand) { return .known(true) }
            let link = isInput(operand) ? context.input : context.output
            guard let index = link?.index, let wanted = value.host32 else { return .unknown(operand.name) }
            return .known((index == wanted) == isEqual)
        default:
            guard let constant = constant(operand), constant.count >= value.count else {
                return .unknown(operand.name)
            }
            let masked = constant.prefix(value.count).enumerated().map { index, byte in
                (byte & (operand.mask.isEmpty ? 0xff : index < operand.mask.count ? operand.mask[index] : 0))
                    ^ (index < operand.xor.count ? operand.xor[index] : 0)
            }
            return .known((masked == value.bytes) == isEqual)
        }
    }

    private func isInput(_ operand: Operand) -> Bool {
        if case .meta(let key) = operand.source { return key == .inputName || key == .inputIndex }
        return false
    }

    private func isIgnored(_ operand: Operand) -> Bool {
        isInput(operand) ? context.ignoresInput : context.ignoresOutput
    }

    /// A whole name ends in a zero; without one it is the beginning of a name.
    private static func interface(_ bytes: [UInt8]) -> XtInterface {
        let name = bytes.prefix { $0 != 0 }
        return XtInterface(
            prefix: String(decoding: name, as: UTF8.self), isWildcard: name.count == bytes.count && bytes.count < 16)
    }

    private func interface(_ operand: Operand, _ wanted: XtInterface) -> Truth {
        guard let link = isInput(operand) ? context.input : context.output else { return .known(false) }
        return .known(wanted.matches(link.name))
    }

    /// What is known of every packet of the question, as bytes.
    private func constant(_ operand: Operand) -> [UInt8]? {
        switch operand.source {
        case .meta(.networkProtocol): [NftFamily.ipv4.rawValue]
        case .meta(.etherType): [0x08, 0x00]
        case .meta(.packetType): [0]
        case .meta(.mark): context.mayBeMarked ? nil : [0, 0, 0, 0]
        case .conntrack(.state): NftValue(host32: PacketContext.newState).bytes
        case .conntrack(.direction): [0, 0, 0, 0]
        case .conntrack(.mark): context.mayBeMarked ? nil : [0, 0, 0, 0]
        // Neither the containers' addresses nor the outside are the host's own.
        case .fib(.addressType): NftValue(host32: 1).bytes
        default: nil
        }
    }
}

/// Sets and maps.
extension NftRuleReader {
    private mutating func lookup(
        _ set: NftSet, _ from: NftRegister, _ into: NftRegister?, _ inverted: Bool, _ builder: inout BranchBuilder,
        _ extra: inout [RuleBranch], _ notrack: Bool
    ) {
        let parts = from.word.flatMap { operands(from: $0, bytes: Int(min(set.keyLength, 64))) }
        // Only now may the data overwrite the register that held the key.
        if let into, into != .verdict {
            let values = set.elements.compactMap { element in
                if case .value(let bytes)? = element.content { bytes } else { nil }
            }
            store(Operand(source: .mapped(values), length: values.first?.count ?? 4), into)
        }
        guard !set.flags.contains(.dynamic), let parts else { return builder.doubt("set \(set.name)") }
        let entries = set.entries
        if let into, into == .verdict {
            for entry in entries.prefix(1024) {
                guard case .verdict(let verdict)? = entry.content else { continue }
                var branch = builder
                require(parts, entry, &branch)
                if let branch = branch.branch(XtRuleReader.action(verdict), notrack: notrack) { extra.append(branch) }
            }
            return
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

    private func require(_ parts: [Operand], _ entry: NftSetEntry, _ builder: inout BranchBuilder) {
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

    private func wholeField(_ operand: Operand) -> PacketField? {
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
    private func operands(from word: Int, bytes: Int) -> [Operand]? {
        var parts: [Operand] = []
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
