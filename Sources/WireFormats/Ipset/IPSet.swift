/// A set of ipset with its members, as the kernel dumps it.
///
/// Source: `linux/netfilter/ipset/ip_set.h`, ipset(8).
package struct IPSet: Hashable, Sendable {
    /// What a member holds in one of its places.
    package enum Part: Hashable, Sendable {
        case address, port, interface
        /// A MAC address or a mark: its members are not compared here.
        case other
    }

    package struct Member: Hashable, Sendable {
        /// In order of the parts that are addresses; inclusive.
        package var addresses: [ClosedRange<UInt32>] = []
        package var ports: ClosedRange<UInt16>?
        /// IP protocol number of the ports.
        package var transport: UInt8?
        package var interface: String?
        /// The interface is a port of a bridge (`physdev:`).
        package var isPhysical = false
        /// Any interface whose name begins so.
        package var isWildcard = false
        /// An exception: what it holds is not in the set.
        package var isException = false
        /// Of `list:set`: the set that stands here.
        package var name: String?

        package init() {}
    }

    package var name: String
    /// What rules know it by.
    package var index: UInt16
    /// `hash:net,iface`.
    package var type: String
    /// NFPROTO_*: 2 IPv4, 10 IPv6, 0 any.
    package var family: UInt8
    /// Addresses are cut to this length before they are looked up; nil: not.
    package var maskLength: UInt8?
    /// The same with any mask, as a number in host order (Linux 6.2); nil: not.
    package var bitmask: UInt32?
    package var members: [Member]
    /// More members than are kept; nothing is said of those that are missing.
    package var isCut = false

    /// The bits of an address that are looked up; all of them without a mask.
    package var addressMask: UInt32 {
        let length = UInt32(maskLength ?? 32)
        return (length == 0 ? 0 : length >= 32 ? .max : ~(UInt32.max >> length)) & (bitmask ?? .max)
    }

    /// What the members consist of; empty for `list:set`, nil for a type that is not known.
    package var parts: [Part]? {
        if type == "list:set" { return [] }
        let pieces = type.split(separator: ":", maxSplits: 1)
        guard pieces.count == 2, pieces[0] == "hash" || pieces[0] == "bitmap" else { return nil }
        var parts: [Part] = []
        for piece in pieces[1].split(separator: ",") {
            switch piece {
            case "ip", "net": parts.append(.address)
            case "port": parts.append(.port)
            case "iface": parts.append(.interface)
            case "mac", "mark": parts.append(.other)
            default: return nil
            }
        }
        return parts
    }
}

/// Which set of ipset a rule looks into, and how: `xt_set_info` of the match `set`, revisions 0 to 4.
package struct XtSetMatch: Hashable, Sendable {
    package var index: UInt16
    /// For each part of a member: whether it is compared with the packet's source. As many as the rule names.
    package var isSource: [Bool]
    package var inverted: Bool
    /// Counters are compared too, or exceptions count as members.
    package var hasMore: Bool

    init?(_ info: XtInfo, revision: UInt8) {
        guard let index = info.short(0) else { return nil }
        self.index = index
        if revision == 0 {
            // Up to six words of flags, one for each part: 1 source, 2 destination, 4 inverted. The kernel keeps them
            // as of revision 1 behind the words (compat).
            guard let count = info.byte(28), let flags = info.byte(29), count <= 6 else { return nil }
            isSource = (1...6).prefix(Int(count)).map { flags & (1 << UInt8($0)) != 0 }
            inverted = flags & 1 != 0
            hasMore = false
            return
        }
        guard (1...4).contains(revision), let count = info.byte(2), let flags = info.byte(3), count <= 6 else {
            return nil
        }
        isSource = (1...6).prefix(Int(count)).map { flags & (1 << UInt8($0)) != 0 }
        inverted = flags & 1 != 0
        hasMore = flags & 0x80 != 0
        switch revision {
        // `ip_set_counter_match0`: an operation, then eight bytes; twice; and flags.
        case 3:
            guard let packets = info.byte(8), let bytes = info.byte(24), let more = info.word(40) else { return nil }
            hasMore = hasMore || packets != 0 || bytes != 0 || more & 0x80 != 0
        // `ip_set_counter_match`: eight bytes, then the operation.
        case 4:
            guard let packets = info.byte(16), let bytes = info.byte(32), let more = info.word(40) else { return nil }
            hasMore = hasMore || packets != 0 || bytes != 0 || more & 0x80 != 0
        default: break
        }
    }
}

/// The target `SET`: what it adds to and deletes from, and whether it takes marks out of a set.
package struct XtSetTarget: Hashable, Sendable {
    package var changed: [UInt16]
    package var marks: Bool

    init?(_ info: XtInfo, revision: UInt8) {
        // Revision 0 has the large structure of the old match twice.
        let offsets = revision == 0 ? [0, 32] : [0, 4]
        changed = []
        for offset in offsets {
            guard let index = info.short(offset) else { return nil }
            if index != .max { changed.append(index) }
        }
        marks = false
        if revision == 3, let map = info.short(8), let flags = info.word(12) {
            marks = map != .max && flags & 0x100 != 0
        }
    }
}
