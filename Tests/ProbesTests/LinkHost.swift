import HostAccess
import HostModel
import WireFormats

/// A host of literals: links, addresses and routes as netlink messages, and files.
struct LinkHost {
    struct Interface {
        var index: Int32
        var name: String
        var kind: String?
        var flags: UInt32 = 0x1043  // IFF_UP, IFF_BROADCAST, IFF_RUNNING, IFF_MULTICAST
        var master: UInt32?
        var carrier: UInt8 = 1
        var addresses: [String] = []
    }

    struct Way {
        var destination: String
        var link: UInt32?
        var gateway: String?
        var table: UInt8 = 254
        var type: UInt8 = 1
        var source: String?
    }

    /// A healthy host.
    var interfaces = [
        Interface(index: 1, name: "lo", flags: 0x49, addresses: ["127.0.0.1/8"]),
        Interface(index: 2, name: "eth0", addresses: ["203.0.113.2/24"]),
        Interface(index: 3, name: "lxcbr1", kind: "bridge", carrier: 0, addresses: ["10.5.0.1/16"]),
    ]
    var routes = [
        Way(destination: "0.0.0.0/0", link: 2, gateway: "203.0.113.1"),
        Way(destination: "10.5.0.0/16", link: 3), Way(destination: "203.0.113.0/24", link: 2),
        Way(destination: "10.5.0.1/32", link: 3, table: 255, type: 2),
    ]
    /// The answer to a lookup of 198.51.100.7; nil: there is no route.
    var outside: Way? = Way(
        destination: "198.51.100.7/32", link: 2, gateway: "203.0.113.1", source: "203.0.113.2")
    var files = [
        "/proc/sys/net/ipv4/ip_forward": "1\n", "/proc/sys/net/ipv4/conf/lxcbr1/forwarding": "1\n",
        "/proc/sys/net/ipv4/conf/eth0/forwarding": "1\n",
    ]
    /// Who the bridge knows by ARP.
    var neighbours: [String] = []
    /// What the kernel knows of the gateway; nil: it was never asked for.
    var gateway: (state: UInt8, questions: UInt32, hundredths: UInt32)?
    /// Requests that the kernel refuses.
    var refused: [HostRequest] = []
    /// And those that it answers with an error.
    var failures: [(HostRequest, Int32)] = []

    var host: ReplayHost {
        var entries = [
            entry(.netlink(.links()), interfaces.map(linkMessage)),
            entry(.netlink(.addresses()), interfaces.flatMap { link in link.addresses.map { message($0, of: link) } }),
            entry(.netlink(.routes()), routes.map(message)), entry(.netlink(.rules()), []),
            entry(.netlink(.neighbours()), neighbours.map(neighbour) + gatewayMessages),
        ]
        let lookup = HostRequest.netlink(.routeLookup(destination: Network.defaultTarget))
        if let outside {
            entries.append(entry(lookup, [message(outside)]))
        } else {
            entries.append(failure(lookup, .notFound))
        }
        for path in [
            "net/ipv4/ip_forward", "net/ipv4/conf/lxcbr1/forwarding", "net/ipv4/conf/eth0/forwarding",
            "net/ipv4/conf/eth0.100/forwarding",
        ] {
            let request = HostRequest.read(path: "/proc/sys/" + path, root: nil, limit: 4_096)
            if let text = files["/proc/sys/" + path] {
                entries.append(TranscriptEntry(request: request, reply: .bytes(ByteString(text)), error: nil))
            } else {
                entries.append(failure(request, .notFound))
            }
        }
        let leases = HostRequest.read(path: "/var/lib/misc/dnsmasq.lxcbr1.leases", root: nil, limit: 16 << 20)
        if let text = files["/var/lib/misc/dnsmasq.lxcbr1.leases"] {
            entries.append(TranscriptEntry(request: leases, reply: .bytes(ByteString(text)), error: nil))
        } else {
            entries.append(failure(leases, .notFound))
        }
        // No dnsmasq runs.
        for path in ["/run/lxc/dnsmasq.pid", "/run/dnsmasq.pid", "/var/run/dnsmasq.pid"] {
            entries.append(failure(.read(path: path, root: nil, limit: 64), .notFound))
        }
        entries += refused.map { failure($0, .notPermitted) }
        entries += failures.map { request, number in
            TranscriptEntry(
                request: request, reply: nil,
                error: HostError(.notPermitted, operation: "test", message: "for the test", errno: number))
        }
        return ReplayHost(entries)
    }

