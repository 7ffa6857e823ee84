internal import CLinux

extension NftExpression {
    private enum Kind {
        case payload, compare, range, bitwise, byteOrder, immediate, lookup, meta, conntrack, masquerade, nat, redirect
        case reject, counter, log, limit, notrack, fib, match, target
        case numgen, hash, object, loaded
    }

    /// The first eight bytes of a name and its length, as one word: the known names differ there.
    @inline(__always)
    private static func key(_ bytes: [UInt8], _ name: Range<Int>) -> UInt64 {
        var key = UInt64(truncatingIfNeeded: name.count) << 56
        for index in name.prefix(7) { key ^= UInt64(bytes[index]) << UInt64(8 * (index - name.lowerBound)) }
        return key
    }

    private static let names: [(String, Kind)] = [
        ("payload", .payload), ("cmp", .compare), ("counter", .counter), ("match", .match),
        ("immediate", .immediate), ("meta", .meta), ("target", .target), ("bitwise", .bitwise),
        ("lookup", .lookup), ("ct", .conntrack), ("masq", .masquerade), ("nat", .nat), ("log", .log),
        ("limit", .limit), ("reject", .reject), ("range", .range), ("byteorder", .byteOrder), ("fib", .fib),
        ("redir", .redirect), ("notrack", .notrack),
        ("numgen", .numgen), ("hash", .hash), ("objref", .object), ("exthdr", .loaded), ("socket", .loaded),
        ("rt", .loaded), ("osf", .loaded), ("xfrm", .loaded), ("tunnel", .loaded),
    ]
    private static let kinds: [(key: UInt64, kind: Kind)] = names.map { name, kind in
        let bytes = Array(name.utf8)
        return (key(bytes, 0..<bytes.count), kind)
    }

    /// Reads NFTA_EXPR_NAME and NFTA_EXPR_DATA. What is not known, or is known in a form that this program does not
    /// speak, becomes `other`.
    init(decoding bytes: [UInt8], _ range: Range<Int>) throws(WireError) {
        var cursor = NetlinkAttributes(bytes, range)
        var name: Range<Int>?
        var content = range.upperBound..<range.upperBound
        while let attribute = try cursor.next() {
            if attribute.type == nfta(NFTA_EXPR_NAME) { name = attribute.range }
            if attribute.type == nfta(NFTA_EXPR_DATA) { content = attribute.range }
        }
        guard var name else { throw WireError(.malformed, "NFTA_EXPR_NAME") }
        if let last = name.last, bytes[last] == 0 { name = name.lowerBound..<last }
        let key = Self.key(bytes, name)
        guard let known = Self.kinds.first(where: { $0.key == key }) else {
            self = .other(name: String(decoding: bytes[name].prefix(64), as: UTF8.self))
            return
        }
        let data = try NftFields(bytes, content)
        if known.kind == .loaded {
            self = try Self.loaded(String(decoding: bytes[name].prefix(64), as: UTF8.self), data)
        } else if let expression = try Self.decode(known.kind, data) {
            self = expression
        } else {
            self = .other(name: String(decoding: bytes[name].prefix(64), as: UTF8.self))
        }
    }

