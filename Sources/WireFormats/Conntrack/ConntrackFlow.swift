package import HostModel

/// One tracked flow of IPv4, as IPCTNL_MSG_CT_NEW describes it.
///
/// Source: linux/netfilter/nfnetlink_conntrack.h, nf_conntrack_common.h. Numbers inside are big-endian.
package struct ConntrackFlow: Hashable, Sendable {
    /// The addresses and ports of one direction; ports are 0 for protocols without them.
    package struct Tuple: Codable, Hashable, Sendable {
        package var source: IPv4Address
        package var destination: IPv4Address
        package var transport: UInt8
        package var sourcePort: UInt16
        package var destinationPort: UInt16
        /// Of ICMP in place of ports.
        package var echo: Echo?
        /// CTA_TUPLE_ZONE: a zone that this direction alone is in.
        package var zone: UInt16?
    }

    /// What tells flows of ICMP apart.
    package struct Echo: Codable, Hashable, Sendable {
        package var type: UInt8
        package var code: UInt8
        package var identifier: UInt16
    }

    /// IPS_SRC_NAT: the source is translated.
    package static let sourceTranslated: UInt32 = 1 << 4

    package var original: Tuple
    /// What its answers look like: a flow that is not translated has the same two ends, exchanged.
    package var reply: Tuple
    /// IPS_*.
    package var status: UInt32
    /// CTA_ZONE: 0 where it is in none.
    package var zone: UInt16
    /// CTA_MARK.
    package var mark: UInt32
    /// CTA_ID: another flow with the same ends has another one.
    package var id: UInt32

    /// IPS_OFFLOAD: a flow table forwards it, and the kernel does not let go of it on request.
    package var isOffloaded: Bool { status & 1 << 14 != 0 }

    package var isSourceTranslated: Bool {
        status & Self.sourceTranslated != 0 || reply.destination != original.source
    }

    /// Reads one message; nil for a flow of another family than IPv4.
    package init?(_ message: NetlinkMessage) throws(WireError) {
        var attributes = try message.attributes(after: 4)
        // struct nfgenmsg: the family comes first; AF_INET is 2.
        guard message.bytes[NetlinkHeader.size] == AddressFamily.ipv4.rawValue else { return nil }
        var original: Tuple?
        var reply: Tuple?
        (status, zone, mark, id) = (0, 0, 0, 0)
        while let attribute = try attributes.next() {
            switch attribute.type {
            case 1: original = try Self.tuple(attributes.nested(attribute))  // CTA_TUPLE_ORIG
            case 2: reply = try Self.tuple(attributes.nested(attribute))  // CTA_TUPLE_REPLY
            case 3: status = try attributes.network(attribute)  // CTA_STATUS
            case 8: mark = try attributes.network(attribute)  // CTA_MARK
            case 12: id = try attributes.network(attribute)  // CTA_ID
            case 18: zone = try attributes.network(attribute)  // CTA_ZONE
            default: break
            }
        }
        guard let original, let reply else { throw WireError(.malformed, "CTA_TUPLE_ORIG, CTA_TUPLE_REPLY") }
        self.original = original
        self.reply = reply
    }

    /// Every IPv4 flow of a dump.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [ConntrackFlow] {
        var flows: [ConntrackFlow] = []
        for bytes in messages {
            if let flow = try ConntrackFlow(try NetlinkMessage(bytes)) { flows.append(flow) }
        }
        return flows
    }

    private static func tuple(_ attributes: NetlinkAttributes) throws(WireError) -> Tuple {
        var tuple = Tuple(
            source: IPv4Address(value: 0), destination: IPv4Address(value: 0), transport: 0, sourcePort: 0,
            destinationPort: 0)
        // CTA_TUPLE_IP with CTA_IP_V4_SRC and _DST.
        guard let addresses = try attributes.first(1).map(attributes.nested),
            let source = try addresses.first(1), let destination = try addresses.first(2)
        else { throw WireError(.malformed, "CTA_TUPLE_IP") }
        tuple.source = try addresses.address(source)
        tuple.destination = try addresses.address(destination)
        if let zone = try attributes.first(3) { tuple.zone = try attributes.network(zone) }
        // CTA_TUPLE_PROTO with CTA_PROTO_NUM, _SRC_PORT and _DST_PORT, or _ICMP_ID, _ICMP_TYPE and _ICMP_CODE.
        guard let transport = try attributes.first(2).map(attributes.nested) else { return tuple }
        if let number = try transport.first(1) { tuple.transport = try transport.host(number) }
        if let port = try transport.first(2) { tuple.sourcePort = try transport.network(port) }
        if let port = try transport.first(3) { tuple.destinationPort = try transport.network(port) }
        if let identifier = try transport.first(4), let type = try transport.first(5),
            let code = try transport.first(6)
        {
            tuple.echo = Echo(
                type: try transport.host(type), code: try transport.host(code),
                identifier: try transport.network(identifier))
        }
        return tuple
    }
}
