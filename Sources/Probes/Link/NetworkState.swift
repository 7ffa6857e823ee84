internal import HostAccess
internal import HostModel
internal import WireFormats

/// The dumps that the link probes share. Equal requests are answered once per run by the recording host.
struct NetworkState {
    let host: any Host

    /// Decoded once per run: many probes ask, and a host may have a thousand links.
    func links() throws(ObservationFailure) -> [Link] {
        guard let recording = host as? RecordingHost else { return try readLinks() }
        return try recording.derived("links") { () throws(ObservationFailure) in try readLinks() }
    }

    private func readLinks() throws(ObservationFailure) -> [Link] {
        try decode(.links()) { (messages) throws(WireError) in try Link.all(in: messages) }
    }

    /// How a link came by its hardware address (`addr_assign_type`: 3 is set); nil where this sysfs shows another
    /// network namespace, or none. Source: NET_ADDR_* in linux/netdevice.h.
    func addressAssignment(of link: Link) throws(ObservationFailure) -> Int? {
        guard try number("/sys/class/net/\(link.name)/ifindex") == link.index else { return nil }
        return try number("/sys/class/net/\(link.name)/addr_assign_type")
    }

    private func number(_ path: String) throws(ObservationFailure) -> Int? {
        do {
            return Int(try host.readTextIfPresent(path, limit: 4_096)?.prefix { $0 != "\n" } ?? "")
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// The VLANs of the ports of bridges, and of the bridges.
    func bridgeVLANs() throws(ObservationFailure) -> [BridgeVLANs] {
        try decode(.bridgeVLANs()) { (messages) throws(WireError) in try BridgeVLANs.all(in: messages) }
    }

    func addresses() throws(ObservationFailure) -> [InterfaceAddress] {
        try decode(.addresses()) { (messages) throws(WireError) in try InterfaceAddress.all(in: messages) }
    }

    func routes() throws(ObservationFailure) -> [Route] {
        try decode(.routes()) { (messages) throws(WireError) in try Route.all(in: messages) }
    }

    func neighbours() throws(ObservationFailure) -> [Neighbour] {
        try decode(.neighbours()) { (messages) throws(WireError) in try Neighbour.all(in: messages) }
    }

    func rules() throws(ObservationFailure) -> [RouteRule] {
        try decode(.rules()) { (messages) throws(WireError) in try RouteRule.all(in: messages) }
    }

    /// The route that a packet of this host to the address takes; nil where there is none.
    func route(to destination: IPv4Address) throws(ObservationFailure) -> Route? {
        let query = KernelQuery.routeLookup(destination: destination)
        let messages: [[UInt8]]
        do {
            messages = try host.query(query)
        } catch {
            if error.code == .notFound { return nil }
            throw ObservationFailure(error)
        }
        do {
            return try Route.all(in: messages).first
        } catch {
            throw unreadable(query, error)
        }
    }

    private func decode<Value>(
        _ query: KernelQuery, _ body: ([[UInt8]]) throws(WireError) -> Value
    ) throws(ObservationFailure) -> Value {
        let messages: [[UInt8]]
        do {
            messages = try host.query(query)
        } catch {
            throw ObservationFailure(error)
        }
        do {
            return try body(messages)
        } catch {
            throw unreadable(query, error)
        }
    }

    private func unreadable(_ query: KernelQuery, _ error: WireError) -> ObservationFailure {
        .unknown("rtnetlink \(query.name): \(error)")
    }
}

extension [Link] {
    func named(_ name: String) -> Link? { first { $0.name == name } }

    /// The name of a link, or its index where the dump does not hold it.
    func name(_ index: Int) -> String { first { $0.index == index }?.name ?? "if\(index)" }
}
