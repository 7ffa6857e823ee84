internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// A throw-away container: a namespace without a name, with one veth into the bridge.
///
/// All of it lives by the namespace's descriptor. Nothing of it speaks before the first probe: IPv6 is off, also where
/// IPv6 is sent, and the gateway's hardware address is known. Source: rtnetlink(7), veth(4), linux/if_link.h.
struct ProofContainer: ~Copyable {
    /// The host's end of the veth.
    let port: String
    /// Of `eth0` inside.
    let hardwareAddress: [UInt8]
    /// Made by us, for this order.
    private let isOurs: Bool
    private let namespace: Descriptor
    private let sockets: Sockets
    private let linkIndex: Int32
    /// Asks by ARP or neighbour discovery and sends frames as they are; nil in one that does not, and in one that is not
    /// ours.
    let packetSocket: SharedSocket?

    /// Netlink of this host, and of the namespace.
    private final class Sockets {
        var host: NetlinkSocket
        var inside: NetlinkSocket
        init(_ host: consuming NetlinkSocket, _ inside: consuming NetlinkSocket) {
            self.host = host
            self.inside = inside
        }
    }

    private static let insideName = "eth0"
    /// A port that has carrier forwards within a millisecond, unless spanning tree holds it back, or the kernel is busy
    /// taking links away.
    private static let forwardingMilliseconds = 1000

    /// Makes the namespace and attaches it. Returns when the bridge forwards from its port. `speaks`: whether frames are
    /// sent from it.
    init(order: ProbeOrder, speaks: Bool = true) throws(HostError) {
        let namespace = try Descriptor(clinux_new_netns(), operation: "make a network namespace")
        var host = try NetlinkSocket(.route)
        var inside = try NetlinkSocket(.route, namespace: namespace.rawValue)
        var random = SystemRandomNumberGenerator()
        let number = UInt32.random(in: 0...0xff_ffff, using: &random)
        let hex = String(number | 0x100_0000, radix: 16).dropFirst()
        let port = ProofNames.linkPrefix + hex
        let low = [UInt8(number >> 16 & 0xff), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]
        // Higher than the address of any other port: a bridge takes the lowest as its own.
        let outer = [0xfe, 0xff, 0xff] + low
        let inner = [0x02, 0xff, 0xff] + low

        let bridge = try LinkDescription(named: order.bridge, through: &host)
        try host.change(
            type: UInt16(RTM_NEWLINK), flags: UInt16(NLM_F_CREATE | NLM_F_EXCL),
            payload: Self.veth(
                port: port, bridge: bridge.index, outer: outer, inner: inner, mtu: order.mtu,
                namespace: namespace.rawValue),
            operation: "attach a throw-away container to \(order.bridge)")
        let linkIndex = try LinkDescription(named: Self.insideName, through: &inside).index
        try inside.change(
            type: UInt16(RTM_NEWLINK), payload: RouteHeader.link(index: linkIndex, up: true),
            operation: "bring \(Self.insideName) up")
        try Self.waitForForwarding(port, through: &host)
        let packetSocket =
            speaks
            ? SharedSocket(
                try Self.socket(
                    AF_PACKET, SOCK_DGRAM,
                    Int32(UInt16(order.family == .ipv4 ? ETH_P_ARP : ETH_P_IPV6).bigEndian), in: namespace))
            : nil
        isOurs = true
        self.packetSocket = packetSocket
        self.port = port
        hardwareAddress = inner
        self.linkIndex = linkIndex
        self.namespace = namespace
        sockets = Sockets(host, inside)
    }

    /// Takes a container that is there. Nothing of it is changed.
    init(resident: Resident) throws(HostError) {
        var search = try NamespaceSearch()
        let namespace = try search.open(resident.namespace, identifier: nil)
        let host = try NetlinkSocket(.route)
        var inside = try NetlinkSocket(.route, namespace: namespace.rawValue)
        // The process may have gone and its number be used again: then the link is another.
        let link = try LinkDescription(named: resident.interface, through: &inside)
        guard link.hardwareAddress == resident.hardwareAddress?.octets, Int(link.index) == resident.interfaceIndex
        else {
            throw HostError(
                .notFound, operation: "send from \(resident.title)", message: "the container has gone meanwhile")
        }
        isOurs = false
        packetSocket = nil
        port = resident.port
        hardwareAddress = link.hardwareAddress
        linkIndex = link.index
        self.namespace = namespace
        sockets = Sockets(host, inside)
    }

