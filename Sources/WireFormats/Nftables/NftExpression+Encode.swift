internal import CLinux

/// The number of an attribute that the kernel's headers give as an enum.
@inline(__always)
func nfta(_ attribute: some RawRepresentable<UInt32>) -> UInt16 {
    UInt16(truncatingIfNeeded: attribute.rawValue)
}

extension NftExpression {
    /// The name by which the kernel knows the expression.
    package var kernelName: String {
        switch self {
        case .payload, .setPayload: "payload"
        case .compare: "cmp"
        case .range: "range"
        case .bitwise, .shift: "bitwise"
        case .byteOrder: "byteorder"
        case .immediate, .verdict: "immediate"
        case .lookup: "lookup"
        case .meta, .setMeta: "meta"
        case .conntrack, .setConntrack: "ct"
        case .masquerade: "masq"
        case .nat: "nat"
        case .redirect: "redir"
        case .reject: "reject"
        case .counter: "counter"
        case .log: "log"
        case .limit: "limit"
        case .notrack: "notrack"
        case .fib: "fib"
        case .match: "match"
        case .target: "target"
        case .generated(let name, _, _, _), .loaded(let name, _), .other(let name): name
        }
    }

    /// Expressions one after the other, as attributes of a rule.
    package static func encoded(_ expressions: [NftExpression]) -> [UInt8] {
        var list = NetlinkAttributeBuilder()
        for expression in expressions { list.nest(nfta(NFTA_LIST_ELEM)) { expression.encode(into: &$0) } }
        return list.bytes
    }

    /// Appends NFTA_EXPR_NAME and NFTA_EXPR_DATA.
    func encode(into builder: inout NetlinkAttributeBuilder) {
        builder.append(nfta(NFTA_EXPR_NAME), text: kernelName)
        builder.nest(nfta(NFTA_EXPR_DATA)) { encodeData(into: &$0) }
    }

