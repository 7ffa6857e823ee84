package import HostModel

/// An IPsec policy of IPv4, as XFRM_MSG_NEWPOLICY describes it: which packets the kernel hands to IPsec.
///
/// Shape: `struct xfrm_userpolicy_info`, of which the selector comes first: destination and source (16 bytes each),
/// ports with their masks (16 bits each, big-endian), family (16 bits), prefix lengths of destination and source,
/// protocol (8 bits each). Source: linux/xfrm.h.
package struct IPsecPolicy: Hashable, Sendable {
    package enum Direction: UInt8, Sendable { case input, output, forward }

    package var source: IPv4Prefix
    package var destination: IPv4Prefix
    package var direction: Direction
    /// XFRM_POLICY_BLOCK: what matches is dropped.
    package var blocks: Bool

    /// Where the parts of the structure lie.
    private enum Offset {
        static let destination = 0
        static let source = 16
        static let family = 40
        static let destinationLength = 42
        static let sourceLength = 43
        /// Behind the selector (56), two limits (64 and 32), priority and index.
        static let direction = 160
        static let action = 161
        static let end = 164
    }

    /// Reads one message; nil for a policy of another family, and for those of a socket.
    package init?(_ message: NetlinkMessage) throws(WireError) {
        let start = NetlinkHeader.size
        let bytes = message.bytes
        guard bytes.count >= start + Offset.end, let family: UInt16 = bytes.hostInteger(at: start + Offset.family),
            let to: UInt32 = bytes.networkInteger(at: start + Offset.destination),
            let from: UInt32 = bytes.networkInteger(at: start + Offset.source)
        else { throw WireError(.truncated, "xfrm_userpolicy_info") }
        guard family == UInt16(AddressFamily.ipv4.rawValue),
            let direction = Direction(rawValue: bytes[start + Offset.direction])
        else { return nil }
        guard
            let source = IPv4Prefix(
                address: IPv4Address(value: from), length: Int(bytes[start + Offset.sourceLength])),
            let destination = IPv4Prefix(
                address: IPv4Address(value: to), length: Int(bytes[start + Offset.destinationLength]))
        else { throw WireError(.malformed, "xfrm_selector") }
        self.source = source.network
        self.destination = destination.network
        self.direction = direction
        blocks = bytes[start + Offset.action] == 1
    }

    /// Every IPv4 policy of a dump.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [IPsecPolicy] {
        var policies: [IPsecPolicy] = []
        for bytes in messages {
            if let policy = try IPsecPolicy(try NetlinkMessage(bytes)) { policies.append(policy) }
        }
        return policies
    }
}
