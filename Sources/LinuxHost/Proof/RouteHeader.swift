internal import CLinux
internal import Glibc
internal import HostAccess
internal import WireFormats

/// The family headers of the rtnetlink messages that make a throw-away container. Source: rtnetlink(7).
enum RouteHeader {
    /// `struct ifinfomsg`.
    static func link(index: Int32, up: Bool) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(AF_UNSPEC), 0, 0, 0]
        let flag = UInt32(IFF_UP)
        bytes.appendHost(index)
        bytes.appendHost(up ? flag : 0)
        bytes.appendHost(up ? flag : 0)
        return bytes
    }

    /// `struct ifaddrmsg`.
    static func address(_ link: Int32, length: Int) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(AF_INET), UInt8(clamping: length), 0, UInt8(RT_SCOPE_UNIVERSE.rawValue)]
        bytes.appendHost(link)
        return bytes
    }

    /// `struct rtmsg` of a unicast default route in the main table.
    static var defaultRoute: [UInt8] {
        [
            UInt8(AF_INET), 0, 0, 0, UInt8(RT_TABLE_MAIN.rawValue), UInt8(RTPROT_STATIC),
            UInt8(RT_SCOPE_UNIVERSE.rawValue), UInt8(RTN_UNICAST), 0, 0, 0, 0,
        ]
    }

    /// `struct ndmsg`; without more, of a permanent entry.
    static func neighbour(
        _ link: Int32, family: UInt8 = UInt8(AF_INET), state: UInt16 = UInt16(NUD_PERMANENT), flags: UInt8 = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = [family, 0, 0, 0]
        bytes.appendHost(link)
        bytes.appendHost(state)
        bytes += [flags, 0]
        return bytes
    }
}

/// What the proof needs to know of a link at the moment.
struct LinkDescription {
    let index: Int32
    let hardwareAddress: [UInt8]
    /// IFF_UP.
    let isUp: Bool
    /// BR_STATE_* of a bridge port, nil for other links.
    let bridgePortState: UInt8?

    /// Asks by name. Throws `notFound` where there is no such link.
    init(named name: String, through socket: inout NetlinkSocket) throws(HostError) {
        let operation = "rtnetlink RTM_GETLINK \(name)"
        var query = NetlinkAttributeBuilder(header: RouteHeader.link(index: 0, up: false))
        query.append(UInt16(IFLA_IFNAME), text: name)
        let answers = try socket.request(
            type: UInt16(RTM_GETLINK), flags: UInt16(NLM_F_REQUEST), payload: query.bytes, operation: operation)
        do {
            guard let bytes = answers.first, let index: Int32 = bytes.hostInteger(at: NetlinkHeader.size + 4) else {
                throw WireError(.truncated, operation)
            }
            self.index = index
            // Behind the index of struct ifinfomsg.
            let flags: UInt32 = bytes.hostInteger(at: NetlinkHeader.size + 8) ?? 0
            isUp = flags & UInt32(IFF_UP) != 0
            let attributes = try NetlinkMessage(bytes).attributes(after: 16)
            hardwareAddress = try attributes.first(UInt16(IFLA_ADDRESS)).map { Array(attributes.data($0)) } ?? []
            bridgePortState = try Self.portState(attributes)
        } catch {
            throw HostError(.malformed, operation: operation, message: "\(error)")
        }
    }

    private static func portState(_ attributes: NetlinkAttributes) throws(WireError) -> UInt8? {
        guard let info = try attributes.first(UInt16(IFLA_LINKINFO)) else { return nil }
        let details = attributes.nested(info)
        guard let kind = try details.first(UInt16(IFLA_INFO_SLAVE_KIND)), details.text(kind) == "bridge",
            let data = try details.first(UInt16(IFLA_INFO_SLAVE_DATA))
        else { return nil }
        let port = details.nested(data)
        guard let state = try port.first(UInt16(IFLA_BRPORT_STATE)) else { return nil }
        return try port.host(state)
    }
}
