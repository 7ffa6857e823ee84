internal import CLinux
package import HostModel

/// A network interface as RTM_NEWLINK describes it.
///
/// Source: rtnetlink(7), linux/if_link.h, netdevice(7) for the flags.
package struct Link: Hashable, Sendable {
    package var index: Int
    package var name: String
    /// IFLA_INFO_KIND: `bridge`, `veth`, `vlan`; "" for hardware and lo.
    package var kind: String
    /// IFF_*.
    package var flags: UInt32
    /// IFLA_CARRIER; nil where the kernel did not say.
    package var carrier: Bool?
    /// IFLA_OPERSTATE, as in `/sys/class/net/NAME/operstate`.
    package var operationalState: OperationalState
    package var mac: MACAddress?
    package var mtu: Int
    /// The index of the bridge, bond or VRF that this link is a port of.
    package var master: Int?
    /// What the link is to its master: `bridge`, `bond`.
    package var slaveKind: String
    /// IFLA_LINK: the lower link, or the peer of a veth.
    package var lower: Int?
    /// IFLA_LINK_NETNSID: the namespace in which `lower` lives, where that is another one.
    package var lowerNamespace: Int?
    /// Of a bridge.
    package var bridge: BridgeOptions?
    /// Of a port of a bridge.
    package var port: BridgePort?
    /// Whether an XDP program is attached.
    package var hasXDP: Bool

    /// RFC 2863, section 3.1.14.
    package enum OperationalState: UInt8, Sendable {
        case unknown, notPresent, down, lowerLayerDown, testing, dormant, up
    }

    /// IFF_UP: administratively up.
    package var isUp: Bool { flags & UInt32(IFF_UP) != 0 }
    /// IFF_RUNNING.
    package var isRunning: Bool { flags & UInt32(IFF_RUNNING) != 0 }
    /// IFF_NOARP: neighbours are neither asked nor answered.
    package var isWithoutARP: Bool { flags & UInt32(IFF_NOARP) != 0 }
    /// IFF_LOOPBACK.
    package var isLoopback: Bool { flags & UInt32(IFF_LOOPBACK) != 0 }

    /// Reads one RTM_NEWLINK message.
    package init(_ message: NetlinkMessage) throws(WireError) {
        guard message.header.type == RouteMessageType.newLink else { throw WireError(.malformed, "RTM_NEWLINK") }
        var attributes = try message.attributes(after: MemoryLayout<ifinfomsg>.size)
        let bytes = message.bytes
        // struct ifinfomsg: family, pad, type (16 bits), index, flags, change (32 bits each).
        guard let index: Int32 = bytes.hostInteger(at: NetlinkHeader.size + 4),
            let flags: UInt32 = bytes.hostInteger(at: NetlinkHeader.size + 8)
        else { throw WireError(.truncated, "ifinfomsg") }
        self.index = Int(index)
        self.flags = flags
        name = ""
        kind = ""
        operationalState = .unknown
        mtu = 0
        slaveKind = ""
        hasXDP = false
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            case Int(IFLA_IFNAME): name = attributes.text(attribute)
            case Int(IFLA_ADDRESS): mac = MACAddress(octets: attributes.data(attribute))
            case Int(IFLA_MTU): mtu = Int(try attributes.host(attribute, as: UInt32.self))
            case Int(IFLA_LINK): lower = Int(try attributes.host(attribute, as: Int32.self))
            case Int(IFLA_LINK_NETNSID): lowerNamespace = Int(try attributes.host(attribute, as: Int32.self))
            case Int(IFLA_MASTER): master = Int(try attributes.host(attribute, as: Int32.self))
            case Int(IFLA_CARRIER): carrier = try attributes.host(attribute, as: UInt8.self) != 0
            case Int(IFLA_OPERSTATE):
                operationalState =
                    OperationalState(rawValue: try attributes.host(attribute, as: UInt8.self)) ?? .unknown
            case Int(IFLA_LINKINFO): try readInformation(attributes.nested(attribute))
            case Int(IFLA_XDP): try readXDP(attributes.nested(attribute))
            default: break
            }
        }
    }

    /// Every link of a dump, in its order.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [Link] {
        try decodeAll(messages, RouteMessageType.newLink) { (message) throws(WireError) in try Link(message) }
    }

    private mutating func readInformation(_ nested: NetlinkAttributes) throws(WireError) {
        var attributes = nested
        var data: NetlinkAttributes?
        var slave: NetlinkAttributes?
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            case Int(IFLA_INFO_KIND): kind = attributes.text(attribute)
            case Int(IFLA_INFO_SLAVE_KIND): slaveKind = attributes.text(attribute)
            case Int(IFLA_INFO_DATA): data = attributes.nested(attribute)
            case Int(IFLA_INFO_SLAVE_DATA): slave = attributes.nested(attribute)
            default: break
            }
        }
        if kind == "bridge", let data { bridge = try BridgeOptions(data) }
        if slaveKind == "bridge", let slave { port = try BridgePort(slave) }
    }

    private mutating func readXDP(_ nested: NetlinkAttributes) throws(WireError) {
        guard let attached = try nested.first(UInt16(IFLA_XDP_ATTACHED)) else { return }
        hasXDP = try nested.host(attached, as: UInt8.self) != 0
    }
}

/// Decodes the messages of one type and passes over others.
func decodeAll<Value>(
    _ messages: [[UInt8]], _ type: UInt16, _ decode: (NetlinkMessage) throws(WireError) -> Value
) throws(WireError) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(messages.count)
    for bytes in messages {
        let message = try NetlinkMessage(bytes)
        if message.header.type == type { values.append(try decode(message)) }
    }
    return values
}
