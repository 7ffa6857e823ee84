internal import CLinux
package import HostModel

/// What rtnetlink says of an address, kept so that it can be told again.
extension HeldAddress {
    /// What somebody chose for the address. The other flags say what the kernel made of it.
    private static let keptFlags = UInt32(IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

    /// `name`: of the interface.
    package init(_ entry: InterfaceAddress, of name: String) {
        self.init(entry.address, broadcast: entry.broadcast)
        peer = entry.peer
        if !entry.label.isEmpty, entry.label != name { label = entry.label }
        if entry.scope != 0 { scope = entry.scope }
        let kept = entry.flags & Self.keptFlags
        if kept != 0 { flags = kept }
        metric = entry.metric
    }

    /// Whether the kernel makes no route to its subnet.
    package var hasNoPrefixRoute: Bool { (flags ?? 0) & UInt32(IFA_F_NOPREFIXROUTE) != 0 }
    /// Whether multicast groups are joined for it.
    package var joinsMulticast: Bool { (flags ?? 0) & UInt32(IFA_F_MCAUTOJOIN) != 0 }
}
