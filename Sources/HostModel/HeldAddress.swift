/// An IPv4 address as an interface has it, with all that is needed to give it to the interface again just so.
/// Source: rtnetlink(7), linux/if_addr.h.
package struct HeldAddress: Codable, Sendable, Hashable, CustomStringConvertible {
    package var address: IPv4Prefix
    /// Not always that of the prefix: LXC makes its own of an address without a prefix length.
    package var broadcast: IPv4Address?
    /// The other end of a point-to-point address.
    package var peer: IPv4Address?
    /// IFA_LABEL; nil: the name of the interface.
    package var label: String?
    /// RT_SCOPE_*; nil: 0, global.
    package var scope: UInt8?
    /// Those of IFA_F_* that somebody chose, not what the kernel made of it; nil: none.
    package var flags: UInt32?
    /// IFA_RT_PRIORITY, of the route to its subnet; nil: the kernel's own.
    package var metric: UInt32?

    package init(_ address: IPv4Prefix, broadcast: IPv4Address?) {
        self.address = address
        self.broadcast = broadcast
    }

    /// As `ip address add ADDRESS broadcast +` gives it: with the broadcast address of its prefix, where the prefix has
    /// one (RFC 3021: not /31 and /32).
    package init(_ address: IPv4Prefix) {
        self.init(address, broadcast: address.length < 31 ? address.last : nil)
    }

    package var description: String { address.description }
}
