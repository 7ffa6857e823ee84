internal import CLinux
package import HostModel

/// An IPv4 address of a link.
package typealias InterfaceAddress = LinkAddress<IPv4Address>

/// An address of a link, as RTM_NEWADDR describes it. Source: rtnetlink(7), linux/if_addr.h.
package struct LinkAddress<Address: InternetAddress>: Hashable, Sendable {
    /// The index of the link.
    package var link: Int
    /// The local address with the prefix length of the subnet behind it.
    package var address: Address.Prefix
    /// The other end of a point-to-point address; nil where it is the address itself.
    package var peer: Address?
    /// Of IPv4 only.
    package var broadcast: Address?
    /// IFA_LABEL: the link's name, or an alias such as `eth0:1`; empty in IPv6.
    package var label: String
    /// RT_SCOPE_*: 0 global, 253 link, 254 host.
    package var scope: UInt8
    /// IFA_F_*: those of the header, or IFA_FLAGS, which has room for all.
    package var flags: UInt32
    /// IFA_RT_PRIORITY, of the route to its subnet.
    package var metric: UInt32?

    /// Another address of the same subnet came first.
    package var isSecondary: Bool { flags & UInt32(IFA_F_SECONDARY) != 0 }

    /// Reads one RTM_NEWADDR message of the family.
    @specialized(where Address == IPv4Address)
    package init(_ message: NetlinkMessage) throws(WireError) {
        guard message.header.type == RouteMessageType.newAddress else { throw WireError(.malformed, "RTM_NEWADDR") }
        var attributes = try message.attributes(after: MemoryLayout<ifaddrmsg>.size)
        let bytes = message.bytes
        let start = NetlinkHeader.size
        // struct ifaddrmsg: family, prefix length, flags, scope (8 bits each), index (32 bits).
        guard bytes[start] == AddressFamily.of(Address.self).rawValue,
            let index: UInt32 = bytes.hostInteger(at: start + 4)
        else { throw WireError(.malformed, "ifaddrmsg") }
        link = Int(index)
        scope = bytes[start + 3]
        flags = UInt32(bytes[start + 2])
        label = ""
        var local: Address?
        var other: Address?
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            case Int(IFA_LOCAL): local = try attributes.address(attribute)
            case Int(IFA_ADDRESS): other = try attributes.address(attribute)
            case Int(IFA_BROADCAST): broadcast = try attributes.address(attribute)
            case Int(IFA_LABEL): label = attributes.text(attribute)
            case Int(IFA_FLAGS): flags = try attributes.host(attribute)
            case Int(IFA_RT_PRIORITY): metric = try attributes.host(attribute)
            default: break
            }
        }
        guard let own = local ?? other, let prefix = Address.Prefix(address: own, length: Int(bytes[start + 1])) else {
            throw WireError(.malformed, "IFA_LOCAL")
        }
        address = prefix
        peer = other == own ? nil : other
    }

    /// Every address of a dump of the family, in its order.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [Self] {
        try decodeAll(messages, RouteMessageType.newAddress) { (message) throws(WireError) in try Self(message) }
    }
}
