package import HostModel

/// A netlink request that only reads.
///
/// There is no way to make one but by the constructors of this module (`KernelQuery+Route.swift`,
/// `KernelQuery+Nftables.swift`), and each of those is a GET or a dump.
package struct KernelQuery: Codable, Sendable, Hashable {
    package enum Family: String, Codable, Sendable {
        /// NETLINK_ROUTE.
        case route
        /// NETLINK_NETFILTER.
        case netfilter
        /// NETLINK_XFRM.
        case xfrm
    }

    package let family: Family
    /// `nlmsg_type`, host order.
    package let type: UInt16
    /// NLM_F_DUMP: many answers; otherwise one.
    package let dump: Bool
    /// Everything after the `nlmsghdr`: the family header and the attributes.
    package let payload: ByteString
    /// For messages: `RTM_GETLINK`.
    package let name: String

    init(family: Family, type: UInt16, dump: Bool, payload: [UInt8], name: String) {
        self.family = family
        self.type = type
        self.dump = dump
        self.payload = ByteString(payload)
        self.name = name
    }
}
