package import HostModel

/// `conntrack` with all its conditions (`xt_conntrack_mtinfo2` and 3).
package struct XtConntrack: Hashable, Sendable {
    package struct Conditions: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }
        package static let state = Conditions(rawValue: 1 << 0)
        package static let transport = Conditions(rawValue: 1 << 1)
        package static let originalSource = Conditions(rawValue: 1 << 2)
        package static let originalDestination = Conditions(rawValue: 1 << 3)
        package static let replySource = Conditions(rawValue: 1 << 4)
        package static let replyDestination = Conditions(rawValue: 1 << 5)
        package static let status = Conditions(rawValue: 1 << 6)
        package static let expires = Conditions(rawValue: 1 << 7)
        package static let originalSourcePort = Conditions(rawValue: 1 << 8)
        package static let originalDestinationPort = Conditions(rawValue: 1 << 9)
        package static let replySourcePort = Conditions(rawValue: 1 << 10)
        package static let replyDestinationPort = Conditions(rawValue: 1 << 11)
        package static let direction = Conditions(rawValue: 1 << 12)
        /// No condition: the rule was written as `-m state`.
        package static let isStateAlias = Conditions(rawValue: 1 << 13)
    }

    /// An address and a mask.
    package struct Masked: Hashable, Sendable {
        package var address: IPv4Address
        package var mask: IPv4Address
    }

    package var wanted: Conditions
    package var inverted: Conditions
    package var states: UInt16
    /// IPS_* bits.
    package var status: UInt16
    package var transport: UInt16
    /// Original source, original destination, reply source, reply destination.
    package var addresses: [Masked]
    /// In the same order.
    package var ports: [ClosedRange<UInt16>]

    /// Of a match of that name; nil for the first revision, which is laid out in another way.
    package init?(info xt: XtExtension) {
        guard xt.revision > 0 else { return nil }
        self.init(XtInfo(xt.info), revision: xt.revision)
    }

    /// Nil where the structure is too short, or a range runs backwards.
    init?(_ info: XtInfo, revision: UInt8) {
        guard let flags = info.short(146), let inversions = info.short(148), let number = info.short(136),
            let states = revision == 1 ? info.byte(150).map(UInt16.init) : info.short(150),
            let status = revision == 1 ? info.byte(151).map(UInt16.init) : info.short(152)
        else { return nil }
        wanted = Conditions(rawValue: flags).subtracting(.isStateAlias)
        inverted = Conditions(rawValue: inversions)
        self.states = states
        self.status = status
        transport = number
        addresses = []
        ports = []
        for index in 0..<4 {
            guard let address = info.address(32 * index), let mask = info.address(32 * index + 16),
                let low = info.networkShort(138 + 2 * index)
            else { return nil }
            addresses.append(Masked(address: address, mask: mask))
            // Revision 3 has ranges, in host order; the ones before a single port in network order.
            if revision >= 3 {
                guard let first = info.short(138 + 2 * index), let high = info.short(154 + 2 * index),
                    first <= high
                else { return nil }
                ports.append(first...high)
            } else {
                ports.append(low...low)
            }
        }
    }
}
