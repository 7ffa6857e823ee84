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

    /// The addresses that containers behind a bridge are known to have: by its neighbours, and by the leases of its dnsmasq.
    func knownAddresses(behind bridge: String) throws(ObservationFailure) -> [IPv4Address] {
        let index = try links().named(bridge)?.index
        var found = Set(try neighbours().filter { $0.link == index && $0.mac != nil }.compactMap(\.address))
        found.formUnion(try ConfigurationReader(host: host).leases(of: bridge).leases.map(\.address))
        return found.sorted()
    }

    /// What a lookup ends with.
    enum Way {
        case route(Route)
        /// By a route, or a rule, of this kind.
        case refused(Route.Kind)
        case none
    }

    /// The way that a packet of this host to the address takes.
    func way(to destination: IPv4Address) throws(ObservationFailure) -> Way {
        let query = KernelQuery.routeLookup(destination: destination)
        let messages: [[UInt8]]
        do {
            messages = try host.query(query)
        } catch {
            if error.code == .notFound { return .none }
            if let kind = try refusal(error) { return .refused(kind) }
            throw ObservationFailure(error)
        }
        do {
            return try Route.all(in: messages).first.map { .route($0) } ?? .none
        } catch {
            throw unreadable(query, error)
        }
    }

    /// The kind of route, or of rule, that a lookup met, by the error that the kernel gives such: EACCES (13) or EINVAL (22),
    /// which may come from elsewhere, too. Nil where the host has none of that kind. Source: fib_props in
    /// net/ipv4/fib_semantics.c, fib4_rule_action in net/ipv4/fib_rules.c.
    private func refusal(_ error: HostError) throws(ObservationFailure) -> Route.Kind? {
        let kind: Route.Kind
        let action: UInt8
        switch error.errno {
        case 13: (kind, action) = (.prohibit, 8)
        case 22: (kind, action) = (.blackhole, 6)
        default: return nil
        }
        if try rules().contains(where: { $0.action == action }) { return kind }
        return try routes().contains { $0.kind == kind } ? kind : nil
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
