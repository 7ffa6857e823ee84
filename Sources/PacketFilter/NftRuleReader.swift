internal import HostModel
internal import WireFormats

/// Runs the register machine of one nft rule over sets of packets.
struct NftRuleReader {
    let ruleset: Ruleset
    let context: PacketContext
    var registers: [NftOperand?] = Array(repeating: nil, count: 16)
    /// Elements of maps and sets that were looked at one by one, in all rules read.
    var touched = 0

    init(_ ruleset: Ruleset, _ context: PacketContext) {
        self.ruleset = ruleset
        self.context = context
    }

    mutating func branches(
        of rule: NftRule, table: Int, within box: PacketBox, isLenient: Bool = false
    ) -> [RuleBranch] {
        if let test = rule.address, !isLenient, !(test.isSource ? box.source : box.destination).contains(test.address) {
            return []
        }
        var builder = BranchBuilder(within: box, isLenient: isLenient)
        var extra: [RuleBranch] = []
        // What a socket of this host takes goes no further way.
        var isProxied = false
        for index in registers.indices { registers[index] = nil }
        var list = ruleset.nft.expressionList(of: rule)
        while let expression = list.next() {
            if builder.isNever { return finish(.next, builder, extra) }
            switch expression {
            case .payload(let base, let offset, let length, let into):
                // A further fragment has no transport header: the rule ends.
                if base == .transport { builder.require(.fragment, .zero) }
                store(NftOperand(source: .payload(base, offset: Int(offset)), length: Int(min(length, 64))), into)
            case .meta(let key, let into): store(NftOperand(source: .meta(key), length: metaLength(key)), into)
            case .conntrack(let key, _, let into):
                if context.isBridgeFamily { builder.doubt(PacketRun.bridgeTracking) }
                if key != .state {
                    // Without an entry the rule ends.
                    builder.require(!context.isUnseen)
                    builder.require(.state, SamplePacket.ConnectionState.tracked)
                }
                store(NftOperand(source: .conntrack(key), length: 4), into)
            case .fib(let result, let flags, let into):
                store(NftOperand(source: .fib(result, flags: flags), length: 4), into)
            case .immediate(let into, let value): store(NftOperand(source: .constant(value), length: value.count), into)
            case .bitwise(let from, let into, let mask, let xor):
                guard var operand = load(from), operand.mask.isEmpty else {
                    store(NftOperand(source: .other(name(from, builder, or: "bitwise")), length: mask.count), into)
                    continue
                }
                operand.mask = mask.bytes
                operand.xor = xor.isZero ? [] : xor.bytes
                operand.length = mask.count
                store(operand, into)
            case .byteOrder(let from, let into, _, let length):
                let name = name(from, builder, or: "byteorder")
                store(NftOperand(source: .other(name), length: Int(min(length, 64))), into)
            case .shift(let from, let into, _, _):
                store(NftOperand(source: .other(name(from, builder, or: "shift")), length: 4), into)
            case .generated(let name, _, _, let into), .loaded(let name, let into):
                store(NftOperand(source: .other(Self.words(name)), length: 16), into)
            case .compare(let from, let comparison, let value):
                compare(load(from), comparison, value, &builder)
            case .range(let from, let inverted, let low, let high):
                range(load(from), inverted, low, high, &builder)
            case .lookup(let name, let from, let into, let inverted):
                guard let set = ruleset.knownSet(named: name, inTable: table) else {
                    if into == .verdict { return finish(.unknown("map \(name)"), builder, extra) }
                    builder.doubt("set \(name)")
                    if let into { store(NftOperand(source: .other("map \(name)"), length: 4), into) }
                    continue
                }
                lookup(set.known, isKnown: !set.isChanging, from, into, inverted, &builder, &extra)
            case .match(let xt): XtRuleReader(ruleset: ruleset, context: context).require(XtMatch(xt), &builder)
            case .notrack: builder.add(.notrack)
            case .limit: builder.doubt("limit")
            case .setMeta(let key, let from): if key == .mark { builder.add(markEffect(load(from))) }
            case .setConntrack(let key, let from): if key == .mark { connectionMarkEffect(load(from), &builder) }
            case .counter, .log, .setPayload: continue
            case .verdict(let verdict):
                if case .continue = verdict { continue }
                return finish(isProxied ? .taken("tproxy") : XtRuleReader.action(verdict), builder, extra)
            case .masquerade: return finish(.masquerade, builder, extra)
            case .nat(let nat):
                if nat.family == .ipv6, nat.kind == .source { builder.require(false) }
                return translations(nat, builder) ?? finish(Self.action(nat, to: addresses(nat)), builder, extra)
            case .redirect: return finish(.destinationNat, builder, extra)
            case .reject: return finish(.drop, builder, extra)
            case .target(let xt):
                let target = XtTarget(xt)
                if case .tproxy(let change) = target {
                    return extra + XtRuleReader(ruleset: ruleset, context: context).proxied(change, builder)
                }
                if target == .synproxy { builder.requireHandshake(true) }
                if let effect = XtRuleReader.effect(target) { builder.add(effect) }
                let action = XtRuleReader.action(target)
                if action != .next { return finish(action, builder, extra) }
            case .other(let name):
                if Self.statements.contains(name) { continue }
                if name == "queue" { return finish(.queue, builder, extra) }
                if name == "synproxy" {
                    var taken = builder
                    taken.requireHandshake(true)
                    if let branch = taken.branch(.taken(name)) { extra.append(branch) }
                    // Of TCP what it does not take goes on; all else ends the rule.
                    builder.requireHandshake(false)
                    continue
                }
                // Without a socket for it the rule ends (nft_tproxy.c).
                if name == "tproxy" { isProxied = context.keepsSockets }
                // It may have filled any register.
                if !Self.tests.contains(name) { for index in registers.indices { registers[index] = nil } }
                builder.doubt(Self.words(name))
            }
        }
        return finish(isProxied ? .taken("tproxy") : .next, builder, extra)
    }