    private func encodeData(into data: inout NetlinkAttributeBuilder) {
        switch self {
        case .payload(let base, let offset, let length, let into):
            data.append(nfta(NFTA_PAYLOAD_DREG), network: into.rawValue)
            data.append(nfta(NFTA_PAYLOAD_BASE), network: base.rawValue)
            data.append(nfta(NFTA_PAYLOAD_OFFSET), network: offset)
            data.append(nfta(NFTA_PAYLOAD_LEN), network: length)
        case .compare(let from, let comparison, let value):
            data.append(nfta(NFTA_CMP_SREG), network: from.rawValue)
            data.append(nfta(NFTA_CMP_OP), network: comparison.rawValue)
            data.append(nfta(NFTA_CMP_DATA), value: value)
        case .range(let from, let inverted, let low, let high):
            data.append(nfta(NFTA_RANGE_SREG), network: from.rawValue)
            data.append(nfta(NFTA_RANGE_OP), network: inverted ? 1 as UInt32 : 0)
            data.append(nfta(NFTA_RANGE_FROM_DATA), value: low)
            data.append(nfta(NFTA_RANGE_TO_DATA), value: high)
        case .bitwise(let from, let into, let mask, let xor):
            data.append(nfta(NFTA_BITWISE_SREG), network: from.rawValue)
            data.append(nfta(NFTA_BITWISE_DREG), network: into.rawValue)
            data.append(nfta(NFTA_BITWISE_LEN), network: UInt32(mask.count))
            data.append(nfta(NFTA_BITWISE_MASK), value: mask)
            data.append(nfta(NFTA_BITWISE_XOR), value: xor)
        case .byteOrder(let from, let into, let size, let length):
            data.append(nfta(NFTA_BYTEORDER_SREG), network: from.rawValue)
            data.append(nfta(NFTA_BYTEORDER_DREG), network: into.rawValue)
            data.append(nfta(NFTA_BYTEORDER_OP), network: NFT_BYTEORDER_HTON.rawValue)
            data.append(nfta(NFTA_BYTEORDER_LEN), network: length)
            data.append(nfta(NFTA_BYTEORDER_SIZE), network: size)
        case .immediate(let into, let value):
            data.append(nfta(NFTA_IMMEDIATE_DREG), network: into.rawValue)
            data.append(nfta(NFTA_IMMEDIATE_DATA), value: value)
        case .verdict(let verdict):
            data.append(nfta(NFTA_IMMEDIATE_DREG), network: NftRegister.verdict.rawValue)
            data.nest(nfta(NFTA_IMMEDIATE_DATA)) { $0.nest(nfta(NFTA_DATA_VERDICT)) { verdict.encode(into: &$0) } }
        case .lookup(let set, let from, let into, let inverted):
            data.append(nfta(NFTA_LOOKUP_SET), text: set)
            data.append(nfta(NFTA_LOOKUP_SREG), network: from.rawValue)
            if let into { data.append(nfta(NFTA_LOOKUP_DREG), network: into.rawValue) }
            if inverted { data.append(nfta(NFTA_LOOKUP_FLAGS), network: 1 as UInt32) }
        case .meta(let key, let into):
            data.append(nfta(NFTA_META_KEY), network: key.rawValue)
            data.append(nfta(NFTA_META_DREG), network: into.rawValue)
        case .setMeta(let key, let from):
            data.append(nfta(NFTA_META_KEY), network: key.rawValue)
            data.append(nfta(NFTA_META_SREG), network: from.rawValue)
        case .conntrack(let key, let direction, let into):
            data.append(nfta(NFTA_CT_KEY), network: key.rawValue)
            data.append(nfta(NFTA_CT_DREG), network: into.rawValue)
            if let direction { data.append(nfta(NFTA_CT_DIRECTION), bytes: [direction]) }
        case .setConntrack(let key, let from):
            data.append(nfta(NFTA_CT_KEY), network: key.rawValue)
            data.append(nfta(NFTA_CT_SREG), network: from.rawValue)
        case .masquerade(let flags, let ports):
            if flags != 0 { data.append(nfta(NFTA_MASQ_FLAGS), network: flags) }
            data.append(ports, nfta(NFTA_MASQ_REG_PROTO_MIN), nfta(NFTA_MASQ_REG_PROTO_MAX))
        case .nat(let nat):
            data.append(nfta(NFTA_NAT_TYPE), network: nat.kind.rawValue)
            data.append(nfta(NFTA_NAT_FAMILY), network: UInt32(nat.family.rawValue))
            data.append(nat.addresses, nfta(NFTA_NAT_REG_ADDR_MIN), nfta(NFTA_NAT_REG_ADDR_MAX))
            data.append(nat.ports, nfta(NFTA_NAT_REG_PROTO_MIN), nfta(NFTA_NAT_REG_PROTO_MAX))
            if nat.flags != 0 { data.append(nfta(NFTA_NAT_FLAGS), network: nat.flags) }
        case .redirect(let flags, let ports):
            data.append(ports, nfta(NFTA_REDIR_REG_PROTO_MIN), nfta(NFTA_REDIR_REG_PROTO_MAX))
            if flags != 0 { data.append(nfta(NFTA_REDIR_FLAGS), network: flags) }
        case .reject(let type, let code):
            data.append(nfta(NFTA_REJECT_TYPE), network: type)
            data.append(nfta(NFTA_REJECT_ICMP_CODE), bytes: [code])
        case .counter(let packets, let bytes):
            data.append(nfta(NFTA_COUNTER_BYTES), network: bytes)
            data.append(nfta(NFTA_COUNTER_PACKETS), network: packets)
        case .log(let log):
            if !log.prefix.isEmpty { data.append(nfta(NFTA_LOG_PREFIX), text: log.prefix) }
            if let group = log.group { data.append(nfta(NFTA_LOG_GROUP), network: group) }
            if let length = log.snapLength { data.append(nfta(NFTA_LOG_SNAPLEN), network: length) }
        case .limit(let limit):
            data.append(nfta(NFTA_LIMIT_RATE), network: limit.rate)
            data.append(nfta(NFTA_LIMIT_UNIT), network: limit.unit)
            data.append(nfta(NFTA_LIMIT_BURST), network: limit.burst)
            data.append(nfta(NFTA_LIMIT_TYPE), network: limit.ofBytes ? 1 as UInt32 : 0)
            data.append(nfta(NFTA_LIMIT_FLAGS), network: limit.inverted ? 1 as UInt32 : 0)
        case .fib(let result, let flags, let into):
            data.append(nfta(NFTA_FIB_DREG), network: into.rawValue)
            data.append(nfta(NFTA_FIB_RESULT), network: result.rawValue)
            data.append(nfta(NFTA_FIB_FLAGS), network: flags)
        case .match(let xt):
            data.append(nfta(NFTA_MATCH_NAME), text: xt.name)
            data.append(nfta(NFTA_MATCH_REV), network: UInt32(xt.revision))
            data.append(nfta(NFTA_MATCH_INFO), bytes: xt.info)
        case .target(let xt):
            data.append(nfta(NFTA_TARGET_NAME), text: xt.name)
            data.append(nfta(NFTA_TARGET_REV), network: UInt32(xt.revision))
            data.append(nfta(NFTA_TARGET_INFO), bytes: xt.info)
        case .setPayload(let base, let offset, let length, let from):
            data.append(nfta(NFTA_PAYLOAD_SREG), network: from.rawValue)
            data.append(nfta(NFTA_PAYLOAD_BASE), network: base.rawValue)
            data.append(nfta(NFTA_PAYLOAD_OFFSET), network: offset)
            data.append(nfta(NFTA_PAYLOAD_LEN), network: length)
        case .notrack, .other, .shift, .generated, .loaded: break
        }
    }
}

extension NftVerdict {
    /// NFTA_VERDICT_CODE and, for jumps, NFTA_VERDICT_CHAIN.
    func encode(into data: inout NetlinkAttributeBuilder) {
        data.append(nfta(NFTA_VERDICT_CODE), network: code)
        switch self {
        case .jump(let chain), .goto(let chain): data.append(nfta(NFTA_VERDICT_CHAIN), text: chain)
        default: break
        }
    }

    /// NF_* and NFT_* of the kernel's headers.
    var code: Int32 {
        switch self {
        case .drop: NF_DROP
        case .accept: NF_ACCEPT
        case .queue: NF_QUEUE
        case .continue: NFT_CONTINUE.rawValue
        case .break: NFT_BREAK.rawValue
        case .jump: NFT_JUMP.rawValue
        case .goto: NFT_GOTO.rawValue
        case .return: NFT_RETURN.rawValue
        case .other(let code): code
        }
    }
}

extension NetlinkAttributeBuilder {
    /// A value wrapped in NFTA_DATA_VALUE.
    fileprivate mutating func append(_ type: UInt16, value: NftValue) {
        nest(type) { $0.append(nfta(NFTA_DATA_VALUE), bytes: value.bytes) }
    }

    fileprivate mutating func append(_ pair: NftRegisterPair?, _ low: UInt16, _ high: UInt16) {
        guard let pair else { return }
        append(low, network: pair.low.rawValue)
        append(high, network: pair.high.rawValue)
    }
}
