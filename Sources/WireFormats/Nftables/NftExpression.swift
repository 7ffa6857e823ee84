/// One expression of a rule: an instruction of the kernel's register machine.
///
/// Source: `linux/netfilter/nf_tables.h`. What is not known is kept by name.
package enum NftExpression: Hashable, Sendable {
    case payload(base: NftPayloadBase, offset: UInt32, length: UInt32, into: NftRegister)
    /// Writes into the packet.
    case setPayload(base: NftPayloadBase, offset: UInt32, length: UInt32, from: NftRegister)
    case compare(NftRegister, NftComparison, NftValue)
    case range(NftRegister, inverted: Bool, from: NftValue, through: NftValue)
    /// `into = (from & mask) ^ xor`.
    case bitwise(from: NftRegister, into: NftRegister, mask: NftValue, xor: NftValue)
    /// By bits; the register is one number in host order.
    case shift(from: NftRegister, into: NftRegister, left: Bool, bits: UInt32)
    case byteOrder(from: NftRegister, into: NftRegister, size: UInt32, length: UInt32)
    case immediate(into: NftRegister, NftValue)
    case verdict(NftVerdict)
    /// With `into`, a map: the data of the element found.
    case lookup(set: String, from: NftRegister, into: NftRegister?, inverted: Bool)
    case meta(NftMetaKey, into: NftRegister)
    case setMeta(NftMetaKey, from: NftRegister)
    case conntrack(NftConntrackKey, direction: UInt8?, into: NftRegister)
    case setConntrack(NftConntrackKey, from: NftRegister)
    case masquerade(flags: UInt32, ports: NftRegisterPair?)
    case nat(NftNat)
    case redirect(flags: UInt32, ports: NftRegisterPair?)
    case reject(type: UInt32, code: UInt8)
    case counter(packets: UInt64, bytes: UInt64)
    case log(NftLog)
    case limit(NftLimit)
    case notrack
    /// Numbers that differ from packet to packet: `numgen`, and hashes (`jhash`, `symhash`), from `offset` on.
    case generated(name: String, modulus: UInt32, offset: UInt32, into: NftRegister)
    /// A register gets what this program does not see: `socket`, `rt`, `exthdr`, `osf`, `xfrm`, `tunnel`.
    case loaded(name: String, into: NftRegister)
    case fib(result: NftFibResult, flags: UInt32, into: NftRegister)
    /// A match of iptables-nft.
    case match(XtExtension)
    /// A target of iptables-nft.
    case target(XtExtension)
    case other(name: String)
}

/// A register. 1…4 are 16 bytes wide, 8…23 are the same memory in steps of four bytes, 0 is the verdict.
package struct NftRegister: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let verdict = NftRegister(rawValue: 0)
    package static let one = NftRegister(rawValue: 1)
    package static let two = NftRegister(rawValue: 2)
    package static let three = NftRegister(rawValue: 3)
    package static let four = NftRegister(rawValue: 4)

    /// Where it begins in the register memory, in words of four bytes (0…15); nil for the verdict and what does not
    /// exist.
    package var word: Int? {
        switch rawValue {
        case 1...4: Int(rawValue - 1) * 4
        case 8...23: Int(rawValue - 8)
        default: nil
        }
    }
}

/// A range given by two registers, lowest and highest; both the same for a single value.
package struct NftRegisterPair: Hashable, Sendable {
    package var low: NftRegister
    package var high: NftRegister

    package init(low: NftRegister, high: NftRegister) {
        self.low = low
        self.high = high
    }
}

/// Where a payload offset counts from.
package struct NftPayloadBase: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let link = NftPayloadBase(rawValue: 0)
    package static let network = NftPayloadBase(rawValue: 1)
    package static let transport = NftPayloadBase(rawValue: 2)
}

package enum NftComparison: UInt32, Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

/// What a rule decides.
package enum NftVerdict: Hashable, Sendable {
    case accept, drop, `continue`, `break`, `return`
    case queue
    case jump(String)
    case goto(String)
    /// A code that this program does not know.
    case other(Int32)
}

/// Source or destination translation to an address and ports in registers.
package struct NftNat: Hashable, Sendable {
    package enum Kind: UInt32, Sendable { case source, destination }

    package var kind: Kind
    package var family: NftFamily
    package var addresses: NftRegisterPair?
    package var ports: NftRegisterPair?
    /// NF_NAT_RANGE_*.
    package var flags: UInt32

    package init(
        kind: Kind, family: NftFamily = .ipv4, addresses: NftRegisterPair?, ports: NftRegisterPair? = nil,
        flags: UInt32 = 0
    ) {
        self.kind = kind
        self.family = family
        self.addresses = addresses
        self.ports = ports
        self.flags = flags
    }
}

/// A log statement: to an NFLOG group, or to the kernel's log.
package struct NftLog: Hashable, Sendable {
    package var prefix: String
    /// Nil: the kernel's log.
    package var group: UInt16?
    /// How many bytes of a packet are copied; nil: all.
    package var snapLength: UInt32?

    package init(prefix: String = "", group: UInt16? = nil, snapLength: UInt32? = nil) {
        self.prefix = prefix
        self.group = group
        self.snapLength = snapLength
    }
}

package struct NftLimit: Hashable, Sendable {
    package var rate: UInt64
    /// Seconds.
    package var unit: UInt64
    package var burst: UInt32
    /// Whether the rate is of bytes, not packets.
    package var ofBytes: Bool
    package var inverted: Bool
}

/// What a `fib` expression gives.
package struct NftFibResult: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let interfaceIndex = NftFibResult(rawValue: 1)
    package static let interfaceName = NftFibResult(rawValue: 2)
    package static let addressType = NftFibResult(rawValue: 3)
}

/// A match or target of x_tables: its name and its private structure, in the layout of that revision.
package struct XtExtension: Hashable, Sendable {
    package var name: String
    package var revision: UInt8
    /// Bounds-checked by whoever decodes it.
    package var info: ArraySlice<UInt8>

    package init(name: String, revision: UInt8, info: ArraySlice<UInt8>) {
        self.name = name
        self.revision = revision
        self.info = info
    }
}