    /// Expressions that always go on to the next and decide nothing here.
    static let statements: Set<String> = [
        "objref", "dup", "last", "ct", "meta", "log", "counter", "exthdr set", "flow_offload",
    ]

    /// Expressions that may end the rule and fill no register. All others that are not known may.
    static let tests: Set<String> = [
        "dynset", "quota", "connlimit", "quota object", "limit object", "connlimit object", "synproxy", "tproxy",
    ]

    /// What people call an expression that the kernel has another name for.
    static func words(_ expression: String) -> String {
        switch expression {
        case "connlimit": "ct count (connlimit)"
        case "connlimit object": "ct count (connlimit object)"
        case "dynset": "a set that the rule changes (dynset)"
        case "hash": "jhash or symhash"
        case "xfrm": "ipsec"
        case "exthdr": "an option or extension header"
        default: expression
        }
    }

    private func name(_ register: NftRegister, _ builder: BranchBuilder, or other: String) -> String {
        load(register)?.name(in: builder.box) ?? other
    }

    private func finish(
        _ action: RuleBranch.Action, _ builder: BranchBuilder, _ extra: [RuleBranch]
    ) -> [RuleBranch] {
        if builder.effects.isEmpty, action == .next || builder.isNever { return extra }
        return extra + [builder.leftBehind, builder.branch(action)].compactMap { $0 }
    }

    // MARK: Marks

    private func markEffect(_ operand: NftOperand?) -> RuleEffect {
        guard let operand, let (keep, flip) = operand.word else { return .markOneOf(.all) }
        switch operand.source {
        case .constant(let value): return .mark(keeping: 0, flipping: (value.host32 ?? 0) & keep ^ flip)
        case .meta(.mark): return .mark(keeping: keep, flipping: flip)
        case .conntrack(.mark) where flip == 0:
            return .copy(XtMarkChange(mode: .restore, value: 0, mask: keep, packetMask: .max, shift: nil))
        case .mapped(let map):
            guard let values = map.values else { return .markOneOf(.all) }
            return .markOneOf(
                IntervalSet(values.compactMap { NftValue($0)?.host32 }.map { $0 & keep ^ flip }.map { $0...$0 }))
        default: return .markOneOf(.all)
        }
    }

    private func connectionMarkEffect(_ operand: NftOperand?, _ builder: inout BranchBuilder) {
        guard let operand, let (keep, flip) = operand.word else { return builder.add(.connectionMarkOneOf(.all)) }
        switch operand.source {
        case .constant(let value): builder.add(.connectionMark(keeping: 0, flipping: (value.host32 ?? 0) & keep ^ flip))
        case .conntrack(.mark): builder.add(.connectionMark(keeping: keep, flipping: flip))
        case .meta(.mark):
            builder.add(.copy(XtMarkChange(mode: .save, value: 0, mask: .max, packetMask: keep, shift: nil)))
            if flip != 0 { builder.add(.connectionMark(keeping: .max, flipping: flip)) }
        default: builder.add(.connectionMarkOneOf(.all))
        }
    }

    private func metaLength(_ key: NftMetaKey) -> Int {
        switch key {
        case .inputName, .outputName, .inputBridgeName, .outputBridgeName: 16
        case .networkProtocol, .transportProtocol, .packetType: 1
        case .etherType: 2
        default: 4
        }
    }

    mutating func store(_ operand: NftOperand, _ register: NftRegister) {
        guard let word = register.word else { return }
        registers[word] = operand
    }

    private func load(_ register: NftRegister) -> NftOperand? {
        register.word.flatMap { registers[$0] }
    }

    private static func action(_ nat: NftNat, to addresses: IntervalSet?) -> RuleBranch.Action {
        guard nat.kind == .source else { return .destinationNat }
        return nat.addresses == nil ? .sourcePorts : .sourceNat(addresses)
    }

    /// One way for each address that a map holds; nil where no map says to which.
    private mutating func translations(_ nat: NftNat, _ builder: BranchBuilder) -> [RuleBranch]? {
        guard let pair = nat.addresses, case .mapped(let map)? = load(pair.low)?.source, let parts = map.parts
        else { return nil }
        return branches(map.known, parts, builder) { entry in
            entry.value.map { Self.action(nat, to: Self.addresses($0, areRange: pair.low != pair.high)) }
        }
    }

    /// Of a map's data: one address, or the first and the last of a range.
    private static func addresses(_ value: [UInt8], areRange: Bool) -> IntervalSet? {
        guard let first = address(value) else { return nil }
        guard areRange else { return IntervalSet(first) }
        guard value.count >= 8, let last = address(Array(value[4..<8])), first <= last else { return nil }
        return IntervalSet(first...last)
    }

    private static func address(_ value: [UInt8]) -> UInt32? {
        NftValue(value.prefix(4))?.bigNumber.map(UInt32.init(truncatingIfNeeded:))
    }

    private func addresses(_ nat: NftNat) -> IntervalSet? {
        guard let pair = nat.addresses, let low = load(pair.low), let high = load(pair.high) else { return nil }
        switch (low.source, high.source) {
        case (.constant(let first), .constant(let last)):
            guard let first = first.bigNumber, let last = last.bigNumber, first <= last, last <= UInt32.max else {
                return nil
            }
            return IntervalSet(UInt32(first)...UInt32(last))
        // A map that is known has been read entry by entry.
        default: return nil
        }
    }
}
