internal import WireFormats

/// The data of a map, and the key that it is found by.
struct NftMapped {
    var known: NftKnownSet
    /// Of the key; nil where they are not known, or the map changes.
    var parts: [NftOperand]?

    /// More data than these are not told one by one.
    private static let mostValues = 4096

    /// Each once; nil where there are too many.
    var values: [[UInt8]]? { known.values.count <= Self.mostValues ? known.values : nil }
}

/// What stands in a register: bytes of the packet, or something about it.
struct NftOperand {
    enum Source {
        case payload(NftPayloadBase, offset: Int)
        case meta(NftMetaKey)
        case conntrack(NftConntrackKey)
        case fib(NftFibResult, flags: UInt32)
        case constant(NftValue)
        case mapped(NftMapped)
        case other(String)
    }

    var source: Source
    var length: Int
    /// Empty: all bits.
    var mask: [UInt8] = []
    var xor: [UInt8] = []

    /// What people know it by, of these packets.
    func name(in box: PacketBox) -> String {
        switch source {
        case .payload(let base, let offset):
            NftPacketField.name(
                base, offset: offset, length: length, mask: mask,
                transport: box.transport.ranges.count == 1 && box.transport.count == 1
                    ? box.transport.ranges.first.map { UInt8(truncatingIfNeeded: $0.lowerBound) } : nil)
        case .meta(let key): key.name
        case .conntrack(let key): key.name
        case .fib: "fib"
        case .constant: "immediate"
        case .mapped: "map"
        case .other(let name): name
        }
    }

    /// Of a number in host order: the bits that are kept, and those that are flipped then; nil for another width.
    var word: (keep: UInt32, flip: UInt32)? {
        func number(_ bytes: [UInt8]) -> UInt32? { NftValue(bytes)?.host32 }
        guard let keep = mask.isEmpty ? .max : number(mask), let flip = xor.isEmpty ? 0 : number(xor) else {
            return nil
        }
        return (keep, flip)
    }

    /// The field of these packets whose numbers are told one by one.
    func numbered(in box: PacketBox) -> PacketField? {
        switch source {
        // Only in TCP is that byte the flags.
        case .payload(.transport, offset: 13) where length == 1 && box.transport == IntervalSet(6): .tcpFlags
        case .meta(.mark): .mark
        case .conntrack(.mark): .connectionMark
        case .conntrack(.state): .state
        case .conntrack(.direction): .direction
        default: nil
        }
    }

    /// The first bytes of a number of that field as the rule compares them.
    func bytes(_ number: UInt32, count: Int, _ context: PacketContext) -> [UInt8] {
        let plain: [UInt8]
        switch source {
        case .conntrack(.state): plain = NftValue(host32: context.stateBit(number)).bytes
        case .conntrack(.direction): plain = [UInt8(truncatingIfNeeded: number), 0, 0, 0]
        case .payload: plain = [UInt8(truncatingIfNeeded: number)]
        default: plain = NftValue(host32: number).bytes
        }
        return plain.prefix(count).enumerated().map { index, byte in
            (byte & (mask.isEmpty ? 0xff : index < mask.count ? mask[index] : 0)) ^ (index < xor.count ? xor[index] : 0)
        }
    }
}
