internal import CLinux

/// What a listing says of an expression beyond what `NftExpression` keeps of it for judging packets.
///
/// Source: `linux/netfilter/nf_tables.h`.
package enum NftDetail: Sendable {
    /// A header of IPv6 (0), an option of TCP (1) or of IPv4 (2), a chunk of SCTP (3). Offset and length in bytes.
    case extensionHeader(operation: UInt32, type: UInt8, offset: UInt32, length: UInt32, isPresence: Bool)
    /// Writes an option of TCP.
    case setExtensionHeader(type: UInt8, offset: UInt32, length: UInt32, from: NftRegister)
    /// NFT_RT_*.
    case route(key: UInt32)
    /// NFT_SOCKET_*.
    case socket(key: UInt32)
    /// NFT_XFRM_KEY_*; direction 0 is in.
    case transform(key: UInt32, direction: UInt8, number: UInt32)
    case numberGenerator(isRandom: Bool)
    /// Without `from`: of the flow (symhash).
    case hash(from: NftRegister?, length: UInt32, seed: UInt32?)
    case quota(bytes: UInt64, isOver: Bool)
    case connections(UInt32, isOver: Bool)
    /// NFT_OBJECT_*.
    case object(type: UInt32, name: String)
    case objectMap(set: String, from: NftRegister)
    /// NFT_DYNSET_OP_*; the time-out in milliseconds.
    case setChange(
        set: String, operation: UInt32, key: NftRegister, data: NftRegister?, timeout: UInt64?,
        expressions: [NftListedExpression])
    case duplicate(address: NftRegister?, device: NftRegister?)
    case forward(device: NftRegister?)
    case queue(first: UInt16, count: UInt16, flags: UInt16)
    case log(level: UInt32?, flags: UInt32, threshold: UInt16)
    case synproxy(maximumSegment: UInt16, scale: UInt8, flags: UInt32)
    case fingerprint(timeToLive: UInt8, flags: UInt32)
    case transparentProxy(family: UInt32, address: NftRegister?, port: NftRegister?)
}

/// An expression with all that a listing says of it.
package struct NftListedExpression: Sendable {
    package var expression: NftExpression
    package var detail: NftDetail?

    init(decoding bytes: [UInt8], _ range: Range<Int>) throws(WireError) {
        expression = try NftExpression(decoding: bytes, range)
        let outer = try NftFields(bytes, range)
        guard let name = outer.text(NFTA_EXPR_NAME), let data = try outer.nested(NFTA_EXPR_DATA) else { return }
        detail = try NftDetail(name, data)
    }

    init(_ expression: NftExpression) { self.expression = expression }

    /// Those of a list. What cannot be decoded ends it as an expression that is not known.
    static func list(_ bytes: [UInt8], _ range: Range<Int>) -> [NftListedExpression] {
        var cursor = NetlinkAttributes(bytes, range)
        var list: [NftListedExpression] = []
        do {
            while let element = try cursor.next() {
                list.append(try NftListedExpression(decoding: bytes, element.range))
            }
        } catch {
            list.append(NftListedExpression(.other(name: "malformed: \(error.subject)")))
        }
        return list
    }
}

extension NftRuleset {
    /// All expressions of a rule, for a listing.
    package func listedExpressions(of rule: NftRule) -> [NftListedExpression] {
        NftListedExpression.list(chunk(of: rule), rule.expressions.range)
    }
}