    /// The address, the route and the permanent neighbour; nothing in a container that is not ours.
    func configure(_ order: ProbeOrder) throws(HostError) {
        guard isOurs else { return try requireTheGatewaysAddress(order) }
        for prefix in order.addresses {
            try sockets.inside.change(
                type: UInt16(RTM_NEWADDR), flags: UInt16(NLM_F_CREATE), payload: addressPayload(prefix),
                operation: "give the container \(prefix)")
        }
        var route = NetlinkAttributeBuilder(header: RouteHeader.defaultRoute)
        route.append(UInt16(RTA_GATEWAY.rawValue), bytes: order.gateway.octets)
        route.append(UInt16(RTA_OIF.rawValue), host: linkIndex)
        try sockets.inside.change(
            type: UInt16(RTM_NEWROUTE), flags: UInt16(NLM_F_CREATE), payload: route.bytes,
            operation: "give the container a default route")
        var neighbour = NetlinkAttributeBuilder(header: RouteHeader.neighbour(linkIndex))
        neighbour.append(UInt16(NDA_DST), bytes: order.gateway.octets)
        neighbour.append(UInt16(NDA_LLADDR), bytes: try bridgeAddress(order))
        try sockets.inside.change(
            type: UInt16(RTM_NEWNEIGH), flags: UInt16(NLM_F_CREATE | NLM_F_REPLACE), payload: neighbour.bytes,
            operation: "tell the container its gateway")
    }

    private func addressPayload(_ prefix: IPPrefix) -> [UInt8] {
        var address = NetlinkAttributeBuilder(header: RouteHeader.address(linkIndex, length: prefix.length))
        address.append(UInt16(IFA_LOCAL), bytes: prefix.address.octets)
        address.append(UInt16(IFA_ADDRESS), bytes: prefix.address.octets)
        return address.bytes
    }

    /// Gives the addresses up. The kernel takes a namespace away some time after its last descriptor is closed, and until
    /// then the container would answer whoever asks for them: the next doctor, which would take them for somebody's.
    func giveUp(_ order: ProbeOrder) {
        guard isOurs else { return }
        for prefix in order.addresses where prefix.address.v4 != nil {
            do throws(HostError) {
                try sockets.inside.change(
                    type: UInt16(RTM_DELADDR), payload: addressPayload(prefix), operation: "give up \(prefix)")
            } catch {
                // Then it answers for a moment longer, which harms nobody.
            }
        }
    }

    /// A container keeps what it has learnt, though the bridge was made anew since. What it sends to an address that nobody
    /// has is flooded to every port, and comes into none of the fences in its time.
    private func requireTheGatewaysAddress(_ order: ProbeOrder) throws(HostError) {
        let bridge = try LinkDescription(named: order.bridge, through: &sockets.host)
        // Of IPv6 its gateway is what was advertised: an address that the bridge has besides its own.
        let gateway = order.family == .ipv4 ? order.gateway : order.resident?.gateways(of: .ipv6).first ?? order.gateway
        let entry = try neighbour(gateway)
        guard let known = entry?.mac, known.octets != bridge.hardwareAddress else { return }
        throw HostError(
            .other, operation: "send from the container",
            message:
                "it takes \(known) for the hardware address of its gateway \(gateway), which \(order.bridge) "
                + "has not; its kernel asks again some seconds after it sends")
    }

    private func neighbour(_ address: IPAddress?) throws(HostError) -> Neighbour? {
        guard let address else { return nil }
        let messages = try sockets.inside.request(.neighbours(AddressFamily(address.family)))
        return try HostError.decoding("read the neighbours of a container") { () throws(WireError) in
            try Neighbour.all(in: messages)
        }.first { $0.link == Int(linkIndex) && $0.destination == address }
    }

    /// The hardware address of the bridge, read when it is needed: a bridge without ports took our own when we came.
    func bridgeAddress(_ order: ProbeOrder) throws(HostError) -> [UInt8] {
        try LinkDescription(named: order.bridge, through: &sockets.host).hardwareAddress
    }