    private func entry(_ request: HostRequest, _ messages: [[UInt8]]) -> TranscriptEntry {
        TranscriptEntry(request: request, reply: .messages(NetlinkMessages(messages)), error: nil)
    }

    private func failure(_ request: HostRequest, _ code: HostError.Code) -> TranscriptEntry {
        TranscriptEntry(
            request: request, reply: nil, error: HostError(code, operation: "test", message: "refused for the test"))
    }

    private func linkMessage(_ link: Interface) -> [UInt8] {
        var header: [UInt8] = [0, 0, 1, 0]
        header.appendHost(link.index)
        header.appendHost(link.flags)
        header.appendHost(UInt32(0))
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(3, text: link.name)
        payload.append(4, host: UInt32(1500))
        payload.append(33, host: link.carrier)
        if let master = link.master { payload.append(10, host: master) }
        payload.append(1, bytes: [2, 0, 0, 0, 0, UInt8(link.index)])
        if let kind = link.kind { payload.nest(18, marked: false) { $0.append(1, text: kind) } }
        return NetlinkMessage(type: 16, flags: 2, payload: payload.bytes).bytes
    }

    private func message(_ address: String, of link: Interface) -> [UInt8] {
        guard let prefix = IPv4Prefix(address) else { return [] }
        var header: [UInt8] = [2, UInt8(prefix.length), 0, 0]
        header.appendHost(UInt32(link.index))
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(1, address: prefix.address)
        payload.append(2, address: prefix.address)
        return NetlinkMessage(type: 20, flags: 2, payload: payload.bytes).bytes
    }

    private func neighbour(_ address: String) -> [UInt8] {
        guard let address = IPv4Address(address) else { return [] }
        var header: [UInt8] = [2, 0, 0, 0]
        header.appendHost(UInt32(3))
        header += [0x04, 0, 0, 1]
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(1, address: address)
        payload.append(2, bytes: [0, 0x16, 0x3e, 0, 0, 9])
        return NetlinkMessage(type: 28, flags: 2, payload: payload.bytes).bytes
    }

    private var gatewayMessages: [[UInt8]] {
        guard let gateway, let address = IPv4Address("203.0.113.1") else { return [] }
        var header: [UInt8] = [2, 0, 0, 0]
        header.appendHost(UInt32(2))
        header += [gateway.state, 0, 0, 1]
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(1, address: address)
        var times: [UInt8] = []
        for value in [UInt32(0), 0, gateway.hundredths, 0] { times.appendHost(value) }
        payload.append(3, bytes: times)
        payload.append(4, host: gateway.questions)
        return [NetlinkMessage(type: 28, flags: 2, payload: payload.bytes).bytes]
    }

    private func message(_ way: Way) -> [UInt8] {
        guard let prefix = IPv4Prefix(way.destination) else { return [] }
        var payload = NetlinkAttributeBuilder(
            header: [2, UInt8(prefix.length), 0, 0, way.table, 3, 0, way.type, 0, 0, 0, 0])
        payload.append(15, host: UInt32(way.table))
        if prefix.length > 0 { payload.append(1, address: prefix.address) }
        if let link = way.link { payload.append(4, host: link) }
        if let gateway = way.gateway.flatMap({ IPv4Address($0) }) { payload.append(5, address: gateway) }
        if let source = way.source.flatMap({ IPv4Address($0) }) { payload.append(7, address: source) }
        return NetlinkMessage(type: 24, flags: 2, payload: payload.bytes).bytes
    }
}