extension NftDetail {
    fileprivate init?(_ name: String, _ data: NftFields) throws(WireError) {
        func register(_ attribute: some RawRepresentable<UInt32>) throws(WireError) -> NftRegister? {
            try data.network(attribute, as: UInt32.self).map(NftRegister.init(rawValue:))
        }
        func word(_ attribute: some RawRepresentable<UInt32>) throws(WireError) -> UInt32 {
            try data.network(attribute) ?? 0
        }
        switch name {
        case "exthdr":
            let type: UInt8 = try data.network(NFTA_EXTHDR_TYPE) ?? 0
            let (offset, length) = (try word(NFTA_EXTHDR_OFFSET), try word(NFTA_EXTHDR_LEN))
            if let from = try register(NFTA_EXTHDR_SREG) {
                self = .setExtensionHeader(type: type, offset: offset, length: length, from: from)
            } else {
                self = .extensionHeader(
                    operation: try word(NFTA_EXTHDR_OP), type: type, offset: offset, length: length,
                    isPresence: try word(NFTA_EXTHDR_FLAGS) & 1 != 0)
            }
        case "rt": self = .route(key: try word(NFTA_RT_KEY))
        case "socket": self = .socket(key: try word(NFTA_SOCKET_KEY))
        case "xfrm":
            self = .transform(
                key: try word(NFTA_XFRM_KEY), direction: try data.network(NFTA_XFRM_DIR) ?? 0,
                number: try word(NFTA_XFRM_SPNUM))
        case "numgen": self = .numberGenerator(isRandom: try word(NFTA_NG_TYPE) == 1)
        case "hash":
            self = .hash(
                from: try word(NFTA_HASH_TYPE) == 0 ? try register(NFTA_HASH_SREG) : nil,
                length: try word(NFTA_HASH_LEN), seed: try data.network(NFTA_HASH_SEED))
        case "quota":
            self = .quota(
                bytes: try data.network(NFTA_QUOTA_BYTES) ?? 0, isOver: try word(NFTA_QUOTA_FLAGS) & 1 != 0)
        case "connlimit":
            self = .connections(try word(NFTA_CONNLIMIT_COUNT), isOver: try word(NFTA_CONNLIMIT_FLAGS) & 1 != 0)
        case "objref":
            if let set = data.text(NFTA_OBJREF_SET_NAME), let from = try register(NFTA_OBJREF_SET_SREG) {
                self = .objectMap(set: set, from: from)
            } else {
                self = .object(type: try word(NFTA_OBJREF_IMM_TYPE), name: data.text(NFTA_OBJREF_IMM_NAME) ?? "")
            }
        case "dynset":
            guard let set = data.text(NFTA_DYNSET_SET_NAME), let key = try register(NFTA_DYNSET_SREG_KEY) else {
                return nil
            }
            var expressions: [NftListedExpression] = []
            if let range = data.range(NFTA_DYNSET_EXPRESSIONS) {
                expressions = NftListedExpression.list(data.bytes, range)
            } else if let range = data.range(NFTA_DYNSET_EXPR) {
                expressions = [try NftListedExpression(decoding: data.bytes, range)]
            }
            self = .setChange(
                set: set, operation: try word(NFTA_DYNSET_OP), key: key, data: try register(NFTA_DYNSET_SREG_DATA),
                timeout: try data.network(NFTA_DYNSET_TIMEOUT), expressions: expressions)
        case "dup":
            self = .duplicate(address: try register(NFTA_DUP_SREG_ADDR), device: try register(NFTA_DUP_SREG_DEV))
        case "fwd": self = .forward(device: try register(NFTA_FWD_SREG_DEV))
        // Without a number of its own it is the packet that says which (`queue to … map`).
        case "queue" where data.range(NFTA_QUEUE_SREG_QNUM) == nil:
            self = .queue(
                first: try data.network(NFTA_QUEUE_NUM) ?? 0, count: try data.network(NFTA_QUEUE_TOTAL) ?? 1,
                flags: try data.network(NFTA_QUEUE_FLAGS) ?? 0)
        case "log":
            self = .log(
                level: try data.network(NFTA_LOG_LEVEL), flags: try word(NFTA_LOG_FLAGS),
                threshold: try data.network(NFTA_LOG_QTHRESHOLD) ?? 0)
        case "synproxy":
            self = .synproxy(
                maximumSegment: try data.network(NFTA_SYNPROXY_MSS) ?? 0,
                scale: try data.network(NFTA_SYNPROXY_WSCALE) ?? 0, flags: try word(NFTA_SYNPROXY_FLAGS))
        case "osf":
            self = .fingerprint(
                timeToLive: try data.network(NFTA_OSF_TTL) ?? 0, flags: try word(NFTA_OSF_FLAGS))
        case "tproxy":
            self = .transparentProxy(
                family: try word(NFTA_TPROXY_FAMILY), address: try register(NFTA_TPROXY_REG_ADDR),
                port: try register(NFTA_TPROXY_REG_PORT))
        default: return nil
        }
    }
}