    private static func decode(_ kind: Kind, _ data: NftFields) throws(WireError) -> NftExpression? {
        switch kind {
        case .payload:
            guard let into = try data.register(NFTA_PAYLOAD_DREG) else {
                return try data.register(NFTA_PAYLOAD_SREG).map { (from) throws(WireError) in
                    .setPayload(
                        base: NftPayloadBase(rawValue: try data.required(NFTA_PAYLOAD_BASE)),
                        offset: try data.required(NFTA_PAYLOAD_OFFSET), length: try data.required(NFTA_PAYLOAD_LEN),
                        from: from)
                }
            }
            return .payload(
                base: NftPayloadBase(rawValue: try data.required(NFTA_PAYLOAD_BASE)),
                offset: try data.required(NFTA_PAYLOAD_OFFSET), length: try data.required(NFTA_PAYLOAD_LEN),
                into: into)
        case .compare:
            guard let from = try data.register(NFTA_CMP_SREG),
                let comparison = NftComparison(rawValue: try data.required(NFTA_CMP_OP)),
                let value = try data.value(NFTA_CMP_DATA)
            else { return nil }
            return .compare(from, comparison, value)
        case .range:
            guard let from = try data.register(NFTA_RANGE_SREG), let low = try data.value(NFTA_RANGE_FROM_DATA),
                let high = try data.value(NFTA_RANGE_TO_DATA)
            else { return nil }
            return .range(
                from, inverted: try data.required(NFTA_RANGE_OP, as: UInt32.self) == 1, from: low, through: high)
        case .bitwise:
            let operation: UInt32 = try data.network(NFTA_BITWISE_OP) ?? 0
            if operation == NFT_BITWISE_LSHIFT.rawValue || operation == NFT_BITWISE_RSHIFT.rawValue {
                guard let from = try data.register(NFTA_BITWISE_SREG), let into = try data.register(NFTA_BITWISE_DREG),
                    let bits = try data.value(NFTA_BITWISE_DATA)?.host32, bits < 32,
                    try data.required(NFTA_BITWISE_LEN, as: UInt32.self) == 4
                else { return nil }
                return .shift(from: from, into: into, left: operation == NFT_BITWISE_LSHIFT.rawValue, bits: bits)
            }
            guard operation == 0, let from = try data.register(NFTA_BITWISE_SREG),
                let into = try data.register(NFTA_BITWISE_DREG),
                let mask = try data.value(NFTA_BITWISE_MASK), let xor = try data.value(NFTA_BITWISE_XOR)
            else { return nil }
            return .bitwise(from: from, into: into, mask: mask, xor: xor)
        case .byteOrder:
            guard let from = try data.register(NFTA_BYTEORDER_SREG), let into = try data.register(NFTA_BYTEORDER_DREG)
            else { return nil }
            return .byteOrder(
                from: from, into: into, size: try data.required(NFTA_BYTEORDER_SIZE),
                length: try data.required(NFTA_BYTEORDER_LEN))
        case .immediate:
            guard let into = try data.register(NFTA_IMMEDIATE_DREG) else { return nil }
            if into == .verdict {
                guard let nested = try data.nested(NFTA_IMMEDIATE_DATA), let verdict = try NftVerdict(in: nested)
                else { return nil }
                return .verdict(verdict)
            }
            return try data.value(NFTA_IMMEDIATE_DATA).map { .immediate(into: into, $0) }
        case .lookup:
            guard let from = try data.register(NFTA_LOOKUP_SREG) else { return nil }
            return .lookup(
                set: try data.requiredText(NFTA_LOOKUP_SET), from: from, into: try data.register(NFTA_LOOKUP_DREG),
                inverted: try data.hasFirstBit(NFTA_LOOKUP_FLAGS))
        case .meta:
            let key = NftMetaKey(rawValue: try data.required(NFTA_META_KEY))
            if let into = try data.register(NFTA_META_DREG) { return .meta(key, into: into) }
            return try data.register(NFTA_META_SREG).map { .setMeta(key, from: $0) }
        case .conntrack:
            let key = NftConntrackKey(rawValue: try data.required(NFTA_CT_KEY))
            if let into = try data.register(NFTA_CT_DREG) {
                return .conntrack(key, direction: try data.network(NFTA_CT_DIRECTION, as: UInt8.self), into: into)
            }
            return try data.register(NFTA_CT_SREG).map { .setConntrack(key, from: $0) }
        default: return try decodeStatement(kind, data)
        }
    }

    /// What only says which register it fills. An `exthdr` that fills none writes an option into the packet.
    private static func loaded(_ name: String, _ data: NftFields) throws(WireError) -> NftExpression {
        let into: NftRegister?
        switch name {
        case "exthdr": into = try data.register(NFTA_EXTHDR_DREG)
        case "socket": into = try data.register(NFTA_SOCKET_DREG)
        case "rt": into = try data.register(NFTA_RT_DREG)
        case "osf": into = try data.register(NFTA_OSF_DREG)
        case "xfrm": into = try data.register(NFTA_XFRM_DREG)
        default: into = try data.register(NFTA_TUNNEL_DREG)
        }
        if name == "exthdr", into == nil { return .other(name: "exthdr set") }
        return into.map { .loaded(name: name, into: $0) } ?? .other(name: name)
    }

