internal import CLinux

/// One NFT_MSG_NEWRULE message, looked through once and without an allocation: where its parts lie, and what its
/// expressions may do. Attributes that do not fit into each other are an error; what an expression says is not read.
struct RuleScan {
    struct Place {
        var family: UInt8
        var table: Range<Int>
        var chain: Range<Int>
    }

    private(set) var place = Place(family: 0, table: 0..<0, chain: 0..<0)
    /// The lower half of the generation at which the ruleset was read.
    private(set) var generation: UInt16 = 0
    private(set) var handle: UInt64 = 0
    /// Where the list of expressions lies in the message.
    private(set) var expressions: Range<Int> = 0..<0
    private(set) var userData: Range<Int> = 0..<0
    private(set) var traits: NftRule.Traits = []
    private(set) var address: NftRule.AddressTest?

    /// - Parameter message: where it lies in the bytes; inside of them. Every place that is found lies in it.
    init(_ bytes: UnsafeRawBufferPointer, _ message: Range<Int>) throws(WireError) {
        guard message.count >= NetlinkHeader.size + 4, message.upperBound <= bytes.count else {
            throw WireError(.truncated, "nfgenmsg")
        }
        let start = message.lowerBound
        guard Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)) == message.count else {
            throw WireError(.malformed, "nlmsghdr")
        }
        place.family = bytes[start + NetlinkHeader.size]
        // The resource id.
        generation = UInt16(
            bigEndian: bytes.loadUnaligned(fromByteOffset: start + NetlinkHeader.size + 2, as: UInt16.self))
        let isWhole = scan(bytes, start + NetlinkHeader.size + 4..<message.upperBound)
        guard isWhole, !place.table.isEmpty, !place.chain.isEmpty else {
            throw WireError(.malformed, "NFT_MSG_NEWRULE")
        }
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer, _ attributes: Range<Int>) -> Bool {
        var cursor = RawAttributes(bytes, attributes)
        while let attribute = cursor.next() {
            switch attribute.type {
            case nfta(NFTA_RULE_TABLE): place.table = attribute.range
            case nfta(NFTA_RULE_CHAIN): place.chain = attribute.range
            case nfta(NFTA_RULE_HANDLE):
                guard attribute.range.count >= 8 else { return false }
                handle = UInt64(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: attribute.range.lowerBound, as: UInt64.self))
            case nfta(NFTA_RULE_EXPRESSIONS): expressions = attribute.range
            case nfta(NFTA_RULE_USERDATA): userData = attribute.range
            default: continue
            }
        }
        guard !cursor.isMalformed else { return false }
        let names = Self.names
        var list = RawAttributes(bytes, expressions)
        // Conditions only: what follows is of no consequence where one of them does not hold.
        var isCondition = true
        var loaded: (isSource: Bool, register: UInt32)?
        while let element = list.next() {
            let before = traits
            guard let found = look(bytes, element.range, names) else { return false }
            guard isCondition, address == nil else { continue }
            switch found.name {
            case names.payload where traits == before: loaded = Self.address(bytes, found.data)
            case names.meta where traits == before: loaded = nil
            case names.compare:
                guard let loaded, let value = Self.test(bytes, found.data, loaded.register) else { continue }
                address = NftRule.AddressTest(isSource: loaded.isSource, address: value)
            case names.match, names.counter: continue
            default: isCondition = false
            }
        }
        return !list.isMalformed
    }

    /// One expression: its name, and of those that matter what is in it.
    private mutating func look(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ names: Names
    ) -> (name: UInt64, data: Range<Int>)? {
        var cursor = RawAttributes(bytes, range)
        var name = 0..<0
        var data = 0..<0
        while let attribute = cursor.next() {
            if attribute.type == nfta(NFTA_EXPR_NAME) { name = attribute.range }
            if attribute.type == nfta(NFTA_EXPR_DATA) { data = attribute.range }
        }
        guard !cursor.isMalformed, !name.isEmpty else { return nil }
        let word = Self.word(bytes, name)
        switch word {
        case names.meta: if Self.holds(bytes, data, nfta(NFTA_META_SREG)) { traits.insert(.changesMarks) }
        case names.conntrack:
            traits.formUnion([.usesConntrack, .isBeyondIptables])
            if Self.holds(bytes, data, nfta(NFTA_CT_SREG)) { traits.formUnion([.changesMarks, .setsZones]) }
        case names.payload:
            if Self.holds(bytes, data, nfta(NFTA_PAYLOAD_SREG)) {
                traits.formUnion([.writesHeaders, .isBeyondIptables])
            }
        case names.option:
            traits.insert(.isBeyondIptables)
            if Self.holds(bytes, data, nfta(NFTA_EXTHDR_SREG)) { traits.insert(.writesOptions) }
        case names.lookup: traits.insert(.usesSets)
        case names.dynamicSet: traits.formUnion([.usesSets, .changesSets, .isBeyondIptables])
        case names.object: traits.formUnion([.usesSets, .isBeyondIptables])
        case names.queue: traits.formUnion([.queues, .isBeyondIptables])
        case names.offload: traits.formUnion([.offloads, .usesConntrack, .isBeyondIptables])
        case names.nat: traits.formUnion([.translates, .translatesSource, .isBeyondIptables])
        case names.handshake: traits.formUnion([.usesConntrack, .isBeyondIptables])
        case names.redirect: traits.formUnion([.translates, .isBeyondIptables])
        case names.masquerade: traits.formUnion([.translatesSource, .isBeyondIptables])
        case names.immediate: if let code = Self.verdict(bytes, data), !Self.goesOn(code) { traits.insert(.ends) }
        case names.compare, names.counter, names.bitwise, names.range, names.byteOrder, names.limit,
            names.log:
            break
        case names.match:
            let match = Self.firstWord(bytes, data, nfta(NFTA_MATCH_NAME))
            if match == names.set { traits.insert(.usesIPSets) }
            if match == names.connectionState || match == names.state || match == names.connectionMarkMatch {
                traits.insert(.usesConntrack)
            }
        case names.target:
            switch Self.firstWord(bytes, data, nfta(NFTA_TARGET_NAME)) {
            case names.mark, names.hashMark: traits.insert(.changesMarks)
            case names.connectionMark: traits.formUnion([.changesMarks, .usesConntrack])
            case names.socketTarget: traits.formUnion([.changesMarks, .hasOtherTarget])
            case names.handshakeTarget: traits.formUnion([.usesConntrack, .hasOtherTarget])
            case names.ipset: traits.insert(.usesIPSets)
            case names.queueTarget: traits.insert(.queues)
            case names.segmentSize: traits.insert(.writesOptions)
            case names.checksum, names.lifetime: traits.insert(.writesHeaders)
            case names.connectionTracking: traits.insert(.setsZones)
            case names.destination, names.redirectTarget: traits.insert(.translates)
            case names.netmap: traits.formUnion([.translates, .translatesSource])
            case names.masqueradeTarget, names.source: traits.insert(.translatesSource)
            default: traits.insert(.hasOtherTarget)
            }
        default: traits.insert(.isBeyondIptables)
        }
        return (word, data)
    }

    /// Of a `payload` expression that loads a whole address: which one, and the register.
    private static func address(
        _ bytes: UnsafeRawBufferPointer, _ data: Range<Int>
    ) -> (isSource: Bool, register: UInt32)? {
        var (register, base, offset, length) = (UInt32(0), UInt32.max, UInt32.max, UInt32(0))
        var cursor = RawAttributes(bytes, data)
        while let attribute = cursor.next() {
            switch attribute.type {
            case nfta(NFTA_PAYLOAD_DREG): register = number(bytes, attribute.range) ?? 0
            case nfta(NFTA_PAYLOAD_BASE): base = number(bytes, attribute.range) ?? .max
            case nfta(NFTA_PAYLOAD_OFFSET): offset = number(bytes, attribute.range) ?? .max
            case nfta(NFTA_PAYLOAD_LEN): length = number(bytes, attribute.range) ?? 0
            default: return nil
            }
        }
        guard register != 0, base == NftPayloadBase.network.rawValue, offset == 12 || offset == 16, length == 4 else {
            return nil
        }
        return (offset == 12, register)
    }

    /// Of a `cmp` expression that asks whether a register equals four bytes: these.
    private static func test(
        _ bytes: UnsafeRawBufferPointer, _ data: Range<Int>, _ register: UInt32
    ) -> UInt32? {
        var value: UInt32?
        var (from, operation) = (UInt32(0), UInt32.max)
        var cursor = RawAttributes(bytes, data)
        while let attribute = cursor.next() {
            switch attribute.type {
            case nfta(NFTA_CMP_SREG): from = number(bytes, attribute.range) ?? 0
            case nfta(NFTA_CMP_OP): operation = number(bytes, attribute.range) ?? .max
            case nfta(NFTA_CMP_DATA):
                var inner = RawAttributes(bytes, attribute.range)
                guard let only = inner.next(), only.type == nfta(NFTA_DATA_VALUE), only.range.count == 4 else {
                    return nil
                }
                value = number(bytes, only.range)
            default: return nil
            }
        }
        return from == register && operation == 0 ? value : nil
    }

    /// Of an `immediate` expression: the code of its verdict; nil where it loads a value.
    private static func verdict(_ bytes: UnsafeRawBufferPointer, _ data: Range<Int>) -> Int32? {
        guard let value = first(bytes, data, nfta(NFTA_IMMEDIATE_DATA)),
            let verdict = first(bytes, value, nfta(NFTA_DATA_VERDICT)),
            let code = first(bytes, verdict, nfta(NFTA_VERDICT_CODE))
        else { return nil }
        return number(bytes, code).map(Int32.init(bitPattern:))
    }

    /// NF_ACCEPT, and what leads to other rules: NFT_CONTINUE, NFT_BREAK, NFT_JUMP, NFT_GOTO, NFT_RETURN.
    private static func goesOn(_ code: Int32) -> Bool { code == 1 || (-5 ... -1).contains(code) }

    /// Four bytes in network order.
    private static func number(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt32? {
        guard range.count >= 4 else { return nil }
        return UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt32.self))
    }

    private static func holds(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ type: UInt16) -> Bool {
        first(bytes, range, type) != nil
    }

    /// Where the first attribute of a type lies.
    private static func first(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ type: UInt16
    ) -> Range<Int>? {
        var cursor = RawAttributes(bytes, range)
        while let attribute = cursor.next() {
            if attribute.type == type { return attribute.range }
        }
        return nil
    }

    /// The name that an attribute holds; 0 where there is none.
    private static func firstWord(_ bytes: UnsafeRawBufferPointer, _ data: Range<Int>, _ type: UInt16) -> UInt64 {
        first(bytes, data, type).map { word(bytes, $0) } ?? 0
    }

    // MARK: Names

    /// The first eight bytes of a name up to its NUL, as one number.
    @inline(__always)
    fileprivate static func word(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64 {
        var word: UInt64 = 0
        var shift: UInt64 = 0
        for index in range.prefix(8) {
            let byte = bytes[index]
            if byte == 0 { break }
            word |= UInt64(byte) << shift
            shift += 8
        }
        return word
    }

    /// The names that matter. Kept together, so that they are fetched once for a rule.
    private struct Names {
        let meta = word("meta")
        let conntrack = word("ct")
        let lookup = word("lookup")
        let dynamicSet = word("dynset")
        let object = word("objref")
        let match = word("match")
        let target = word("target")
        let set = word("set")
        let mark = word("MARK")
        let connectionMark = word("CONNMARK")
        let hashMark = word("HMARK")
        let socketTarget = word("TPROXY")
        let handshakeTarget = word("SYNPROXY")
        let handshake = word("synproxy")
        let ipset = word("SET")
        let queue = word("queue")
        let queueTarget = word("NFQUEUE")
        let segmentSize = word("TCPMSS")
        let checksum = word("CHECKSUM")
        let lifetime = word("TTL")
        let connectionTracking = word("CT")
        let option = word("exthdr")
        let payload = word("payload")
        let compare = word("cmp")
        let counter = word("counter")
        let nat = word("nat")
        let offload = word("flow_offload")
        let masquerade = word("masq")
        let immediate = word("immediate")
        let bitwise = word("bitwise")
        let range = word("range")
        let byteOrder = word("byteorder")
        let limit = word("limit")
        let log = word("log")
        let source = word("SNAT")
        let masqueradeTarget = word("MASQUERADE")
        let redirect = word("redir")
        let destination = word("DNAT")
        let redirectTarget = word("REDIRECT")
        let netmap = word("NETMAP")
        let connectionState = word("conntrac")
        let state = word("state")
        let connectionMarkMatch = word("connmark")

        private static func word(_ name: String) -> UInt64 {
            let bytes = Array(name.utf8)
            return bytes.withUnsafeBytes { RuleScan.word($0, 0..<bytes.count) }
        }
    }

    private static let names = Names()
}

/// A cursor over attributes in borrowed bytes; every offset is checked against their end. As `NetlinkAttributes`, for
/// where a hundred thousand are looked at.
private struct RawAttributes {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private let end: Int
    private(set) var isMalformed = false

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        let clamped = range.clamped(to: 0..<bytes.count)
        offset = clamped.lowerBound
        end = clamped.upperBound
    }

    /// Nil at the end, and where the rest does not fit.
    @inline(__always)
    mutating func next() -> NetlinkAttribute? {
        let left = end - offset
        // Padding that is shorter than a header may follow the last attribute.
        guard left >= 4 else { return nil }
        let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
        let type = bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)
        guard length >= 4, length <= left else {
            isMalformed = true
            offset = end
            return nil
        }
        let attribute = NetlinkAttribute(type: type & 0x3fff, range: offset + 4..<offset + length)
        offset = min(end, offset + NetlinkAttributes.align(length))
        return attribute
    }
}
