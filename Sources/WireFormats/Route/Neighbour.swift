internal import CLinux
package import HostModel

/// A neighbour entry (ARP, neighbour discovery) or an entry of a bridge's forwarding database, as RTM_NEWNEIGH describes it.
///
/// Source: rtnetlink(7), linux/neighbour.h.
package struct Neighbour: Hashable, Sendable {
    /// The index of the link; of a forwarding database, of the port.
    package var link: Int
    /// NUD_*: 0x02 reachable, 0x04 stale, 0x20 failed, 0x80 permanent.
    package var state: UInt16
    /// NTF_*: 0x02 self, 0x04 master, 0x80 router.
    package var flags: UInt8
    /// Of either family; nil in a forwarding database.
    package var destination: IPAddress?
    package var mac: MACAddress?
    /// The bridge, in a forwarding database.
    package var master: Int?
    package var vlan: Int?
    /// How often the kernel has asked for it without an answer (NDA_PROBES).
    package var questions: Int?
    /// Since its state changed (`ndm_updated` of NDA_CACHEINFO, in hundredths of a second: USER_HZ).
    package var secondsSinceUpdate: Double?

    /// The address of an entry of IPv4.
    package var address: IPv4Address? { destination?.v4 }

    /// Reads one RTM_NEWNEIGH message of family AF_INET, AF_INET6 or AF_BRIDGE.
    package init(_ message: NetlinkMessage) throws(WireError) {
        guard message.header.type == RouteMessageType.newNeighbour else {
            throw WireError(.malformed, "RTM_NEWNEIGH")
        }
        var attributes = try message.attributes(after: MemoryLayout<ndmsg>.size)
        let bytes = message.bytes
        let start = NetlinkHeader.size
        // struct ndmsg: family, pad (8), pad (16), index (32), state (16), flags, type (8 bits each).
        guard let index: Int32 = bytes.hostInteger(at: start + 4),
            let state: UInt16 = bytes.hostInteger(at: start + 8)
        else { throw WireError(.truncated, "ndmsg") }
        link = Int(index)
        self.state = state
        flags = bytes[start + 10]
        let family = AddressFamily(rawValue: bytes[start])
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            case Int(NDA_DST) where family == .ipv4: destination = .v4(try attributes.address(attribute))
            case Int(NDA_DST) where family == .ipv6: destination = .v6(try attributes.address(attribute))
            case Int(NDA_LLADDR): mac = MACAddress(octets: attributes.data(attribute))
            case Int(NDA_MASTER): master = Int(try attributes.host(attribute, as: UInt32.self))
            case Int(NDA_VLAN): vlan = Int(try attributes.host(attribute, as: UInt16.self))
            case Int(NDA_PROBES): questions = Int(try attributes.host(attribute, as: UInt32.self))
            case Int(NDA_CACHEINFO):
                // struct nda_cacheinfo: confirmed, used, updated, refcnt (32 bits each).
                guard attribute.range.count >= MemoryLayout<nda_cacheinfo>.size else { break }
                let ticks: UInt32? = bytes.hostInteger(at: attribute.range.lowerBound + 8)
                secondsSinceUpdate = ticks.map { Double($0) / 100 }
            default: break
            }
        }
    }

    /// The state as ip-neighbour(8) writes it. Source: NUD_* in linux/neighbour.h.
    package var stateName: String {
        let names: [(UInt16, String)] = [
            (0x01, "INCOMPLETE"), (0x02, "REACHABLE"), (0x04, "STALE"), (0x08, "DELAY"), (0x10, "PROBE"),
            (0x20, "FAILED"), (0x40, "NOARP"), (0x80, "PERMANENT"),
        ]
        return names.first { state & $0.0 != 0 }?.1 ?? "NONE"
    }

    /// Every entry of a dump, in its order.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [Neighbour] {
        try decodeAll(messages, RouteMessageType.newNeighbour) { (message) throws(WireError) in
            try Neighbour(message)
        }
    }
}
