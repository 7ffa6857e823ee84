internal import HostModel

/// Which flow, and no other: its first direction, its zone, and the number that the kernel gave this very entry.
package struct TrackedFlow: Codable, Hashable, Sendable {
    package var original: ConntrackFlow.Tuple
    package var zone: UInt16
    package var id: UInt32

    package init(_ flow: ConntrackFlow) {
        original = flow.original
        zone = flow.zone
        id = flow.id
    }

    /// NFNL_SUBSYS_CTNETLINK is 1, IPCTNL_MSG_CT_DELETE is 2.
    package static let deletionType: UInt16 = 1 << 8 | 2

    /// The request to delete it; the kernel answers ENOENT where the flow is gone, or another one has its ends.
    ///
    /// A request without a tuple would delete every flow there is; this one always has it.
    /// Source: linux/netfilter/nfnetlink_conntrack.h, ctnetlink_del_conntrack of the kernel.
    package var deletion: [UInt8] {
        var payload = NetlinkAttributeBuilder(header: [AddressFamily.ipv4.rawValue, 0, 0, 0])
        payload.nest(1) { tuple in  // CTA_TUPLE_ORIG
            tuple.nest(1) {  // CTA_TUPLE_IP
                $0.append(1, address: original.source)
                $0.append(2, address: original.destination)
            }
            tuple.nest(2) { $0.append(original) }  // CTA_TUPLE_PROTO
            if let zone = original.zone { tuple.append(3, network: zone) }
        }
        if zone != 0 { payload.append(18, network: zone) }  // CTA_ZONE
        payload.append(12, network: id)  // CTA_ID
        return payload.bytes
    }
}

extension NetlinkAttributeBuilder {
    /// CTA_PROTO_NUM and what goes with it.
    fileprivate mutating func append(_ tuple: ConntrackFlow.Tuple) {
        append(1, bytes: [tuple.transport])
        if let echo = tuple.echo {
            append(4, network: echo.identifier)
            append(5, bytes: [echo.type])
            append(6, bytes: [echo.code])
        } else {
            append(2, network: tuple.sourcePort)
            append(3, network: tuple.destinationPort)
        }
    }
}