    /// Takes the container's addresses out of this host's neighbour table, where they are because this host answered it
    /// (an ICMP error, or what came back in wire mode). They were in nobody's table before.
    func forget(_ order: ProbeOrder) throws(HostError) {
        guard isOurs else { return }
        let bridge = try LinkDescription(named: order.bridge, through: &sockets.host)
        for prefix in order.addresses {
            let family = UInt8(order.family == .ipv4 ? AF_INET : AF_INET6)
            var entry = NetlinkAttributeBuilder(header: RouteHeader.neighbour(bridge.index, family: family))
            entry.append(UInt16(NDA_DST), bytes: prefix.address.octets)
            do {
                try sockets.host.change(
                    type: UInt16(RTM_DELNEIGH), payload: entry.bytes, operation: "forget the neighbour \(prefix)")
            } catch {
                // As a rule there is none.
                guard error.code == .notFound else { throw error }
            }
        }
    }

    /// How the port is now, and whether the gateway is known.
    func state(gateway: IPAddress?) throws(HostError) -> PortState {
        let link = try LinkDescription(named: port, through: &sockets.host)
        var state = PortState(
            isUp: link.isUp, forwards: link.bridgePortState == UInt8(BR_STATE_FORWARDING))
        let entry = try neighbour(gateway)
        state.gatewayAnswers = entry.map { Int32($0.state) & (NUD_INCOMPLETE | NUD_FAILED) == 0 }
        return state
    }

    /// A socket that belongs to the namespace.
    func socket(_ domain: Int32, _ type: __socket_type, _ protocolNumber: Int32) throws(HostError) -> Descriptor {
        try Self.socket(domain, type, protocolNumber, in: namespace)
    }

    private static func socket(
        _ domain: Int32, _ type: __socket_type, _ protocolNumber: Int32, in namespace: borrowing Descriptor
    ) throws(HostError) -> Descriptor {
        try Descriptor(
            clinux_socket_in_netns(
                namespace.rawValue, domain,
                Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), protocolNumber),
            operation: "open a socket in the throw-away container")
    }

    /// `eth0` in the namespace.
    var interfaceIndex: Int32 { linkIndex }

    private static func waitForForwarding(_ port: String, through host: inout NetlinkSocket) throws(HostError) {
        let operation = "wait for the bridge port \(port)"
        let deadline = Deadline(milliseconds: Self.forwardingMilliseconds)
        while deadline.milliseconds > 0 {
            switch try LinkDescription(named: port, through: &host).bridgePortState {
            case UInt8(BR_STATE_FORWARDING): return
            case UInt8(BR_STATE_LISTENING), UInt8(BR_STATE_LEARNING), UInt8(BR_STATE_BLOCKING):
                throw HostError(
                    .limit, operation: operation,
                    message: "spanning tree is on: a new port forwards only after twice the forward delay")
            default: usleep(200)
            }
        }
        throw HostError(.limit, operation: operation, message: "it did not start to forward")
    }

    /// One RTM_NEWLINK for everything: the pair, both names and hardware addresses, MTU, master, up, and the peer's
    /// namespace.
    private static func veth(
        port: String, bridge: Int32, outer: [UInt8], inner: [UInt8], mtu: Int, namespace: Int32
    ) -> [UInt8] {
        let mtu = UInt32(clamping: mtu)
        var link = NetlinkAttributeBuilder(header: RouteHeader.link(index: 0, up: true))
        link.append(UInt16(IFLA_IFNAME), text: port)
        link.append(UInt16(IFLA_ADDRESS), bytes: outer)
        link.append(UInt16(IFLA_MTU), host: mtu)
        link.append(UInt16(IFLA_MASTER), host: bridge)
        link.nest(UInt16(IFLA_LINKINFO), marked: false) { info in
            info.append(UInt16(IFLA_INFO_KIND), text: "veth")
            info.nest(UInt16(IFLA_INFO_DATA), marked: false) { data in
                var peer = NetlinkAttributeBuilder(header: RouteHeader.link(index: 0, up: false))
                peer.append(UInt16(IFLA_IFNAME), text: insideName)
                peer.append(UInt16(IFLA_ADDRESS), bytes: inner)
                peer.append(UInt16(IFLA_MTU), host: mtu)
                peer.append(UInt16(IFLA_NET_NS_FD), host: namespace)
                data.append(UInt16(VETH_INFO_PEER), bytes: peer.bytes)
            }
        }
        return link.bytes
    }
}