    private static func decodeStatement(_ kind: Kind, _ data: NftFields) throws(WireError) -> NftExpression? {
        switch kind {
        case .masquerade:
            return .masquerade(
                flags: try data.network(NFTA_MASQ_FLAGS) ?? 0,
                ports: try data.registers(NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX))
        case .nat:
            guard let kind = NftNat.Kind(rawValue: try data.required(NFTA_NAT_TYPE)) else { return nil }
            let family: UInt32 = try data.network(NFTA_NAT_FAMILY) ?? 0
            return .nat(
                NftNat(
                    kind: kind, family: NftFamily(rawValue: UInt8(clamping: family)),
                    addresses: try data.registers(NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX),
                    ports: try data.registers(NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX),
                    flags: try data.network(NFTA_NAT_FLAGS) ?? 0))
        case .redirect:
            return .redirect(
                flags: try data.network(NFTA_REDIR_FLAGS) ?? 0,
                ports: try data.registers(NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX))
        case .reject:
            return .reject(
                type: try data.network(NFTA_REJECT_TYPE) ?? 0, code: try data.network(NFTA_REJECT_ICMP_CODE) ?? 0)
        case .counter:
            return .counter(
                packets: try data.network(NFTA_COUNTER_PACKETS) ?? 0, bytes: try data.network(NFTA_COUNTER_BYTES) ?? 0)
        case .log:
            return .log(
                NftLog(
                    prefix: data.text(NFTA_LOG_PREFIX) ?? "", group: try data.network(NFTA_LOG_GROUP),
                    snapLength: try data.network(NFTA_LOG_SNAPLEN)))
        case .limit:
            return .limit(
                NftLimit(
                    rate: try data.network(NFTA_LIMIT_RATE) ?? 0, unit: try data.network(NFTA_LIMIT_UNIT) ?? 0,
                    burst: try data.network(NFTA_LIMIT_BURST) ?? 0,
                    ofBytes: try data.network(NFTA_LIMIT_TYPE, as: UInt32.self) ?? 0 == 1,
                    inverted: try data.hasFirstBit(NFTA_LIMIT_FLAGS)))
        case .notrack: return .notrack
        case .numgen:
            guard let into = try data.register(NFTA_NG_DREG) else { return nil }
            return .generated(
                name: "numgen", modulus: try data.network(NFTA_NG_MODULUS) ?? 0,
                offset: try data.network(NFTA_NG_OFFSET) ?? 0, into: into)
        case .hash:
            guard let into = try data.register(NFTA_HASH_DREG) else { return nil }
            return .generated(
                name: "hash", modulus: try data.network(NFTA_HASH_MODULUS) ?? 0,
                offset: try data.network(NFTA_HASH_OFFSET) ?? 0, into: into)
        case .object:
            // NFT_OBJECT_QUOTA, LIMIT and CONNLIMIT may end the rule; counters and helpers go on. Those of a map
            // depend on its elements.
            switch try data.network(NFTA_OBJREF_IMM_TYPE, as: UInt32.self) {
            case nil, 2: return .other(name: "quota object")
            case 4: return .other(name: "limit object")
            case 5: return .other(name: "connlimit object")
            case 10: return .other(name: "synproxy")
            default: return .other(name: "objref")
            }
        case .fib:
            guard let into = try data.register(NFTA_FIB_DREG) else { return nil }
            return .fib(
                result: NftFibResult(rawValue: try data.required(NFTA_FIB_RESULT)),
                flags: try data.network(NFTA_FIB_FLAGS) ?? 0, into: into)
        case .match:
            return .match(
                XtExtension(
                    name: try data.requiredText(NFTA_MATCH_NAME),
                    revision: UInt8(clamping: try data.network(NFTA_MATCH_REV, as: UInt32.self) ?? 0),
                    info: data.data(NFTA_MATCH_INFO) ?? []))
        case .target:
            return .target(
                XtExtension(
                    name: try data.requiredText(NFTA_TARGET_NAME),
                    revision: UInt8(clamping: try data.network(NFTA_TARGET_REV, as: UInt32.self) ?? 0),
                    info: data.data(NFTA_TARGET_INFO) ?? []))
        default: return nil
        }
    }
}

extension NftVerdict {
    /// Reads NFTA_DATA_VERDICT; nil where the data is none.
    init?(in data: NftFields) throws(WireError) {
        guard let fields = try data.nested(NFTA_DATA_VERDICT) else { return nil }
        let code: Int32 = try fields.required(NFTA_VERDICT_CODE)
        switch code {
        case NFT_JUMP.rawValue: self = .jump(try fields.requiredText(NFTA_VERDICT_CHAIN))
        case NFT_GOTO.rawValue: self = .goto(try fields.requiredText(NFTA_VERDICT_CHAIN))
        case NFT_RETURN.rawValue: self = .return
        case NFT_CONTINUE.rawValue: self = .continue
        case NFT_BREAK.rawValue: self = .break
        // The upper half of a verdict carries an errno or a queue number.
        default:
            switch code & 0xff {
            case NF_ACCEPT: self = .accept
            case NF_DROP: self = .drop
            case NF_QUEUE: self = .queue
            default: self = .other(code)
            }
        }
    }
}

extension NftFields {
    fileprivate func register(_ attribute: some RawRepresentable<UInt32>) throws(WireError) -> NftRegister? {
        try network(attribute).map(NftRegister.init(rawValue:))
    }

    fileprivate func registers(
        _ low: some RawRepresentable<UInt32>, _ high: some RawRepresentable<UInt32>
    ) throws(WireError) -> NftRegisterPair? {
        guard let first = try register(low) else { return nil }
        return NftRegisterPair(low: first, high: try register(high) ?? first)
    }

    /// Whether a word of flags has bit 0, which is the inversion of a lookup and of a limit; false where it is absent.
    fileprivate func hasFirstBit(_ attribute: some RawRepresentable<UInt32>) throws(WireError) -> Bool {
        let flags: UInt32 = try network(attribute) ?? 0
        return flags & 1 != 0
    }

    /// Data of at most 16 bytes.
    fileprivate func value(_ attribute: some RawRepresentable<UInt32>) throws(WireError) -> NftValue? {
        guard let data = try nested(attribute)?.data(NFTA_DATA_VALUE) else { return nil }
        return NftValue(data)
    }
}
